"""The HTTP API on a real store: answers, errors, and who is let in."""

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.models import Answer, Explanation, Failure, Pruned, SnapshotInfo, Snapshots, Status
from api.state import Alone
from tests.api.conftest import SECRET

JOINED = (
    "config from cloud.resource where finding.type = 'AWS GuardDuty Host' AND finding.severity IN ('critical', 'high')"
    " AND api.name = 'aws-ec2-describe-instances' AND json.rule = metadataOptions.httpTokens = 'optional'"
)


async def test_rql_joins_findings_and_configuration_and_says_how_far_to_rely_on_it(api: httpx.AsyncClient) -> None:
    said = await api.post("/rql", json={"query": JOINED, "limit": 2})

    answer = Answer(**said.json())
    assert said.status_code == 200
    assert len(answer.rows) == 2
    assert answer.total is not None and answer.total > 2
    assert (answer.whole, answer.source) == (True, "live")
    assert datetime.fromisoformat(answer.as_of).utcoffset() is not None


async def test_a_worker_that_owns_some_partitions_says_that_its_answer_is_not_whole(alone: Alone) -> None:
    alone.owns["all"] = False

    async with _client(alone) as api:
        assert (await api.post("/rql", json={"query": JOINED})).json()["whole"] is False


async def test_explain_shows_the_stages_and_runs_nothing(api: httpx.AsyncClient) -> None:
    said = Explanation(**(await api.post("/rql", json={"query": JOINED, "explain": True})).json())

    assert set(said.explain) == {"query", "hot", "tree", "sql", "values", "plan"}
    assert "optional" not in said.explain["sql"]
    assert "optional" in said.explain["values"]


async def test_a_wrong_query_is_drawn_with_its_place(api: httpx.AsyncClient) -> None:
    said = await api.post("/rql", json={"query": "config from cloud.resource where cloud.tipe = 'aws'"})

    wrong = Failure(**said.json()).error
    assert said.status_code == 400
    assert wrong.code == "rql"
    assert wrong.span == [33, 43]
    assert wrong.drawing is not None and "^^^^^^^^^^" in wrong.drawing


async def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_answered(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range = 7"
    monkeypatch.setattr("api.answers.rql", lambda cursor, *_, **__: cursor.execute(endless).fetchall())

    async with _client(alone, timeout_s=0.3) as api:
        began = time.monotonic()
        said = await asyncio.gather(*(api.post("/rql", json={"query": "x"}) for _ in range(8)))
        monkeypatch.undo()
        after = await api.post("/rql", json={"query": JOINED})

    assert {each.status_code for each in said} == {408}
    assert said[0].json()["error"]["code"] == "too-slow"
    assert after.status_code == 200
    assert time.monotonic() - began < 30


async def test_sql_takes_a_first_snapshot_and_says_its_age(api: httpx.AsyncClient) -> None:
    said = await api.post("/sql", json={"query": "select count(*) as n from resources"})

    answer = Answer(**said.json())
    assert (answer.columns, answer.rows, answer.source) == (["n"], [[39]], "snapshot")
    assert answer.snapshot is not None and answer.age_s is not None and answer.age_s < 60
    assert [each["name"] for each in (await api.get("/snapshots")).json()["snapshots"]] == [answer.snapshot]


async def test_wrong_sql_is_told_and_the_store_is_not_changed(api: httpx.AsyncClient) -> None:
    for query in ("selec 1", "delete from resources", "select * from nothing"):
        said = await api.post("/sql", json={"query": query})
        assert said.status_code == 400
        assert Failure(**said.json()).error.code == "sql"
    assert (await api.get("/status")).json()["rows"]["resources"] == 39


async def test_snapshots_are_taken_listed_and_pruned(api: httpx.AsyncClient) -> None:
    made = [SnapshotInfo(**(await api.post("/snapshots")).json()) for _ in range(3)]
    assert made[0].rows["resources"] == 39
    assert Path(made[0].path).is_dir()

    listed = Snapshots(**(await api.get("/snapshots")).json()).snapshots
    assert [each.name for each in listed] == [each.name for each in reversed(made)]

    pruned = Pruned(**(await api.post("/snapshots/prune", json={"keep": 1})).json())
    assert sorted(pruned.removed) == sorted(each.name for each in made[:2])
    assert len((await api.get("/snapshots")).json()["snapshots"]) == 1


async def test_status_says_what_the_store_holds(api: httpx.AsyncClient) -> None:
    status = Status(**(await api.get("/status")).json())

    assert (status.rows["resources"], status.rows["findings"]) == (39, 12)
    assert status.rows["finding_resource"] == 12
    assert [(each.topic, each.next_offset) for each in status.partitions] == [("findings", 12), ("resources", 39)]
    assert status.snapshot is None


async def test_health_needs_no_token_and_tells_nothing(alone: Alone) -> None:
    async with _client(alone, token=None) as api:
        said = await api.get("/health")

    assert said.status_code == 200
    assert set(said.json()) == {"status", "version"}


@pytest.mark.parametrize("token", [None, "", "x" * 43, SECRET[:-1], SECRET + "s"])
async def test_nobody_is_let_in_without_the_token(alone: Alone, token: str | None) -> None:
    async with _client(alone, token=token) as api:
        described = create_app(alone, SECRET).openapi()["paths"]
        for method, path in [(method.upper(), path) for path, methods in described.items() for method in methods]:
            if path.endswith("/health"):
                continue
            said = await api.request(method, f"http://tidegate{path}", json={} if method == "POST" else None)

            assert said.status_code == 401, path
            assert said.headers["www-authenticate"] == "Bearer"
            assert Failure(**said.json()).error.code == "unauthorized"
            assert SECRET not in said.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/nothing", None, 404, "Not Found"),
        ("GET", "/rql", None, 405, "Method Not Allowed"),
        ("POST", "/rql", {}, 422, "query: Field required"),
        ("POST", "/rql", {"query": "x", "limit": -1}, 422, "limit: "),
        ("POST", "/rql", {"query": "x", "limitt": 1}, 422, "limitt: "),
        ("POST", "/rql", [1], 422, "body: "),
        ("POST", "/snapshots/prune", {"keep": 0}, 422, "keep: "),
        ("GET", "/dead-letters?limit=0", None, 422, "limit: "),
        ("GET", "/policies/aws-iam-root-without-mfaa", None, 404, "did you mean aws-iam-root-without-mfa?"),
        ("GET", "/policies/x/violations", None, 404, "there is no policy 'x'"),
        ("GET", "/policies/aws-iam-root-without-mfa/violations?limit=-1", None, 422, "limit: "),
        ("GET", "/dead-letters/x", None, 404, "an id is <partition>-<offset>"),
        ("GET", "/dead-letters", None, 409, "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
async def test_every_error_has_the_same_body(
    api: httpx.AsyncClient, method: str, path: str, body: Any, status: int, said: str
) -> None:
    answer = await api.request(method, path, json=body)

    assert answer.status_code == status
    assert said in Failure(**answer.json()).error.message


async def test_a_body_that_is_not_json_is_told(api: httpx.AsyncClient) -> None:
    answer = await api.post("/rql", content=b"{", headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert Failure(**answer.json()).error.code == "invalid"


def _client(alone: Alone, *, token: str | None = SECRET, timeout_s: float = 5.0) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(alone, SECRET, timeout_s=timeout_s)),
        base_url="http://tidegate/api/tidegate/v1",
        headers={} if token is None else {"authorization": f"Bearer {token}"},
    )
