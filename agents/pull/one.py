"""One pull: page after page to the raw topic, and after each the place to go on at, once Kafka has both."""

import contextlib
import gzip
import hashlib
import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agents.connectors._base import Connector, Halted, Page, Way
from agents.inbound import InboundIntegration
from agents.normalise import NORMALISERS
from agents.pull.pulls import Order, Pulls
from agents.sinks._outcome import Config
from streams.errors import BrokerError
from streams.produce import Record
from streams.pulls import Amount, Pull
from streams.settings import Settings
from streams.topics import MAX_MESSAGE, full_name

log = logging.getLogger(__name__)

SLICE = 8 * 1024 * 1024
"""How much is sent at a time, in bytes."""

_FIRST_WAIT, _LONGEST_WAIT, _CONFIG_WAIT = 30.0, 1800.0, 900.0


def due(connector: Connector, had: Pull | None, order: Order | None, now: float, *, failed_may_go: bool) -> bool:
    """Tell whether it's time to pull. *failed_may_go*: whether one that failed needn't wait. *now*: s since 1970."""
    if had is None or had.began is None:
        return True
    if order is not None and order.at > had.began:
        return True
    if had.state == "failed" and not failed_may_go:
        return now * 1000 >= (had.next or 0)
    if had.state == "waiting":
        return now * 1000 >= had.began + connector.minutes * 60_000
    return True  # it was under way when whoever pulled it ended, or it was disabled


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a pull ended before its end, and how soon it's gone on with, in seconds."""

    words: str
    after: float

    def noted(self, pull: Pull, now: float) -> Pull:
        """Return the record that says so. *now*: seconds since 1970 UTC."""
        at = int(now * 1000)
        return replace(
            pull,
            state="failed",
            words=self.words,
            at=at,
            next=at + int(self.after * 1000),
            failures=pull.failures + 1,
        )


class Run:
    """A pull of one integration, from its checkpoint on."""

    def __init__(
        self, settings: Settings, pulls: Pulls, one: InboundIntegration, connector: Connector, way: Way
    ) -> None:
        self._pulls = pulls
        self._one = one
        self._connector = connector
        self._way = way
        self._topic = full_name(settings, NORMALISERS[connector.name].topic)
        self._turn = itertools.count(int(way.now))

    async def pull(self) -> None:
        """Pull until all is there or the vendor stops it; the record on the topic says which. Raises BrokerError."""
        pull = self._begun()
        await self._pulls.write(pull)
        try:
            async with contextlib.aclosing(self._connector.pull(pull.checkpoint, self._way)) as pages:  # type: ignore[type-var] # they are generators
                async for page in pages:
                    pull = await self._taken(pull, page)
        except Halted as halted:
            pull = _failure(halted, pull.failures).noted(pull, self._way.now)
        except BrokerError:
            raise
        except Exception as error:  # a vendor's answer must not stop the worker
            log.exception("the pull of %s failed", self._one.id)
            words = f"a defect of the connector: {type(error).__name__}: {error}"[:500]
            pull = Failed(words, _CONFIG_WAIT).noted(pull, self._way.now)
        else:
            now = int(self._way.now * 1000)
            following = max((pull.began or now) + self._connector.minutes * 60_000, now)
            pull = replace(pull, state="waiting", at=now, ended=now, next=following, failures=0, backfilled=True)
        await self._pulls.write(pull)

    def _begun(self) -> Pull:
        one, now = self._one, int(self._way.now * 1000)
        had = self._pulls.all.get(one.id) or Pull(id=one.id, type=one.type)
        tenant = hashlib.sha256(self._connector.tenant.encode()).hexdigest()[:16]
        order = self._pulls.order(one.id)
        afresh = order is not None and order.from_start and order.at > (had.began or 0)
        if (had.type, had.tenant) != (one.type, tenant) or afresh:
            had = replace(had, type=one.type, tenant=tenant, checkpoint={}, backfilled=False)
        words = "going on" if had.checkpoint else "from the beginning"
        return replace(had, state="pulling", words=words, at=now, began=now, next=None, run=Amount())

    async def _taken(self, pull: Pull, page: Page) -> Pull:
        """Send a page, then the record that says where to go on behind it: in this order nothing is lost."""
        too_large = 0
        for slice_ in _slices(page.messages):
            fitting = [value for value in map(_packed, slice_) if value is not None]
            too_large += len(slice_) - len(fitting)
            partitions = await self._pulls.partitions(self._topic)
            records: list[Record] = [(next(self._turn) % partitions, None, value) for value in fitting]
            await self._pulls.send(self._topic, records)
        if too_large:
            log.error("%s: %d records are larger than a message may be: left out", self._one.id, too_large)
        size = sum(map(len, page.messages))
        pull = replace(
            pull,
            checkpoint=dict(page.checkpoint),
            words=page.words,
            at=int(self._way.now * 1000),
            run=pull.run.plus(len(page.messages), size, page.items),
            total=pull.total.plus(len(page.messages), size, page.items),
        )
        await self._pulls.write(pull)
        return pull


def _failure(halted: Halted, failures: int) -> Failed:
    outcome = halted.outcome
    if isinstance(outcome, Config):
        return Failed(outcome.words, _CONFIG_WAIT)
    wait = min(_FIRST_WAIT * 2.0 ** min(failures, 10), _LONGEST_WAIT)
    return Failed(outcome.words, wait if outcome.after is None else outcome.after)


def _slices(messages: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the messages in parts that are sent at a time."""
    part: list[bytes] = []
    size = 0
    for message in messages:
        part.append(message)
        size += len(message)
        if size >= SLICE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _packed(message: bytes) -> bytes | None:
    """Return a message as it fits the topic, one that is too large as gzip; None: it doesn't fit even so."""
    if len(message) <= _MOST:
        return message
    packed = gzip.compress(message, 6)
    return packed if len(packed) <= _MOST else None


_MOST = MAX_MESSAGE - 512
