"""From batches of normalised records to the store: what waits shares a transaction, and is done only after it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from streams.faults import passing
from streams.store.batch import Applied, Kind, Part
from streams.store.thread import StoreThread
from streams.transport import Batch

MOST = 20_000
"""Records in one transaction, about; what waits beyond that goes into the next."""
MOST_BYTES = 16 * 1024 * 1024
"""The same in bytes: a transaction takes some ten times as much memory."""
SMALL = 200
"""Records up to which a transaction costs much the same, whatever is in it."""
PACE = 0.03
"""Seconds from the begin of a small transaction to the next. Records that trickle in would keep a core busy with one
small transaction after the other; after a rest, the first is written at once.
"""


class Keeper:
    """Writes batches to the store in the order in which they came.

    While a transaction runs, further batches wait and then share the next: a transaction has a price of its own, and
    a partition alone rarely fills one. *after* is told what each did; *turn* does what else there is for the store, in
    parts between them, and says whether there is more. What they raise, and the store raises, ends `run`.
    """

    def __init__(
        self,
        store: StoreThread,
        after: Callable[[Sequence[Part], Applied], None],
        turn: Callable[[], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._after = after
        self._turn = turn
        self._waiting: list[tuple[Part, Callable[[], object]]] = []
        self.wake = asyncio.Event()
        """Set when there may be something to do."""
        self.busy = False

    def take(self, kind: Kind, batch: Batch, done: Callable[[], object]) -> None:
        """Let *batch* wait for its transaction; *done* is called after it."""
        records = [(r.offset, r.key, r.value) for r in batch.records]
        self._waiting.append((Part(kind, batch.topic, batch.partition, batch.start, batch.end, records), done))
        self.wake.set()

    def forget(self) -> None:
        """Drop what waits: its partitions are read again from the store's own offset."""
        self._waiting.clear()

    async def run(self) -> None:
        """Write until cancelled. Raises what the store raises; nothing of that transaction is kept or acknowledged."""
        due = time.monotonic()
        while True:
            await self.wake.wait()
            self.wake.clear()
            more = True
            while self._waiting or more:
                self.busy = True
                if self._waiting:
                    await asyncio.sleep(due - time.monotonic())  # not at all when that is past
                if self._waiting:  # still: partitions may have been taken away
                    began = time.monotonic()
                    parts, dones = self._next()
                    due = began + PACE if sum(len(part.records) for part in parts) <= SMALL else began
                    self._after(parts, await self._store.apply(parts))
                    passing("stored")
                    for done in dones:
                        done()
                more = await self._turn()
            self.busy = False

    def _next(self) -> tuple[list[Part], list[Callable[[], object]]]:
        count = records = size = 0
        for part, _ in self._waiting:
            count += 1
            records += len(part.records)
            size += sum(len(value) for _, _, value in part.records if value)
            if records >= MOST or size >= MOST_BYTES:
                break
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return [part for part, _ in taken], [done for _, done in taken]
