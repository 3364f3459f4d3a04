"""The calls to one integration: as many at a time as it takes, each lane going on to the next turn by itself."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from agents.deliver.channel import Channel, Limits, Turn
from agents.deliver.ending import Ended, superseded
from agents.deliver.entry import Chain, Entry
from agents.deliver.loader import Loader
from agents.deliver.sending import Sending
from agents.integrations import Integration, IntegrationError
from agents.sinks._base import Item, Sink
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison, Retry
from streams.alerts import Delivery, read
from streams.errors import BadRecord
from streams.faults import passing

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 15.0
"""How often settings that can't be used are tried again: a file that they name may be there by now."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every route needs of its worker."""

    sending: Sending
    loader: Loader
    entry: Callable[[Chain], Mapping[str, Any]]
    """What the ledger holds of the alert."""
    ended: Callable[[Ended], None]
    tried: Callable[[Entry], None]
    """Told of each attempt that left a delivery open."""
    failed: Callable[[BaseException], None]
    """Told of an error that no route can go on with, such as a disk that refuses."""
    counts: Counter[str]


class Route:
    """One integration: its channel, its sink, and the lanes that are under way."""

    def __init__(self, id: str, around: Surroundings) -> None:
        self.id = id
        self.channel = Channel(id)
        self.integration: Integration | None = None
        self.missing_since: float | None = None
        """Since when there is no such integration; None: there is one."""
        self.words = ""
        """Why nothing can be sent, beside what the channel says."""
        self.warning = ""
        """What is to be set right though deliveries are made, since the settings were changed."""
        self.check: Outcome = Ok()
        """What the last check by schedule found, until a delivery is made or the settings are changed."""
        self._around = around
        self._sink: Sink | None = None
        self._looked = float("-inf")
        self._lanes: dict[asyncio.Task[None], Sequence[Entry]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def look(self, integration: Integration | None, now: float) -> None:
        """Take in what the integration is now; a changed one is tried at once."""
        self.missing_since = None if integration is not None else self.missing_since or now
        changed = integration != self.integration or self._looked == float("-inf")
        broken = self._sink is None and integration is not None and integration.enabled
        if not changed and not (broken and now - self._looked >= LOOK_AGAIN_S):
            return
        if changed:
            self.warning, self.check = "", Ok()
        self.integration, self._looked, self._sink, self.words = integration, now, None, ""
        if integration is None:
            self.words = "there is no such integration"
        elif not integration.enabled:
            self.words = "the integration is disabled"
        else:
            try:
                self._sink = integration.sink
            except IntegrationError as wrong:
                self.words = str(wrong)
                log.warning("deliveries of %s wait: %s", self.id, wrong)
        self.channel.configure(Limits.of(self._sink) if self._sink is not None else None)
        self.kick()

    def found(self, outcome: Outcome) -> None:
        """Take in what a check found: it changes the status, and no delivery."""
        if isinstance(outcome, Retry | Config) and not isinstance(self.check, Retry | Config):
            log.warning("the check of %s failed: %s", self.id, outcome.words)
        self.check = outcome

    @property
    def sink(self) -> Sink | None:
        """The destination; None: nothing can be sent."""
        return self._sink

    def kick(self) -> None:
        """Start every call that may be made now, and wake up when the next may."""
        now = time.monotonic()
        self.channel.ahead = time.time() - now
        while (turn := self.channel.take(now)) is not None:
            lane = asyncio.create_task(self._lane(turn))
            self._lanes[lane] = turn.entries
            lane.add_done_callback(self._left)
        self._arm(now)

    def under_way(self, partitions: set[int] | None = None) -> list[asyncio.Task[None]]:
        """Return the lanes that send something of *partitions*; of any when that is None."""
        return [
            lane
            for lane, entries in self._lanes.items()
            if partitions is None or any(entry.chain.partition in partitions for entry in entries)
        ]

    def close(self) -> None:
        """Start nothing more."""
        self.channel.configure(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, now: float) -> None:
        due = self.channel.due(now)
        if self._timer is not None:
            if due is not None and self._timer.when() == due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.kick()

    def _left(self, lane: asyncio.Task[None]) -> None:
        self._lanes.pop(lane, None)
        if not lane.cancelled() and (error := lane.exception()) is not None:
            self._around.failed(error)

    async def _lane(self, turn: Turn | None) -> None:
        """Make one call after the other until there is none to make."""
        channel, lane = self.channel, asyncio.current_task()
        assert lane is not None  # noqa: S101 - a coroutine of ours runs in a task
        while turn is not None:
            self._lanes[lane] = turn.entries
            for lost in turn.overtaken:
                self._around.ended(superseded(lost))
            try:
                deliveries, outcomes = await self._call(turn.entries, turn.digest)
            except BaseException:
                channel.cancelled(turn.entries)
                raise
            overtaken = channel.settle(turn.entries, outcomes, time.monotonic())
            for entry, outcome, delivery in zip(turn.entries, outcomes, deliveries, strict=True):
                self._settled(entry, outcome, delivery)
            for lost in overtaken:
                self._around.ended(superseded(lost))
            turn = channel.take(time.monotonic())
            if channel.more:  # this call ended a pause, or the next one alone is less than what there is
                self.kick()
        self._arm(time.monotonic())

    async def _call(self, entries: Sequence[Entry], digest: str) -> tuple[list[Delivery | None], Sequence[Outcome]]:
        """Send *entries* in one call, or one message; return what was sent, and an outcome for each."""
        now = int(time.time() * 1000)
        deliveries: list[Delivery | None] = []
        items: list[Item] = []
        bad: dict[int, Outcome] = {}
        if any(entry.value is None for entry in entries):
            await self._around.loader.load([entry for entry in entries if entry.value is None])
        for number, entry in enumerate(entries):
            entry.attempts += 1
            entry.first = entry.first or now
            entry.last = now
            try:
                delivery = _decoded(entry.value or b"")
            except BadRecord as wrong:
                deliveries.append(None)
                bad[number] = Poison(f"the record can't be read: {wrong}")
                continue
            deliveries.append(delivery)
            items.append(Item(delivery, self._around.entry(entry.chain)))
        passing("delivering")
        given: Sequence[Outcome] = ()
        if items:
            sink = self._sink
            gone = [Retry("the integration was switched off meanwhile")] * len(items)
            given = gone if sink is None else await self._around.sending.deliver(sink, items, digest=bool(digest))
        passing("delivered")
        if not bad:
            return deliveries, given
        rest = iter(given)
        return deliveries, [bad[number] if number in bad else next(rest) for number in range(len(entries))]

    def _settled(self, entry: Entry, outcome: Outcome, delivery: Delivery | None) -> None:
        counts, ended = self._around.counts, self._around.ended
        at = delivery.event.at if delivery is not None else entry.at
        match outcome:
            case Ok(words, made, warning):
                self.warning, self.check = warning or self.warning, outcome
                ended(Ended(entry, "delivered", words, at, made, delivery))
            case NotApplicable(words):
                ended(Ended(entry, "not-applicable", words, at))
            case Poison(words):
                ended(Ended(entry, "dead-letter", words, at))
            case Retry(words) | Config(words):
                counts["retried" if isinstance(outcome, Retry) else "refused"] += 1
                entry.words = words
                if entry.stored:
                    entry.value = None
                self._around.tried(entry)


_DECODER = msgspec.json.Decoder(Delivery)


def _decoded(value: bytes) -> Delivery:
    try:
        return _DECODER.decode(value)
    except msgspec.MsgspecError:
        return read(Delivery, value)[0]  # tells what is wrong with it, and where
