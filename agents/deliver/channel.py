"""What may be sent to one integration now: turns, order by alert, pauses and pace. No clock, no network."""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.deliver.entry import Chain, Entry
from agents.deliver.pause import RETRY_S, Pace, Pause, Why, delay, until_next
from agents.sinks._base import Sink
from agents.sinks._outcome import Config, NotApplicable, Outcome, Retry

AWAY = 3
"""So many different alerts that fail, and none that succeeds: the destination is away, not the delivery at fault."""

SLOW_S = 20.0
"""A queue that lasts longer than this, as fast as it moves now, isn't kept in memory."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a destination takes, as its sink says: calls at a time and a second, deliveries a call."""

    latest: bool
    """Only an alert's latest state counts."""
    batch: int = 1
    in_flight: int = 1
    per_second: float | None = None
    digests: int = 0
    """Deliveries in one message of several alerts; 0: it makes none."""

    @classmethod
    def of(cls, sink: Sink) -> "Limits":
        """Return the limits of *sink*."""
        return cls(sink.keeps == "latest state", sink.batch, sink.in_flight, sink.per_second, sink.digests)


class Turn(NamedTuple):
    """One call to make: deliveries of different alerts by one template; and what those overtook, which is over."""

    entries: list[Entry]
    overtaken: list[Entry]
    digest: str = ""
    """The group of which they are one message; empty: each is a message of its own."""


