"""From a batch of raw messages to normalised records on their topics, and to dead letters for what can't be used."""

import asyncio
import base64
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from agents.normalise._base import Bad, Normaliser
from streams.codec import encode
from streams.identity import Place
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.produce import Record as Outgoing
from streams.records import DeadLetter, Finding, Inventory, Knowledge, Resource, ResourcePart, VendorAsset
from streams.settings import Settings
from streams.store.batch import Refused
from streams.topics import (
    DEAD_LETTERS,
    FINDINGS,
    INVENTORIES,
    RESOURCE_PARTS,
    RESOURCES,
    VENDOR_ASSETS,
    VENDOR_KNOWLEDGE,
    full_name,
)
from streams.transport import Batch

SLICE = 250
"""Messages between two looks at the event loop: some 5 ms of work, so that nothing else waits longer."""


class Ingest:
    """Normalises the messages of one source and sends what comes of them. *counts* counts records by their kind.

    *complete* returns findings as they go to their topic, completed with what their vendor tells elsewhere.
    """

    def __init__(
        self,
        settings: Settings,
        normaliser: Normaliser,
        producer: BatchProducer,
        counts: Counter[str],
        complete: Callable[[Sequence[Finding]], Awaitable[list[Outgoing]]] | None = None,
    ) -> None:
        self._settings = settings
        self._normaliser = normaliser
        self._producer = producer
        self._topic = {kind: full_name(settings, topic) for kind, topic in _TOPICS.items()}
        self._partitions = {kind: topic.partitions(settings) for kind, topic in _TOPICS.items()}
        self._complete = complete
        self.topic = normaliser.topic
        self.counts = counts
        self._waiting: dict[str, list[Outgoing]] = defaultdict(list)
        self._dones: list[Callable[[], object]] = []
        self._came = asyncio.Event()

    async def normalise(self, batch: Batch) -> Mapping[str, list[Outgoing]]:
        """Return what comes of *batch*, by the full name of the topic where it goes."""
        outgoing: dict[str, list[Outgoing]] = {}
        lacking: list[Finding] = []
        for first in range(0, len(batch.records), SLICE):
            self._normalise(batch, batch.records[first : first + SLICE], outgoing, lacking)
            await asyncio.sleep(0)
        if lacking and self._complete is not None:
            outgoing.setdefault(self._topic[Finding], []).extend(await self._complete(lacking))
        return outgoing

    def put(self, outgoing: Mapping[str, list[Outgoing]], done: Callable[[], object]) -> None:
        """Let *outgoing* wait for `send`, which calls *done* once Kafka has acknowledged everything."""
        for topic, records in outgoing.items():
            self._waiting[topic].extend(records)
        self._dones.append(done)
        self._came.set()

    async def send(self) -> None:
        """Send what waits until cancelled. Raises what the broker raises.

        What comes while a request is under way shares the next: messages that trickle in over many partitions would
        cost the broker, and us, a request each (docs/decisions/0081).
        """
        while True:
            await self._came.wait()
            self._came.clear()
            waiting, self._waiting = self._waiting, defaultdict(list)
            dones, self._dones = self._dones, []
            for topic, records in waiting.items():
                await self._producer.send(topic, records)
            for done in dones:
                done()

    def _normalise(
        self, batch: Batch, records: Iterable[Any], outgoing: dict[str, list[Outgoing]], lacking: list[Finding]
    ) -> None:
        read, partitions = self._normaliser.read, self._partitions
        for record in records:
            place = Place(batch.topic, batch.partition, record.offset, record.timestamp)
            for made in read(record.value, place):
                kind = type(made)
                self.counts[kind.__name__] += 1
                topic = self._topic[kind]
                if isinstance(made, Bad):
                    outgoing.setdefault(topic, []).append(
                        dead_letter(self._settings, self._normaliser.name, made, place)
                    )
                elif isinstance(made, Finding) and (made.asset or made.knowledge) and self._complete is not None:
                    lacking.append(made)
                else:
                    account, key, value = encode(made)
                    outgoing.setdefault(topic, []).append((partition_of(account, partitions[kind]), key, value))


def refusal(settings: Settings, refused: Refused) -> Outgoing:
    """Return the partition, key and value of the dead letter of a record that the store's tables didn't take."""
    path, _, reason = refused.reason.rpartition(": ")
    place = Place(refused.topic, refused.partition, refused.offset, int(time.time() * 1000))
    return dead_letter(settings, "store", Bad(path, reason, "", refused.value or b""), place)


def dead_letter(settings: Settings, source: str, bad: Bad, place: Place) -> Outgoing:
    """Return the partition, key and value of the dead letter of *bad*, an item of the message at *place*."""
    letter = DeadLetter(
        source=source,
        path=bad.path,
        reason=bad.reason,
        place=bad.place,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        timestamp=place.timestamp,
        failed_at=int(time.time() * 1000),
        item=base64.b64encode(bad.item).decode(),
    )
    key = f"{place.topic}:{place.partition}"
    return partition_of(key, DEAD_LETTERS.partitions(settings)), key.encode(), orjson.dumps(letter)


_TOPICS = {
    Resource: RESOURCES,
    ResourcePart: RESOURCE_PARTS,
    Finding: FINDINGS,
    VendorAsset: VENDOR_ASSETS,
    Knowledge: VENDOR_KNOWLEDGE,
    Inventory: INVENTORIES,
    Bad: DEAD_LETTERS,
}
