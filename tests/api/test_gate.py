"""What stands before both APIs: who is let in where, how much one may ask, and what attackers send."""

import asyncio
import csv
import gzip
import io
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import pytest_asyncio

from agents.normalise import NORMALISERS
from api import ingest, patience
from api.limits import Limits
from api.log import REQUEST, Lines
from api.prisma import gate
from api.version import ROOT
from streams.admin import ensure_topics
from streams.embedded import Broker
from streams.topics import TOPICS, raw_topic
from tests.api.prisma_tenant import ROLES, TOKEN, Tenant, served, tenant

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

DROP = "x'; drop table resources; -- \" %s {0} \r\nx-evil: 1"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
ASKS = ("/rql", "/sql", "/rql/complete", "/rql/format", "/try", "/preview")
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        await ensure_topics(started.settings, [*TOPICS, *(raw_topic(each.topic) for each in NORMALISERS.values())])
        yield started


@pytest.fixture
def address(ours: Tenant) -> Iterator[tuple[str, int]]:
    """The API on a port."""
    with served(ours.again().app) as port:
        yield "127.0.0.1", port


async def test_every_call_of_our_own_api_lets_in_just_the_roles_that_it_is_for(ours: Tenant) -> None:
    app = ours.again()
    tokens = {role: await app.login(role) for role in ROLES}
    id = ours.keys["admin"][0]
    access = app.app.state.access()
    expired = access.signer.sign("JWT", {"sub": "admin@example.com", "key": id, "exp": time.time() - 1})
    async with app.client() as client:
        described = app.app.openapi()["paths"]
        assert len(described) > 25
        for method, at in [(method.upper(), at) for at, methods in described.items() for method in methods]:
            path = at.replace("{kind}", "users").replace("{", "").replace("}", "")
            if path.endswith(("/health", "/events")):
                continue
            asks = method == "GET" or path.endswith(ASKS)
            allowed = {"admin", "read-only"} if asks else {"admin"}
            allowed = {"admin", "ingest-only"} if "/ingest/" in path else allowed
            for who, token in (("nobody", ""), ("expired", expired), *tokens.items()):
                if who == "admin" and method != "GET":
                    continue  # it would be done
                headers = {"x-redlock-auth": token, **JSON}
                said = await client.request(method, path, headers=headers, content=b"[]" if method != "GET" else b"")
                place = (method, path, who, said.status_code, said.text[:200])
                if who in ("nobody", "expired"):
                    assert said.status_code == 401, place
                    assert said.headers["www-authenticate"] == "Bearer"
                else:
                    assert (said.status_code == 403) is (who not in allowed), place
                assert said.status_code < 500, place


async def test_wrong_methods_types_and_paths_are_told_as_json_by_our_own_api(ours: Tenant) -> None:
    async with ours.client(TOKEN) as client:
        for status, code, said in [
            (404, "not-found", await client.get(f"{ROOT}/nothing")),
            (405, "method-not-allowed", await client.delete(f"{ROOT}/rql")),
            (406, "not-acceptable", await client.get(f"{ROOT}/status", headers={"accept": "image/png"})),
            (415, "unsupported", await client.post(f"{ROOT}/rql", data={"query": "x"})),
            (422, "invalid", await client.post(f"{ROOT}/rql", content=b"{", headers=JSON)),
        ]:
            assert (said.status_code, said.json()["error"]["code"]) == (status, code)
            assert said.headers["content-type"] == "application/json"
            assert len(said.headers["x-request-id"]) == 32
        assert (await client.delete(f"{ROOT}/rql")).headers["allow"] == "POST, OPTIONS"
        options = await client.options(f"{ROOT}/alerts/P-1")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        head = await client.head(f"{ROOT}/policies")
        assert (head.status_code, head.content) == (200, b"")


async def test_a_client_that_asks_too_much_waits_and_others_do_not(ours: Tenant) -> None:
    app = ours.again()
    app.app.state.limits.__init__(per_second=1.25, at_once=256)
    async with app.client(await app.login("read-only")) as client, app.client(TOKEN) as other:
        said = [await client.get("/check") for _ in range(7)]
        assert [each.status_code for each in said] == [200] * 5 + [429] * 2
        assert said[-1].headers["retry-after"] == "1"
        assert json.loads(said[-1].headers["x-redlock-status"])[0]["i18nKey"] == "too_many_requests"
        ours_too = await client.get(f"{ROOT}/status")
        assert (ours_too.status_code, ours_too.json()["error"]["code"]) == (429, "too-many")
        assert (await other.get("/check")).status_code == 200


