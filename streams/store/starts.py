"""Where a partition is read from: the store's own offset, or the log's beginning where what the store holds can't be
trusted.
"""

# ruff: noqa: S608 - SQL is made of place holders; values are bound

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb


class Known(NamedTuple):
    """What the store knows of a partition. *synced_at* is UTC without zone."""

    next_offset: int
    topic_id: str | None
    cluster_id: str | None
    synced_at: datetime


def known(db: duckdb.DuckDBPyConnection, topic: str, part: int) -> Known | None:
    """Return what the store knows of the partition, or None where it has never seen it."""
    rows = db.execute(
        "select next_offset, topic_id, cluster_id, synced_at from partitions where topic = ? and part = ?",
        [topic, part],
    ).fetchall()
    return Known(*rows[0]) if rows else None


def distrust(
    there: Known | None,
    *,
    cluster_id: str,
    topic_id: str,
    begin: int,
    end: int,
    now: datetime,
    delete_retention_ms: int,
) -> str | None:
    """Return why the partition must be dropped and read from the beginning, or None where the store can go on.

    The log is the truth: compaction never moves its beginning, so a store that is below it has missed what somebody
    deleted. A store that has seen all there is can't have missed a tombstone, however long it was away.
    """
    if there is None:
        return "it is new here"
    if there.cluster_id != cluster_id:
        return f"it was filled from cluster {there.cluster_id}, this is {cluster_id}"
    if there.topic_id != topic_id:
        return f"the topic was created again: its id was {there.topic_id} and is {topic_id}"
    if there.next_offset > end:
        return f"the store is at offset {there.next_offset}, the log ends at {end}"
    if there.next_offset < begin:
        return f"the store is at offset {there.next_offset}, the log begins at {begin}"
    away = now - there.synced_at
    if there.next_offset < end and away > timedelta(milliseconds=delete_retention_ms):
        kept = timedelta(milliseconds=delete_retention_ms)
        return f"it was away for {_days(away)}, tombstones are kept for {_days(kept)}"
    return None


def _days(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"


def advance(db: duckdb.DuckDBPyConnection, offsets: Mapping[tuple[str, str, int], int], now: datetime) -> None:
    """Set the next offsets, by topic, kind and partition, and that these partitions are in step *now*."""
    if not offsets:
        return
    # A map is planned in half the time of a join.
    places = [f"{part} {topic}" for topic, _, part in offsets]
    moved = db.execute(
        """update partitions set next_offset = map($1::VARCHAR[], $2::BIGINT[])[part || ' ' || topic], synced_at = $3
        where list_contains($1::VARCHAR[], part || ' ' || topic)""",
        [places, list(offsets.values()), now],
    ).fetchall()[0][0]
    if moved < len(offsets):
        rows = ", ".join(["(?, ?, ?, ?)"] * len(offsets))
        values = [value for place, end in offsets.items() for value in (*place, end)]
        db.execute(
            f"""insert into partitions select topic, kind, part, next_offset, null, null, ?
            from (values {rows}) a(topic, kind, part, next_offset) anti join partitions p using (topic, part)""",
            [now, *values],
        )
