"""What goes to the open table, and when: what doesn't end soon, so that its batch can be acknowledged."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from agents.deliver.arrivals import Arrival, Part
from agents.deliver.entry import Chain, Entry
from agents.deliver.table import Change, OpenTable, Row

SOON_S = 0.5
"""How long a delivery that is stuck stays in memory only, in seconds."""
LONG_S = 15.0
"""The same of one whose turn comes soon: it would be written only to be deleted."""
OFFSETS_S = 1.0
"""How often offsets and ends are written where nothing else is to be: what a crash loses is read again."""


class Keeping:
    """Collects what the next transaction has to do, and does it."""

    def __init__(
        self, topic: str, table: OpenTable, waits: Callable[[Chain], bool], smooth: Callable[[], bool]
    ) -> None:
        """*waits*: whether the chain's turn won't come soon; *smooth*: whether that holds for none."""
        self._topic = topic
        self._table = table
        self._waits = waits
        self._smooth = smooth
        self._closed: list[tuple[int, int]] = []
        self._tried: dict[tuple[int, int], Entry] = {}
        self._ledger: dict[bytes, tuple[int, bytes | None]] = {}
        self._written = float("-inf")

    def closed(self, entry: Entry) -> None:
        """Take the row of *entry*, which is over, out of the table."""
        place = (entry.chain.partition, entry.offset)
        self._closed.append(place)
        self._tried.pop(place, None)

    def tried(self, entry: Entry) -> None:
        """Note the attempts at *entry* in its row."""
        if entry.stored:
            self._tried[entry.chain.partition, entry.offset] = entry

    def entered(self, part: int, key: bytes, made: Mapping[str, Any]) -> None:
        """Keep the ledger's entry."""
        self._ledger[key] = (part, orjson.dumps(dict(made)))

    async def write(self, parts: Mapping[int, Part], now: float, *, everything: bool = False) -> int:
        """Write what is due, or *everything* that is open; return how many deliveries went into the table."""
        spilled = [entry for part in parts.values() for entry in self._stuck(part, now, everything=everything)]
        if not spilled and not everything and now - self._written < OFFSETS_S:
            return 0
        safe: Counter[Arrival] = Counter(entry.arrival for entry in spilled)
        ends = {n: part.settled(lambda arrival: safe[arrival]) for n, part in parts.items()}
        offsets = {(self._topic, n): end for n, end in ends.items() if end > parts[n].kept}
        closed, self._closed = self._closed, []
        tried, self._tried = self._tried, {}
        ledger, self._ledger = self._ledger, {}
        self._written = now
        if not (spilled or offsets or closed or tried or ledger):
            return 0
        await self._table.write(
            Change(
                [_row(entry) for entry in spilled],
                closed,
                [(e.attempts, e.first, e.last, e.words, *place) for place, e in tried.items()],
                [(part, key, value) for key, (part, value) in ledger.items()],
                offsets,
            )
        )
        for entry in spilled:
            self._safe(entry)
        for number, end in ends.items():
            parts[number].kept = max(parts[number].kept, end)
            parts[number].trim()
        return len(spilled)

    def _stuck(self, part: Part, now: float, *, everything: bool) -> list[Entry]:
        stuck: list[Entry] = []
        soon = LONG_S if part.begun and self._smooth() else SOON_S
        for arrival in part.arrivals:
            age = now - arrival.when
            if age < soon and not everything:
                break
            arrival.entries = [e for e in arrival.entries if not (e.ended or e.stored)]
            stuck += [
                e
                for e in arrival.entries
                if e.value is not None and (everything or age >= LONG_S or not part.begun or self._waits(e.chain))
            ]
        return stuck

    def _safe(self, entry: Entry) -> None:
        entry.stored = True
        arrival, entry.arrival = entry.arrival, None
        if entry.ended:  # while the transaction was under way
            self.closed(entry)
        elif entry.chain.place != "sending" or entry.chain.head is not entry:
            entry.value = None
        if arrival is not None:
            arrival.less()


def _row(entry: Entry) -> Row:
    return Row(
        entry.chain.partition,
        entry.offset,
        entry.key,
        entry.at,
        entry.attempts,
        entry.first,
        entry.last,
        entry.words,
        *entry.held,
        entry.value or b"",
    )
