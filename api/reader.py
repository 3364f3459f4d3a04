"""Run queries off the event loop: a few at a time, each interrupted at its time limit."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import duckdb

from streams.errors import TidegateError

T = TypeVar("T")


class TooSlow(TidegateError):
    """A query took longer than it may."""


class Readers:
    """A pool of threads; each query has a cursor of its own, so that it sees whole batches and holds nobody up."""

    def __init__(self, cursor: Callable[[], Any], *, threads: int = 4, timeout_s: float = 60.0) -> None:
        self._cursor = cursor
        self._timeout_s = timeout_s
        self._endings: set[asyncio.Task[None]] = set()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    async def run(self, ask: Callable[[Any], T]) -> T:
        """Return `ask(cursor)`. Raises TooSlow once the time, waiting for a thread included, is up."""
        open_: list[Any] = []

        def work() -> T:
            cursor = self._cursor()
            open_.append(cursor)
            try:
                return ask(cursor)
            finally:
                open_.clear()
                cursor.close()

        future = self._pool.submit(work)
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may come when nobody waits
        try:
            await asyncio.wait([answer], timeout=self._timeout_s)
            if not answer.done():
                raise TooSlow(f"the query took longer than {self._timeout_s:g} s and was stopped; narrow it")
            return answer.result()
        finally:  # also when the caller has gone: a query without a reader ends here
            if not future.cancel() and not future.done():
                ending = asyncio.create_task(_end(future, open_))
                self._endings.add(ending)  # the loop alone doesn't keep it
                ending.add_done_callback(self._endings.discard)

    def close(self) -> None:
        """Start no more; those that run are interrupted by the closing of their callers."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _end(future: "Future[Any]", open_: list[Any]) -> None:
    """Interrupt until it has ended: one that comes between two statements is not seen."""
    while not future.done():
        for cursor in list(open_):
            with suppress(duckdb.Error):  # closed meanwhile
                cursor.interrupt()
        await asyncio.sleep(0.05)
