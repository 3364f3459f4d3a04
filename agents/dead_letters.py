"""Dead letters: read back from the topic's end, shown, and sent again once."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams import alerts
from streams.errors import BrokerError, TidegateError
from streams.kafka import client_config
from streams.produce import BatchProducer
from streams.records import DeadLetter
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, DELIVERIES, FINDINGS, RESOURCES, finding_key, full_name

MAX_SCANNED = 200_000
"""How many records of a partition `newest` reads back at most, in search of one source."""

_FETCH = 64 * 1024 * 1024
_READ_S = 30.0


class NoSuchLetter(TidegateError):
    """There is no dead letter under this id."""


class Replayed(TidegateError):
    """The dead letter was sent again before, or can't be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter with its id, `<partition>-<offset>`, and when it was last sent again (ms since 1970 UTC)."""

    id: str
    letter: DeadLetter
    item: bytes
    size: int
    replayed_at: int | None

    def summary(self) -> dict[str, Any]:
        """Return all but the item, ready for JSON."""
        fields = asdict(self.letter)
        del fields["item"], fields["replays"]
        return {"id": self.id, **fields, "size": self.size, "replayed_at": self.replayed_at}

    def whole(self) -> dict[str, Any]:
        """Return the summary with the item, in base64 and, where it is text, as text."""
        try:
            text = self.item.decode()
        except UnicodeDecodeError:
            text = None
        return {**self.summary(), "item": base64.b64encode(self.item).decode(), "text": text}


async def newest(settings: Settings, *, limit: int = 50, source: str | None = None) -> list[Letter]:
    """Return the newest dead letters, of *source* if given, without their items. Raises BrokerError."""
    found: list[Letter] = []
    async with _reader(settings) as consumer:
        partitions = await _partitions(consumer, settings)
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            found += await _back(consumer, partition, first[partition], ends[partition], limit, source)
    found.sort(key=lambda each: (each.letter.failed_at, _place(each.id)), reverse=True)
    return found[:limit]


async def read(settings: Settings, id: str) -> Letter:
    """Return the dead letter *id* with its item. Raises NoSuchLetter, BrokerError."""
    _place(id)
    async with _reader(settings) as consumer:
        return await _find(consumer, settings, id)


async def replay(settings: Settings, id: str, *, again: bool = False) -> dict[str, Any]:
    """Send the item of dead letter *id* to its topic and a note of it beside the letter, both or none.

    Return what was sent. Raises Replayed when there is a note already, unless *again*; NoSuchLetter; BrokerError.
    """
    partition, _ = _place(id)
    # One transactional id a partition: a second replay that starts meanwhile ends this one's transaction, and then sees
    # its note or takes its place. So the search for notes comes after the start.
    producer = BatchProducer(settings, transactional_id=f"{settings.topic_prefix}tidegate-replay-{partition}")
    async with producer, _reader(settings) as consumer:
        found = await _find(consumer, settings, id)
        if found.replayed_at is not None and not again:
            raise Replayed(f"dead letter {id} was sent again at {_clock(found.replayed_at)}; use --again to repeat it")
        letter, now = found.letter, int(time.time() * 1000)
        key = _key(letter, found.item, settings)
        target = letter.partition
        if target >= await producer.partitions(letter.topic):
            target = 0
        note = DeadLetter(**{**asdict(letter), "failed_at": now, "item": "", "replays": id})
        try:
            async with producer.transaction():
                await producer.send(letter.topic, [(target, key, found.item)])
                await producer.send(
                    full_name(settings, DEAD_LETTERS),
                    [(partition, f"{letter.topic}:{letter.partition}".encode(), orjson.dumps(note))],
                )
        except KafkaError as error:
            raise BrokerError(f"dead letter {id} wasn't sent: {error!r}; nothing of it was kept, try again") from error
    return {"id": id, "topic": letter.topic, "partition": target, "bytes": len(found.item), "replayed_at": now}


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **client_config(settings),
        enable_auto_commit=False,
        isolation_level="read_committed",  # a note counts once its transaction is done
        max_partition_fetch_bytes=_FETCH,
        fetch_max_bytes=_FETCH,
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        await asyncio.sleep(0)  # or a stop at once would cancel a task that hasn't begun, and pass that on
    except (KafkaError, OSError) as error:
        await consumer.stop()
        raise BrokerError(f"no broker answers at {settings.kafka_bootstrap_servers}: {error}") from error
    try:
        yield consumer
    except KafkaError as error:
        raise BrokerError(f"topic {full_name(settings, DEAD_LETTERS)}: {error!r}") from error
    finally:
        await consumer.stop()


async def _partitions(consumer: Any, settings: Settings) -> list[TopicPartition]:
    topic = full_name(settings, DEAD_LETTERS)
    known = await consumer._client._wait_on_metadata(topic)
    return [TopicPartition(topic, number) for number in sorted(known)]


