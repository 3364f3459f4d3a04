"""What becomes of findings whose vendor isn't asked any more: they stay, or all that are open are closed at once."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka import client_config
from streams.produce import BatchProducer, Record
from streams.settings import Settings
from streams.topics import FINDINGS, full_name

REASON = "its integration was deleted"
"""What status_reason says of such a finding."""

BATCH = 2000


class Closed(NamedTuple):
    """How many findings of the vendor are open, and how many of them were closed."""

    open: int
    closed: int


async def close_findings(settings: Settings, source: str, *, dry_run: bool) -> Closed:
    """Close every open finding whose finding.source is *source*; *dry_run*: only count them. Raises BrokerError.

    Each gets a version just above the one that it has: when its vendor tells of it again, that is the newer one.
    Doing it again closes what is left.
    """
    topic = full_name(settings, FINDINGS)
    consumer = AIOKafkaConsumer(
        **client_config(settings), enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=5000
    )
    try:
        await consumer.start()
        parts = [TopicPartition(topic, part) for part in range(FINDINGS.partitions(settings))]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        newest: dict[tuple[int, bytes], _Newest] = {}
        async for record in _read(consumer, ends):
            said = _said(record.value)
            at = (record.partition, record.key or b"")
            if said is not None and (at not in newest or said.version >= newest[at].version):
                is_open = said.source == source and said.status == "open" and not said.deleted
                newest[at] = _Newest(said.version, record.offset if is_open else -1)
            elif record.value is None:
                newest.pop(at, None)
        wanted = {(part, each.offset) for (part, _), each in newest.items() if each.offset >= 0}
        if dry_run or not wanted:
            return Closed(len(wanted), 0)
        async with BatchProducer(settings) as producer:
            waiting: list[Record] = []
            async for record in _read(consumer, ends):
                if (record.partition, record.offset) in wanted:
                    waiting.append((record.partition, record.key, _closed(record.value)))
                if len(waiting) >= BATCH:
                    await producer.send(topic, waiting)
                    waiting = []
            await producer.send(topic, waiting)
        return Closed(len(wanted), len(wanted))
    except (KafkaError, OSError) as error:
        raise BrokerError(f"topic {topic}: {error}") from error
    finally:
        await consumer.stop()


class _Newest(NamedTuple):
    """The newest record of a finding; offset -1: it's none to close."""

    version: str
    offset: int


class _Said(msgspec.Struct):
    version: str
    source: str = ""
    status: str = "open"
    deleted: bool = False


_DECODER = msgspec.json.Decoder(_Said)


def _said(value: bytes | None) -> _Said | None:
    try:
        return None if value is None else _DECODER.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # the store has refused it, too


def _closed(value: bytes) -> bytes:
    finding = orjson.loads(value)
    finding |= {"status": "fixed", "status_reason": REASON, "version": f"{finding['version']}~0"}
    return orjson.dumps(finding)


async def _read(consumer: Any, ends: dict[TopicPartition, int]) -> AsyncIterator[Any]:
    """Yield the records of every partition from its beginning to its end in *ends*."""
    for tp, begin in (await consumer.beginning_offsets(list(ends))).items():
        consumer.seek(tp, begin)
    left = {tp for tp, end in ends.items() if end > 0}
    while left:
        for tp, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
            for record in records:
                if record.offset < ends[tp]:
                    yield record
        left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
