"""What evaluations want sent: written in the transaction that decides it, deleted once Kafka has it."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

import duckdb


class Outgoing(NamedTuple):
    """One record for the topic of that (short) name. *n* grows; rows are sent in its order."""

    n: int
    part: int
    topic: str
    key: bytes
    value: bytes


class Outbox:
    """Numbers the rows and keeps those that wait; not thread-safe, used inside the caller's transactions."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        ((last,),) = db.execute("select coalesce(max(n), 0) from outbox").fetchall()
        self._last = int(last)

    def put(
        self, db: duckdb.DuckDBPyConnection, records: Sequence[tuple[int, str, bytes, bytes]], now: datetime
    ) -> list[Outgoing]:
        """Write *records*: partition, topic, key, value. *now*: UTC without zone."""
        rows = [Outgoing(self._last + i, *record) for i, record in enumerate(records, 1)]
        if rows:
            n, parts, topics, keys, values = (list(column) for column in zip(*rows, strict=True))
            db.execute(
                """insert into outbox select unnest($1::BIGINT[]), unnest($2::USMALLINT[]), unnest($3::VARCHAR[]),
                unnest($4::BLOB[]), unnest($5::BLOB[]), $6""",
                [n, parts, topics, keys, values, now],
            )
            self._last = rows[-1].n
        return rows


def waiting(db: duckdb.DuckDBPyConnection, part: int) -> list[Outgoing]:
    """Return the partition's rows, in their order."""
    found = db.execute("select n, part, topic, key, value from outbox where part = ? order by n", [part]).fetchall()
    return [Outgoing(*row) for row in found]


def oldest(db: duckdb.DuckDBPyConnection, part: int) -> Mapping[str, datetime]:
    """Return since when rows of the partition wait for each topic, in UTC without zone."""
    return dict(db.execute("select topic, min(since) from outbox where part = ? group by topic", [part]).fetchall())


def strike(db: duckdb.DuckDBPyConnection, numbers: AbstractSet[int]) -> None:
    """Delete these rows: Kafka has them, or nobody wants them any more."""
    if not numbers:
        return
    first, last = min(numbers), max(numbers)
    if last - first + 1 == len(numbers):  # costs half as much
        db.execute("delete from outbox where n between ? and ?", [first, last])
    else:
        db.execute("delete from outbox where n in (select unnest(?::BIGINT[]))", [list(numbers)])
