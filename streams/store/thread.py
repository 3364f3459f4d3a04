"""The store from asyncio: every call on one thread of its own, never on the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import duckdb

from streams.store.batch import Applied, Part, Refused
from streams.store.schema import KindName
from streams.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class StoreThread:
    """A Store whose methods are awaited. A call that has begun is finished even when its caller is cancelled: no half
    transactions.
    """

    def __init__(self, store: Store, pool: ThreadPoolExecutor) -> None:
        self.store = store
        self._pool = pool

    @classmethod
    async def open(
        cls, path: Path | str, memory: str = "1GB", threads: int = 2, *, notes_work: bool = False
    ) -> "StoreThread":
        """Open as Store.open does."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            opened = partial(Store.open, path, memory, threads, notes_work=notes_work)
            store = await asyncio.get_running_loop().run_in_executor(pool, opened)
        except BaseException:
            pool.shutdown(wait=False)
            raise
        return cls(store, pool)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call *work* on the store's thread, after what was asked before, and return what it returns.

        Cancelled while it runs: CancelledError is raised only once *work* has ended, so that nobody closes or reads
        what is half done.
        """
        future = asyncio.wrap_future(self._pool.submit(work, *args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.cancelled():
                await asyncio.wait([future])
                future.exception()  # told to nobody: the caller is gone
            raise

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Call *work* on the store's thread, asked from a thread that may wait for the result: never the event
        loop's.
        """
        return self._pool.submit(work, *args, **kwargs)

    async def close(self) -> None:
        """Close the store after what was asked before."""
        await self.run(self.store.close)
        self._pool.shutdown()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for reading, as Store.cursor does; use it on one thread, but not on the event loop's."""
        return self.store.cursor()

    async def apply(self, parts: Sequence[Part], now: datetime | None = None) -> Applied:
        """As Store.apply."""
        return await self.run(self.store.apply, parts, now)

    async def start(
        self,
        topic: str,
        kind: KindName,
        part: int,
        *,
        cluster_id: str,
        topic_id: str,
        begin: int,
        end: int,
        now: datetime,
        delete_retention_ms: int,
    ) -> int:
        """As Store.start."""
        return await self.run(
            self.store.start,
            topic,
            kind,
            part,
            cluster_id=cluster_id,
            topic_id=topic_id,
            begin=begin,
            end=end,
            now=now,
            delete_retention_ms=delete_retention_ms,
        )

    async def touch(self, topic: str, part: int, now: datetime) -> None:
        """As Store.touch."""
        await self.run(self.store.touch, topic, part, now)

    async def drop(self, kind: KindName, part: int) -> None:
        """As Store.drop."""
        await self.run(self.store.drop, kind, part)

    async def next_offset(self, topic: str, part: int) -> int | None:
        """As Store.next_offset."""
        return await self.run(self.store.next_offset, topic, part)

    async def offsets(self) -> dict[tuple[str, int], int]:
        """As Store.offsets."""
        return await self.run(self.store.offsets)

    async def rows(self) -> dict[str, int]:
        """As Store.rows."""
        return await self.run(self.store.rows)

    async def resends(self, kind: KindName, part: int, limit: int) -> list[tuple[bytes, bytes]]:
        """As Store.resends."""
        return await self.run(self.store.resends, kind, part, limit)

    async def resent(self, kind: KindName, part: int, keys: Sequence[bytes]) -> None:
        """As Store.resent."""
        await self.run(self.store.resent, kind, part, keys)

    async def refusals(self, limit: int) -> list[Refused]:
        """As Store.refusals."""
        return await self.run(self.store.refusals, limit)

    async def told(self, refused: Sequence[Refused]) -> None:
        """As Store.told."""
        await self.run(self.store.told, refused)

    async def expired(self, kind: KindName, part: int, before: datetime, limit: int) -> list[bytes]:
        """As Store.expired."""
        return await self.run(self.store.expired, kind, part, before, limit)

    async def transact(self, what: str, work: Callable[[duckdb.DuckDBPyConnection], T], *, world: bool = False) -> T:
        """As Store.transact."""
        return await self.run(self.store.transact, what, work, world=world)

    async def checkpoint(self) -> None:
        """As Store.checkpoint."""
        await self.run(self.store.checkpoint)
