"""Send the messages of files to a raw topic, in batches over all of its partitions."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from api.messages import Message
from streams.produce import BatchProducer, Record
from streams.settings import Settings
from streams.topics import MAX_MESSAGE, full_name

SLICE_MESSAGES = 5_000
SLICE_BYTES = 8 * 1024 * 1024

_OVERHEAD = 512
"""What a batch of one record takes beside the value, and some."""


@dataclass(slots=True)
class Sent:
    """What the broker acknowledged, and the places of what is larger than the topic takes."""

    topic: str
    messages: int = 0
    bytes: int = 0
    too_large: list[str] = field(default_factory=list)


async def send_all(
    settings: Settings, topic: str, messages: Iterable[Message], advance: Callable[[int, int], None] = lambda *_: None
) -> Sent:
    """Send *messages* to *topic* (a raw topic's name without prefix) and return what is acknowledged.

    *advance* is told messages and bytes so far. Raises BrokerError; what was acknowledged before stays sent.
    """
    sent = Sent(full_name(settings, topic))
    async with BatchProducer(settings) as producer:
        partitions = itertools.cycle(range(await producer.partitions(sent.topic)))
        slice_: list[Record] = []
        size = 0

        async def flush() -> None:
            nonlocal size
            await producer.send(sent.topic, slice_)
            sent.messages += len(slice_)
            sent.bytes += size
            advance(sent.messages, sent.bytes)
            slice_.clear()
            size = 0

        for message in messages:
            if len(message.value) + _OVERHEAD > MAX_MESSAGE:
                sent.too_large.append(message.place)
                continue
            slice_.append((next(partitions), None, message.value))
            size += len(message.value)
            if len(slice_) >= SLICE_MESSAGES or size >= SLICE_BYTES:
                await flush()
        if slice_:
            await flush()
    return sent
