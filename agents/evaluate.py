"""One evaluation: what changed, against the policies; what comes of it for alerts, in one transaction of the store."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb
import orjson

from agents.alerts import Causes, Changes, Collision, PolicyChange, Refusal, Violation, obey, settle
from agents.book import Book
from agents.look import Look, look_at_accounts, look_at_resources
from agents.rules import covered, route
from agents.trail import trail
from streams.alerts import Alert, AlertCommand, AlertEvent, key_of, write
from streams.audit import AuditRecord
from streams.store import alerts as alert_rows
from streams.store import work as to_do
from streams.store import world
from streams.store.outbox import Outbox, Outgoing
from streams.store.places import Finder
from streams.topics import ALERT_EVENTS, ALERTS, AUDIT_TRAIL, DELIVERIES


class Setting(NamedTuple):
    """What an evaluation goes by: policies and rules, the generation of each partition's owner, the time."""

    book: Book
    generations: Mapping[int, int]
    now: datetime

    @property
    def ms(self) -> int:
        """The time in ms since 1970 UTC."""
        return int(self.now.timestamp() * 1000)

    @property
    def utc(self) -> datetime:
        """The time as the tables hold it."""
        return self.now.astimezone(UTC).replace(tzinfo=None)


@dataclass(slots=True)
class Done:
    """What an evaluation did. *outgoing* lies in the outbox; *more*: there is work left."""

    outgoing: list[Outgoing] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    more: bool = False
    collisions: list[Collision] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def evaluate(db: duckdb.DuckDBPyConnection, setting: Setting, outbox: Outbox, most: int, finder: Finder) -> Done:
    """Evaluate up to *most* pieces of work of the partitions that *setting* names, inside the caller's transaction."""
    done = Done()
    work = to_do.waiting(db, setting.generations.keys(), most)
    if not work:
        return done
    messages = _Messages(setting)
    rids = list(dict.fromkeys(piece.rid for piece in work))
    asked = frozenset(piece.policy for piece in work if piece.policy)
    touched = world.gather(db, rids, finder)
    there = alert_rows.of_subjects(db, rids, finder)
    first = look_at_resources(db, setting.book, touched, there, asked, setting.now)
    told = trail(db, touched, rids, finder, setting.ms)
    second = look_at_accounts(db, setting.book, touched.seen, there, asked, setting.now, finder)
    for one in (first, second):
        for part, changes in _settled(setting, one):
            messages.add(part, changes)
            done.counts.update(f"alerts {event.kind}" for event in changes.events)
            done.collisions += changes.collisions
    finder.rows_gone("alerts", _write(db, [*first.there, *second.there], messages))
    messages.audit(told)
    to_do.clear(db, work)
    done.outgoing = outbox.put(db, messages.records, setting.utc)
    done.counts["evaluated"] = len(rids)
    done.more = len(work) == most
    return done


def command(
    db: duckdb.DuckDBPyConnection, setting: Setting, outbox: Outbox, part: int, commands: Sequence[AlertCommand]
) -> Done:
    """Obey users' *commands* of one partition, inside the caller's transaction."""
    there = alert_rows.by_id(db, [one.alert for one in commands])
    mine = {row.alert.id: row.alert for row in there if row.part == part}
    changes = obey(mine, commands, setting.ms, generation=setting.generations[part])
    messages = _Messages(setting)
    messages.add(part, changes)
    _write(db, there, messages)
    reopened = [event.alert.id for event in changes.events if event.kind == "reopened"]
    if reopened:  # what was mended meanwhile resolves now
        to_do.note_alerts(db, part, reopened)
    done = Done(outbox.put(db, messages.records, setting.utc), refusals=list(changes.refusals))
    done.counts.update(f"alerts {event.kind}" for event in changes.events)
    return done


