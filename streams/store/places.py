"""Where the rows of a hash lie, in memory: a small batch needn't scan a column of millions to find a few rows.

DuckDB changes row numbers at a checkpoint at most, where it closes gaps that deleted rows have left, and new rows have
higher ones than all before. So what was sorted once stays true until then for the rows that there were: later ones are
looked for in the end of the table, which is short.
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

FEWEST = 30_000
"""Rows that are scanned as fast as they are looked up."""
MOST = 16_000_000
"""Rows for which there is memory: eight bytes each."""
TAIL = 60_000
"""New rows after which everything is sorted again; more in a large table, as that takes longer."""
SHORT = 100
"""Hashes that are looked for in a list."""
PATIENCE = 2
"""Scans before sorting: it costs as much as some ten."""


class Places:
    """The places of the rows of one table by one column of hashes."""

    def __init__(self, db: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
        self._db = db
        self._table = table
        self._column = column
        self._scans = 0
        self._sorted: tuple[memoryview, memoryview] | None = None
        self._base = 0
        """The number of the first row that isn't among the sorted ones."""
        self._tail = 0
        self._recent: set[int] | None = None
        """The hashes of the rows behind these; None: not known."""

    def grow(self, rows: int) -> None:
        """Take note that up to *rows* rows are about to be added, whose hashes nobody knows."""
        self._tail += rows
        self._recent = None

    def add(self, hashes: Sequence[int]) -> None:
        """Take note that rows of these hashes are about to be added."""
        self._tail += len(hashes)
        if self._recent is not None:
            self._recent.update(hashes)

    def refresh(self) -> None:
        """Sort, where that is due. Not within a transaction: what it has written has no row numbers yet."""
        if self._sorted is not None and self._tail > max(TAIL, self._base // 8):
            self.forget()
            self._scans = PATIENCE  # it was worth it before
        if self._sorted is None and self._scans >= PATIENCE:
            self._sort()

    def forget(self) -> None:
        """Let go of everything: row numbers may have changed."""
        self._sorted, self._scans, self._recent = None, 0, None

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
            self._db.execute(f"delete from {self._table} where {where}", values)

    def _where(self, hashes: Sequence[int]) -> Iterator[tuple[str, list[Any]]]:
        """Yield conditions of which one holds for each row that is meant, and their values."""
        # A join costs more to plan than a list, and less for each row.
        wanted = "list_contains(?::UBIGINT[], {})" if len(hashes) <= SHORT else "{} in (select unnest(?::UBIGINT[]))"
        wanted = wanted.format(self._column)
        if self._sorted is None:
            self._scans += 1
            yield f"{self._column} in (select unnest(?::UBIGINT[]))", [hashes]
            return
        if self._recent is None or not self._recent.isdisjoint(hashes):
            yield f"rowid >= ? and {wanted}", [self._base, hashes]
        if rows := _rows(*self._sorted, hashes):
            yield f"rowid in (select unnest(?::BIGINT[])) and {wanted}", [rows, hashes]

    def _sort(self) -> None:
        ((base,),) = self._db.execute(f"select coalesce(max(rowid) + 1, 0) from {self._table}").fetchall()
        if not FEWEST <= base < MOST:
            return
        rows = self._db.sql(
            f"select ({self._column} >> 32)::UINTEGER, rowid::UINTEGER from {self._table} order by 1"
        ).to_arrow_table()
        hashes, places = (column.combine_chunks().buffers()[1] for column in rows.columns)
        length = rows.num_rows * 4
        self._sorted = memoryview(hashes)[:length].cast("I"), memoryview(places)[:length].cast("I")
        self._base, self._tail, self._recent = base, 0, set()


def _rows(sorted_: memoryview, places: memoryview, hashes: Sequence[int]) -> list[int]:
    """Return the rows whose hash begins as one of *hashes*: one in millions is another's."""
    found = []
    for hash_ in hashes:
        begin = hash_ >> 32
        at = bisect_left(sorted_, begin)
        while at < len(sorted_) and sorted_[at] == begin:
            found.append(places[at])
            at += 1
    return found
