"""What a pull connector is: settings that ask a vendor page by page, from a checkpoint on, for raw messages."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from agents.sinks._base import secrets
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, Ok, Outcome, Reply, Retry, outcome_of
from streams.errors import TidegateError

Checkpoint = Mapping[str, Any]
"""Where to go on: JSON of the connector's own. Empty: the beginning."""

MOST_READ = 256 * 1024 * 1024
"""The largest answer that is read, in bytes."""

PATIENCE = 60.0
"""How long a pull itself waits for a vendor that is busy, in seconds; above it, it ends and goes on later."""

ATTEMPTS = 4
"""How often a call is made before the pull ends for now."""


@dataclass(frozen=True, slots=True)
class Page:
    """A step of a pull. Once the messages are acknowledged, whoever pulls again may begin at the checkpoint."""

    messages: Sequence[bytes]
    """For the raw topic, as the vendor sent them; each fits a message."""
    checkpoint: Checkpoint
    items: int = 0
    """How many findings, assets or rows they hold."""
    words: str = ""
    """How far it is, for the operator."""


class Halted(TidegateError):
    """A pull can't go on: later (Retry), or not before the operator changes something (Config)."""

    def __init__(self, outcome: Retry | Config, reply: Reply | None = None) -> None:
        super().__init__(outcome.words)
        self.outcome = outcome
        self.reply = reply
        """The vendor's answer, where there was one."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way to the vendor: a client with its clock, and how to wait."""

    client: Client
    sleep: Callable[[float], Awaitable[None]]

    @property
    def now(self) -> float:
        """Seconds since 1970 UTC."""
        return self.client.clock()


class Connector(BaseModel, ABC):
    """A vendor that is asked. Its fields are its settings, its file name is its name and that of its source."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,  # ids that are digits are numbers where nobody quotes them
    )

    name: ClassVar[str]
    source: ClassVar[str]
    """What RQL calls finding.source of what it brings."""
    prisma: ClassVar[str]
    """What clients of the product's API call such an integration."""
    seconds: ClassVar[float] = 300.0
    """How long a call may take."""

    minutes: int = Field(default=60, ge=1, le=10_080, description="Minutes from the start of a pull to the next one.")

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.name = cls.__module__.rpartition(".")[2]

    @property
    @abstractmethod
    def tenant(self) -> str:
        """Whose data it is: with another one, a checkpoint is worth nothing. No secret."""

    @abstractmethod
    def pull(self, checkpoint: Checkpoint, way: Way) -> AsyncIterator[Page]:
        """Ask for all that is new since *checkpoint*, and yield it; the end is the end of this pull. Raises Halted.

        Any checkpoint that was yielded may be the next one's beginning: what follows it may come twice, never not.
        """

    @abstractmethod
    async def check(self, way: Way) -> str:
        """Make harmless calls that show whether the settings are right; return what was found. Raises Halted."""

    def meaning(self, reply: Reply, now: float) -> Outcome:
        """Return what an answer means. Pure. *now*: seconds since 1970 UTC."""
        return outcome_of(reply, now)

    async def answer(self, request: Request, way: Way) -> Reply:
        """Make a call until the vendor gives what was asked for. Raises Halted."""
        return await self.until(lambda: self.reach(request, way.client), way)

    async def until(self, call: Callable[[], Awaitable[Reply | Outcome]], way: Way) -> Reply:
        """Do *call* until there is an answer that means success, with the waits that the vendor asks for.

        Raises Halted: what it answers otherwise, or where it isn't ready in time.
        """
        for attempt in range(1, ATTEMPTS + 1):
            said = await call()
            reply = said if isinstance(said, Reply) else None
            outcome = self.meaning(reply, way.now) if reply is not None else said
            if reply is not None and isinstance(outcome, Ok):
                if len(reply.body) >= MOST_READ:
                    raise Halted(Config(f"an answer of more than {MOST_READ} bytes: ask for smaller pages"), reply)
                return reply
            if not isinstance(outcome, Retry):
                words = outcome.words if not isinstance(outcome, Reply) else ""
                raise Halted(Config(words), reply)
            wait = 2.0**attempt if outcome.after is None else outcome.after
            if attempt == ATTEMPTS or wait > PATIENCE:
                raise Halted(outcome, reply)
            await way.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def reach(self, request: Request, client: Client) -> Reply | Outcome:
        """Make a call: its answer, of which no words tell a secret, or what it means that there is none."""
        answer = await client.call(request, self.seconds)
        if not isinstance(answer, Reply):
            return answer
        proofs = [
            request.headers.get(name, "").rpartition(" ")[2] for name in ("Authorization", "X-Amz-Security-Token")
        ]
        hidden = (*(proof for proof in proofs if len(proof) > 3), *self._hidden)
        return Reply(answer.status, answer.headers, answer.body, hidden)

    def given(self) -> dict[str, Any]:
        """Return the settings that were given: validated, its secrets still secret."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    @cached_property
    def _hidden(self) -> tuple[str, ...]:
        return tuple(sorted({text for text in secrets(self) if len(text) > 3}, key=len, reverse=True))


async def checked(connector: Connector, way: Way) -> Outcome:
    """Return what came of the connector's check, as the test of an integration tells it."""
    try:
        return Ok(await connector.check(way))
    except Halted as halted:
        return halted.outcome
