"""The audit trail of one resource, read from its topic: so it is there whatever became of the store."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from api.difference import differences
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.partition import partition_of
from streams.settings import Settings
from streams.topics import AUDIT_TRAIL, full_name

WINDOW = 20_000
"""Records that are read at once; windows are read from the end of the topic backwards."""

PATIENCE_S = 8.0
"""After which the windows that were read must do."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What happened to a resource, the newest first, as AuditRecord has it, with `offset`.

    *whole*: it is all that the topic has of it; else the records before *since* (ms since 1970 UTC) weren't read.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    whole: bool = True
    since: int | None = None


async def read(settings: Settings, rrn: str, account: str, *, most: int = 500) -> Trail:
    """Return what happened to *rrn* of *account*; at most about *most* records. Raises BrokerError."""
    part = TopicPartition(full_name(settings, AUDIT_TRAIL), partition_of(account, settings.partitions))
    consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False, fetch_max_wait_ms=100)
    try:
        await consumer.start()
        await asyncio.sleep(0)  # or a stop at once would cancel a task that hasn't begun, and pass that on
        consumer.assign([part])
        return await asyncio.wait_for(_backwards(consumer, part, rrn.encode(), most), 2 * PATIENCE_S)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"topic {part.topic}: {error!r}") from error
    finally:
        await consumer.stop()


def told(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *records*, the newest first, each with `changes`: how its configuration differs from the one that was told
    before it, or its finding or alert from what was told of that before; and found again after an end is `reopened`.
    """
    before: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    lines = []
    for record in reversed(records):
        detail = record.get("detail") or {}
        now = detail.get("config") if record["kind"] == "configuration" else detail
        about = record["kind"], str(detail.get("id", ""))
        former = before.get(about)
        line = record | {"changes": []}
        if now is not None:
            if former is not None:
                line["changes"] = differences(former[1], now)
                if record["kind"] == "finding" and former[0] == "closed" and record["change"] in ("opened", "changed"):
                    line["change"] = "reopened"
            before[about] = record["change"], now
        lines.append(line)
    return lines[::-1]


async def _backwards(consumer: Any, part: TopicPartition, key: bytes, most: int) -> Trail:
    begin, end = (await consumer.beginning_offsets([part]))[part], (await consumer.end_offsets([part]))[part]
    until = time.monotonic() + PATIENCE_S
    found: list[dict[str, Any]] = []
    since = None
    while end > begin:
        if len(found) >= most or (since is not None and time.monotonic() > until):
            return Trail(found[::-1], False, since)
        start = max(begin, end - WINDOW)
        window, since = await _window(consumer, part, start, end, key)
        found = window + found
        end = start
    return Trail(found[::-1])


async def _window(
    consumer: Any, part: TopicPartition, start: int, end: int, key: bytes
) -> tuple[list[dict[str, Any]], int | None]:
    found: list[dict[str, Any]] = []
    since = None
    consumer.seek(part, start)
    while await consumer.position(part) < end:
        for record in (await consumer.getmany(part, timeout_ms=100)).get(part, ()):
            since = since or record.timestamp
            if record.key == key and record.value and record.offset < end:
                found.append({**orjson.loads(record.value), "offset": record.offset})
    return found, since
