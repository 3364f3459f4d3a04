"""How a delivery ended, and what that writes: its tombstone, its line in the log, an entry in the ledger."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson

from agents.deliver.entry import Entry
from agents.ingest import dead_letter
from agents.normalise._base import Bad
from streams.alerts import Delivery
from streams.identity import Place
from streams.produce import Record
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, DELIVERIES, DELIVERY_LOG, LEDGER, full_name

End = Literal["delivered", "superseded", "dead-letter", "not-applicable", "dropped", "withdrawn", "repeated"]
"""The destination has it; a newer state of the alert made it void; it will never take it; it is not for it; the
integration is gone; it waited, and isn't wanted any more; it had ended before.
"""


@dataclass(slots=True)  # not frozen: that would double what each costs
class LogLine:
    """A record of `delivery-log`. Times: ms since 1970 UTC; 0: never."""

    integration: str
    template: str
    alert: str
    seq: int
    outcome: End
    words: str
    """What the destination said, or why."""
    attempts: int
    first: int
    """When it was tried first, and last."""
    last: int
    ended: int
    took: int
    """Milliseconds from the alert's event to the end."""


class Ended(NamedTuple):
    """A delivery that is over, with what its end says. *at*: the event's time; *made*: the ledger's entry, if any."""

    entry: Entry
    outcome: End
    words: str
    at: int
    made: Mapping[str, Any] | None = None
    delivery: Delivery | None = None


def superseded(entry: Entry) -> Ended:
    """Return the end of what a newer state of the alert made void."""
    return Ended(entry, "superseded", "a newer state of the alert made it void", entry.at)


def withdrawn(entry: Entry) -> Ended:
    """Return the end of what waited for its time, and of what took it back."""
    words = "it takes back what waited" if entry.held.withdraws else "the alert left this state before its time came"
    return Ended(entry, "withdrawn", words, entry.at)


def log_line(ended: Ended, now: int) -> bytes:
    """Return the line of the delivery log."""
    entry = ended.entry
    integration, template, alert = entry.chain.key.decode(errors="replace").split("|", 2)
    line = LogLine(
        integration,
        template,
        alert,
        entry.seq,
        ended.outcome,
        ended.words,
        entry.attempts,
        entry.first,
        entry.last,
        now,
        max(now - ended.at, 0),
    )
    return orjson.dumps(line)


def ledger_key(chain: bytes) -> bytes:
    """Return the ledger's key, `integration|alert id`, of the alert of this chain."""
    integration, _, alert = chain.split(b"|", 2)
    return integration + b"|" + alert


def records(settings: Settings, batch: Iterable[Ended]) -> list[tuple[str, list[Record]]]:
    """Return what the ends write, by the full name of the topic, in the order in which that must be acknowledged.

    The tombstones come last: until then a worker that takes over would have to do it all again.
    """
    now = int(time.time() * 1000)
    letters: list[Record] = []
    ledger: list[Record] = []
    log: list[Record] = []
    tombstones: list[Record] = []
    for ended in batch:
        entry = ended.entry
        partition, key = entry.chain.partition, entry.key
        if ended.outcome == "dead-letter":
            letters.append(_letter(settings, ended))
        if ended.made is not None:
            ledger.append((partition, ledger_key(entry.chain.key), orjson.dumps(_entry(ended, now))))
        if ended.outcome != "repeated":
            log.append((partition, key, log_line(ended, now)))
        tombstones.append((partition, key, None))
    topics = ((DEAD_LETTERS, letters), (LEDGER, ledger), (DELIVERY_LOG, log), (DELIVERIES, tombstones))
    return [(full_name(settings, topic), written) for topic, written in topics if written]


def _entry(ended: Ended, now: int) -> dict[str, Any]:
    integration, alert = ledger_key(ended.entry.chain.key).decode(errors="replace").split("|", 1)
    status = ended.delivery.event.alert.status if ended.delivery else ""
    told = {"integration": integration, "alert": alert, "seq": ended.entry.seq, "status": status, "at": now}
    return told | {"entry": dict(ended.made or {})}


def _letter(settings: Settings, ended: Ended) -> Record:
    """Return the dead letter: the delivery as it was, and the destination's words."""
    entry = ended.entry
    bad = Bad("", ended.words, "", entry.value or b"")
    place = Place(full_name(settings, DELIVERIES), entry.chain.partition, entry.offset, entry.at)
    return dead_letter(settings, f"deliver-{entry.chain.integration}", bad, place)
