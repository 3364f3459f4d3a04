"""The figures of /status: rows by table, and how far each partition is behind."""

from typing import Any

from agents.normalise import NORMALISERS
from streams.admin import committed, watermarks
from streams.app import GROUP
from streams.settings import Settings
from streams.topics import STORED, full_name

TABLES = ("resources", "findings", "finding_resource", "alerts")


def store(cursor: Any) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
    """Return the rows of each table, and the next offset of each partition that the store holds."""
    rows = {table: cursor.execute(f"select count(*) from {table}").fetchall()[0][0] for table in TABLES}  # noqa: S608 # names of ours
    offsets = cursor.execute("select topic, part, next_offset from partitions").fetchall()
    return rows, {(topic, part): offset for topic, part, offset in offsets}


async def partitions(settings: Settings, stored: dict[tuple[str, int], int]) -> list[dict[str, Any]]:
    """Return for each partition: its topic, number, next offset, and lag in records (None where there is no broker).

    Of raw topics the group's offset counts; of the others the store's, *stored*. Raises BrokerError.
    """
    raw = [full_name(settings, normaliser.topic) for normaliser in NORMALISERS.values()]
    kept = [full_name(settings, topic) for topic in STORED.values()]
    if not settings.kafka_bootstrap_servers:
        return [_line(topic, part, offset, None) for (topic, part), offset in sorted(stored.items())]
    marks = await watermarks(settings, [*raw, *kept])
    done = await committed(settings, settings.topic_prefix + GROUP)
    lines = []
    for (topic, part), mark in sorted(marks.items()):
        reached = max((done if topic in raw else stored).get((topic, part), 0), mark.begin)
        lines.append(_line(topic, part, reached, max(mark.end - reached, 0)))
    return lines


def _line(topic: str, part: int, offset: int, lag: int | None) -> dict[str, Any]:
    return {"topic": topic, "partition": part, "next_offset": offset, "lag": lag}
