"""Keeps the store's hot columns: the paths of policies and of queries that are asked often, copied between batches."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache

from queries.check import check
from queries.errors import RqlError
from queries.hot_asked import asked
from queries.hot_state import OFTEN
from queries.hot_table import read_path
from queries.parse import parse
from queries.policy import Policy
from streams.store.thread import StoreThread

SECONDS = 1.0
"""Between two looks at what there is to copy."""
OFTEN_ENOUGH = 5
"""Slow askings of a query within an hour after which its paths become hot."""
HOUR_S = 3600.0


class Heater:
    """*policies*: those of the moment. `run` is for the worker's tasks; it never holds the store's thread for long."""

    def __init__(self, store: StoreThread, policies: Callable[[], Iterable[Policy]] = tuple) -> None:
        self._store = store
        self._policies = policies
        self._rql: frozenset[str] | None = None
        self._cleared = time.monotonic()

    async def run(self) -> None:
        """Go on until cancelled. Raises what the store raises."""
        while True:
            await self.look()
            more = True
            while more:
                began = time.monotonic()
                more = await self._store.run(self._store.store.hot.step)
                if more:  # batches have the thread at least half of the time
                    await asyncio.sleep(time.monotonic() - began)
            await asyncio.sleep(SECONDS)

    async def look(self) -> None:
        """Want what the policies ask now, where they have changed, and what was asked often."""
        rql = frozenset(policy.rql for policy in self._policies())
        hot = self._store.store.hot
        if rql != self._rql:
            wanted = await asyncio.to_thread(_paths, rql)
            await self._store.run(hot.want, wanted, "policy", only=True)
            self._rql = rql
        if often := OFTEN.take(OFTEN_ENOUGH):
            wanted = await asyncio.to_thread(_paths, often)
            await self._store.run(hot.want, wanted, "query")
        if time.monotonic() - self._cleared > HOUR_S:
            OFTEN.clear()
            self._cleared = time.monotonic()


def _paths(texts: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for api_name, paths in _asked(text).items():
            found[api_name] |= paths
    return found


@lru_cache(maxsize=4096)
def _asked(text: str) -> dict[str, frozenset[str]]:
    try:
        return {
            name: frozenset(filter(_readable, map(str, paths))) for name, paths in asked(check(parse(text))).items()
        }
    except RqlError:
        return {}


def _readable(path: str) -> bool:
    """Whether a path is read as what it was written from; its keys may be odd enough that it isn't."""
    try:
        return str(read_path(path)) == path
    except RqlError:
        return False
