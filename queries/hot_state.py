"""Which hot columns the tables that a connection sees have, and which queries were asked often without them."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import NamedTuple

import duckdb

from queries.hot_table import NOTHING, Hot, hot_of

MOST_PENDING = 20_000
"""Changed resources up to which hot columns are asked: the documents of these are read one by one."""
SLOW_MS = 20.0
"""How long a query must take to be worth hot columns."""
MOST_TEXTS = 1_000


class State(NamedTuple):
    """Hot tables, and the row numbers of the resources that changed since."""

    hot: Hot
    pending: list[int]


COLD = State(NOTHING, [])


def state(connection: duckdb.DuckDBPyConnection, api_names: Collection[str]) -> State:
    """Return what there is of *api_names*, as of the connection's transaction, for which the row numbers hold."""
    if not api_names:
        return COLD
    there = "select 1 from duckdb_tables() where database_name = current_database() and table_name = 'hot_tables'"
    if not connection.execute(
        there
    ).fetchall():  # these tables weren't made by a store; failing would end a transaction
        return COLD
    rows = connection.execute(
        """select n, api_name, paths, (select count(*) from hot_pending) from hot_tables
        where ready and list_contains(?::varchar[], api_name) order by n""",
        [sorted(api_names)],
    ).fetchall()
    if not rows or rows[0][-1] > MOST_PENDING:
        return COLD
    changed = bool(rows[0][-1])
    pending: list[int] = []
    if changed:
        found = connection.execute("select rowid from resources where rid in (select rid from hot_pending)").fetchall()
        pending = [row for (row,) in found]
    return State(hot_of(tuple(row[:-1] for row in rows), pending=changed), pending)


@contextmanager
def one_moment(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is read inside is as of one moment: in a transaction, or in the caller's."""
    try:
        connection.begin()
    except duckdb.TransactionException:
        yield
        return
    try:
        yield
    finally:
        with suppress(duckdb.Error):
            connection.rollback()


class Often:
    """Counts the texts of queries that took SLOW_MS and that hot columns would answer faster. For many threads."""

    def __init__(self) -> None:
        self.slow_ms = SLOW_MS
        self._lock = Lock()
        self._texts: Counter[str] = Counter()

    def note(self, text: str, took_ms: float) -> None:
        """Count *text*, if it took long."""
        if took_ms < self.slow_ms:
            return
        with self._lock:
            if text in self._texts or len(self._texts) < MOST_TEXTS:
                self._texts[text] += 1

    def take(self, least: int) -> list[str]:
        """Return the texts that were counted *least* times, and forget these."""
        with self._lock:
            found = [text for text, times in self._texts.items() if times >= least]
            for text in found:
                del self._texts[text]
            return found

    def clear(self) -> None:
        """Forget all: a new count begins."""
        with self._lock:
            self._texts.clear()


OFTEN = Often()
"""The queries that this process was asked."""
