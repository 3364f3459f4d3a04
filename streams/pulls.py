"""How far each inbound integration has pulled: the record of the topic `pulls`, and how it becomes bytes."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import msgspec
import orjson
from pydantic import ConfigDict

from streams.errors import BadRecord

State = Literal["new", "pulling", "waiting", "failed", "disabled"]

_DESCRIBED = ConfigDict(use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much was sent to the raw topic."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    messages: int = 0
    bytes: int = 0
    items: int = 0
    """Findings, assets and rows that the messages hold."""

    def plus(self, messages: int, bytes: int, items: int) -> "Amount":
        """Return the sum."""
        return Amount(messages=self.messages + messages, bytes=self.bytes + bytes, items=self.items + items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """How far one inbound integration has pulled. Key: its id. Times are milliseconds since 1970 UTC.

    What stands at `checkpoint` is acknowledged by Kafka: any such record is a right place to go on from.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """The integration's."""
    type: str
    """The connector, such as tenable."""
    tenant: str = ""
    """A digest of whose data it is: with other settings of that kind, the checkpoint isn't used."""
    checkpoint: dict[str, Any] = field(default_factory=dict)
    """The connector's own words for where to go on; empty: at the beginning."""
    state: State = "new"
    """`waiting`: the last pull is complete, and the next one is at `next`; `failed`: it isn't, and is gone on with."""
    words: str = ""
    """How far it is, or why it failed."""
    at: int = 0
    """When this was written."""
    began: int | None = None
    """When the pull that is under way, or the last one, began."""
    ended: int | None = None
    """When a pull was complete."""
    next: int | None = None
    """When it goes on."""
    failures: int = 0
    """How many pulls in a row have failed."""
    backfilled: bool = False
    """Whether a first pull was complete."""
    run: Amount = field(default_factory=Amount)
    """What the last pull has sent so far."""
    total: Amount = field(default_factory=Amount)
    """What all have sent."""


def write(pull: Pull) -> bytes:
    """Return *pull* as one JSON object."""
    return orjson.dumps(pull)


def read(value: bytes) -> Pull:
    """Return the record that *value* holds; unknown fields are ignored. Raises BadRecord."""
    try:
        return _DECODER.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise BadRecord("", f"no record of a pull: {wrong}") from None


_DECODER = msgspec.json.Decoder(Pull)
