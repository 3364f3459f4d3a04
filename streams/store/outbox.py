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


def waiting(db: duckdb.DuckDBPyConnection, limit: int) -> list[Outgoing]:
    """Return up to *limit* rows, in their order."""
    found = db.execute("select n, part, topic, key, value from outbox order by n limit ?", [limit]).fetchall()
    return [Outgoing(*row) for row in found]


def oldest(db: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, int], datetime]:
    """Return since when rows wait for each topic and partition, in UTC without zone."""
    found = db.execute("select topic, part, min(since) from outbox group by all").fetchall()
    return {(topic, part): since for topic, part, since in found}


def clear(db: duckdb.DuckDBPyConnection, upto: int) -> None:
    """Delete the rows up to number *upto*: Kafka has them."""
    db.execute("delete from outbox where n <= ?", [upto])


def strike(db: duckdb.DuckDBPyConnection, numbers: AbstractSet[int]) -> None:
    """Delete these rows: they were on their topic before the process died."""
    db.execute("delete from outbox where n in (select unnest(?::BIGINT[]))", [list(numbers)])