async def test_limits_fill_up_again_and_forget_who_is_gone() -> None:
    now = [0.0]
    limits = Limits(per_second=0.5, at_once=2, clock=lambda: now[0])
    assert [limits.begin("a"), limits.begin("a"), limits.begin("b")] == [0, 0, 0]
    now[0] = 10.0
    assert limits.begin("a") == 1.0  # two are under way
    limits.end("a")
    assert limits.begin("a") == 0
    for number in range(10_001):
        limits.begin(f"x{number}")
        limits.end(f"x{number}")
    assert len(limits._clients) <= 10_001
    assert "a" in limits._clients


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"query":' * 5_000,
        b'{"query": "x", "timeRange": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"query": "\\ud800"}',
        b'{"query": NaN}',
        b'{"query": "x", "limit": ' + b"9" * 5000 + b"}",
        b'{"a": 1, ' * 1000,
        b"\xff\xfe{}",
    ],
    ids=range(8),
)
async def test_json_that_is_a_bomb_is_refused(ours: Tenant, body: bytes) -> None:
    async with ours.client(TOKEN) as client:
        for path in ("/search/config", "/policy", "/v2/alert", f"{ROOT}/rql", f"{ROOT}/control"):
            said = await client.post(path, content=body, headers=JSON)
            assert said.status_code in (400, 422), (path, said.text)


async def test_sql_and_line_breaks_in_any_text_change_nothing(ours: Tenant) -> None:
    app = ours.again()
    async with app.client(TOKEN) as client:
        theirs = (await client.get("/openapi.json")).json()
        mine = (await client.get(f"{ROOT}/openapi.json")).json()
        for described in (theirs, mine):
            for path, methods in described["paths"].items():
                if path == "/login" or path.endswith(("/events", "/keys/rotate")):
                    continue
                at = "/".join("x%27%3B%20drop%20table%20x%0D%0A" if "{" in part else part for part in path.split("/"))
                for method, operation in methods.items():
                    query = {p["name"]: DROP for p in operation.get("parameters", []) if p["in"] == "query"}
                    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
                    body = _filled(described, content["schema"]) if content and content["schema"] else None
                    said = await client.request(method, at, params=query, json=body)
                    place = (method, path, said.status_code, said.text[:300])
                    assert said.status_code < 500 or said.status_code == 503, place
                    assert "x-evil" not in said.headers, place
                    assert "\n" not in said.headers.get("x-redlock-status", ""), place
        counted = await client.post("/search/config", json={"query": "config from cloud.resource", "limit": 1})
        assert counted.status_code in (200, 400)
    assert ours.store.cursor().execute("select count(*) from resources").fetchall() == [(39,)]


async def test_paths_lead_nowhere_else(ours: Tenant) -> None:
    async with ours.client(TOKEN) as client:
        for path in (
            "/docs/..%2f..%2f..%2fetc%2fpasswd",
            "/console/..%2f..%2f..%2fetc%2fpasswd",
            f"{ROOT}/policies/..%2f..%2ftoken",
            f"{ROOT}/snapshots/..%2f..%2ftoken",
            "/alert/..%2f..%2ftoken",
            "/..%5c..%5ctoken",
            "/%00",
        ):
            said = await client.get(path)
            assert TOKEN not in said.text
            assert "root:" not in said.text
            assert said.status_code in (200, 404, 405), path
        as_of = await client.post(f"{ROOT}/sql", json={"query": "select 1", "as_of": "../../../etc"})
        assert as_of.status_code == 409


