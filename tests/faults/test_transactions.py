"""A transaction that fails, and partitions that are taken away in the middle of one."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agents.worker import Worker
from streams.errors import StoreError
from streams.settings import Settings
from streams.store.batch import Part
from tests.faults.harness import Process, lag, send_findings, stored, uncommitted

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

COUNT = 20_000


def every_finding_once(settings: Settings) -> None:
    assert stored(settings, "select count(*), count(distinct id) from findings") == [(COUNT, COUNT)]


def test_a_failing_transaction_stops_the_worker_and_costs_nothing(settings: Settings) -> None:
    send_findings(settings, COUNT)

    async def fail_in_the_middle() -> None:
        worker = Worker(settings)
        await worker.start()
        apply, calls = worker.store.store.apply, 0

        def failing(parts: Sequence[Part], now: Any = None) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:
                worker.store.store._db.execute("drop table finding_references")  # the next transaction fails within
            return apply(parts, now)

        worker.store.store.apply = failing  # type: ignore[method-assign]
        with pytest.raises(StoreError, match="finding_references"):
            await asyncio.wait_for(worker.wait(), 60)
        mend = "create table finding_references (fid ubigint, part usmallint, key ubigint)"
        await worker.store.run(worker.store.store._db.execute, mend)
        await worker.stop()

    asyncio.run(fail_in_the_middle())
    assert uncommitted(settings) > 0
    with Process(settings) as worker:
        worker.wait_for(lambda: lag(settings) == 0)
        assert worker.stop() == 0
    every_finding_once(settings)


def test_partitions_that_move_away_in_the_middle_of_a_transaction_and_come_back_lose_nothing(
    settings: Settings,
) -> None:
    small = settings.model_copy(update={"batch": 500})
    other = small.model_copy(update={"data": settings.data.with_name("other")})
    send_findings(small, COUNT)

    async def move() -> None:
        worker = Worker(small)
        await worker.start()
        apply = worker.store.apply

        async def slow(parts: Sequence[Part], now: Any = None) -> Any:
            applied = await apply(parts, now)
            await asyncio.sleep(0.2)  # a long transaction: it is at work whenever partitions move
            return applied

        worker.store.apply = slow  # type: ignore[method-assign]
        while not worker.counts["stored"]:
            await asyncio.sleep(0.05)
        for _ in range(2):
            with Process(other) as rival:
                while worker.ownership()["all"]:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(rival.stop)
            while not worker.ownership()["all"] and not worker._died.done():
                await asyncio.sleep(0.05)
        worker.store.apply = apply  # type: ignore[method-assign]
        while not worker._died.done() and await asyncio.to_thread(uncommitted, small) > 0:
            await asyncio.sleep(0.2)
        await worker.stop()

    asyncio.run(move())
    every_finding_once(small)
