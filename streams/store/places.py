"""Where the rows of a hash lie, in memory: a small batch needn't scan a column of millions to find a few rows.

DuckDB changes row numbers at a checkpoint at most, where it closes gaps that deleted rows have left, and new rows have
higher ones than all before. So what was read once stays true until then for the rows that there were: the many old ones
are held sorted, the newer ones as well, and the last in a dictionary.
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import duckdb

FEWEST = 30_000
"""Rows that are scanned as fast as they are looked up."""
MOST = 16_000_000
"""Rows for which there is memory: eight bytes each."""
NEWER = 60_000
"""Rows after which everything is sorted again; more in a large table, as that takes longer."""
LAST = 4_000
"""Rows after which the newer ones are sorted again."""
SHORT = 100
"""Hashes that are looked for in a list."""
PATIENCE = 2
"""Scans before sorting: it costs as much as some ten."""


class Rows(NamedTuple):
    """The numbers of rows. Not *sure*: some may have another hash than those that were asked for."""

    numbers: list[int]
    sure: bool


class Finder(Protocol):
    """Finds rows of several tables."""

    def rows_of(self, table: str, hashes: Sequence[int]) -> Rows | None:
        """Return the rows of *table* that have one of *hashes*, as of the last transaction; None: look for them."""

    def rows_gone(self, table: str, numbers: Sequence[int]) -> None:
        """Take note that these rows have been deleted in the transaction that runs."""


class Places:
    """The places of the rows of one table by one column of hashes."""

    def __init__(self, db: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
        self._db = db
        self._table = table
        self._column = column
        self._scans = 0
        self._patience = PATIENCE
        self._old: _Sorted | None = None
        self._old_end = 0
        self._newer = _NOTHING
        self._last: dict[int, list[int]] = defaultdict(list)
        """The rows behind these, by hash."""
        self._gone: set[int] = set()
        """Rows among all of these that have been deleted since they were read."""
        self._end = 0
        """The number of the first row that hasn't been read."""
        self._added: set[int] | None = set()
        """The hashes of the rows from there on; None: not known."""

    def grow(self) -> None:
        """Take note that rows are about to be added, whose hashes nobody knows."""
        self._added = None

    def add(self, hashes: Iterable[int]) -> None:
        """Take note that rows of these hashes are about to be added."""
        if self._added is not None:
            self._added.update(hashes)

    def refresh(self) -> None:
        """Read what was added. Not within a transaction: what it has written has no row numbers yet."""
        if self._old is None:
            if self._scans >= self._patience:
                self._sort()
            return
        if self._added is not None and not self._added:
            return
        rows = self._db.execute(
            f"select {self._column}, rowid from {self._table} where rowid >= ? limit {LAST + 1}", [self._end]
        ).fetchall()
        if len(rows) + len(self._last) > LAST:
            self._sort_newer()
            return
        for hash_, row in rows:
            self._last[hash_].append(row)
            self._end = max(self._end, row + 1)
        self._added = set()

    def forget(self) -> None:
        """Let go of everything: row numbers may have changed."""
        self._old, self._scans, self._patience = None, 0, PATIENCE
        self._gone.clear()

    def rows(self, hashes: Sequence[int]) -> Rows | None:
        """Return all rows that have one of *hashes*; None: not known.

        As of the last `refresh`, and None where rows with these hashes have been added since.
        """
        if self._old is None:
            self._scans += 1
            return None
        if self._added is None or not self._added.isdisjoint(hashes):
            return None
        return self._rows(self._old, hashes)

    def find(self, columns: str, hashes: Sequence[int]) -> list[tuple[Any, ...]]:
        """Return row number, hash, and *columns* of the rows that have one of *hashes*."""
        what = f"select rowid, {self._column}, {columns} from {self._table} where"
        return [
            row
            for where, values in self._where(hashes)
            for row in self._db.execute(f"{what} {where}", values).fetchall()
        ]

    def delete(self, hashes: Sequence[int]) -> None:
        """Delete the rows that have one of *hashes*."""
        for where, values in self._where(hashes):
            gone = self._db.execute(f"delete from {self._table} where {where} returning rowid", values).fetchall()
            self.gone(number for (number,) in gone)

    def gone(self, numbers: Iterable[int]) -> None:
        """Take note that the rows of these numbers have been deleted; undone only by `forget`."""
        self._gone.update(numbers)

    def _where(self, hashes: Sequence[int]) -> Iterator[tuple[str, list[Any]]]:
        """Yield conditions of which one holds for each row that is meant, and their values."""
        if self._old is None:
            self._scans += 1
            yield _among(self._column), [hashes]
            return
        if self._added is None or not self._added.isdisjoint(hashes):
            yield f"rowid >= ? and {_one_of(self._column, hashes)}", [self._end, hashes]
        if (rows := self._rows(self._old, hashes)).numbers:
            yield _numbered(self._column, hashes, rows)

    def _rows(self, old: "_Sorted", hashes: Sequence[int]) -> Rows:
        hashes = list(dict.fromkeys(hashes))  # a row given twice would make others seem to lie between
        far = [row for row in old.rows(hash_ >> 32 for hash_ in hashes) if row not in self._gone]
        near = [*self._newer.rows(hashes), *(row for h in hashes for row in self._last.get(h, ()))]
        return Rows([*far, *(row for row in near if row not in self._gone)], not far)

    def _sort(self) -> None:
        ((end,),) = self._db.execute(f"select coalesce(max(rowid) + 1, 0) from {self._table}").fetchall()
        if not FEWEST <= end < MOST:
            self._scans, self._patience = 0, self._patience * 2  # it may have grown by then
            return
        self._old, self._old_end = self._sorted(f"({self._column} >> 32)::UINTEGER", 0), end
        self._newer = _NOTHING
        self._read_to(end)

    def _sort_newer(self) -> None:
        ((end,),) = self._db.execute(f"select coalesce(max(rowid) + 1, 0) from {self._table}").fetchall()
        if end - self._old_end > max(NEWER, self._old_end // 8):
            self.forget()
            self._sort()
            return
        self._newer = self._sorted(self._column, self._old_end)
        self._gone = {row for row in self._gone if row < self._old_end}
        self._read_to(end)

    def _read_to(self, end: int) -> None:
        self._last.clear()
        self._end, self._added = end, set()

    def _sorted(self, what: str, begin: int) -> "_Sorted":
        rows = self._db.sql(
            f"select {what}, rowid::UINTEGER from {self._table} where rowid >= {begin} order by 1"
        ).to_arrow_table()
        if not rows.num_rows:
            return _NOTHING
        columns = (column.combine_chunks() for column in rows.columns)
        return _Sorted(*(memoryview(c.buffers()[1])[: c.nbytes].cast(_CODES[str(c.type)]) for c in columns))


class _Sorted(NamedTuple):
    """Hashes, or their first halves, sorted, and the row of each."""

    hashes: Sequence[int]
    places: Sequence[int]

    def rows(self, hashes: Iterable[int]) -> list[int]:
        """Return the rows of *hashes*, or of first halves."""
        found = []
        for hash_ in hashes:
            at = bisect_left(self.hashes, hash_)
            while at < len(self.hashes) and self.hashes[at] == hash_:
                found.append(self.places[at])
                at += 1
        return found


_NOTHING = _Sorted((), ())
_CODES: dict[str, Literal["I", "Q"]] = {"uint32": "I", "uint64": "Q"}


def _numbered(column: str, hashes: Sequence[int], rows: Rows) -> tuple[str, list[Any]]:
    where, values = in_sql(rows.numbers)
    return (where, values) if rows.sure else (f"{where} and {_one_of(column, hashes)}", [*values, hashes])


def in_sql(numbers: Sequence[int]) -> tuple[str, list[Any]]:
    """Return a condition on `rowid` and its values: it is one of *numbers*, which are some."""
    first, last = min(numbers), max(numbers)
    if last - first + 1 == len(numbers):  # a third of what a join costs
        return "rowid between ? and ?", [first, last]
    return "rowid in (select unnest(?::BIGINT[]))", [numbers]


def _one_of(column: str, hashes: Sequence[int]) -> str:
    # A join costs more to plan than a list, and less for each row.
    return f"list_contains(?::UBIGINT[], {column})" if len(hashes) <= SHORT else _among(column)


def _among(column: str) -> str:
    return f"{column} in (select unnest(?::UBIGINT[]))"
