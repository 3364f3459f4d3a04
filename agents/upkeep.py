"""What an owner does beside the stream: send winners again, bury what is long deleted, keep the store small."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from agents.ingest import refusal
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store.batch import Kind
from streams.store.thread import StoreThread
from streams.topics import DEAD_LETTERS, full_name

SECONDS = 1.0
"""Between two rounds."""
ROUNDS_OF_MINUTE = 60
AT_ONCE = 1000
"""Keys sent in one go."""
IDLE_WAL = 128 * 1024 * 1024
"""Bytes of write-ahead log from which on an idle store takes a checkpoint."""
FULL_WAL = 512 * 1024 * 1024
"""Bytes of write-ahead log from which on a busy store takes one too."""


class Owned(NamedTuple):
    """A partition of a store-fed topic that this process owns; *goal* is the end of its log when it was assigned."""

    kind: Kind
    topic: str
    partition: int
    goal: int


class Upkeep:
    """One round a second over the partitions that *owned* tells; *idle* says whether no batch waits for the store."""

    def __init__(
        self,
        settings: Settings,
        store: StoreThread,
        producer: BatchProducer,
        owned: Callable[[], list[Owned]],
        ends: Callable[[], Mapping[tuple[str, int], int]],
        idle: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._store = store
        self._producer = producer
        self._owned = owned
        self._ends = ends
        self._idle = idle

    async def run(self) -> None:
        """Go round until cancelled; raises what the store or the broker raises."""
        rounds = 0
        while True:
            await asyncio.sleep(SECONDS)
            rounds += 1
            await self._checkpoint()
            await self._bring_out_refused()
            offsets = await self._store.offsets()
            for part in self._owned():
                at = offsets.get((part.topic, part.partition), 0)
                if at >= part.goal:
                    await self._send_winners(part)
                    if rounds % ROUNDS_OF_MINUTE == 0:
                        await self._bury(part)
                at_end = at >= self._ends().get((part.topic, part.partition), at + 1)
                if rounds % ROUNDS_OF_MINUTE == 0 and at_end:
                    await self._store.touch(part.topic, part.partition, datetime.now(UTC))

    async def _checkpoint(self) -> None:
        wal = self._store.store.wal_bytes()
        if wal > FULL_WAL or (wal > IDLE_WAL and self._idle()):
            await self._store.checkpoint()

    async def _bring_out_refused(self) -> None:
        """Write the dead letters of what no table took; forgotten only when Kafka has them."""
        while refused := await self._store.refusals(AT_ONCE):
            letters = [refusal(self._settings, one) for one in refused]
            await self._producer.send(full_name(self._settings, DEAD_LETTERS), letters)
            await self._store.told(refused)

    async def _send_winners(self, part: Owned) -> None:
        """Send records again that lie in the log before one that lost to them: compaction must keep the right one."""
        while winners := await self._store.resends(part.kind, part.partition, AT_ONCE):
            await self._producer.send(part.topic, [(part.partition, key, record) for key, record in winners])
            await self._store.resent(part.kind, part.partition, [key for key, _ in winners])

    async def _bury(self, part: Owned) -> None:
        """Send the true tombstones of what has been deleted for long enough; the rows go when these come by."""
        before = datetime.now(UTC) - timedelta(days=self._settings.deletion_days)
        if keys := await self._store.expired(part.kind, part.partition, before, AT_ONCE):
            await self._producer.send(part.topic, [(part.partition, key, None) for key in keys])
