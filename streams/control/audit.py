"""The log of changes: who changed what, and when, with secrets masked; and its newest lines read back."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.control.plan import LARGEST, Planned
from streams.control.show import as_json
from streams.control.topics import AUDIT_LOG
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import full_name

SCANNED = 50_000
"""How many lines `newest` reads back at most."""

_READ_S = 30.0


async def newest(settings: Settings, *, limit: int = 50, wanted: Callable[[dict[str, Any]], bool] = bool) -> list[Any]:
    """Return the newest lines of the log that are *wanted*, the newest first, at most *limit*. Raises BrokerError."""
    part = TopicPartition(full_name(settings, AUDIT_LOG), 0)
    consumer = AIOKafkaConsumer(
        **client_config(settings), enable_auto_commit=False, isolation_level="read_committed", fetch_max_wait_ms=100
    )
    try:
        await consumer.start()
        await asyncio.sleep(0)  # or a stop at once would cancel a task that hasn't begun, and pass that on
        consumer.assign([part])
        first, high = (await consumer.beginning_offsets([part]))[part], (await consumer.end_offsets([part]))[part]
        found: list[dict[str, Any]] = []
        end, window = high, max(2 * limit, 200)
        while high > first and len(found) < limit and end - high < SCANNED:
            low = max(first, high - window)
            lines = await asyncio.wait_for(_lines(consumer, part, low, high), _READ_S)
            found = [line for line in lines if wanted(line)] + found
            high, window = low, window * 4
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"topic {part.topic}: {error!r}") from error
    finally:
        await consumer.stop()
    return found[-limit:][::-1]


def line(*, at: int, by: str, action: str, kind: str, id: str, planned: Planned | None = None, **more: object) -> bytes:
    """Return one line of the log: *at* in ms since 1970 UTC, *by* whom, what happened to which object."""
    fields: dict[str, Any] = {"at": at, "by": by, "action": action, "kind": kind, "id": id, **more}
    if planned is not None:
        made = planned.after or (planned.before and planned.before.object)
        fields |= {
            "name": getattr(made, "name", id),
            "version_before": planned.before.version if planned.before else 0,
            "changes": [as_json(each) for each in planned.differences],
        }
    written = orjson.dumps(fields)
    if len(written) > LARGEST:
        fields["changes"] = [{"path": each["path"]} for each in fields["changes"]]
        written = orjson.dumps(fields)
    return written


async def _lines(consumer: Any, part: TopicPartition, low: int, high: int) -> list[dict[str, Any]]:
    """Return the lines from offset *low* up to *high*, which isn't included; what is no line is passed over."""
    consumer.seek(part, low)
    found = []
    while await consumer.position(part) < high:
        for record in (await consumer.getmany(part, timeout_ms=100)).get(part, ()):
            try:
                line = orjson.loads(record.value or b"")
            except orjson.JSONDecodeError:
                continue
            if record.offset < high and isinstance(line, dict):
                found.append(line)
    return found
