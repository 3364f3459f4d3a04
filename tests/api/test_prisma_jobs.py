"""What takes more than one call: searches as files, alerts told on demand, an incident an alert while alerts change."""

import csv
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typing_extensions import override

from api.payload_model import AlertPayload
from api.version import ROOT
from streams.alerts import Alert, AlertPolicy, AlertResource, alert_id, write
from streams.control import Edit
from streams.embedded import Broker
from streams.store import alerts as alert_rows
from tests.api.prisma_tenant import Api, Tenant, tenant

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

START = 1_700_000_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled, allowed_networks="127.0.0.0/8") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def api(ours: Tenant) -> AsyncIterator[Api]:
    async with ours.client(await ours.login()) as client:
        yield client


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A destination: its address, and the bodies that it got."""
    got: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(500 if self.path == "/broken" else 200)
            self.end_headers()

        @override
        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


async def test_a_search_comes_as_a_file_with_all_its_rows(api: Api) -> None:
    query = "config from cloud.resource where cloud.type = 'aws' addcolumn tags"
    job = (await api.post("/search/config/jobs", json={"query": query, "searchName": "=all"})).json()
    assert (await api.get(f"/search/config/jobs/{job['id']}/status")).json()["status"] == "READY_TO_DOWNLOAD"
    file = await api.get(job["downloadUri"])
    assert file.headers["content-type"] == "text/csv"
    rows = list(csv.reader(io.StringIO(file.text)))
    assert rows[0] == ["'=all"]
    assert rows[1][-2:] == ["rrn", "tags"]
    asked = (await api.post("/search/config", json={"query": query})).json()["data"]
    assert [row[8] for row in rows[2:]] == [item["rrn"] for item in asked["items"]]
    assert [row[2] for row in rows[2:]] == ["aws"] * asked["totalRows"]
    assert (await api.get("/search/config/jobs/none/download")).status_code == 404
    assert (await api.get(f"/alert/csv/{job['id']}/status")).status_code == 404


async def test_a_destination_is_told_of_one_alert_on_demand(
    ours: Tenant, api: Api, hook: tuple[str, list[Any]]
) -> None:
    url, got = hook
    edits = [
        Edit("integration", id, {"name": id, "type": "webhook", "settings": {"url": f"{url}/{id}"}})
        for id in ("working", "broken")
    ]
    await ours.control.change([*edits], by="test")
    [alert] = _put(ours, [_alert(0)])

    async def tell(*recipients: str, kind: str = "webhook") -> Any:
        config = {"integrationType": kind, "recipients": list(recipients)}
        body = {"alertId": alert.id, "onDemandNotificationConfig": config}
        return await api.post("/alerts/api/v1/notification/ondemand", json=body)

    said = await tell("working")
    assert said.status_code == 201, said.text
    assert (said.json()["success"], said.json()["failed"]) == (1, 0)
    [body] = got
    told = body[0] if isinstance(body, list) else body
    assert (told["alertId"], told["alertStatus"]) == (alert.id, "open")
    shown = (await api.get(f"{ROOT}/alerts/{alert.id}/payload?integration=working")).json()
    assert AlertPayload.model_validate(shown).alertId == alert.id
    assert {name for name in told if name != "alertTs" and told[name] == shown.get(name)} >= {"alertId", "alertRuleId"}
    schema = (await api.get(f"{ROOT}/alert-payload/schema")).json()
    assert set(schema["properties"]) == set(shown)
    both = (await tell("working", "broken")).json()
    assert (both["success"], both["failed"], both["failedEvents"][0]["recipient"]["id"]) == (1, 1, "broken")
    assert (await tell("broken")).json()["error"]["code"] == "notification_failed"
    assert (await tell("nobody")).status_code == 404
    assert (await tell("working", kind="slack")).status_code == 400
    async with ours.client(await ours.login("read-only")) as reader:
        assert (await reader.post("/alerts/api/v1/notification/ondemand", json={})).status_code == 403


async def test_changes_are_told_with_who_made_them(ours: Tenant, api: Api) -> None:
    await api.post("/cloud/group", json={"name": "A group"})
    lines = (await api.get("/audit/redlock?timeType=relative&timeAmount=1&timeUnit=hour")).json()
    group = next(line for line in lines if line["resourceType"] == "Account Group")
    assert (group["user"], group["actionType"], group["resourceName"]) == ("admin@example.com", "CREATE", "A group")
    assert (await api.get("/audit/redlock?startTime=0&endTime=1")).json() == []


async def test_one_incident_an_alert_comes_of_fetching_while_alerts_change(ours: Tenant, api: Api) -> None:
    """As a fetch loop does: from the time of the last one on, oldest first, without those that it had at that time."""
    begin, made = START + 10**6, 0
    incidents: list[str] = []
    since, had = begin, set[str]()
    there: list[Alert] = []
    for turn in range(14):
        if made < 24:
            there += _put(ours, [_alert(1000 + made + each, begin + 500 * ((made + each) // 2)) for each in range(4)])
            made += 4
        for each in there[:: 2 + turn % 3]:  # their status changes, not when they were opened
            status: Any = ("open", "dismissed", "resolved")[turn % 3]
            _put(ours, [replace(each, status=status, updated=each.updated + turn + 1, seq=turn + 2)])
        body = {
            "timeRange": {"type": "absolute", "value": {"startTime": since, "endTime": begin + 10**9}},
            "limit": 5 + len(had),
            "sortBy": ["alertTime:asc"],
            "filters": [],
        }
        found = (await api.post("/v2/alert?detailed=true", json=body)).json()["items"]
        new = [each for each in found if each["id"] not in had]
        incidents += [each["id"] for each in new]
        if found:
            last = found[-1]["alertTime"]
            had = {each["id"] for each in found if each["alertTime"] == last} | (had if last == since else set())
            since = last
    assert len(incidents) == len(set(incidents))
    assert set(incidents) == {each.id for each in there}


def _alert(number: int, at: int = START) -> Alert:
    policy = AlertPolicy(id="p", name="A policy", severity="high")
    resource = AlertResource(rrn=f"rrn:j:{number}", id=f"i-{number}", account="111122223333", cloud="aws", region="eu")
    return Alert(
        id=alert_id(policy.id, resource.subject),
        policy=policy,
        resource=resource,
        status="open",
        reason="NEW_ALERT",
        first_seen=at,
        last_seen=at,
        opened=at,
        updated=at,
        seq=1,
    )


def _put(ours: Tenant, alerts: list[Alert]) -> list[Alert]:
    cursor = ours.store.cursor()
    alert_rows.put(cursor, [alert_rows.Row(0, alert, write(alert)) for alert in alerts])
    cursor.close()
    return alerts
