"""What a destination is: settings that turn a delivery into a request, and an answer into an outcome."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, SecretStr
from typing_extensions import override

from agents.sinks._client import Client, Request
from agents.sinks._outcome import NotApplicable, Outcome, Poison, Reply, outcome_of
from streams.alerts import Delivery

if TYPE_CHECKING:
    from streams.control.saved import NotificationTemplate


class Item(NamedTuple):
    """A delivery to make now. *entry*: what the ledger holds of its alert there, such as a ticket's id."""

    delivery: Delivery
    entry: Mapping[str, Any]


class Sink(BaseModel, ABC):
    """A destination. Its fields are its settings, its file name is its name, `send` is its behaviour."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,  # ids that are digits are numbers where nobody quotes them
    )

    name: ClassVar[str]
    prisma: ClassVar[str]
    """What Prisma Cloud calls such an integration."""
    keeps: ClassVar[Literal["every event", "latest state"]]
    """Every event of an alert in order, or the latest state: what that overtakes is superseded."""
    batch: ClassVar[int] = 1
    """The most deliveries that one call can make: of different alerts, by one template."""
    in_flight: ClassVar[int]
    """The most calls at a time."""
    per_second: ClassVar[float | None] = None
    """The most calls a second, as the destination publishes it; None: it says nothing."""
    seconds: ClassVar[float] = 20.0
    """How long a call may take."""

    checks_quietly: ClassVar[bool] = False
    """Whether `check` only asks: what it sends is nowhere seen, so that it is also made by schedule."""

    @property
    def digests(self) -> int:
        """The most deliveries that one message of several alerts can tell of; 0: it makes no such messages."""
        return 0

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.name = cls.__module__.rpartition(".")[2]

    @abstractmethod
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        """Deliver up to `batch` *items*, an outcome for each. The only errors are those of our own making."""

    async def digest(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        """Deliver up to `digests` *items* as one message, an outcome for each."""
        raise NotImplementedError(f"{self.name} makes no digests")

    @abstractmethod
    async def check(self, client: Client) -> Outcome:
        """Make a harmless call that shows whether the settings are right."""

    @property
    def takes_templates(self) -> bool:
        """Whether a notification template can say how its deliveries look."""
        return type(self).templated is not Sink.templated

    def templated(self, template: "NotificationTemplate") -> Self:
        """Return this destination as the notification *template* wants it. Raises ValueError, by the field."""
        raise ValueError(f"{self.name} takes no notification templates")

    def given(self) -> dict[str, Any]:
        """Return the settings that were given: validated, its secrets still secret."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    async def reach(self, request: Request, client: Client) -> Reply | Outcome:
        """Make a call: its answer, of which no words tell a secret, or what it means that there is none."""
        answer = await client.call(request, self.seconds)
        if not isinstance(answer, Reply) or not answer.body:
            return answer
        proofs = [request.headers.get(name, "").rpartition(" ")[2] for name in _PROOFS]
        hidden = (*(proof for proof in proofs if len(proof) > 3), *self._hidden)
        return Reply(answer.status, answer.headers, answer.body, hidden)

    @cached_property
    def _hidden(self) -> tuple[str, ...]:
        return tuple(sorted(set(_parts(secrets(self))), key=len, reverse=True))


class HttpSink(Sink):
    """A destination that takes a delivery in one HTTP call."""

    @abstractmethod
    def request(self, delivery: Delivery, now: int) -> Request | Poison | NotApplicable:
        """Describe the call, or say why there is none. *now*: seconds since 1970 UTC. Pure."""

    @abstractmethod
    def probe(self, now: int) -> Request | Poison | NotApplicable:
        """Describe the call of `check`, or say why there is none. Pure."""

    def outcome(self, reply: Reply, now: float) -> Outcome:
        """Return what the destination's answer means. Pure."""
        return outcome_of(reply, now)

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        return [await self._made(self.request(item.delivery, int(client.clock())), client) for item in items]

    @override
    async def check(self, client: Client) -> Outcome:
        return await self._made(self.probe(int(client.clock())), client)

    async def _made(self, call: Request | Poison | NotApplicable, client: Client) -> Outcome:
        if not isinstance(call, Request):
            return call
        answer = await self.reach(call, client)
        return self.outcome(answer, client.clock()) if isinstance(answer, Reply) else answer


def secrets(value: object) -> Iterator[str]:
    """Yield every secret text in *value*, a model or a collection."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from secrets(inner)
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from secrets(inner)


_PROOFS = ("Authorization", "X-Amz-Security-Token")
"""Headers that tell who sends, by what no setting says."""


def _parts(texts: Iterable[str]) -> Iterator[str]:
    """Yield each text, and of an address also what follows its host: all of it, and each part of the query."""
    for text in (text for text in texts if len(text) > 3):  # what is shorter is in any text
        yield text
        if "://" in text:
            after = text.partition("://")[2].partition("/")[2]
            values = [pair.partition("=")[2] for pair in after.partition("?")[2].split("&")]
            yield from (part for part in (after, *values) if len(part) > 3)
