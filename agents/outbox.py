"""From the outbox to Kafka: at least once, and after a crash only what isn't there yet."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.faults import passing
from streams.kafka import client_config
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store.outbox import Outgoing
from streams.topics import ALERTS, DELIVERIES, full_name

AT_ONCE = 2_000
"""Rows in one round of sending."""
FULL = 20_000
"""Rows that wait, from which on no more are made."""
SKEW = timedelta(minutes=1)
"""How far the clocks of two machines, or of one before and after a crash, may be apart."""


class Sender:
    """Sends rows in their order, each partition's alerts after the events that led to them."""

    def __init__(self, settings: Settings, producer: BatchProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._waiting: deque[Outgoing] = deque()
        self._came = asyncio.Event()
        self._after: asyncio.Event | None = None
        self._sent: dict[int, set[int]] = defaultdict(set)
        """The numbers of rows that Kafka has, of each block that still lies in the outbox."""
        self._sizes: dict[int, int] = {}
        self.sending = asyncio.Lock()
        """Held during each round."""

    @property
    def full(self) -> bool:
        """Whether so many rows wait that no more should be made."""
        return len(self._waiting) >= FULL

    def put(self, rows: Sequence[Outgoing]) -> None:
        """Let *rows* wait to be sent; they lie in the outbox."""
        if rows:
            self._waiting.extend(rows)
            self._came.set()

    def forget(self, parts: frozenset[int]) -> None:
        """Send nothing more of these partitions, which have another owner now."""
        self._waiting = deque(row for row in self._waiting if row.part not in parts)

    def wake(self) -> None:
        """Set what is set after each round, without one."""
        if self._after is not None:
            self._after.set()

    def note(self, rows: Iterable[Outgoing]) -> None:
        """Take note that Kafka has these rows, or that nobody wants them any more."""
        for row in rows:
            self._sent[row.block].add(row.n)
            self._sizes[row.block] = row.size

    def knows(self, row: Outgoing) -> bool:
        """Return whether Kafka has this row, which still lies in the outbox."""
        return row.n in self._sent.get(row.block, ())

    def take_sent(self) -> set[int]:
        """Return the blocks that Kafka has, each once: they can leave the outbox."""
        sent = {block for block, numbers in self._sent.items() if len(numbers) == self._sizes[block]}
        for block in sent:
            del self._sent[block], self._sizes[block]
        return sent

    async def run(self, after: asyncio.Event) -> None:
        """Send until cancelled, setting *after* after each round. Raises what the broker raises."""
        self._after = after
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                async with self.sending:
                    rows = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                    await self._send(rows)
                    self.note(rows)
                after.set()

    async def _send(self, rows: Sequence[Outgoing]) -> None:
        passing("sending")
        by_topic: dict[str, list[tuple[int, bytes, bytes]]] = defaultdict(list)
        for row in rows:
            by_topic[row.topic].append((row.part, row.key, row.value))
        # An alert's state goes last: where it is lost with the store, it is found again from what violates.
        last = by_topic.pop(ALERTS.name, [])
        async with asyncio.TaskGroup() as group:
            for topic, records in by_topic.items():
                group.create_task(self._producer.send(full_name(self._settings, topic), records))
        passing("events sent")
        if last:
            await self._producer.send(full_name(self._settings, ALERTS), last)
        passing("alerts sent")


async def arrived(settings: Settings, part: int, rows: Sequence[Outgoing], since: Mapping[str, datetime]) -> set[int]:
    """Return the numbers of those *rows* of a partition that are on their topics already; nobody sends at this time.

    *since*: when the oldest row of each topic was written, in UTC without zone: the topics are read from there on.
    """
    there = await _records(settings, {(full_name(settings, topic), part): time for topic, time in since.items()})
    found = set()
    for row in rows:
        values = there[full_name(settings, row.topic)].get(row.key, set())
        if row.value in values or (row.topic == DELIVERIES.name and None in values):
            found.add(row.n)  # a delivery's tombstone: it has been made since
    return found


_There = dict[str, dict[bytes, set[bytes | None]]]


async def _records(settings: Settings, since: Mapping[tuple[str, int], datetime]) -> _There:
    consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = {TopicPartition(*place): time for place, time in since.items()}
        consumer.assign(list(places))
        ends = await consumer.end_offsets(list(places))
        times = {tp: int((time.replace(tzinfo=UTC) - SKEW).timestamp() * 1000) for tp, time in places.items()}
        begins = await consumer.offsets_for_times(times)
        at = {tp: begins[tp].offset if begins[tp] is not None else ends[tp] for tp in places}
        for tp, offset in at.items():
            consumer.seek(tp, offset)
        there: _There = defaultdict(lambda: defaultdict(set))
        while any(at[tp] < ends[tp] for tp in places):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    there[tp.topic][record.key].add(record.value)
            at = {tp: await consumer.position(tp) for tp in places}
        return there
    finally:
        await consumer.stop()
