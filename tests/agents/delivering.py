"""A delivery agent on real partitions, and a receiver that answers as a test wants."""

import asyncio
import contextlib
import ipaddress
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.deliver import Deliverer
from agents.integrations import Integration
from agents.sinks._client import open_client
from streams.admin import cluster_identity, ensure_topics, watermarks
from streams.alerts import AlertStatus, Delivery, Transition, key_of, write
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings, load
from streams.topics import DEAD_LETTERS, DELIVERIES, DELIVERY_LOG, LEDGER, Topic, full_name
from streams.transport import Batch
from tests.contract.sinks import RESOURCE, delivery

TOPICS = (DELIVERIES, DELIVERY_LOG, LEDGER, DEAD_LETTERS)
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
KINDS: dict[AlertStatus, Transition] = {
    "open": "opened",
    "resolved": "resolved",
    "dismissed": "dismissed",
    "snoozed": "snoozed",
}

Answer = Callable[[web.Request, int], Awaitable[web.StreamResponse]]
"""What a receiver answers to the request that is its n-th."""


class Receiver:
    """An HTTP server on this machine that remembers each request: when, what event, what body."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer
        self.times: list[float] = []
        self.ids: list[str] = []
        self.bodies: list[Any] = []
        self.taken: list[str] = []
        """The ids of those that were answered well."""
        self.most = 0
        """The most requests at a time."""
        self._now = 0
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens, or will again."""
        return f"http://127.0.0.1:{self._port}/hook"

    async def start(self) -> None:
        """Listen; on the same port as before."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> "Receiver":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def doubled(self) -> int:
        """Return how many requests were answered well beside the first of their event."""
        return len(self.taken) - len(set(self.taken))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.times.append(time.monotonic())
        body = orjson.loads(await request.read())
        event = request.headers.get("webhook-id", "")
        self.ids.append(event)
        self.bodies.append(body)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            answered = await self.answer(request, len(self.times)) if self.answer else web.Response(status=202)
        finally:
            self._now -= 1
        if answered.status < 300:
            self.taken.append(event)
        return answered


def webhook(id: str, receiver: Receiver | str, **more: Any) -> Integration:
    """Return a webhook that posts to *receiver*."""
    url = receiver if isinstance(receiver, str) else receiver.url
    return Integration(id=id, type="webhook", settings={"url": url}, **more)


def pagerduty(id: str, receiver: Receiver) -> Integration:
    """Return a PagerDuty integration that speaks to *receiver*."""
    url = receiver.url.removesuffix("/hook") + "/v2"
    return Integration(id=id, type="pagerduty", settings={"integration_key": "k" * 32, "url": url})


def made(
    integration: str,
    alert: int,
    seq: int = 1,
    status: AlertStatus = "open",
    *,
    template: str = "",
    account: str = "111122223333",
) -> Delivery:
    """Return the delivery of event *seq* of an alert in *status*."""
    base = delivery(status, resource=replace(RESOURCE, account=account))
    name = f"P-{alert}"
    state = replace(base.event.alert, id=name, seq=seq)
    event = replace(base.event, id=f"{name}-{seq}", seq=seq, kind=KINDS[status], at=_ms(), alert=state)
    return replace(base, integration=integration, template=template, event=event)


class Host:
    """A Deliverer on all partitions, or these, fed as the worker feeds it."""

    def __init__(self, settings: Settings, *integrations: Integration, partitions: Iterable[int] | None = None) -> None:
        self.settings = settings
        self._first = range(settings.partitions) if partitions is None else partitions
        self.integrations = {each.id: each for each in integrations}
        self.acknowledged: Counter[int] = Counter()
        """Records whose batch is done, by partition."""
        self._topic = full_name(settings, DELIVERIES)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "Host":
        await ensure_topics(self.settings, TOPICS)
        cluster, ids = await cluster_identity(self.settings)
        self.producer = await self._stack.enter_async_context(BatchProducer(self.settings))
        self.deliverer = Deliverer(
            self.settings, self.producer, lambda: self.integrations, partial(open_client, LOOPBACK)
        )
        self._stack.push_async_callback(self.deliverer.stop)
        await self.deliverer.start(cluster, ids)
        self.running = asyncio.create_task(self.deliverer.run())
        self._stack.push_async_callback(_cancel, self.running)
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, enable_auto_commit=False, fetch_max_wait_ms=20
        )
        await self.consumer.start()
        self._stack.push_async_callback(self.consumer.stop)
        await self.assign(self._first)
        reading = asyncio.create_task(self._read())
        self._stack.push_async_callback(_cancel, reading)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def assign(self, partitions: Iterable[int]) -> dict[int, int]:
        """Give it these partitions; return where it reads on."""
        marks = await watermarks(self.settings, [self._topic])
        starts = await self.deliverer.assign({n: marks[self._topic, n] for n in partitions})
        self.consumer.assign([TopicPartition(self._topic, n) for n in starts])
        for number, start in starts.items():
            self.consumer.seek(TopicPartition(self._topic, number), start)
        return starts

    async def give_up(self, partitions: set[int]) -> None:
        """Let another have these partitions, as a rebalance does."""
        await self.deliverer.forget(partitions)
        rest = [tp for tp in self.consumer.assignment() if tp.partition not in partitions]
        positions = {tp: await self.consumer.position(tp) for tp in rest}
        self.consumer.assign(rest)
        for tp, position in positions.items():
            self.consumer.seek(tp, position)

    async def send(self, deliveries: Iterable[Delivery]) -> None:
        """Lay *deliveries* on their partitions."""
        await send(self.producer, self.settings, deliveries)

    async def until(self, what: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until *what* holds; fail when it doesn't."""
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, f"not within {seconds} s: {self.deliverer.counts}"
            assert not self.running.done(), self.running
            await asyncio.sleep(0.005)

    def opened(self, integration: str | None = None) -> list[str]:
        """Return the events that are open, such as `P-1-2`."""
        return [f"{each.alert}-{each.seq}" for each in self.deliverer.open(integration)]

    async def _read(self) -> None:
        while True:
            for tp, records in (await self.consumer.getmany(timeout_ms=50)).items():
                batch = Batch(tp.topic, tp.partition, records[0].offset, records[-1].offset + 1, records)
                self.deliverer.take(batch, partial(self._done, tp.partition, len(records)))

    def _done(self, partition: int, count: int) -> None:
        self.acknowledged[partition] += count


