"""What evaluations want sent: written in the transaction that decides it, deleted once Kafka has it.

Row by row it would cost more than all else that an evaluation writes: so what one wants sent of a partition is one row,
a block, or a few where it is long.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb
import msgspec


class Outgoing(NamedTuple):
    """One record for the topic of that (short) name. *n* grows; records are sent in its order. *block* holds *size*."""

    n: int
    part: int
    topic: str
    key: bytes
    value: bytes
    block: int
    size: int


MOST_BYTES = 8 * 1024 * 1024
"""Of a block, unless one record has more: DuckDB holds and logs it as one value."""

_Record = tuple[int, str, bytes, bytes]
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[_Record]).decode


class Outbox:
    """Numbers the records; not thread-safe, used inside the caller's transactions."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        ((last,),) = db.execute("select coalesce(max(block), 0) from outbox").fetchall()
        self._last = int(last)

    def put(
        self, db: duckdb.DuckDBPyConnection, records: Sequence[tuple[int, str, bytes, bytes]], now: datetime
    ) -> list[Outgoing]:
        """Write *records*: partition, topic, key, value. *now*: UTC without zone."""
        parts: dict[int, list[list[_Record]]] = defaultdict(list)
        sizes: dict[int, int] = {}
        for n, (part, topic, key, value) in enumerate(records, self._last + 1):
            if not parts[part] or sizes[part] + len(value) > MOST_BYTES:
                parts[part].append([])
                sizes[part] = 0
            parts[part][-1].append((n, topic, key, value))
            sizes[part] += len(value)
        if not parts:
            return []
        # A block's number is its last record's: it grows as theirs do.
        blocks = [(part, rows[-1][0], rows) for part, each in parts.items() for rows in each]
        db.execute(
            "insert into outbox select unnest($1::BIGINT[]), unnest($2::USMALLINT[]), unnest($3::BLOB[]), $4",
            [[block for _, block, _ in blocks], [part for part, *_ in blocks], [_ENCODE(r) for *_, r in blocks], now],
        )
        self._last += len(records)
        return sorted(row for part, block, rows in blocks for row in _unpacked(part, block, rows))


def waiting(db: duckdb.DuckDBPyConnection, part: int) -> list[Outgoing]:
    """Return the partition's records, in their order."""
    found = db.execute("select block, records from outbox where part = ? order by block", [part]).fetchall()
    return [row for block, packed in found for row in _unpacked(part, block, _DECODE(packed))]


def oldest(db: duckdb.DuckDBPyConnection, part: int) -> Mapping[str, datetime]:
    """Return since when records of the partition wait for each topic, in UTC without zone."""
    since: dict[str, datetime] = {}
    for packed, at in db.execute("select records, since from outbox where part = ? order by since", [part]).fetchall():
        for _, topic, *_ in _DECODE(packed):
            since.setdefault(topic, at)
    return since


def strike(db: duckdb.DuckDBPyConnection, blocks: Collection[int]) -> None:
    """Delete these blocks: Kafka has all of them, or nobody wants them any more."""
    if len(blocks) == 1:  # a list costs more to plan
        db.execute("delete from outbox where block = ?", list(blocks))
    elif blocks:
        db.execute("delete from outbox where block in (select unnest(?::BIGINT[]))", [list(blocks)])


def _unpacked(part: int, block: int, rows: Sequence[_Record]) -> list[Outgoing]:
    return [Outgoing(n, part, topic, key, value, block, len(rows)) for n, topic, key, value in rows]
