"""The store's thread: calls in order, off the event loop, whole even when their caller is cancelled."""

import asyncio
import threading
from pathlib import Path

import pytest

from streams.errors import StoreError
from streams.store import Applied, Part, StoreThread
from tests.streams.store_records import finding


def _part(start: int, count: int) -> Part:
    records = [(start + i, *finding(f"f{start + i}", 1)) for i in range(count)]
    return Part("findings", "findings", 0, start, start + count, records)


def test_every_call_runs_on_the_one_thread_and_reads_go_on_beside_it(tmp_path: Path) -> None:
    async def run() -> None:
        store = await StoreThread.open(tmp_path / "s.duckdb")
        names = {await store.run(lambda: threading.current_thread().name) for _ in range(5)}
        assert len(names) == 1
        assert names != {threading.current_thread().name}
        assert await store.apply([_part(0, 10)]) == Applied(stored=10)
        busy, free = threading.Event(), threading.Event()

        def block() -> None:
            busy.set()
            free.wait(30)

        blocked = asyncio.create_task(store.run(block))
        await asyncio.to_thread(busy.wait, 30)
        cursor = store.cursor()
        assert await asyncio.to_thread(lambda: cursor.execute("select count(*) from findings").fetchall()) == [(10,)]
        cursor.close()
        free.set()
        await blocked
        await store.close()

    asyncio.run(run())


def test_a_cancelled_apply_is_stored_whole_before_the_cancellation_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        store = await StoreThread.open(tmp_path / "s.duckdb")
        task = asyncio.create_task(store.apply([_part(0, 3000)]))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.next_offset("findings", 0) == 3000
        assert (await store.rows())["findings"] == 3000
        await store.close()

    asyncio.run(run())


def test_an_apply_cancelled_while_it_waits_for_its_turn_is_whole_or_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        store = await StoreThread.open(tmp_path / "s.duckdb")
        first = asyncio.create_task(store.apply([_part(0, 2000)]))
        second = asyncio.create_task(store.apply([_part(2000, 2000)]))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        offset = await store.next_offset("findings", 0)
        assert offset in (2000, 4000)
        assert (await store.rows())["findings"] == offset
        await store.close()

    asyncio.run(run())


def test_an_error_reaches_its_caller_and_the_thread_goes_on(tmp_path: Path) -> None:
    async def run() -> None:
        store = await StoreThread.open(tmp_path / "s.duckdb")
        await store.apply([_part(0, 1)])
        with pytest.raises(StoreError, match="what lies between would be lost"):
            await store.apply([_part(5, 1)])
        assert await store.apply([_part(1, 1)]) == Applied(stored=1)
        await store.close()
        with pytest.raises(StoreError):
            await StoreThread.open(tmp_path)

    asyncio.run(run())
