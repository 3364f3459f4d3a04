"""Faust on batches: one event is what one poll brought of one partition, and polling stops where too much is in work.

A Faust event costs some 250 microseconds of asyncio whatever is in it, so an event must hold many records. This
overrides private methods of faust-streaming 0.15.3, which pyproject.toml pins; tests/streams/test_transport.py holds
each of them.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, NamedTuple

import faust
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

IN_WORK_BYTES = 16 * 1024 * 1024
"""How many bytes of one topic may be handed to agents and not acknowledged; above it the topic isn't polled."""


class Batch(NamedTuple):
    """Consecutive records of one partition: all from *start* (included) to *end* (excluded) that compaction left."""

    topic: str
    partition: int
    start: int
    end: int
    records: list[Any]
    """aiokafka's ConsumerRecord: offset, timestamp, key, value."""


FETCH_WAIT_MS = 50
"""How long the broker may hold a fetch back while there is nothing new. Faust fixes 1.5 seconds, and all that is asked
on the connection waits behind it: offsets at a start, and the next fetch of the partitions that have more.
"""

REST_S = 0.01
"""Between two polls: a record alone costs what twenty do, and records trickle in (docs/decisions/0081)."""

Starts = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]
"""Given the assigned partitions, where to read those from that don't go on from the group's offset."""


class BatchConsumer(driver.Consumer):
    """Faust's consumer with batches, bounded work, commits of whole batches and starts chosen by the store.

    Faust's own gap accounting puts the last offset of a batch both into the gap and into the acknowledged list; the
    doubled number ends a run of consecutive offsets, so that each commit moves by one batch only.
    Here a partition remembers every batch that it handed over, and commits the longest prefix that is acknowledged.
    """

    def _new_consumer_thread(self) -> "_Thread":
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scheduler = _ByPartition()
        self._handed_over: dict[TP, dict[int, Any]] = defaultdict(dict)
        """The messages of each partition that aren't committed, by their last offset, in the order of the log."""
        self._in_work: dict[TP, dict[int, int]] = defaultdict(dict)
        """Their bytes, until they are acknowledged."""
        self._position: dict[TP, int] = {}
        self._seeking = asyncio.Lock()
        self._due = 0.0

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> Any:
        busy: dict[str, int] = defaultdict(int)
        for tp, batches in self._in_work.items():
            busy[tp.topic] += sum(batches.values())
        ready = {tp for tp in active_partitions if busy[tp.topic] < IN_WORK_BYTES}
        if not ready:
            await asyncio.sleep(0.005)
            return {}
        if len(ready) < len(active_partitions):
            timeout = 0.01  # look again soon: the others may have room by then
        await asyncio.sleep(self._due - time.monotonic())  # not at all when that is past
        found = await super()._getmany(ready, timeout)
        prompt = any(tp.topic in self.app.prompt for tp in found)
        self._due = time.monotonic() + (0 if prompt else REST_S)
        return found

    def _to_message(self, tp: TP, record: Any) -> Any:
        records: list[Any] = record
        last = records[-1].offset
        message = super()._to_message(tp, records[-1])
        start = self._position.get(tp, records[0].offset)
        self._position[tp] = last + 1
        message.key = None
        message.value = Batch(tp.topic, tp.partition, start, last + 1, records)
        self._handed_over[tp][last] = message
        self._in_work[tp][last] = sum(len(r.value) if r.value else 0 for r in records)
        return message

    def ack(self, message: Any) -> bool:
        """Mark a batch as done. Of a batch that was forgotten meanwhile (`perform_seek`) nothing comes of it.

        Faust's own ignores what lies below the committed offset, which moves back when a store is filled again.
        """
        message.acked = True
        known: bool = self._handed_over[message.tp].get(message.offset) is message
        if known:
            self._in_work[message.tp].pop(message.offset, None)
        return known

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: `_handed_over` knows what is missing."""

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._handed_over) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        handed_over, end = self._handed_over[tp], None
        for last, message in list(handed_over.items()):
            if not message.acked:
                break
            del handed_over[last]
            end = message.value.end
        return end

    async def perform_seek(self) -> None:
        """Seek to the group's offsets, and to the store's where a store is fed.

        Batches that were fetched but not handed on before a rebalance are forgotten, or they would hold the commits
        back for ever. One at a time: Faust calls this from two tasks at once, and offsets of the one would be mixed
        with positions of the other.
        """
        async with self._seeking:
            await self._seek_all()

    async def _seek_all(self) -> None:
        self._handed_over.clear()
        self._in_work.clear()
        self._position.clear()
        await super().perform_seek()
        assigned = set(self.assignment())
        starts = dict(await self.app.starts(assigned))
        new = [tp for tp in assigned if not self._committed_offset[tp] and tp not in starts]
        if new:  # aiokafka seeks to a committed offset above 0 only, and would go on behind batches that were dropped
            starts |= await self.earliest_offsets(*new)
        await self.seek_wait(starts)
        # For whoever looks at the group's lag: a store may be ahead of it, and then nothing more comes to be committed.
        ahead = {tp: start for tp, start in starts.items() if start > (self._committed_offset[tp] or 0)}
        if ahead:
            await self._commit(ahead)
        for tp, start in starts.items():
            self._read_offset[tp] = start or None
            self._committed_offset[tp] = start
        self._position = {tp: offset for tp in assigned if (offset := self._committed_offset[tp]) is not None}


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class BatchTransport(driver.Transport):
    """The aiokafka transport with `BatchConsumer`."""

    Consumer = BatchConsumer


async def _group_decides(_: set[TP]) -> Mapping[TP, int]:
    return {}


class BatchApp(faust.App):
    """A Faust app whose agents get batches."""

    starts: Starts = staticmethod(_group_decides)
    prompt: frozenset[str] = frozenset()
    """Topics after whose records the next poll follows at once."""

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self, loop=self.loop)


class NoTables(TableManager):
    """Faust's manager of its own tables, which we have none of: doesn't wait a second for them at the start."""

    async def on_start(self) -> None:
        """Start at once."""
        await self._update_channels()
        await self.recovery.start()


class _ByPartition:
    """Hands the fetched records of each partition over as one list."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, list[Any]]]:
        yield from records.items()
