"""Hot paths over the API, wanted by policies and by frequent queries, on a real store."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from agents import heat
from agents.heat import Heater
from api.hot import HotList
from api.state import Alone
from queries import run
from queries.hot_state import OFTEN
from queries.policy import Policy
from streams.store import Store, StoreThread

VM = "aws-ec2-describe-instances"
QUERY = f"config from cloud.resource where api.name = '{VM}' AND json.rule = metadataOptions.httpTokens equals optional"
PATH = "metadataOptions.httpTokens"
POLICY = Policy(
    id="p",
    name="p",
    severity="low",
    description="d",
    recommendation="r",
    rql=f"{QUERY} and tags[?any(key equals a)] exists",
)


async def hot_paths(api: httpx.AsyncClient) -> set[tuple[str, str, str]]:
    found = HotList(**(await api.get("/hot")).json())
    return {(line.path, line.origin, line.state) for line in found.hot}


async def test_a_path_is_added_used_and_dropped(api: httpx.AsyncClient, alone: Alone) -> None:
    before = (await api.post("/rql", json={"query": QUERY})).json()["rows"]
    said = await api.post("/hot", json={"api_name": VM, "path": "['metadataOptions'].httpTokens"})
    assert (said.status_code, said.json()) == (201, {"api_name": VM, "path": PATH})
    assert await hot_paths(api) == {(PATH, "user", "cold")}
    while alone.store.hot.step():
        pass
    assert await hot_paths(api) == {(PATH, "user", "hot")}
    explained = (await api.post("/rql", json={"query": QUERY, "explain": True})).json()["explain"]
    assert explained["hot"] == {VM: {PATH: True}}
    assert "r.json" not in explained["sql"]
    assert (await api.post("/rql", json={"query": QUERY})).json()["rows"] == before != []
    assert (await api.delete("/hot", params={"api_name": VM, "path": PATH})).status_code == 200
    assert await hot_paths(api) == {(PATH, "never", "cold")}
    assert (await api.delete("/hot", params={"api_name": VM, "path": PATH})).status_code == 404


async def test_a_wrong_path_is_drawn(api: httpx.AsyncClient) -> None:
    said = await api.post("/hot", json={"api_name": VM, "path": "a[?any(b exists)]"})
    assert said.status_code == 400
    assert "such as" in said.json()["error"]["drawing"]


@pytest.fixture
async def thread(alone: Alone) -> StoreThread:
    from concurrent.futures import ThreadPoolExecutor

    store: Store = alone.store
    return StoreThread(store, ThreadPoolExecutor(1))


async def test_policies_paths_become_hot_and_cool_down_with_them(
    api: httpx.AsyncClient, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heat, "SECONDS", 0.01)
    policies = [POLICY]
    running = asyncio.create_task(Heater(thread, lambda: policies).run())
    wanted = {(PATH, "policy", "hot"), ("tags[?].key", "policy", "hot")}
    async with asyncio.timeout(60):
        while await hot_paths(api) != wanted:
            await asyncio.sleep(0.05)
        policies.clear()
        while await hot_paths(api):
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_slow_query_that_is_asked_often_becomes_hot(
    api: httpx.AsyncClient, thread: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OFTEN, "slow_ms", 0.0)
    OFTEN.clear()
    heater = Heater(thread)
    cursor = thread.cursor()
    for _ in range(heat.OFTEN_ENOUGH):
        await heater.look()
        assert await hot_paths(api) == set()
        run(cursor, QUERY, now=datetime.now(UTC))
    await heater.look()
    cursor.close()
    assert {(path, origin) for path, origin, _ in await hot_paths(api)} == {(PATH, "query")}
