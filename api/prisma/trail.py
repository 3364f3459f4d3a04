"""What happened to a resource, read from the audit trail: its partition is read back as far as is bearable."""

import asyncio
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka import client_config
from streams.partition import partition_of
from streams.settings import Settings
from streams.topics import AUDIT_TRAIL, full_name

SCANNED = 20_000
"""How many records are looked at, the newest ones."""

PATIENCE_S = 10.0


async def happened(settings: Settings, rrn: str, account: str, *, most: int = 500) -> list[dict[str, Any]]:
    """Return what happened to *rrn* of *account*, the newest first, at most *most*. Raises BrokerError."""
    part = TopicPartition(full_name(settings, AUDIT_TRAIL), partition_of(account, settings.partitions))
    consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False, fetch_max_wait_ms=100)
    try:
        await consumer.start()
        await asyncio.sleep(0)  # or a stop at once would cancel a task that hasn't begun, and pass that on
        consumer.assign([part])
        begin, end = (await consumer.beginning_offsets([part]))[part], (await consumer.end_offsets([part]))[part]
        consumer.seek(part, max(begin, end - SCANNED))
        found = await asyncio.wait_for(_read(consumer, part, end, rrn.encode()), PATIENCE_S)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"topic {part.topic}: {error!r}") from error
    finally:
        await consumer.stop()
    return found[-most:][::-1]


async def _read(consumer: Any, part: TopicPartition, end: int, key: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while await consumer.position(part) < end:
        records = (await consumer.getmany(part, timeout_ms=100)).get(part, ())
        found += [
            {**orjson.loads(record.value), "offset": record.offset}
            for record in records
            if record.key == key and record.value
        ]
    return found