async def test_what_drips_is_cut_off_and_others_are_answered(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_S", 0.4)
    monkeypatch.setattr(gate, "PATIENCE_S", 0.4)
    slow = [socket.create_connection(address, timeout=20) for _ in range(40)]
    for each in slow[1:]:
        each.sendall(b"GET /check HTTP/1.1\r\nhost: x\r\nx-a: ")
    body = b"POST /search/config HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n"
    slow[0].sendall(body + f"x-redlock-auth: {TOKEN}\r\n\r\n".encode() + b"{")
    with socket.create_connection(address, timeout=20) as other:
        other.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert (await asyncio.to_thread(other.recv, 100)).startswith(b"HTTP/1.1 200")
    assert (await asyncio.to_thread(slow[0].recv, 100)).startswith(b"HTTP/1.1 408")
    for each in slow[1:]:
        assert await asyncio.to_thread(each.recv, 100) == b""
    for each in slow:
        each.close()


async def test_bodies_that_grow_when_they_are_unpacked_are_refused(
    ours: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MOST_BYTES", 100_000)
    bomb = gzip.compress(b"{}\n" * 1_000_000)
    async with ours.client(TOKEN) as client:
        said = await client.post(f"{ROOT}/sources/guardduty/try", content=bomb, headers={"content-encoding": "gzip"})
        assert said.status_code == 413
        long = {"content-length": str(10**9), "x-redlock-auth": TOKEN, **JSON}
        assert (await client.post("/search/config", content=b"{}", headers=long)).status_code == 413


async def test_long_answers_are_packed_for_those_who_ask(ours: Tenant) -> None:
    async with ours.client(TOKEN) as client:
        plain = await client.get(f"{ROOT}/openapi.json", headers={"Accept-Encoding": "identity"})
        packed = await client.get(f"{ROOT}/openapi.json", headers={"Accept-Encoding": "gzip"})
        short = await client.get(f"{ROOT}/status", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers and "content-encoding" not in short.headers
    assert packed.headers["content-encoding"] == "gzip" and "Accept-Encoding" in packed.headers["vary"]
    assert packed.content == plain.content


async def test_answers_come_as_tables_where_they_are_asked_for_so(ours: Tenant) -> None:
    asked = {"query": "config from cloud.resource where cloud.type = 'aws'", "limit": 5}
    async with ours.client(TOKEN) as client:
        plain = (await client.post(f"{ROOT}/rql", json=asked)).json()
        assert (plain["complete"], plain["whole"], len(plain["rows"])) == (False, True, 5)
        table = await client.post(f"{ROOT}/rql", json=asked, headers={"accept": "text/csv"})
        rows = list(csv.reader(io.StringIO(table.text)))
        assert (rows[0], len(rows)) == (plain["columns"], 6)
        arrow = await client.post(f"{ROOT}/rql", json=asked, headers={"accept": "application/vnd.apache.arrow.stream"})
        read = pa.ipc.open_stream(arrow.content).read_all()
        assert (read.column_names, read.num_rows) == (plain["columns"], 5)
        taken = (await client.post(f"{ROOT}/snapshots")).json()
        for moment in (taken["name"], "2100-01-01T00:00:00Z"):
            then = (await client.post(f"{ROOT}/rql", json={**asked, "as_of": moment})).json()
            assert (then["snapshot"], then["rows"]) == (taken["name"], plain["rows"])
        before = await client.post(f"{ROOT}/rql", json={**asked, "as_of": "2000-01-01"})
        assert (before.status_code, taken["name"] in before.text) == (409, True)


async def test_a_normaliser_can_be_tried_and_sends_nothing(ours: Tenant) -> None:
    demo = (Path(__file__).parents[1] / "data" / "demo" / "guardduty.jsonl").read_bytes().splitlines()[0]
    async with ours.client(await ours.login("read-only")) as client:
        made = (
            await client.post(
                f"{ROOT}/sources/guardduty/try", content=gzip.compress(demo), headers={"content-encoding": "gzip"}
            )
        ).json()
        assert [each["kind"] for each in made["made"]] == ["Finding"]
        wrong = (await client.post(f"{ROOT}/sources/guardduty/try", content=b'{"detail-type": "x"}')).json()
        assert (wrong["made"], len(wrong["refused"])) == ([], 1)
        missing = await client.post(f"{ROOT}/sources/guarduty/try", content=b"{}")
        assert (missing.status_code, "did you mean guardduty" in missing.text) == (404, True)
        sources = (await client.get(f"{ROOT}/sources")).json()["sources"]
        assert {"guardduty", "tenable", "aws"} <= {each["source"] for each in sources}


async def test_a_line_of_the_log_is_json_and_names_the_request() -> None:
    REQUEST.set("r1")
    record = logging.LogRecord("api.x", logging.INFO, "f", 1, "a %s\nb", ("word",), None)
    record.fields = {"status": 200}
    line = json.loads(Lines().format(record))
    assert (line["message"], line["request"], line["status"]) == ("a word\nb", "r1", 200)
    REQUEST.set("")


def _filled(described: Any, schema: Any, depth: int = 0) -> Any:
    """Return a body of *schema* in which every text is an attack."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return _filled(described, schema["anyOf"][0], depth)
    if "enum" in schema or "const" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    match schema.get("type"):
        case "string":
            return DROP
        case "integer" | "number":
            return 1
        case "boolean":
            return False
        case "array":
            return [_filled(described, schema.get("items", {}), depth + 1)] if depth < 4 else []
        case "object" if depth < 6:
            made = {name: _filled(described, each, depth + 1) for name, each in schema.get("properties", {}).items()}
            return made or {DROP: DROP}
    return DROP
