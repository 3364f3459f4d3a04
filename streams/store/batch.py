"""What goes into one transaction of the store, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["resources", "findings", "alerts"]


class Part(NamedTuple):
    """The records of one partition of a store-fed topic, from *start* (included) to *end* (excluded), as compaction
    left them.

    `Store.apply(parts: Sequence[Part]) -> Applied` writes several parts, of either kind and of any partition, in ONE
    transaction; several parts of one partition come in order. A *start* above the partition's next_offset in the store
    is a gap: StoreError, nothing written. Below it: read again.
    """

    kind: Kind
    topic: str
    partition: int
    start: int
    end: int
    records: Sequence[tuple[int, bytes | None, bytes | None]]
    """Offset, key, value; value None is a tombstone."""


class Refused(NamedTuple):
    """A record that a table can't take."""

    kind: Kind
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What a transaction did."""

    stored: int = 0
    repeated: int = 0
    lost: int = 0
    """Records whose version was lower than one that is there."""
    refused: list[Refused] = field(default_factory=list)
    removed: int = 0
    """Deleted rows that a tombstone has removed."""
