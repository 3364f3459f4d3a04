"""The topic `pulls`: how far every inbound integration is, read whole by every process, written by who pulls."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from streams import pulls
from streams.admin import ensure_topics
from streams.control.follow import Follower
from streams.errors import BadRecord, BrokerError
from streams.produce import BatchProducer, Record
from streams.pulls import Pull
from streams.settings import Settings
from streams.topics import PULLS, full_name

log = logging.getLogger(__name__)


class Order(NamedTuple):
    """Somebody wants an integration to pull now. *at*: ms since 1970 UTC; *from_start*: forget the checkpoint."""

    at: int
    from_start: bool


class Pulls:
    """What is on the topic. `start` first; `send` is for raw topics, too."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = full_name(settings, PULLS)
        self._pulls: dict[str, Pull] = {}
        self._orders: dict[str, Order] = {}
        self._follower = Follower(settings, [self._topic], self._take)
        self._producer: BatchProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Make the topic if it's missing, read it; return when all of it is there. Raises BrokerError."""
        await ensure_topics(self._settings, [PULLS])
        await self._follower.start()

    async def stop(self) -> None:
        """Disconnect; stopping twice is safe."""
        await self._follower.stop()
        await self._drop()

    async def wait(self) -> None:
        """Return when it has stopped; raise what its reading died of."""
        await self._follower.wait()

    async def caught_up(self) -> None:
        """Return when all that is on the topic now was read. Raises BrokerError."""
        await self._follower.caught_up()

    @property
    def all(self) -> Mapping[str, Pull]:
        """The records by integration."""
        return self._pulls

    def order(self, id: str) -> Order | None:
        """Return the last order for an integration."""
        return self._orders.get(id)

    async def write(self, pull: Pull) -> None:
        """Write a record; it is acknowledged on return. Raises BrokerError."""
        await self.send(self._topic, [(0, pull.id.encode(), pulls.write(pull))])

    async def ask(self, id: str, order: Order) -> None:
        """Write an order; whoever pulls the integration follows it. Raises BrokerError."""
        value = orjson.dumps({"at": order.at, "from_start": order.from_start})
        await self.send(self._topic, [(0, f"{id}{_NOW}".encode(), value)])

    async def forget(self, id: str) -> None:
        """Take an integration's records away. Raises BrokerError."""
        await self.send(self._topic, [(0, id.encode(), None), (0, f"{id}{_NOW}".encode(), None)])

    async def partitions(self, topic: str) -> int:
        """Return how many partitions *topic*, its full name, has. Raises TopicError, BrokerError."""
        return await (await self._ready()).partitions(topic)

    async def send(self, topic: str, records: list[Record]) -> None:
        """Send *records* to *topic*, its full name, and return once all are acknowledged. Raises BrokerError."""
        producer = await self._ready()
        try:
            await producer.send(topic, records)
        except BrokerError:
            if self._producer is producer:
                await self._drop()
            raise

    async def _ready(self) -> BatchProducer:
        async with self._starting:
            if self._producer is None:
                producer = BatchProducer(self._settings)
                await producer.start()
                self._producer = producer
            return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def _take(self, records: list[Any]) -> None:
        for record in records:
            key = (record.key or b"").decode(errors="replace")
            try:
                if key.endswith(_NOW):
                    self._take_order(key.removesuffix(_NOW), record.value)
                elif record.value is None:
                    self._pulls.pop(key, None)
                else:
                    self._pulls[key] = pulls.read(record.value)
            except BadRecord as wrong:
                log.warning("a record of a pull can't be used: %s: %s", key, wrong)

    def _take_order(self, id: str, value: bytes | None) -> None:
        if value is None:
            self._orders.pop(id, None)
            return
        try:
            said = orjson.loads(value)
            self._orders[id] = Order(int(said["at"]), bool(said.get("from_start")))
        except (ValueError, KeyError, TypeError) as wrong:
            raise BadRecord("", f"no order: {wrong}") from None


_NOW = "|now"
"""What an order's key has behind the integration's id, in which no `|` is allowed."""