async def send(producer: BatchProducer, settings: Settings, deliveries: Iterable[Delivery]) -> None:
    """Lay *deliveries* on their partitions."""
    records: list[tuple[int, bytes | None, bytes | None]] = []
    for each in deliveries:
        partition = partition_of(each.event.alert.resource.account, settings.partitions)
        records.append((partition, key_of(each), write(each)))
    await producer.send(full_name(settings, DELIVERIES), records)


async def topic(settings: Settings, which: Topic) -> list[tuple[bytes, Any]]:
    """Return key and value (as JSON; None: a tombstone) of everything on a topic."""
    name = full_name(settings, which)
    marks = {at: each for at, each in (await watermarks(settings, [name])).items() if each.begin < each.end}
    if not marks:
        return []
    found: list[tuple[bytes, Any]] = []
    async with _reading(settings, name, marks) as consumer:
        for (_, number), each in marks.items():
            tp = TopicPartition(name, number)
            while await consumer.position(tp) < each.end:
                records = (await consumer.getmany(tp, timeout_ms=200)).get(tp, [])
                found += [(record.key, record.value and orjson.loads(record.value)) for record in records]
    return found


async def still_open(settings: Settings) -> set[bytes]:
    """Return the keys on the topic that have no tombstone yet."""
    last = dict(await topic(settings, DELIVERIES))
    return {key for key, value in last.items() if value is not None}


async def log(settings: Settings) -> list[Mapping[str, Any]]:
    """Return the lines of the delivery log."""
    return [value for _, value in await topic(settings, DELIVERY_LOG)]


@asynccontextmanager
async def _reading(settings: Settings, name: str, marks: Mapping[tuple[str, int], Any]) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(name, number) for _, number in marks]
        consumer.assign(parts)
        for (_, number), each in marks.items():
            consumer.seek(TopicPartition(name, number), each.begin)
        yield consumer
    finally:
        await consumer.stop()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _ms() -> int:
    return int(time.time() * 1000)


async def _main(url: str) -> None:
    """Deliver to *url* what lies open, with the settings of the environment, for at most a minute."""
    async with Host(load(), webhook("hook", url)) as host:
        await asyncio.wait({host.running}, timeout=60)
        await host.running


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
