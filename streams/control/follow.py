"""Read whole topics and what is added to them, without a group: every process has all of it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka import client_config
from streams.settings import Settings

log = logging.getLogger(__name__)

WAIT_S = 70.0
"""How long a read up to the end may take without anything coming in, in seconds: longer than the transaction of a
writer that was killed, which the broker ends after 60."""

_FETCH_MS = 500
"""How long the broker may hold a fetch back when nothing is new; what is new, it sends at once."""

_POLL_MS = 100
"""How soon a read that brought no record is seen to have passed the mark of a transaction."""


class Follower:
    """Calls *take* with the records of each read, those of a topic in order; *topics*: full names, of one partition.

    Only what is committed is read, so the records of a transaction that was ended by another writer never show.
    """

    def __init__(self, settings: Settings, topics: Sequence[str], take: Callable[[list[Any]], None]) -> None:
        self._settings = settings
        self._parts = [TopicPartition(topic, 0) for topic in topics]
        self._take = take
        self._consumer: Any = None
        self._asking: Any = None  # asks where the topics end; never behind a fetch that the broker holds back
        self._task: asyncio.Task[None] | None = None
        self._read = asyncio.Condition()
        self._at: dict[TopicPartition, int] = dict.fromkeys(self._parts, 0)

    async def start(self) -> None:
        """Begin at the beginning; return when all that is there now was read. Raises BrokerError."""
        self._consumer = await self._open(isolation_level="read_committed", fetch_max_wait_ms=_FETCH_MS)
        self._asking = await self._open()
        self._consumer.assign(self._parts)
        await self._consumer.seek_to_beginning(*self._parts)
        committed = await self._consumer.end_offsets(self._parts)
        self._task = asyncio.create_task(self._run())
        await self._until(committed)

    async def caught_up(self) -> None:
        """Return when all that is on the topics now was read, as soon as it is committed or taken back.

        Raises BrokerError, and what the reading died of.
        """
        try:
            ends = await asyncio.wait_for(self._asking.end_offsets(self._parts), WAIT_S)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(f"the control topics can't be read: {error!r}") from error
        await self._until(ends)

    async def wait(self) -> None:
        """Return when the reading has ended; raise what it died of."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def stop(self) -> None:
        """Stop reading; stopping twice is safe."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for consumer in (self._consumer, self._asking):
            if consumer is not None:
                await consumer.stop()
        self._consumer = self._asking = None

    async def _open(self, **more: object) -> Any:
        consumer = AIOKafkaConsumer(
            **client_config(self._settings), enable_auto_commit=False, auto_offset_reset="earliest", **more
        )
        try:
            await consumer.start()
            await asyncio.sleep(0)  # or a stop at once would cancel a task that hasn't begun, and pass that on
        except (KafkaError, OSError) as error:
            await consumer.stop()
            raise BrokerError(f"no broker answers at {self._settings.kafka_bootstrap_servers}: {error}") from error
        return consumer

    async def _until(self, ends: dict[TopicPartition, int]) -> None:
        async with self._read:
            while any(self._at[part] < end for part, end in ends.items()):
                if self._task is None or self._task.done():
                    await self.wait()
                    raise BrokerError("the control topics aren't read any more: it was stopped")
                try:
                    await asyncio.wait_for(self._read.wait(), WAIT_S)
                except TimeoutError:
                    raise BrokerError(f"the control topics: no answer for {WAIT_S:.0f} s") from None

    async def _run(self) -> None:
        try:
            while True:
                try:
                    batches = await self._consumer.getmany(timeout_ms=_POLL_MS)
                    at = {part: await self._consumer.position(part) for part in self._parts}
                except KafkaError as error:
                    log.warning("the control topics can't be read, trying again: %r", error)
                    await asyncio.sleep(1)
                    continue
                if records := [record for records in batches.values() for record in records]:
                    self._take(records)
                if at != self._at:
                    async with self._read:
                        self._at = at
                        self._read.notify_all()
        finally:
            async with self._read:
                self._read.notify_all()
