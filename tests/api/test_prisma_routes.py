"""Every route of the product's API: who may use it, how it is described; the page, the figures, health."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.prisma import alerts as alert_paths
from api.prisma.build import AREAS, ERRORS
from api.version import ROOT
from streams.embedded import Broker
from tests.api.prisma_tenant import ROLES, Api, Tenant, tenant

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def api(ours: Tenant) -> AsyncIterator[Api]:
    async with ours.client(await ours.login()) as client:
        yield client


ROUTES = sorted(
    (method, route.path, role)
    for area in AREAS
    for role, name in ((None, "open_"), ("ingest-only", "any_role"), ("read-only", "reads"), ("admin", "writes"))
    for route in getattr(getattr(area, name, None), "routes", ())
    for method in route.methods
)
ALLOWED = {"ingest-only": set(ROLES), "read-only": {"admin", "read-only"}, "admin": {"admin"}}


async def test_every_route_lets_in_just_the_roles_that_it_is_for(ours: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_paths, "obeyed", None)
    app = ours.again()
    tokens = {role: await app.login(role) for role in ROLES}
    async with app.client() as client:
        for method, path, role in ROUTES:
            at = path.replace("{enabled}", "x").replace("{", "").replace("}", "")
            for who, token in (("nobody", ""), ("expired", "x.y.z"), *tokens.items()):
                headers = {"x-redlock-auth": token} if token else {}
                said = await client.request(method, at, headers=headers, json=[] if method != "GET" else None)
                place = (method, path, who, said.status_code)
                if role is None:
                    assert said.status_code not in (401, 403), place
                elif who in ("nobody", "expired"):
                    assert said.status_code == 401, place
                else:
                    assert (said.status_code == 403) is (who not in ALLOWED[role]), place
                assert said.status_code < 500, (*place, said.text)
                if said.status_code >= 400:
                    assert "x-redlock-status" in said.headers, place
                    assert said.status_code in ERRORS, place


async def test_the_description_names_every_route_and_no_answer_is_undescribed(api: Api) -> None:
    described = (await api.get("/openapi.json")).json()
    paths = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert paths == {(method, path) for method, path, _ in ROUTES if not path.startswith(("/docs", "/openapi"))}
    ours = (await api.get(f"{ROOT}/openapi.json")).json()
    for path, methods in [*described["paths"].items(), *ours["paths"].items()]:
        for method, operation in methods.items():
            about, _, shown = operation["description"].partition("\n\n```sh\n")
            assert about.endswith("."), (method, path)
            assert shown.startswith("curl ") and path.partition("{")[0] in shown, (method, path)
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            assert body is None or body.keys() & {"example", "examples"}, (method, path)
            wrong = {status: said for status, said in operation["responses"].items() if status >= "400"}
            assert all("content" in said for said in wrong.values()), (method, path)
            assert wrong or path.endswith(("/health", "/healthz")), (method, path)
    page = await api.get("/docs")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "://" not in page.text
    assert f'"{ROOT}/openapi.json"' in (await api.get("/docs/page.js")).text
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "page.js"):
        assert (await api.get(f"/docs/{name}")).status_code == 200
    assert (await api.get("/docs/..%2f..%2fetc%2fpasswd")).status_code == 404


async def test_figures_are_readable_and_health_needs_no_token(ours: Tenant, api: Api) -> None:
    said = await api.get("/metrics", headers={"accept": "application/openmetrics-text, text/plain;q=0.5, */*;q=0.1"})
    assert 'tidegate_store_rows{table="resources"} 39.0' in said.text
    assert 'tidegate_http_requests_total{api="prisma",method="POST",status="200"}' in said.text
    for name in ("evaluation_seconds_total", "store_bytes", "deliveries_total", "records_total", "open_deliveries"):
        assert f"# HELP tidegate_{name} " in said.text
    async with ours.client() as nobody:
        assert (await nobody.get("/healthz")).json()["status"] == "ok"
        assert (await nobody.get("/readyz")).json()["checks"]["store"] == "ok"
        assert (await nobody.get("/metrics")).status_code == 401