class Channel:
    """The open deliveries of one integration. Times are seconds of any one clock."""

    def __init__(self, integration: str, jitter: Callable[[], float] = random.random) -> None:
        self.integration = integration
        self.limits: Limits | None = None
        """None: there is no such integration now, or it is disabled: nothing is sent."""
        self.calls = 0
        """How many are under way."""
        self.ahead = 0.0
        """How many seconds the time of day, since 1970 UTC, is ahead of the clock."""
        self.pause: Pause | None = None
        self.templates: dict[bytes, Pause] = {}
        """Pauses of single templates."""
        self._jitter = jitter
        self._ready: deque[Chain] = deque()
        self._later: list[tuple[float, int, Chain]] = []
        self._held: list[tuple[int, int, Chain]] = []
        self._parked: dict[bytes, deque[Chain]] = {}
        self._failing: set[bytes] = set()
        self._pace = Pace(None)
        self._count = 0
        self._ended = 0
        self._pulsed = 0.0
        self._per_second: float | None = None
        self._busy = False

    def configure(self, limits: Limits | None) -> None:
        """Go on with other limits, or none: what was paused is tried at once."""
        self.limits = limits
        self._pace = Pace(limits.per_second if limits else None)
        self.pause = None
        self._failing.clear()
        for template in list(self.templates):
            self._unpark(template)
        self._release()

    def pulse(self, now: float) -> None:
        """Measure how fast the queue moves; to be called every round."""
        if self._busy and now > self._pulsed:
            latest = self._ended / (now - self._pulsed)
            self._per_second = max(latest, (latest + (self._per_second or 0.0)) / 2)
        self._ended, self._pulsed, self._busy = 0, now, self.calls > 0

    @property
    def stalled(self) -> bool:
        """Whether what waits, or is under way, will not be over soon."""
        if self.limits is None or self.pause is not None:
            return True
        return self._per_second is not None and self.calls + len(self._ready) > self._per_second * SLOW_S

    @property
    def more(self) -> bool:
        """Whether further calls could be made beside those that are under way."""
        return bool(self._ready) and self.limits is not None and self.calls < self.limits.in_flight

    @property
    def smooth(self) -> bool:
        """Whether `waits` holds for no chain of it."""
        return not (self.stalled or self._held or self._later or self.templates)

    def waits(self, chain: Chain) -> bool:
        """Return whether the chain's turn will not come soon."""
        return chain.place in ("held", "later", "parked", "idle") or self.stalled

    def schedule(self, chain: Chain) -> None:
        """Give an idle chain its turn, if it has anything to send; one whose head has a time waits for that."""
        if chain.place != "idle" or chain.head is None:
            return
        if chain.head.held.not_before:
            chain.place = "held"
            self._count += 1
            heapq.heappush(self._held, (chain.head.held.not_before, self._count, chain))
        else:
            chain.place = "ready"
            self._ready.append(chain)

    def beheaded(self, chain: Chain) -> None:
        """Take in that a chain that may be held has another head."""
        if chain.place == "held":
            chain.place = "idle"
            self.schedule(chain)

    def add(self, entry: Entry) -> list[Entry]:
        """Add *entry* to its chain; return what it overtakes."""
        chain, head = entry.chain, entry.chain.head
        chain.add(entry)
        self.schedule(chain)
        lost = self._overtaken(chain) if chain.head is not entry else []
        if chain.head is not head:
            self.beheaded(chain)
        return lost

    def drop(self, chain: Chain) -> None:
        """Forget the chain: its partition has another owner. What is under way may end."""
        chain.place = "gone"
        chain.head = chain.tail = None

    def take(self, now: float) -> Turn | None:
        """Return the next call to make, or None: not now."""
        limits, pause = self.limits, self.pause
        if limits is None or self.calls >= limits.in_flight or self._pace.ready(now) > now:
            return None
        if pause is not None and (pause.probe is not None or now < pause.until):
            return None
        self._unhold(now)
        while pause is None and self._later and self._later[0][0] <= now:
            self._wake()
        chain, trial = self._template_probe(now), True
        if chain is None:
            chain, trial = self._next(), pause is not None
        if chain is None and pause is not None:  # all of them have failed before: the next in turn is the probe
            while self._later and chain is None:
                self._wake()
                chain = self._next()
        if chain is None:
            self.pause = None  # its time is over, and there is nothing to try it with
            return None
        if pause is not None:
            pause.probe = chain
        group = self._group(chain)
        most = 1 if trial else limits.digests if group else limits.batch
        chains = [chain, *self._more(chain.template, group, most - 1)] if most > 1 else [chain]
        overtaken = [entry for each in chains for entry in self._overtaken(each)] if limits.latest else []
        for each in chains:
            each.place = "sending"
        self.calls += 1
        self._pace.spend()
        return Turn([each.head for each in chains if each.head is not None], overtaken, group)

    def settle(self, entries: Sequence[Entry], outcomes: Sequence[Outcome], now: float) -> list[Entry]:
        """Take in what came of a call: ends, retries, pauses. Return what was overtaken while it was under way."""
        self.calls -= 1
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(outcome, Retry):
                self._failed(entry, "away" if outcome.after is None else "asked", outcome.words, outcome.after, now)
            elif isinstance(outcome, Config):
                if outcome.scope == "template":
                    self._refused_template(entry, outcome.words, now)
                else:
                    self._failed(entry, "config", outcome.words, None, now)
            else:
                self._done(entry, told=not isinstance(outcome, NotApplicable))
        return [lost for entry in entries for lost in self._overtaken(entry.chain)]

    def cancelled(self, entries: Sequence[Entry]) -> None:
        """Take in that a call was broken off: nobody knows what came of it, so its deliveries stay open."""
        self.calls -= 1
        for entry in entries:
            for pause in (self.pause, self.templates.get(entry.chain.template)):
                if pause is not None and pause.probe is entry.chain:
                    pause.probe = None
            self._turn_again(entry.chain)

    def due(self, now: float) -> float | None:
        """Return when `take` may have something though nothing happens until then; None: never."""
        if self.limits is None or self.calls >= self.limits.in_flight:
            return None
        if self.pause is not None:
            some = self._ready or self._later or self._held or any(self._parked.values())
            return max(self.pause.until, self._pace.ready(now)) if some and self.pause.probe is None else None
        times = [now] if self._ready else []
        if self._later:
            times.append(self._later[0][0])
        if self._held:
            times.append(max(now, self._held[0][0] / 1000 - self.ahead))
        times += [p.until for t, p in self.templates.items() if p.probe is None and self._parked.get(t)]
        return max(min(times), self._pace.ready(now)) if times else None

    def _next(self) -> Chain | None:
        """Take the chain whose turn it is, and park those whose template is paused."""
        while self._ready:
            chain = self._ready.popleft()
            if chain.place != "ready":
                continue
            if chain.head is None:
                chain.place = "idle"
            elif self.templates and chain.template in self.templates:
                self._park(chain)
            else:
                return chain
        return None

    def _group(self, chain: Chain) -> str:
        """Return the digest that the chain's head belongs to, where the destination makes such."""
        digests = self.limits is not None and self.limits.digests > 1
        return chain.head.held.digest if digests and chain.head is not None else ""

    def _more(self, template: bytes, group: str, most: int) -> Iterator[Chain]:
        """Yield further chains of the template and digest; leave the others in their order."""
        others: list[Chain] = []
        while most and len(others) < 100 and (chain := self._next()) is not None:
            if chain.template == template and self._group(chain) == group:
                most -= 1
                chain.place = "sending"
                yield chain
            else:
                others.append(chain)
        self._ready.extendleft(reversed(others))

    def _template_probe(self, now: float) -> Chain | None:
        if self.pause is not None:
            return None
        for template, pause in self.templates.items():
            parked = self._parked.get(template)
            while parked and pause.probe is None and pause.until <= now:
                chain = parked.popleft()
                if chain.place == "parked" and chain.head is not None:
                    pause.probe = chain
                    return chain
        return None

    def _overtaken(self, chain: Chain) -> list[Entry]:
        """Take out what the newest state of the alert makes void, but never what is under way."""
        if self.limits is None or not self.limits.latest or chain.head is chain.tail:
            return []
        under_way = chain.head if chain.place == "sending" else None
        lost = [entry for entry in chain if entry is not chain.tail and entry is not under_way]
        for entry in lost:
            chain.remove(entry)
        return lost

    def _done(self, entry: Entry, *, told: bool) -> None:
        """*told*: the destination said so itself, so that it can be reached."""
        chain = entry.chain
        chain.remove(entry)
        self._ended += 1
        if told:
            self._failing.clear()
        if self.pause is not None and self.pause.probe is chain:
            if told:
                self.pause = None
                self._release()
            else:
                self.pause.probe = None
        pause = self.templates.get(chain.template) if self.templates else None
        if pause is not None and pause.probe is chain:
            if told:
                self._unpark(chain.template)
            else:
                pause.probe = None
        self._turn_again(chain)

    def _failed(self, entry: Entry, why: Why, words: str, after: float | None, now: float) -> None:
        chain = entry.chain
        self._failing.add(chain.key)
        template = self.templates.get(chain.template)
        if template is not None and template.probe is chain:
            template.longer(template.why, template.words, now, after, self._jitter())
        if self.pause is not None and self.pause.probe is chain:
            self.pause.longer(why, words, now, after, self._jitter())
        elif self.pause is not None:
            if after is not None:
                self.pause.until = max(self.pause.until, now + after)
            if why == "config":
                self.pause.why, self.pause.words = why, words
        elif why != "away" or len(self._failing) >= AWAY:
            self.pause = Pause(why, words, now, now + until_next(why, 1, after, self._jitter()))
        if chain.place != "gone":
            chain.place = "later"
            chain.due = now + delay(RETRY_S, entry.attempts, self._jitter())
            self._count += 1
            heapq.heappush(self._later, (chain.due, self._count, chain))

    def _refused_template(self, entry: Entry, words: str, now: float) -> None:
        chain = entry.chain
        if self.pause is not None and self.pause.probe is chain:  # it answers: what is wrong is this template alone
            self.pause = None
            self._release()
        pause = self.templates.get(chain.template)
        if pause is None:
            until = now + until_next("config", 1, None, self._jitter())
            self.templates[chain.template] = Pause("config", words, now, until)
        elif pause.probe is chain:
            pause.longer("config", words, now, None, self._jitter())
        if chain.place != "gone":
            self._park(chain)

    def _park(self, chain: Chain) -> None:
        chain.place = "parked"
        self._parked.setdefault(chain.template, deque()).append(chain)

    def _unpark(self, template: bytes) -> None:
        del self.templates[template]
        self._first(self._parked.pop(template, ()), "parked")

    def _release(self) -> None:
        """Let all that waited for a time go first, in its order."""
        waiting = [chain for due, _, chain in sorted(self._later) if chain.due == due]
        self._later.clear()
        self._first(waiting, "later")

    def _first(self, chains: Iterable[Chain], place: str) -> None:
        back = [chain for chain in chains if chain.place == place]
        for chain in back:
            chain.place = "ready"
        self._ready.extendleft(reversed(back))

    def _unhold(self, now: float) -> None:
        """Give every chain its turn whose head's time has come."""
        when = (now + self.ahead) * 1000
        while self._held and self._held[0][0] <= when:
            _, _, chain = heapq.heappop(self._held)
            if chain.place == "held" and chain.head is not None and chain.head.held.not_before <= when:
                chain.place = "ready"
                self._ready.append(chain)

    def _wake(self) -> None:
        due, _, chain = heapq.heappop(self._later)
        if chain.place == "later" and chain.due == due:
            chain.place = "ready"
            self._ready.append(chain)

    def _turn_again(self, chain: Chain) -> None:
        if chain.place != "gone":
            chain.place = "idle"
            self.schedule(chain)
