"""The worker: owns some partitions, normalises raw messages, keeps what comes of them in its store."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from faust.types import TP

from agents.book import Book
from agents.deliver import Deliverer
from agents.deliver.checks import Checks
from agents.deliver.operator import Operator
from agents.deliver.sending import Templates
from agents.evaluator import Evaluator
from agents.heat import Heater
from agents.ingest import Ingest
from agents.integrations import Integration
from agents.keep import Keeper
from agents.linker import Linker
from agents.normalise import NORMALISERS
from agents.normalise._base import Normaliser
from agents.sinks._client import open_client
from agents.upkeep import Owned, Upkeep
from streams.admin import Watermarks, cluster_identity, ensure_topics
from streams.app import create_app
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store.batch import Applied, Part
from streams.store.thread import StoreThread
from streams.topics import ALERT_COMMANDS, DELETE_RETENTION_MS, DELIVERIES, STORED, TOPICS, full_name, raw_topic
from streams.transport import BatchApp

log = logging.getLogger(__name__)


class Worker:
    """One worker process. `start`, `stop`, and `wait`, which raises what the worker died of."""

    def __init__(
        self,
        settings: Settings,
        normalisers: Mapping[str, Normaliser] = NORMALISERS,
        book: Book | None = None,
        integrations: Callable[[], Mapping[str, Integration]] = dict,
        templates: Callable[[], Templates] = dict,
    ) -> None:
        self.settings = settings
        self._integrations = integrations
        self._templates = templates
        self._normalisers = normalisers
        self._book = book or Book({}, ())
        self.counts: Counter[str] = Counter()
        self._deliveries = full_name(settings, DELIVERIES)
        self._kinds = {full_name(settings, topic): kind for kind, topic in STORED.items()}
        self._started: dict[TP, Owned] = {}
        self._assigned = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self._died: asyncio.Future[Any] = asyncio.Future()

    async def start(self) -> None:
        """Create and check topics, open the store, join the group, and return when partitions are assigned."""
        raw = [raw_topic(normaliser.topic) for normaliser in self._normalisers.values()]
        await ensure_topics(self.settings, [*raw, *TOPICS])
        self._cluster, self._topic_ids = await cluster_identity(self.settings)
        self.store = await StoreThread.open(
            self.settings.store_file,
            memory=self.settings.store_memory,
            threads=self.settings.store_threads,
            notes_work=True,
        )
        self._stack.push_async_callback(self.store.close)
        self.producer = BatchProducer(self.settings)
        self._stack.push_async_callback(self.producer.stop)
        await self.producer.start()
        self.deliverer = Deliverer(
            self.settings,
            self.producer,
            self._integrations,
            partial(open_client, self.settings.networks),
            self._templates,
        )
        self._stack.push_async_callback(self.deliverer.stop)
        await self.deliverer.start(self._cluster, self._topic_ids)
        self.evaluator = Evaluator(self.settings, self.store, self.producer, self._book, self._ready, self.counts)
        self._stack.push_async_callback(self.evaluator.stop)
        self.keeper = Keeper(self.store, self._kept, self.evaluator.turn)
        self.linker = Linker(self.settings, self.store, self.producer, self._ready, self.counts)
        self._stack.push_async_callback(self.linker.stop)
        await self.linker.start(self._cluster, self._topic_ids)
        self.app = self._app()
        upkeep = Upkeep(
            self.settings,
            self.store,
            self.producer,
            owned=lambda: list(self._started.values()),
            ends=self._ends,
            idle=lambda: not self.keeper.busy,
        )
        sending = self.evaluator.sender.run(self.keeper.wake)
        operator = Operator(self.settings, self.producer, self.deliverer, self._integrations)
        lasting = (self.keeper.run(), sending, self.deliverer.run(), self.linker.run(), upkeep.run(), self._watch())
        checks = Checks(
            self.settings.check_minutes,
            self.deliverer,
            self._integrations,
            partial(open_client, self.settings.networks),
        )
        for work in (*lasting, operator.run(), checks.run()):
            self._tasks.append(asyncio.create_task(self._guarded(work)))
        heater = Heater(self.store, lambda: [judged.policy for judged in self._book.policies.values()])
        self._tasks.append(asyncio.create_task(self._guarded(heater.run())))
        self._stack.push_async_callback(self._end_tasks)
        self._stack.push_async_callback(self.app.stop)
        # Before the group is left: another owner may begin as soon as it is, while our last calls are under way.
        self._stack.push_async_callback(self.deliverer.stop)
        await self.app.start()
        await self._until_assigned()

    async def wait(self) -> None:
        """Return when the worker has stopped; raise what it died of."""
        await asyncio.shield(self._died)

    async def stop(self) -> None:
        """Leave the group, finish the transaction that is at work, close the store. Safe at any moment of a start."""
        await self._stack.aclose()
        if not self._died.done():
            self._died.set_result(None)

    def reconsider(self, book: Book) -> None:
        """Evaluate by *book* from now on."""
        self._book = book
        if self._tasks:  # it has been started
            self.evaluator.reconsider(book)
            self.keeper.wake.set()

    async def _until_assigned(self) -> None:
        assigned = asyncio.create_task(self._assigned.wait())
        await asyncio.wait({assigned, self._died}, return_when=asyncio.FIRST_COMPLETED)
        assigned.cancel()
        if self._died.done():
            await self._died

    def ownership(self) -> dict[str, Any]:
        """Return the partitions of store-fed topics that this worker owns, and how many records each is behind.

        `all`: these are all there are, and each has passed the end that its log had when it was assigned.
        """
        offsets = self.store.store.offsets()
        owned = sorted(tp for tp in self.app.consumer.assignment() if tp.topic in self._kinds)
        return {
            "owned": [[tp.topic, tp.partition] for tp in owned],
            "all": len(owned) == len(self._kinds) * self.settings.partitions == len(self._started)
            and all(offsets.get((p.topic, p.partition), 0) >= p.goal for p in self._started.values()),
            "lag": {f"{at[0]}:{at[1]}": max(end - offsets.get(at, 0), 0) for at, end in self._ends().items()},
        }

    def _app(self) -> BatchApp:
        app = create_app(self.settings)
        app.starts = self._starts
        for source, normaliser in self._normalisers.items():
            self._add_normaliser(app, source, normaliser)
        for kind, topic in STORED.items():
            self._add_keeper(app, kind, full_name(self.settings, topic))
        self._add_commander(app)
        self._add_deliverer(app)
        app.on_partitions_revoked.connect(self._revoked, weak=False)
        return app

    def _add_normaliser(self, app: BatchApp, source: str, normaliser: Normaliser) -> None:
        ingest = Ingest(self.settings, normaliser, self.producer, self.counts, self.linker.complete)

        @app.agent(app.topic(full_name(self.settings, ingest.topic)), name=f"normalise-{source}")
        async def normalise(stream: Any) -> None:
            async with asyncio.TaskGroup() as group:  # the next batch is normalised while this one is on its way
                group.create_task(ingest.send())
                async for event in stream.noack().events():
                    ingest.put(await ingest.normalise(event.value), event.ack)

    def _add_keeper(self, app: BatchApp, kind: Any, topic: str) -> None:
        @app.agent(app.topic(topic), name=f"keep-{kind}")
        async def keep(stream: Any) -> None:
            async for event in stream.noack().events():
                self.keeper.take(kind, event.value, event.ack)

    def _add_commander(self, app: BatchApp) -> None:
        @app.agent(app.topic(full_name(self.settings, ALERT_COMMANDS)), name="obey")
        async def obey(stream: Any) -> None:
            async for event in stream.noack().events():
                self.evaluator.take(event.value, event.ack)
                self.keeper.wake.set()

    def _add_deliverer(self, app: BatchApp) -> None:
        @app.agent(app.topic(self._deliveries), name="deliver")
        async def deliver(stream: Any) -> None:
            async for event in stream.noack().events():
                self.deliverer.take(event.value, event.ack)

    async def _starts(self, assigned: set[TP]) -> Mapping[TP, int]:
        """Where the store-fed partitions are read from: the store's offset, or the beginning where that is useless."""
        mine = {tp for tp in assigned if tp.topic in self._kinds}
        new = mine - self._started.keys()
        marks = await self._watermarks(new)
        for tp in sorted(new):
            await self.store.start(
                tp.topic,
                self._kinds[tp.topic],
                tp.partition,
                cluster_id=self._cluster,
                topic_id=self._topic_ids[tp.topic],
                begin=marks[tp].begin,
                end=marks[tp].end,
                now=datetime.now(UTC),
                delete_retention_ms=DELETE_RETENTION_MS,
            )
            self._started[tp] = Owned(self._kinds[tp.topic], tp.topic, tp.partition, marks[tp].end)
        offsets = await self.store.offsets()
        open_ = {tp for tp in assigned if tp.topic == self._deliveries}
        marks = await self._watermarks(open_)
        reads = await self.deliverer.assign({tp.partition: marks[tp] for tp in open_})
        self._assigned.set()
        self.keeper.wake.set()
        return {TP(self._deliveries, part): offset for part, offset in reads.items()} | {
            tp: offsets[tp.topic, tp.partition] for tp in mine
        }

    async def _watermarks(self, partitions: set[TP]) -> dict[TP, Watermarks]:
        if not partitions:
            return {}
        begins = await self.app.consumer.earliest_offsets(*partitions)
        ends = await self.app.consumer.highwaters(*partitions)
        return {tp: Watermarks(begins[tp] or 0, ends[tp] or 0) for tp in partitions}

    async def _revoked(self, _app: Any, revoked: set[TP], **_: Any) -> None:
        self.keeper.forget()
        self.evaluator.forget(frozenset(tp.partition for tp in revoked if tp.topic in self._kinds))
        for tp in revoked:
            self._started.pop(tp, None)
        await self.deliverer.forget({tp.partition for tp in revoked if tp.topic == self._deliveries})

    def _ready(self) -> set[int]:
        """The partitions of which all that was there when they were assigned is in the store."""
        offsets = self.store.store.offsets()
        there = Counter(p.partition for p in self._started.values() if offsets.get((p.topic, p.partition), 0) >= p.goal)
        return {part for part, topics in there.items() if topics == len(self._kinds)}

    def _ends(self) -> dict[tuple[str, int], int]:
        consumer = self.app.consumer
        return {(tp.topic, tp.partition): consumer.highwater(tp) or 0 for tp in self._started}

    def _kept(self, parts: Sequence[Part], applied: Applied) -> None:
        self.counts["stored"] += applied.stored

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self) -> None:
        await self.app.wait_until_stopped()
        if self.app.crash_reason is not None:
            raise _cause(self.app.crash_reason)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if not self._died.done():
                self._died.set_exception(error)
            raise


def _cause(error: BaseException) -> BaseException:
    """Return what went wrong first of what a TaskGroup raises; the rest followed from it, or says the same."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