def _settled(setting: Setting, one: Look) -> Iterable[tuple[int, Changes]]:
    """Yield what changes in each partition; alerts in partitions of another owner stay as they are."""
    now: dict[int, list[Violation]] = defaultdict(list)
    uncovered: set[str] = set()
    for part, violation in one.found:
        if covered(setting.book.rules, violation.policy, violation.resource):
            now[part].append(violation)
        else:
            uncovered.add(violation.alert)
    former: dict[int, dict[str, Alert]] = defaultdict(dict)
    for row in one.there:
        former[row.part][row.alert.id] = row.alert
    for part in sorted((now.keys() | former.keys()) & setting.generations.keys()):
        alerts, generation = former[part], setting.generations[part]
        dropped = {id: alert for id, alert in alerts.items() if id in uncovered}
        kept = {id: alert for id, alert in alerts.items() if id not in uncovered}
        deleted = {alert.resource.subject for alert in alerts.values() if alert.resource.rrn} - one.alive
        causes = Causes(policies=_policy_changes(setting.book, alerts, one.asked), deleted=deleted)
        yield part, settle(kept, now[part], setting.ms, generation=generation, causes=causes)
        if dropped:
            by_rule = Causes(alerts={id: setting.book.why_uncovered(alert) for id, alert in dropped.items()})
            yield part, settle(dropped, (), setting.ms, generation=generation, causes=by_rule)


def _policy_changes(book: Book, alerts: Mapping[str, Alert], asked: AbstractSet[str]) -> dict[str, PolicyChange]:
    changes: dict[str, PolicyChange] = {}
    for id in {alert.policy.id for alert in alerts.values()}:
        if id in book.disabled:
            changes[id] = "POLICY_DISABLED"
        elif id not in book.policies:
            changes[id] = "POLICY_DELETED"
        elif id in asked:
            changes[id] = "POLICY_UPDATED"
    for id in asked & book.policies.keys():
        changes.setdefault(id, "POLICY_UPDATED")
    return changes


class _Messages:
    """What goes out, in this order: events and their deliveries, then the alerts as they are now."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.records: list[tuple[int, str, bytes, bytes]] = []
        self.changed: list[tuple[int, Alert]] = []

    def add(self, part: int, changes: Changes) -> None:
        for event in changes.events:
            self.records.append((part, ALERT_EVENTS.name, key_of(event), write(event)))
            for delivery in route(self._setting.book.rules, event):
                self.records.append((part, DELIVERIES.name, key_of(delivery), write(delivery)))
            self._tell(part, _audit_of_alert(event))
        self.changed += [(part, alert) for alert in changes.alerts]

    def alert(self, row: alert_rows.Row) -> None:
        self.records.append((row.part, ALERTS.name, row.alert.id.encode(), row.record))

    def audit(self, records: Iterable[tuple[int, AuditRecord]]) -> None:
        for part, record in records:
            self._tell(part, record)

    def _tell(self, part: int, record: AuditRecord) -> None:
        self.records.append((part, AUDIT_TRAIL.name, record.rrn.encode(), orjson.dumps(record)))


def _write(db: duckdb.DuckDBPyConnection, there: Sequence[alert_rows.Row], messages: _Messages) -> list[int]:
    """Write the changed alerts, with the fields that another version of Tidegate gave them; return the numbers of the
    rows that these replace.
    """
    before = {(row.part, row.alert.id): row for row in there}
    rows, over = [], []
    for part, alert in messages.changed:
        former = before.get((part, alert.id))
        rows.append(alert_rows.Row(part, alert, write(alert, former.unknown if former else None)))
        if former is not None and former.number is not None:
            over.append(former.number)
    alert_rows.put(db, rows, over)
    for row in rows:
        messages.alert(row)
    return over


def _audit_of_alert(event: AlertEvent) -> AuditRecord:
    alert = event.alert
    return AuditRecord(
        rrn=alert.resource.rrn or alert.resource.account,
        account=alert.resource.account,
        at=event.at,
        kind="alert",
        change=event.kind,
        by=event.by,
        detail={
            "id": alert.id,
            "seq": event.seq,
            "status": alert.status,
            "reason": alert.reason,
            "policy": {"id": alert.policy.id, "name": alert.policy.name, "severity": alert.policy.severity},
        },
    )
