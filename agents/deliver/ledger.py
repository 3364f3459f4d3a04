"""What destinations call our alerts: read from the topic when a partition comes, kept in the table, found by key."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.deliver.ending import ledger_key
from agents.deliver.entry import Chain
from agents.deliver.table import Change, OpenTable, Source
from streams.admin import watermarks
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import LEDGER, full_name

_NOTHING: Mapping[str, Any] = {}


class Ledger:
    """The entries of the partitions that are ours, as bytes: there may be one for every alert."""

    def __init__(self, settings: Settings, table: OpenTable) -> None:
        self.topic = full_name(settings, LEDGER)
        self._settings = settings
        self._table = table
        self._parts: dict[int, dict[bytes, bytes]] = {}

    async def load(self, partitions: Iterable[int], source: Source) -> None:
        """Know what lies in these partitions now. Raises StoreError and BrokerError."""
        new = [number for number in partitions if number not in self._parts]
        if not new:
            return
        marks = await watermarks(self._settings, [self.topic])
        starts = {n: await self._table.start(source, n, marks[self.topic, n]) for n in new}
        unread = {n: (start, marks[self.topic, n].end) for n, start in starts.items()}
        await self._read({n: span for n, span in unread.items() if span[0] < span[1]})
        for number in new:
            self._parts[number] = await self._table.ledger(number)

    def forget(self, partitions: Iterable[int]) -> None:
        """Let the entries of these partitions go."""
        for number in partitions:
            self._parts.pop(number, None)

    def entry(self, chain: Chain) -> Mapping[str, Any]:
        """Return what the destination calls the alert of *chain*; empty: nothing yet."""
        part = self._parts.get(chain.partition)
        found = part.get(ledger_key(chain.key)) if part else None
        return orjson.loads(found) if found else _NOTHING

    def enter(self, chain: Chain, made: Mapping[str, Any]) -> None:
        """Know from now on what the destination calls the alert."""
        self._parts.setdefault(chain.partition, {})[ledger_key(chain.key)] = orjson.dumps(dict(made))

    async def _read(self, spans: Mapping[int, tuple[int, int]]) -> None:
        """Bring what the topic has between the offsets of each span into the table."""
        if not spans:
            return
        consumer = AIOKafkaConsumer(**client_config(self._settings), enable_auto_commit=False)
        try:
            await consumer.start()
            left = {TopicPartition(self.topic, n): end for n, (_, end) in spans.items()}
            consumer.assign(list(left))
            for tp in left:
                consumer.seek(tp, spans[tp.partition][0])
            while left:
                change = Change()
                for tp, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                    change.ledger += [(tp.partition, record.key, _made(record.value)) for record in records]
                left = {tp: end for tp, end in left.items() if await consumer.position(tp) < end}
                await self._table.write(change)
            offsets = {(self.topic, n): end for n, (_, end) in spans.items()}
            await self._table.write(Change(offsets=offsets))
        except KafkaError as error:
            raise BrokerError(f"topic {self.topic}: {error}") from error
        finally:
            await consumer.stop()


def _made(value: bytes | None) -> bytes | None:
    return None if value is None else orjson.dumps(orjson.loads(value)["entry"])
