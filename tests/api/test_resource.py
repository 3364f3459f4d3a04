"""One resource as people look at it: what is there, what happened to it, and how each change differs from before."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from agents.worker import Worker
from api import trail
from api.app import create_app
from api.difference import differences
from api.resource import account_of
from streams.settings import Settings
from tests.agents.broken import good_item
from tests.faults.harness import send

SECRET = "s" * 43
GROUP: dict[str, Any] = {"id": "sg-1", "in": [{"port": 22, "from": ["10.0.0.0/8"]}], "tags": {"a.b": 1}}


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (GROUP, []),
        (GROUP | {"id": "sg-2"}, [{"path": "id", "before": "sg-1", "after": "sg-2"}]),
        (GROUP | {"tags": {"a.b": 1.0}}, [{"path": "tags['a.b']", "before": 1, "after": 1.0}]),
        (GROUP | {"tags": {}}, [{"path": "tags['a.b']", "before": 1}]),
        (GROUP | {"new": None}, [{"path": "new", "after": None}]),
        (
            GROUP | {"in": [{"port": 80}, *GROUP["in"]]},
            [{"path": "in[0]", "after": {"port": 80}}],
        ),
        (
            GROUP | {"in": [{"port": 22, "from": ["10.0.0.0/8", "0.0.0.0/0"]}]},
            [{"path": "in[0].from[1]", "after": "0.0.0.0/0"}],
        ),
        (GROUP | {"in": []}, [{"path": "in[0]", "before": GROUP["in"][0]}]),
        (None, [{"path": "", "before": GROUP, "after": None}]),
    ],
)
def test_a_difference_names_the_place_and_both_values(after: Any, found: list[dict[str, Any]]) -> None:
    assert differences(GROUP, after) == found


def test_only_so_many_differences_are_told() -> None:
    assert len(differences({str(n): n for n in range(100)}, {}, most=7)) == 7


def test_what_happened_is_told_with_what_changed_and_a_finding_that_is_back_is_reopened() -> None:
    def line(kind: str, change: str, **detail: Any) -> dict[str, Any]:
        return {"kind": kind, "change": change, "at": 1, "detail": detail}

    records = [
        line("configuration", "created", config={"a": 1}),
        line("finding", "opened", id="f", status="open"),
        line("configuration", "changed", config={"a": 2}),
        line("finding", "closed", id="f", status="fixed"),
        line("finding", "changed", id="f", status="open"),
        line("configuration", "deleted"),
    ]
    told = trail.told(records[::-1])[::-1]
    assert [one["change"] for one in told] == ["created", "opened", "changed", "closed", "reopened", "deleted"]
    assert [one["changes"] for one in told] == [
        [],
        [],
        [{"path": "a", "before": 1, "after": 2}],
        [{"path": "status", "before": "open", "after": "fixed"}],
        [{"path": "status", "before": "fixed", "after": "open"}],
        [],
    ]


@pytest.mark.parametrize(
    ("rrn", "account"),
    [("rrn:aws:a-b:eu:123456789012:0f:arn:aws:x:y", "123456789012"), ("rrn:aws:short", ""), ("i-1", "")],
)
def test_the_account_is_part_of_the_rrn(rrn: str, account: str) -> None:
    assert account_of(rrn) == account


async def test_a_resource_that_isnt_there_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.get("/resources/rrn:nothing?history=0")
    assert answer.status_code == 404
    assert "'rrn:nothing'" in answer.json()["error"]["message"]


async def test_a_resource_is_shown_without_a_broker_too(api: httpx.AsyncClient) -> None:
    rows = await api.post("/rql", json={"query": "config from cloud.resource where finding.severity = 'high'"})
    columns = rows.json()["columns"]
    rrn = rows.json()["rows"][0][columns.index("rrn")]
    found = (await api.get(f"/resources/{rrn}?history=0")).json()
    assert found["resource"]["rrn"] == rrn
    assert isinstance(found["resource"]["config"], dict)
    assert "high" in {each["severity"] for each in found["findings"]}
    assert found["findings_total"] == len(found["findings"])


def _volume(day: int, **changed: Any) -> bytes:
    item = good_item("aws", 1)
    return orjson.dumps(item | {"time": f"2026-03-{day:02d}T00:00:00Z", **changed})


@pytest.mark.kafka
async def test_the_trail_survives_a_store_that_is_lost(settings: Settings, tmp_path: Path) -> None:
    await asyncio.to_thread(send, settings, "aws", [_volume(1)])
    async with _asked(settings) as (worker, client):
        rrn = await _stored(worker, "select rrn from resources")
        await _until(client, rrn, lambda found: len(found["trail"]) == 1)
        await asyncio.to_thread(send, settings, "aws", [_volume(2, config=good_item("aws", 1)["config"] | {"size": 9})])
        before = await _until(client, rrn, lambda found: len(found["trail"]) == 2)
    assert [line["change"] for line in before["trail"]] == ["changed", "created"]
    assert [change["path"] for change in before["trail"][0]["changes"]] == ["size"]
    other = settings.model_copy(update={"data": tmp_path / "other"})
    async with _asked(other) as (worker, client):
        await _stored(worker, "select rrn from resources")
        after = await _until(client, rrn, lambda found: found["resource"] is not None)
    assert after["trail"] == before["trail"]
    assert after["trail_whole"]


class _asked:
    """A worker and a client of its API."""

    def __init__(self, settings: Settings) -> None:
        self._worker = Worker(settings)

    async def __aenter__(self) -> tuple[Worker, httpx.AsyncClient]:
        await self._worker.start()
        headers = {"authorization": f"Bearer {SECRET}"}
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self._worker, SECRET, policies={})),
            base_url="http://tidegate/api/tidegate/v1",
            headers=headers,
        )
        return self._worker, self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        await self._worker.stop()


async def _stored(worker: Worker, sql: str) -> str:
    async with asyncio.timeout(30):
        while True:
            with worker.store.cursor() as cursor:
                rows = cursor.execute(sql).fetchall()
            if rows:
                return str(rows[0][0])
            await asyncio.sleep(0.05)


async def _until(client: httpx.AsyncClient, rrn: str, holds: Any) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            answer = await client.get(f"/resources/{rrn}")
            if answer.status_code == 200 and holds(answer.json()):
                found: dict[str, Any] = answer.json()
                return found
            await asyncio.sleep(0.1)
