"""Closes what is over: dead letters, ledger and log first, the tombstone last, many at a time."""

import asyncio
from collections.abc import Callable, Sequence

from agents.deliver.ending import Ended, records
from streams.faults import passing
from streams.produce import BatchProducer
from streams.settings import Settings

LINGER_S = 0.02
"""How long ends wait for others: each batch has a price of its own, and nobody waits for a tombstone."""
FULL = 200
"""So many ends in one go are a sign of many more: waiting longer makes fewer batches."""
LONG_LINGER_S = 0.05


class Closer:
    """Writes ends in their order, one batch after the other; *after* is told what Kafka has acknowledged."""

    def __init__(self, settings: Settings, producer: BatchProducer, after: Callable[[Sequence[Ended]], object]) -> None:
        self._settings = settings
        self._producer = producer
        self._after = after
        self._waiting: list[Ended] = []
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurry = False

    def add(self, ended: Ended) -> None:
        """Let it wait for its turn."""
        if not self._waiting:
            self._some.set()
            self._idle.clear()
        self._waiting.append(ended)

    async def run(self) -> None:
        """Write until cancelled. Raises BrokerError when Kafka doesn't take it."""
        linger = LINGER_S
        while True:
            await self._some.wait()
            if not self._hurry:
                await asyncio.sleep(linger)
            batch, self._waiting = self._waiting, []
            self._some.clear()
            for topic, written in records(self._settings, batch):
                await self._producer.send(topic, written)
            passing("tombstone")
            self._after(batch)
            linger = LONG_LINGER_S if len(batch) >= FULL else LINGER_S
            if not self._waiting:
                self._idle.set()

    async def drained(self) -> None:
        """Return when all that was added is acknowledged; only while `run` runs."""
        self._hurry = True
        try:
            await self._idle.wait()
        finally:
            self._hurry = False
