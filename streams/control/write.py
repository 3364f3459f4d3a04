"""The one way to write: decide on what is there, write all or nothing, and answer when it was read back.

Every writer has the same transactional id, so at any time one of them alone can commit: a second one that starts ends
the transaction of the first, which then reads what the second wrote and decides again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiokafka.errors import KafkaError, ProducerFenced

from streams.errors import BrokerError
from streams.produce import BatchProducer
from streams.settings import Settings

T = TypeVar("T")
Message = tuple[str, bytes, bytes | None]
"""Full name of a topic with one partition, key, value."""

ATTEMPTS = 12
"""How often another writer may be faster before we give up."""


class Writer:
    """Writes to topics of one partition. *caught_up*: returns when all that is on them was read."""

    def __init__(self, settings: Settings, caught_up: Callable[[], Awaitable[None]]) -> None:
        self._settings = settings
        self._caught_up = caught_up
        self._turn = asyncio.Lock()
        self._producer: BatchProducer | None = None

    async def write(self, decide: Callable[[], tuple[T, Sequence[Message]]]) -> T:
        """Write the messages of *decide* as one, and return its answer once they were read back.

        *decide*, in a thread, sees all that was ever written; what it raises goes through. Raises BrokerError: then
        none was written, or the text says that it isn't known.
        """
        async with self._turn:
            for attempt in range(ATTEMPTS):
                fresh = self._producer is None
                producer = await self._ours()
                answer, messages = await asyncio.to_thread(decide)
                if not messages:
                    return answer
                try:
                    await _send(producer, messages)
                except asyncio.CancelledError:
                    await self._drop()  # it's within a transaction, which the next writer ends
                    raise
                except (KafkaError, BrokerError) as error:
                    await self._drop()
                    if not _overtaken(error) and fresh:
                        raise BrokerError(
                            f"whether it was written isn't known, look before you repeat it: {error}"
                        ) from error
                    await asyncio.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 # so that two take turns
                else:
                    await self._caught_up()
                    return answer
            raise BrokerError(f"nothing was written: {ATTEMPTS} times another process was faster; try again")

    async def stop(self) -> None:
        """Disconnect; stopping twice is safe."""
        async with self._turn:
            await self._drop()

    async def _ours(self) -> BatchProducer:
        """Return a producer that was alone since all that is there was read. It stays that until another one starts."""
        if self._producer is None:
            producer = BatchProducer(self._settings, transactional_id=f"{self._settings.topic_prefix}tidegate-control")
            await producer.start()
            self._producer = producer
            await self._caught_up()
        return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


async def _send(producer: BatchProducer, messages: Sequence[Message]) -> None:
    async with producer.transaction():
        for topic in dict.fromkeys(topic for topic, _, _ in messages):
            await producer.send(topic, [(0, key, value) for name, key, value in messages if name == topic])


def _overtaken(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ProducerFenced):
            return True
        error = error.__cause__ or error.__context__
    return False
