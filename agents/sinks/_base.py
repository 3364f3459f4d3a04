"""What a destination is: settings that turn a delivery into a request, and an answer into an outcome."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, SecretStr
from typing_extensions import override

from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison, Reply, Retry, outcome_of
from streams.alerts import Delivery


class Sink(BaseModel, ABC):
    """A destination. Its fields are its settings, its file name is its name, `send` is its behaviour."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: ClassVar[str]
    keeps: ClassVar[Literal["every event", "latest state"]]
    """Every event of an alert in order, or the latest state: what that overtakes is superseded."""
    in_flight: ClassVar[int]
    """The most calls at a time."""
    per_second: ClassVar[float | None] = None
    """The most calls a second, as the destination publishes it; None: it says nothing."""
    seconds: ClassVar[float] = 20.0
    """How long a call may take."""

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.name = cls.__module__.rpartition(".")[2]

    @abstractmethod
    async def send(self, delivery: Delivery, client: Client) -> Outcome:
        """Deliver it. The only errors are those of our own making."""

    @abstractmethod
    async def check(self, client: Client) -> Outcome:
        """Make one harmless call that shows whether the settings are right."""

    def without_secrets(self, outcome: Outcome) -> Outcome:
        """Return *outcome* with no secret of the settings in its words, should the destination have repeated one."""
        words = outcome.words
        for secret in sorted(filter(None, secrets(self)), key=len, reverse=True):
            words = words.replace(secret, "**********")
        match outcome:
            case _ if words == outcome.words:
                return outcome
            case Retry(after=after):
                return Retry(words, after)
            case Config(scope=scope):
                return Config(words, scope)
            case Ok() | Poison() | NotApplicable():
                return type(outcome)(words)


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
    async def send(self, delivery: Delivery, client: Client) -> Outcome:
        return await self._made(self.request(delivery, int(client.clock())), client)

    @override
    async def check(self, client: Client) -> Outcome:
        return await self._made(self.probe(int(client.clock())), client)

    async def _made(self, call: Request | Poison | NotApplicable, client: Client) -> Outcome:
        if not isinstance(call, Request):
            return call
        answer = await client.call(call, self.seconds)
        return self.without_secrets(self.outcome(answer, client.clock()) if isinstance(answer, Reply) else answer)


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
