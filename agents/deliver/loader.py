"""Records of the open table, when their turn comes: who asks while a read is under way shares the next one."""

import asyncio
from collections.abc import Sequence

from agents.deliver.entry import Entry
from agents.deliver.table import OpenTable
from streams.errors import StoreError


class Loader:
    """Fills in the records of entries that are in the table only."""

    def __init__(self, table: OpenTable) -> None:
        self._table = table
        self._asked: list[tuple[Sequence[Entry], asyncio.Future[None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def load(self, entries: Sequence[Entry]) -> None:
        """Return when each of *entries* has its record. Raises StoreError."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append((entries, future))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        await future

    async def _read(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                wanted = [entry for entries, _ in asked for entry in entries if entry.value is None]
                try:
                    values = await self._table.values([(e.chain.partition, e.offset) for e in wanted])
                except StoreError as error:
                    for _, future in asked:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for entry, value in zip(wanted, values, strict=True):
                    entry.value = value
                for _, future in asked:
                    if not future.done():  # its lane may have been cancelled
                        future.set_result(None)
        finally:
            self._reading = None
