"""Vendors that are asked, by both APIs: set up, tested, told of, deleted with what becomes of their findings."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from agents.connectors import CONNECTORS
from agents.pull import Pulls
from api.app import create_app
from streams.admin import ensure_topics
from streams.codec import encode
from streams.embedded import Broker
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.pulls import Pull
from streams.records import Finding
from streams.topics import FINDINGS, full_name
from tests.api.prisma_tenant import TOKEN, Api, Tenant, tenant
from tests.fakes import inspector, qualys, tenable
from tests.fakes.server import serving

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

OWN = "http://tidegate/api/tidegate/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    """A tenant whose process may call the loopback, and knows how far pulls are."""
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        settings = started.settings.model_copy(update={"allowed_networks": "127.0.0.0/8"})
        await ensure_topics(settings, [FINDINGS])
        pulls = Pulls(settings)
        await pulls.start()
        owner: Any = SimpleNamespace(
            settings=settings,
            store=started.store,
            pulls=pulls,
            ownership=lambda: {"owned": [], "all": True, "lag": {}},
        )
        yield replace(started, settings=settings, app=create_app(owner, TOKEN, control=started.control))
        await pulls.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def prisma(ours: Tenant) -> AsyncIterator[Api]:
    async with ours.client(await ours.login()) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def api(ours: Tenant) -> AsyncIterator[Api]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with Api(transport=httpx.ASGITransport(ours.app), base_url=OWN, headers=headers) as client:
        yield client


def pulls_of(ours: Tenant) -> Pulls:
    found: Pulls = ours.app.state.owner.pulls
    return found


async def test_the_types_are_told_with_their_settings(api: Api) -> None:
    types = {each["type"]: each for each in (await api.get("/connectors/types")).json()["types"]}
    assert set(types) == set(CONNECTORS)
    keys = {each["name"]: each for each in types["tenable"]["settings"]}
    assert keys["secret_key"] == {
        "name": "secret_key",
        "needed": True,
        "secret": True,
        "about": "Its secret key.",
        "default": None,
        "example": None,
    }
    assert keys["days"]["default"] == 365


async def test_one_is_set_up_tested_told_of_and_deleted(ours: Tenant, api: Api) -> None:
    async with serving(tenable.Tenable()) as url:
        body = {"name": "Scanner", "type": "tenable", "settings": {"url": url, **tenable.KEYS}}
        assert (await api.put("/control/inbound-integrations/scanner", json=body)).status_code == 200
        said = (await api.post("/connectors/scanner/test")).json()
        assert said == {"ok": True, "outcome": "ok", "message": "assets and vulnerabilities can be exported"}
        assert (await api.get("/connectors/scanner")).json()["state"] == "new"
        pull = Pull(
            id="scanner", type="tenable", state="waiting", words="complete", at=5, began=1, ended=5, backfilled=True
        )
        await pulls_of(ours).write(pull)
        await pulls_of(ours).caught_up()
        (told,) = (await api.get("/connectors")).json()["connectors"]
        assert (told["state"], told["message"], told["ended"], told["origin"]) == ("waiting", "complete", 5, "control")
        assert tenable.SECRET not in (await api.get("/control/inbound-integrations/scanner")).text
        assert (await api.post("/connectors/scanner/pull?from_start=true")).status_code == 202
        await pulls_of(ours).caught_up()
        order = pulls_of(ours).order("scanner")
        assert order is not None
        assert order.from_start
        await api.patch("/control/inbound-integrations/scanner", json={"enabled": False})
        assert (await api.get("/connectors/scanner")).json()["state"] == "disabled"
        gone = (await api.delete("/connectors/scanner")).json()
        assert gone["deleted"]
        assert "stay open" in gone["message"]
        assert (await api.get("/connectors/scanner")).status_code == 404
        assert (await api.post("/connectors/nobody/test")).status_code == 404


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"access_key": "a"}, "settings.secret_key: missing; it is: Its secret key."),
        ({**tenable.KEYS, "acess_key": "a"}, "did you mean access_key?"),
        ({**tenable.KEYS, "days": 0}, "settings.days: Input should be greater than or equal to 1"),
    ],
)
async def test_wrong_settings_are_told_by_their_field(api: Api, settings: dict[str, Any], said: str) -> None:
    body = {"name": "Wrong", "type": "tenable", "settings": settings}
    refused = await api.put("/control/inbound-integrations/wrong", json=body)
    assert (refused.status_code, said in refused.json()["error"]["message"]) == (422, True), refused.text


async def test_deleting_can_close_the_findings_that_came_from_the_vendor(ours: Tenant, api: Api) -> None:
    finding = Finding(
        id="f", account="111122223333", source="Qualys", type="t", name="n", severity="low", title="t", version="1"
    )
    account, key, value = encode(finding)
    async with BatchProducer(ours.settings) as producer:
        place = partition_of(account, ours.settings.partitions)
        await producer.send(full_name(ours.settings, FINDINGS), [(place, key, value)])
    settings = {"url": "http://127.0.0.1:9", **qualys.LOGIN}
    for id in ("q1", "q2"):
        body = {"name": id, "type": "qualys", "settings": settings}
        assert (await api.put(f"/control/inbound-integrations/{id}", json=body)).status_code == 200
    refused = await api.delete("/connectors/q1?findings=close")
    assert (refused.status_code, "come from q2 as well" in refused.text) == (409, True)
    assert (await api.delete("/connectors/q2")).json()["open_findings"] == 1
    said = (await api.delete("/connectors/q1?findings=close&dry_run=true")).json()
    assert (said["deleted"], said["open_findings"], said["closed"]) == (False, 1, 0)
    said = (await api.delete("/connectors/q1?findings=close")).json()
    assert (said["deleted"], said["open_findings"], said["closed"]) == (True, 1, 1)
    assert "the alerts that rest on them resolve" in said["message"]


async def test_the_products_clients_set_up_tenable_qualys_and_aws_and_test_them(ours: Tenant, prisma: Api) -> None:
    assert {"tenable", "qualys", "amazon_guardduty", "amazon_inspector"} <= set(
        (await prisma.get("/integration/type")).json()
    )
    aws = inspector.Inspector()
    aws.put("eu-west-1", 1, 1_772_000_000)
    async with serving(qualys.Qualys()) as url:
        config = {"login": "acme_tg", "password": qualys.LOGIN["password"], "baseUrl": url}
        body = {"name": "Q", "integrationType": "QUALYS", "enabled": True, "integrationConfig": config}
        tried = (await prisma.post("/integration/test", json=body)).json()
        assert tried["success"], tried
        made = (await prisma.post("/integration", json=body)).json()
        assert made["integrationConfig"] == {"login": "acme_tg", "password": "**********", "baseUrl": url}
        assert made["status"] == "NA"
        again = {**made, "description": "scans"}
        assert (await prisma.put(f"/integration/{made['id']}", json=again)).status_code == 200
        assert (await prisma.post(f"/integration/test?id={made['id']}", json=again)).json()["success"]
        assert (await prisma.get(f"/integration/{made['id']}")).json()["status"] == "GREEN"
        held = ours.control.objects("inbound-integration")[made["id"]]
        assert held.connector.password.get_secret_value() == qualys.LOGIN["password"]
        failed = Pull(id=made["id"], type="qualys", state="failed", words="refused", at=7, failures=1)
        await pulls_of(ours).write(failed)
        await pulls_of(ours).caught_up()
        said = (await prisma.get(f"/integration/{made['id']}")).json()
        assert (said["status"], said["reason"]["message"], said["valid"]) == ("RED", "refused", False)
        wrong = {**body, "name": "W", "integrationConfig": {**config, "password": "wrong"}}
        tried = (await prisma.post("/integration/test", json=wrong)).json()
        assert (tried["success"], "Bad Login/Password" in tried["errorMessages"][0]["subject"]) == (False, True)
        assert (await prisma.patch(f"/integration/{made['id']}", json={"enabled": False})).status_code == 200
        assert (await prisma.delete(f"/integration/{made['id']}")).status_code == 200
    role = {
        "roleArn": "arn:aws:iam::111122223333:role/t",
        "externalId": "e",
        "regions": [{"apiIdentifier": "eu-west-1"}],
    }
    body = {"name": "I", "integrationType": "amazon_inspector", "enabled": False, "integrationConfig": role}
    made = (await prisma.post("/integration", json=body)).json()
    assert made["integrationConfig"]["regions"] == [{"name": "eu-west-1", "apiIdentifier": "eu-west-1"}]
    assert ours.control.objects("inbound-integration")[made["id"]].connector.role_arn == role["roleArn"]
    missing = {**body, "name": "T", "integrationType": "tenable", "integrationConfig": {"accessKey": "a"}}
    refused = await prisma.post("/integration", json=missing)
    assert (refused.status_code, "integrationConfig.secretKey" in str(refused.headers) + refused.text) == (400, True)
