"""The gate of the product's API: logins, tokens, delays, and what is refused before any route."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.prisma import access, gate
from api.prisma.lockout import Lockout
from api.prisma.signing import Signer
from streams.control import Edit
from streams.embedded import Broker
from tests.api.prisma_tenant import TOKEN, Api, Tenant, tenant

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        yield started


async def test_a_login_gives_a_token_that_is_extended_and_dies_with_its_key(ours: Tenant) -> None:
    id, secret = ours.keys["admin"]
    async with ours.client() as client:
        said = await client.post("/login", json={"username": id, "password": secret, "customerName": "any"})
        assert said.status_code == 200
        body = said.json()
        assert body["message"] == "login_successful"
        assert body["customerNames"][0]["tosAccepted"] is True
        client.headers["x-redlock-auth"] = body["token"]
        assert (await client.get("/user/me")).json()["email"] == "admin@example.com"
        assert isinstance((await client.get("/license")).json()["prismaId"], str)
        extended = await client.get("/auth_token/extend")
        client.headers["x-redlock-auth"] = extended.json()["token"]
        assert (await client.get("/check")).status_code == 200
        for enabled, status in ((False, 401), (True, 200)):
            await ours.control.change([Edit("access-key", id, {"enabled": enabled}, merge=True)], by="test")
            assert (await client.get("/check")).status_code == status


async def test_an_expired_or_forged_token_opens_nothing(ours: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    token = await ours.login()
    head, body, signature = token.split(".")
    forged = [f"{head}.{body}.", f"{head}.{body[:-1]}A.{signature}", f".{body}.{signature}", "x", "é", "." * 10]
    for each in (*forged, token + " x"):
        async with ours.client() as client:
            said = await client.get("/check", headers={b"x-redlock-auth": each.encode("latin-1")})
            assert said.status_code == 401
    monkeypatch.setattr(access, "LIFE_S", 0)
    async with ours.client(await ours.login()) as client:
        said = await client.get("/check")
        assert said.status_code == 401
        assert json.loads(said.headers["x-redlock-status"])[0]["i18nKey"] == "unauthorized"


async def test_an_unknown_key_and_a_wrong_secret_get_one_answer_and_growing_delays(ours: Tenant) -> None:
    async with ours.again().client() as client:
        texts = set()
        for username, password in ((ours.keys["admin"][0], "wrong"), ("nobody", "wrong"), ("nobody", "wrong")):
            said = await client.post("/login", json={"username": username, "password": password})
            assert said.status_code == 401
            texts.add(said.text + said.headers["x-redlock-status"])
        assert len(texts) == 1
        for _ in range(3):
            said = await client.post("/login", json={"username": "nobody", "password": "wrong"})
        assert said.status_code == 429
        assert int(said.headers["retry-after"]) >= 1


async def test_delays_double_and_end_with_a_success() -> None:
    now = [0.0]
    lockout = Lockout(3, lambda: now[0])
    waits = []
    for _ in range(14):
        lockout.failed("a")
        waits.append(lockout.wait("a"))
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert lockout.wait("b") == 0
    lockout.succeeded("a")
    assert lockout.wait("a") == 0


async def test_what_is_wrong_before_any_route_is_told_as_json(ours: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST_BYTES", 2000)
    json_type = {"content-type": "application/json"}
    async with ours.client(await ours.login()) as client:
        for status, key, said in [
            (404, "not_found", await client.get("/nothing/here")),
            (404, "not_found", await client.get("/../../etc/passwd")),
            (405, "method_not_allowed", await client.request("DELETE", "/login")),
            (406, "not_acceptable", await client.get("/check", headers={"accept": "image/png"})),
            (413, "too_large", await client.post("/search/config", json={"query": "x" * 3000})),
            (415, "unsupported_media_type", await client.post("/search/config", data={"query": "x"})),
            (400, "bad_request", await client.post("/search/config", content=b"{", headers=json_type)),
            (400, "bad_request", await client.post("/search/config", content=b"[" * 1990, headers=json_type)),
            (400, "bad_request", await client.post("/search/config", json={"limit": "many"})),
            (400, "invalid_query", await client.post("/search/config", json={"query": "config form x"})),
            (400, "not_supported", await client.post("/search/", json={"query": "network from vpc.flow_record"})),
        ]:
            assert (said.status_code, json.loads(said.headers["x-redlock-status"])[0]["i18nKey"]) == (status, key)
            assert said.headers["content-type"] == "application/json"
            assert said.json()["error"]["code"] == key
            assert said.headers["x-redlock-request-id"]
        assert (await client.request("DELETE", "/search/history")).headers["allow"] == "GET, HEAD, OPTIONS"
        both = await client.request("PATCH", "/search/history/x", json={})
        assert both.headers["allow"] == "GET, HEAD, POST, DELETE, OPTIONS"
        head = await client.head("/check")
        assert (head.status_code, head.content) == (200, b"")


async def test_options_names_the_methods_and_pages_of_other_origins_stay_out(ours: Tenant) -> None:
    async with ours.client() as client:
        said = await client.options("/search/config", headers={"origin": "https://evil.example"})
        assert (said.status_code, said.headers["allow"]) == (204, "POST, OPTIONS")
        assert "access-control-allow-origin" not in said.headers
        assert (await client.options("/nothing")).status_code == 404


async def test_the_token_of_the_data_folder_opens_it_too(ours: Tenant) -> None:
    async with Api(transport=ours.client()._transport, base_url="http://tidegate") as client:
        said = await client.get("/user/me", headers={"authorization": f"Bearer {TOKEN}"})
        assert said.json()["displayName"] == "local token"


async def test_a_page_token_is_no_session_and_another_key_signs_nothing(tmp_path: Any) -> None:
    ours, theirs = Signer(tmp_path / "a"), Signer(tmp_path / "b")
    page = ours.sign("page", {"q": "x" * 5000})
    assert len(page) < 300
    assert ours.open("page", page) == {"q": "x" * 5000}
    assert ours.open("JWT", page) is None
    assert theirs.open("page", page) is None
    assert ours.open("JWT", ours.sign("JWT", {"exp": time.time() - 1})) is None
    assert ours.tenant == Signer(tmp_path / "a").tenant != theirs.tenant
    assert (tmp_path / "a" / "sessions.key").stat().st_mode & 0o777 == 0o600
