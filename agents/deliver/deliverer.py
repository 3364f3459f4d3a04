"""The delivery agent: takes deliveries, sends each to its integration until it is over, and closes it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from agents.collector import calm
from agents.deliver.arrivals import Arrival, Part
from agents.deliver.closer import Closer
from agents.deliver.ending import Ended, ledger_key, superseded, withdrawn
from agents.deliver.entry import Chain, Entry, Name, name_of
from agents.deliver.finished import Finished
from agents.deliver.holding import Held, held_of
from agents.deliver.keeping import Keeping
from agents.deliver.ledger import Ledger
from agents.deliver.listing import Open, Path, listed, paths
from agents.deliver.loader import Loader
from agents.deliver.route import Route, Surroundings
from agents.deliver.sending import Sending, Templates
from agents.deliver.status import Status, status_of
from agents.deliver.table import OpenTable, Source
from agents.integrations import Integration
from agents.sinks._client import Client, open_client
from streams.admin import Watermarks
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import DELIVERIES, full_name
from streams.transport import Batch

ROUND_S = 0.25
"""Between two looks at what is stuck, and at the integrations."""
MISSING_S = 60.0
"""How long an integration is missing before its deliveries are dropped: it may only be late."""
QUIET_S = 30.0
"""A partition that brought nothing for so long has no more to bring: compaction took what lay before its goal."""
LEAVE_S = 3.0
"""How long a partition that is given up waits for the calls that are under way."""


class Deliverer:
    """Delivers what lies open in the partitions that it is given; `run` must run beside it, and raises what broke."""

    def __init__(
        self,
        settings: Settings,
        producer: BatchProducer,
        integrations: Callable[[], Mapping[str, Integration]],
        client: Callable[[], AbstractAsyncContextManager[Client]] = open_client,
        templates: Callable[[], Templates] = dict,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Deliveries by how they ended, attempts that were `retried` or `refused`, `kept` in the open table."""
        self._integrations = integrations
        self._templates = templates
        self._open_client = client
        self._topic = full_name(settings, DELIVERIES)
        self._table = OpenTable(settings.data / "store" / "deliveries.sqlite")
        self._keeping = Keeping(
            self._topic,
            self._table,
            lambda chain: self._route(chain).channel.waits(chain),
            lambda: all(route.channel.smooth for route in self._routes.values()),
        )
        self._closer = Closer(settings, producer, self._acknowledged)
        self._finished = Finished()
        self._parts: dict[int, Part] = {}
        self._routes: dict[bytes, Route] = {}
        self._ledger = Ledger(settings, self._table)
        self._stack = contextlib.AsyncExitStack()
        self._broken: asyncio.Future[None] | None = None
        self._writing = asyncio.Lock()

    async def start(self, cluster_id: str, topic_ids: Mapping[str, str]) -> None:
        """Open the table and the way to the network. *topic_ids*: by full name. Raises StoreError."""
        self._source = Source(self._topic, topic_ids[self._topic], cluster_id, "open")
        self._ledger_source = Source(self._ledger.topic, topic_ids[self._ledger.topic], cluster_id, "ledger")
        self._broken = asyncio.get_running_loop().create_future()
        calm()
        await self._table.open()
        self._stack.push_async_callback(self._table.close)
        client = await self._stack.enter_async_context(self._open_client())
        self._around = Surroundings(
            Sending(client, self._templates, self.counts),
            Loader(self._table),
            self._ledger.entry,
            self._end,
            self._tried,
            self._fail,
            self.counts,
        )
        closing = asyncio.create_task(self._guarded(self._closer.run()))
        self._stack.push_async_callback(_cancelled, closing)

    async def run(self) -> None:
        """Keep the table, follow the integrations, until cancelled. Raises what the disk or the broker raises."""
        assert self._broken is not None  # noqa: S101 - started
        while not self._broken.done():
            await self._round()
            await asyncio.wait({self._broken}, timeout=ROUND_S)
        await self._broken

    async def stop(self) -> None:
        """End what is under way, write the rest into the table, close. Safe at any moment, and twice."""
        for route in self._routes.values():
            route.close()
        if self._broken is not None and not self._broken.done():
            await self.forget(set(self._parts), keep=True)
        await self._stack.aclose()
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(None)

    async def assign(self, partitions: Mapping[int, Watermarks]) -> dict[int, int]:
        """Own these partitions from now on; return the offset from which each must be read.

        Nothing of a partition is sent before it was read up to its end of now: what is closed there isn't sent again.
        A partition that is owned already goes on where it is. Raises StoreError and BrokerError.
        """
        await self._ledger.load(partitions, self._ledger_source)
        for number, marks in partitions.items():
            if number in self._parts:
                continue
            start = await self._table.start(self._source, number, marks)
            part = Part(number, start, marks.end, time.monotonic())
            for row in await self._table.rows(number):
                if (name := name_of(row.key)) is None:
                    continue
                held = Held(row.not_before, row.digest, bool(row.withdraws))
                entry = Entry(part.chain(name.chain), name.seq, row.place, row.at, None, held)
                entry.attempts, entry.first, entry.last = row.attempts, row.first, row.last
                entry.words, entry.stored = row.words, True
                entry.chain.add(entry)
            self._parts[number] = part
            if part.next >= part.goal:
                self._begin(part)
        return {number: self._parts[number].next for number in partitions}

    async def forget(self, partitions: set[int], *, keep: bool = False) -> None:
        """Give these partitions up: calls that are under way may end for a few seconds, what they close is closed.

        *keep*: what is open goes into the table too: less of the log is read when they come back. Raises StoreError.
        """
        lost = {number: self._parts[number] for number in partitions & self._parts.keys()}
        for part in lost.values():
            for chain in part.chains.values():
                self._route(chain).channel.drop(chain)
        lanes = [lane for route in self._routes.values() for lane in route.under_way(set(lost))]
        if lanes:
            _, late = await asyncio.wait(lanes, timeout=LEAVE_S)
            for lane in late:
                lane.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closer.drained(), LEAVE_S)
        async with self._writing:
            await self._keeping.write(lost, time.monotonic(), everything=keep)
            self._ledger.forget(lost)
            for number in lost:
                del self._parts[number]

    async def closed(self) -> None:
        """Return when everything that has ended so far is acknowledged by Kafka; only between `start` and `stop`."""
        await self._closer.drained()

    def take(self, batch: Batch, done: Callable[[], object]) -> None:
        """Take in the next records of a partition; *done* is called once each is over or safe in the open table."""
        part = self._parts.get(batch.partition)
        if part is None:
            return
        now = time.monotonic()
        arrival = Arrival(batch.end, now, done)
        touched: set[Route] = set()
        for record in batch.records:
            if record.offset < part.next:
                continue  # it was fetched twice, as after a rebalance
            if record.value is None and record.key in self._finished:
                continue  # our own tombstone
            name = name_of(record.key)
            if name is None:
                self.counts["unreadable"] += record.value is not None
            elif record.value is None:
                self._closed(part, record.key, name)
            elif route := self._opened(part, name, record, arrival):
                touched.add(route)
        part.next, part.heard = max(part.next, batch.end), now
        part.arrivals.append(arrival)
        arrival.less()
        if not part.begun and part.next >= part.goal:
            self._begin(part)
        for route in touched:
            route.kick()

    def open(self, integration: str | None = None) -> Iterator[Open]:
        """Yield what is open in the partitions that are read to their end, of one integration or of all."""
        for part in self._parts.values():
            for chain in part.chains.values():
                if integration is None or chain.integration == integration:
                    yield from listed(chain, self._route(chain))

    def routes(self) -> list[Path]:
        """Return each integration that has had deliveries, how many are open, and why they wait."""
        chains = (chain for part in self._parts.values() for chain in part.chains.values())
        return paths(self._routes.values(), chains, self._templates())

    def route(self, id: bytes) -> Route:
        """Return the way to the integration with this id, there or not."""
        route = self._routes.get(id)
        if route is None:
            route = self._routes[id] = Route(id.decode(errors="replace"), self._around)
            route.look(self._integrations().get(route.id), time.monotonic())
        return route

    def statuses(self) -> dict[str, Status]:
        """Return how each integration is that is there and has had deliveries or a check, by its id."""
        now, templates = time.monotonic(), self._templates()
        there = [route for route in self._routes.values() if route.integration is not None]
        return {route.id: status_of(route, templates, now) for route in there}

    def owns(self, partition: int) -> bool:
        """Return whether *partition* is this worker's, and read to its end."""
        return partition in self._parts and self._parts[partition].begun

    def noted(self, chain: Chain) -> Mapping[str, Any]:
        """Return what the ledger holds under the key of *chain*; empty: nothing."""
        return self._ledger.entry(chain)

    def note(self, chain: Chain, made: Mapping[str, Any]) -> None:
        """Know what now lies on the ledger's topic under the key of *chain*."""
        self._ledger.enter(chain, made)
        self._keeping.entered(chain.partition, ledger_key(chain.key), made)

    def _opened(self, part: Part, name: Name, record: Any, arrival: Arrival) -> Route | None:
        """Take in an open delivery; return whom it concerns now."""
        chain = part.chains.get(name.chain)
        if chain is not None and chain.find(name.seq) is not None:
            self.counts["repeated"] += 1  # it waits already, and its tombstone will close both
            return None
        known = chain is not None
        if chain is None:
            chain = Chain(name.chain, part.number)
        entry = Entry(chain, name.seq, record.offset, record.timestamp, record.value, held_of(record.value))
        arrival.add(entry)
        if record.key in self._finished:
            self._end(Ended(entry, "repeated", "", entry.at))
            return None
        if not known:
            part.chains[name.chain] = chain
        if not part.begun:
            chain.add(entry)
            return None
        route = self._route(chain)
        if self._late(route, entry):
            return None
        if entry.held.withdraws:
            chain.add(entry)
            self._withdraw(route, entry)
            return route
        for lost in route.channel.add(entry):
            self._end(superseded(lost))
        return route

    def _closed(self, part: Part, key: bytes, name: Name) -> None:
        """Take in a tombstone of what we don't know to be over."""
        self._finished.add(key, *name)
        chain = part.chains.get(name.chain)
        entry = chain.find(name.seq) if chain is not None else None
        if chain is None or entry is None:
            return
        entry.ended = True
        if chain.place != "sending" or chain.head is not entry:
            chain.remove(entry)
            self._route(chain).channel.beheaded(chain)
            if chain.head is None:
                del part.chains[name.chain]
        self._over(entry)

    def _withdraw(self, route: Route, last: Entry) -> None:
        """End *last*, and what came before it and isn't under way."""
        chain = last.chain
        for entry in [each for each in chain if each.seq <= last.seq]:
            if chain.place != "sending" or entry is not chain.head:
                chain.remove(entry)
                self._end(withdrawn(entry))
        route.channel.beheaded(chain)

    def _late(self, route: Route, entry: Entry) -> bool:
        """End *entry* if a newer state of its alert has been sent, where only the latest counts."""
        limits, chain = route.channel.limits, entry.chain
        if limits is None or not limits.latest:
            return False
        under_way = chain.head.seq if chain.place == "sending" and chain.head is not None else -1
        if max(self._finished.last(chain.key), under_way) < entry.seq:
            return False
        self._end(superseded(entry))
        return True

    def _begin(self, part: Part) -> None:
        """Send what is open: everything that was closed is known by now."""
        part.begun = True
        for chain in list(part.chains.values()):
            route = self._route(chain)
            for entry in list(chain):
                if self._late(route, entry):
                    chain.remove(entry)
                elif entry.held.withdraws:
                    self._withdraw(route, entry)
            if chain.head is None:
                part.chains.pop(chain.key, None)
            else:
                route.channel.schedule(chain)
        for route in list(self._routes.values()):
            route.kick()

    def _end(self, ended: Ended) -> None:
        """Close *entry*, which is out of its chain."""
        entry, chain = ended.entry, ended.entry.chain
        entry.ended = True
        self.counts[ended.outcome] += 1
        self._finished.add(entry.key, chain.key, entry.seq)
        if ended.made is not None:
            self._ledger.enter(chain, ended.made)
        if chain.head is None:
            part = self._parts.get(chain.partition)
            if part is not None and part.chains.get(chain.key) is chain:
                del part.chains[chain.key]
        self._closer.add(ended)

    def _acknowledged(self, batch: Sequence[Ended]) -> None:
        for ended in batch:
            if ended.made is not None:
                self._keeping.entered(ended.entry.chain.partition, ledger_key(ended.entry.chain.key), ended.made)
            self._over(ended.entry)

    def _over(self, entry: Entry) -> None:
        """Its tombstone is in the log: nobody needs its record any more."""
        if entry.stored:
            self._keeping.closed(entry)
            entry.stored = False
        if entry.arrival is not None:
            entry.arrival.less()
            entry.arrival = None

    def _tried(self, entry: Entry) -> None:
        if entry.ended:  # somebody else closed it while it was under way
            entry.chain.remove(entry)
        else:
            self._keeping.tried(entry)

    def _route(self, chain: Chain) -> Route:
        return self.route(chain.key.partition(b"|")[0])

    async def _round(self) -> None:
        now, known = time.monotonic(), self._integrations()
        for route in list(self._routes.values()):
            route.look(known.get(route.id), now)
            route.channel.pulse(now)
            if route.missing_since is not None and now - route.missing_since >= MISSING_S:
                self._drop(route)
        for part in self._parts.values():
            if not part.begun and now - part.heard >= QUIET_S:
                self._begin(part)
        async with self._writing:
            self.counts["kept"] += await self._keeping.write(self._parts, now)

    def _drop(self, route: Route) -> None:
        """Close what is open for an integration that is gone."""
        words = f"there is no integration {route.id} any more"
        mine = route.id.encode()
        for part in self._parts.values():
            if not part.begun:
                continue
            for chain in [c for key, c in part.chains.items() if key.partition(b"|")[0] == mine]:
                for entry in [each for each in chain if chain.place != "sending" or each is not chain.head]:
                    chain.remove(entry)
                    self._end(Ended(entry, "dropped", words, entry.at))

    def _fail(self, error: BaseException) -> None:
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._fail(error)
            raise


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
