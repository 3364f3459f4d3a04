"""What the scheduler holds of a delivery, and the chain of those that wait for each other. Small: there may be many."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from agents.deliver.holding import AT_ONCE, Held


class Name(NamedTuple):
    """What a delivery's key says: whose turn it is (*chain*: integration, template and alert), and its number there."""

    chain: bytes
    seq: int


def name_of(key: bytes | None) -> Name | None:
    """Return what *key* says, `integration|template|alert id|seq`, or None when it is no such key."""
    if key is None:
        return None
    chain, _, seq = key.rpartition(b"|")
    if not seq.isdigit() or chain.count(b"|") < 2:
        return None
    return Name(chain, int(seq))


Place = Literal["idle", "ready", "held", "later", "parked", "sending", "gone"]
"""Where a chain is: not scheduled; waiting for its turn, for the time of its head, for another attempt, for its
template's pause to end; under way; with another owner.
"""


class Entry:
    """One open delivery."""

    __slots__ = (
        "arrival",
        "at",
        "attempts",
        "chain",
        "ended",
        "first",
        "held",
        "last",
        "next",
        "offset",
        "seq",
        "stored",
        "value",
        "words",
    )

    def __init__(
        self, chain: "Chain", seq: int, offset: int, at: int, value: bytes | None, held: Held = AT_ONCE
    ) -> None:
        self.chain = chain
        self.seq = seq
        self.offset = offset
        """Where it lies in its partition."""
        self.at = at
        """Its record's time, ms since 1970 UTC."""
        self.value = value
        """The record. None: it is in the open table only."""
        self.held = held
        self.attempts = 0
        self.first = 0
        """When it was tried first, ms since 1970 UTC; 0: not yet."""
        self.last = 0
        self.words = ""
        """What came of the last attempt."""
        self.next: Entry | None = None
        self.arrival: Any = None
        """The batch that brought it, until it is in the open table."""
        self.stored = False
        self.ended = False

    @property
    def key(self) -> bytes:
        """The key of its record."""
        return b"%b|%d" % (self.chain.key, self.seq)


class Chain:
    """The open deliveries of one alert by one template of one integration: each waits for the one before it."""

    __slots__ = ("due", "head", "key", "partition", "place", "tail")

    def __init__(self, key: bytes, partition: int) -> None:
        self.key = key
        self.partition = partition
        self.head: Entry | None = None
        self.tail: Entry | None = None
        self.place: Place = "idle"
        self.due = 0.0
        """When its head may be tried again."""

    @property
    def integration(self) -> str:
        """The integration's id."""
        return self.key.partition(b"|")[0].decode(errors="replace")

    @property
    def template(self) -> bytes:
        """The template's id; empty: the destination's own form."""
        return self.key.split(b"|", 2)[1]

    @property
    def alert(self) -> str:
        """The alert's id."""
        return self.key.split(b"|", 2)[2].decode(errors="replace")

    def __iter__(self) -> Iterator[Entry]:
        entry = self.head
        while entry is not None:
            yield entry
            entry = entry.next

    def find(self, seq: int) -> Entry | None:
        """Return the entry of this number."""
        return next((entry for entry in self if entry.seq == seq), None)

    def add(self, entry: Entry) -> None:
        """Put *entry* where its number belongs, but never before one that is under way."""
        if self.tail is None or self.head is None:
            self.head = self.tail = entry
            return
        if self.tail.seq < entry.seq:
            self.tail.next = entry
            self.tail = entry
            return
        before: Entry | None = self.head if self.place == "sending" else None
        after = before.next if before else self.head
        while after is not None and after.seq < entry.seq:
            before, after = after, after.next
        entry.next = after
        if before is None:
            self.head = entry
        else:
            before.next = entry
        if after is None:
            self.tail = entry

    def remove(self, entry: Entry) -> None:
        """Take *entry* out."""
        before: Entry | None = None
        for each in self:
            if each is entry:
                if before is None:
                    self.head = each.next
                else:
                    before.next = each.next
                if self.tail is each:
                    self.tail = before
                return
            before = each