async def _back(
    consumer: Any, partition: TopicPartition, first: int, end: int, limit: int, source: str | None
) -> list[Letter]:
    """Return the newest *limit* letters of one partition, read back window by window."""
    found: list[Letter] = []
    notes: dict[str, int] = {}
    window, high = max(2 * limit, 200), end
    while high > first and len(found) < limit and end - high < MAX_SCANNED:
        low = max(first, high - window)
        letters: list[Letter] = []

        def take(record: Any, letters: list[Letter] = letters) -> None:
            letter = _parse(record.value)
            if letter is None:
                return
            if letter.replays:
                notes[letter.replays] = letter.failed_at  # in order: the last one stays
            elif source is None or letter.source == source:
                id = f"{record.partition}-{record.offset}"
                letters.append(_letter(id, letter, keep=False))

        await _scan(consumer, partition, low, high, take)
        found = letters + found
        high, window = low, window * 4
    newest = found[-limit:]
    return [Letter(id=f.id, letter=f.letter, item=b"", size=f.size, replayed_at=notes.get(f.id)) for f in newest]


async def _find(consumer: Any, settings: Settings, id: str) -> Letter:
    """Return the letter *id* and when it was last replayed, which takes reading on to the partition's end."""
    number, offset = _place(id)
    partition = TopicPartition(full_name(settings, DEAD_LETTERS), number)
    known = await _partitions(consumer, settings)
    if partition not in known:
        raise NoSuchLetter(f"no dead letter {id}: the topic has partitions 0 to {len(known) - 1}")
    end = (await consumer.end_offsets([partition]))[partition]
    first = (await consumer.beginning_offsets([partition]))[partition]
    found: list[DeadLetter] = []
    replayed: list[int] = []
    mark = f'"{id}"'.encode()

    def take(record: Any) -> None:
        if record.offset == offset:
            letter = _parse(record.value)
            if letter is not None and not letter.replays:
                found.append(letter)
        elif mark in record.value:
            letter = _parse(record.value)
            if letter is not None and letter.replays == id:
                replayed.append(letter.failed_at)

    if first <= offset < end:
        await _scan(consumer, partition, offset, end, take)
    if not found:
        raise NoSuchLetter(f"no dead letter {id}; list them with `tidegate dead-letters list`")
    whole = _letter(id, found[0], keep=True)
    return Letter(
        id=id, letter=whole.letter, item=whole.item, size=whole.size, replayed_at=replayed[-1] if replayed else None
    )


async def _scan(consumer: Any, partition: TopicPartition, low: int, high: int, take: Callable[[Any], None]) -> None:
    """Call *take* for every record from offset *low* up to *high*, which isn't included."""
    consumer.assign([partition])
    consumer.seek(partition, low)
    until = time.monotonic() + _READ_S
    while await consumer.position(partition) < high:
        batch = await consumer.getmany(partition, timeout_ms=200, max_records=2000)
        for record in batch.get(partition, ()):
            if record.offset >= high:
                return
            take(record)
        if batch:
            until = time.monotonic() + _READ_S
        elif time.monotonic() > until:
            raise BrokerError(
                f"topic {partition.topic}, partition {partition.partition}: no answer for {_READ_S:.0f} s"
            )
        await asyncio.sleep(0)


def _parse(value: bytes | None) -> DeadLetter | None:
    """Return the dead letter of a record; None when it is none, since anybody may write to a topic."""
    try:
        fields = orjson.loads(value or b"")
        return DeadLetter(**{name: fields[name] for name in DeadLetter.__dataclass_fields__ if name in fields})
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return None


def _letter(id: str, letter: DeadLetter, *, keep: bool) -> Letter:
    item = base64.b64decode(letter.item)
    if not keep:
        letter = DeadLetter(**{**asdict(letter), "item": ""})
    return Letter(id=id, letter=letter, item=item if keep else b"", size=len(item), replayed_at=None)


def _place(id: str) -> tuple[int, int]:
    partition, _, offset = id.partition("-")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise NoSuchLetter(f"no dead letter {id!r}: an id is <partition>-<offset>, such as 2-1045")
    return int(partition), int(offset)


def _key(letter: DeadLetter, item: bytes, settings: Settings) -> bytes | None:
    """Return the key that the item needs: raw topics take none, the others are compacted by it."""
    if letter.topic == full_name(settings, DELIVERIES):
        return alerts.key_of(alerts.read(alerts.Delivery, item)[0])
    if letter.topic not in (full_name(settings, RESOURCES), full_name(settings, FINDINGS)):
        return None
    try:
        fields = orjson.loads(item)
        if letter.topic == full_name(settings, RESOURCES):
            return str(fields["rrn"]).encode()
        return finding_key(fields["account"], fields["id"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Replayed(
            f"the item can't go to {letter.topic} again: its key can't be told ({error!r}); send its raw message again"
        ) from error


def _clock(ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(ms / 1000))
