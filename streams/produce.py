"""Send records in full batches to partitions that the caller chose: every record acknowledged, or an error."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.errors import BrokerError, TopicError
from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import MIB

Record = tuple[int, bytes | None, bytes | None]
"""Partition, key, value."""

BATCH_BYTES = 512 * 1024
"""A batch is sent once it holds this much. Below every topic's max.message.bytes; a larger record goes alone."""

MAX_REQUEST = 64 * MIB
REQUEST_MS = 120_000
"""How long a batch waits for a broker that is away before `send` raises: Kafka's own delivery.timeout.ms."""

TOPIC_S = 10
"""How long a topic may take to be known to a broker that we are connected to, in seconds."""


class BatchProducer:
    """An idempotent producer that packs batches itself: a third of the cost of a call for each record (docs/decisions).

    After a BrokerError it can't go on, since a lost batch leaves a gap in the sequence: stop it and start another.
    """

    def __init__(self, settings: Settings, *, transactional_id: str | None = None) -> None:
        self._settings = settings
        self._transactional_id = transactional_id
        self._producer: Any = None
        self._turns: dict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self) -> None:
        """Connect. Raises BrokerError when no broker answers."""
        producer = AIOKafkaProducer(
            **client_config(self._settings),
            acks="all",
            enable_idempotence=True,
            transactional_id=self._transactional_id,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_REQUEST,
            linger_ms=0,
            request_timeout_ms=REQUEST_MS,
        )
        try:
            await producer.start()
        except BaseException as error:
            await producer.stop()
            if isinstance(error, KafkaError | OSError):
                raise BrokerError(f"no broker answers at {self._settings.kafka_bootstrap_servers}: {error}") from error
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Wait for what is on its way, then disconnect; stopping twice is safe."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await producer.stop()
            finally:
                _settle(producer)

    async def __aenter__(self) -> "BatchProducer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* (its full name) has. Raises TopicError when it's missing, BrokerError."""
        try:
            async with asyncio.timeout(TOPIC_S):
                return len(await self._producer.partitions_for(topic))
        except TimeoutError:
            raise TopicError(f"topic {topic}: missing; create it with `tidegate topics create`") from None
        except KafkaError as error:
            raise BrokerError(f"topic {topic}: {error}") from error

    async def send(self, topic: str, records: Iterable[Record], timestamp_ms: int | None = None) -> int:
        """Send *records* to *topic* (its full name) in their order, and return their number once all are acknowledged.

        Raises BrokerError when one isn't; which of the others arrived is then unknown.
        """
        batches, count = self._pack(records, int(time.time() * 1000) if timestamp_ms is None else timestamp_ms)
        acks: list[asyncio.Future[object]] = []
        try:
            # round robin over the partitions: a partition takes its next batch only when the one before has left
            for _, partition, batch in sorted(batches, key=lambda b: b[:2]):
                acks.append(await self._enqueue(batch, topic, partition))
        except KafkaError as error:
            raise BrokerError(f"topic {topic}: {error}") from error
        finally:
            outcomes = await asyncio.gather(*acks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, KafkaError):
                raise BrokerError(f"topic {topic}: {outcome}") from outcome
            if isinstance(outcome, BaseException):
                raise outcome
        return count

    def transaction(self) -> Any:
        """Return the context of one transaction; only for a producer with a transactional id."""
        return self._producer.transaction()

    async def _enqueue(self, batch: Any, topic: str, partition: int) -> asyncio.Future[object]:
        """Hand *batch* to aiokafka in its turn.

        Without turns, several callers wait for one place, and aiokafka 0.14 counts the time of every waiter anew after
        each wait: with the broker away for 5 seconds they time out, where the batch could have waited on.
        """
        async with self._turns[topic, partition]:
            return cast("asyncio.Future[object]", await self._producer.send_batch(batch, topic, partition=partition))

    def _pack(self, records: Iterable[Record], timestamp_ms: int) -> tuple[list[tuple[int, int, Any]], int]:
        create = self._producer.create_batch
        open_: dict[int, tuple[int, int, Any]] = {}
        sealed: list[tuple[int, int, Any]] = []
        count = 0
        for partition, key, value in records:
            count += 1
            batch = open_.get(partition)
            if batch is not None:
                if batch[2].append(timestamp=timestamp_ms, key=key, value=value) is not None:
                    continue
                sealed.append(batch)
            batch = open_[partition] = (0 if batch is None else batch[0] + 1, partition, create())
            batch[2].append(timestamp=timestamp_ms, key=key, value=value)
        for batch in open_.values():
            batch[2].close()
        return [*sealed, *open_.values()], count


def _settle(producer: Any) -> None:
    """Read the errors that aiokafka keeps in futures of its own, or asyncio complains of them at some later time."""
    kept = [getattr(producer._txn_manager, "_transaction_waiter", None)]
    kept += [batch._drain_waiter for batches in producer._message_accumulator._batches.values() for batch in batches]
    for future in kept:
        if future is not None and future.done() and not future.cancelled():
            future.exception()
