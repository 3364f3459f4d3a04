"""What the owner of a partition has to send again, and whose tombstone is due.

A key is noted in `resend` when the last record of it in the log isn't the winner: compaction would keep the wrong one.
It leaves when the winner comes by again, or when the owner says that the broker has it. It is `taken` while it is on
its way; a loser that comes by in the meantime makes it wait again, so a late acknowledgement forgets nothing.
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

from collections.abc import Sequence
from datetime import datetime

import duckdb

from streams.store.schema import Kind


def take(db: duckdb.DuckDBPyConnection, kind: Kind, part: int, limit: int) -> list[tuple[bytes, bytes]]:
    """Return up to *limit* keys and records to send again, exactly as they lay on the topic, and mark them as taken."""
    if not db.execute("select 1 from resend where kind = ? and part = ? limit 1", [kind.name, part]).fetchall():
        return []  # nearly always
    db.execute(
        "create or replace temp table taking as select hash h from resend where kind = ? and part = ? limit ?",
        [kind.name, part, limit],
    )
    db.execute(
        "update resend set taken = true where kind = ? and part = ? and hash in (select h from taking)",
        [kind.name, part],
    )
    rows = db.execute(
        f"""select m.key, r.record from {kind.records} r
        join (
            select {kind.id} h, {kind.key} as key from {kind.name}
            where part = $1 and {kind.id} in (select h from taking)
        ) m on m.h = r.{kind.id}
        where r.part = $1 and r.{kind.id} in (select h from taking)""",
        [part],
    ).fetchall()
    return [(key.encode(), record.encode()) for key, record in rows]


def sent(db: duckdb.DuckDBPyConnection, kind: Kind, part: int, keys: Sequence[bytes]) -> None:
    """Forget *keys*, which the broker has acknowledged, unless another loser has come by since they were taken."""
    db.execute(
        """delete from resend where kind = ? and part = ? and taken
        and hash in (select md5_number_lower(unnest(?::VARCHAR[])))""",
        [kind.name, part, [key.decode() for key in keys]],
    )


def expired(db: duckdb.DuckDBPyConnection, kind: Kind, part: int, before: datetime, limit: int) -> list[bytes]:
    """Return up to *limit* keys of rows that this store has known as deleted since before *before* (UTC without zone),
    oldest first.
    """
    rows = db.execute(
        f"""select {kind.key} from {kind.name} m
        join (select hash from deletions where kind = ? and part = ? and since < ? order by since limit ?) d
            on d.hash = m.{kind.id}
        where m.part = ? and m.deleted""",
        [kind.name, part, before, limit, part],
    ).fetchall()
    return [key.encode() for (key,) in rows]
