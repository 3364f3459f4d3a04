"""What evaluations and users change in alerts: functions from alerts as they are to events, without clock or store."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from streams.alerts import (
    Alert,
    AlertCommand,
    AlertEvent,
    AlertPolicy,
    AlertResource,
    AlertStatus,
    AlertStep,
    Reason,
    Transition,
    alert_id,
    capped,
)

Alerts: TypeAlias = Mapping[str, Alert]
"""Alerts by id."""

PolicyChange: TypeAlias = Literal[
    "POLICY_UPDATED",
    "POLICY_DISABLED",
    "POLICY_DELETED",
    "ALERT_RULE_UPDATED",
    "ALERT_RULE_DISABLED",
    "ALERT_RULE_DELETED",
    "ACCOUNT_GROUP_UPDATED",
    "ACCOUNT_GROUP_DELETED",
]

REMEMBERED = 8
"""How many obeyed commands an alert remembers."""
STEPS = 20
"""How many changes of its status an alert remembers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A policy is violated by a resource, or by an account (and region) in which too few are, now."""

    policy: AlertPolicy
    resource: AlertResource
    findings: tuple[str, ...] = ()
    """The ids of the findings that the policy asked for."""
    config: bytes | None = None
    """The resource's configuration as JSON, for the events."""

    @property
    def alert(self) -> str:
        """The id of its alert."""
        return alert_id(self.policy.id, self.resource.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """Why there was an evaluation, where it wasn't that a resource or finding changed."""

    policies: Mapping[str, PolicyChange] = field(default_factory=dict)
    """What happened to a policy, or to what covers it, by the policy's id."""
    alerts: Mapping[str, PolicyChange] = field(default_factory=dict)
    """The same of single alerts, by id; it goes before."""
    deleted: AbstractSet[str] = frozenset()
    """Subjects that are deleted: rrns, accounts, `account|region`."""


@dataclass(frozen=True, slots=True)
class Collision:
    """Two pairs of policy and subject with one alert id: the second has no alert, and the operator must know."""

    alert: str
    kept: tuple[str, str]
    dropped: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that can't be obeyed, with the reason for its user."""

    command: AlertCommand
    words: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written, ordered by alert, then seq."""

    alerts: tuple[Alert, ...] = ()
    """The new state of each alert that changed; without an event where only a command is remembered."""
    events: tuple[AlertEvent, ...] = ()
    collisions: tuple[Collision, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def settle(
    alerts: Alerts, violations: Iterable[Violation], now: int, *, generation: int = 0, causes: Causes | None = None
) -> Changes:
    """Return how *alerts* change when *violations* are all there are of what was evaluated.

    *alerts* are those of the evaluated policies and subjects in every status, the resolved ones included, and no
    others: what is open among them and not violated any more is resolved. *now*: ms since 1970 UTC. A dismissed or
    snoozed alert keeps its status whatever an evaluation finds. Alerts of a higher *generation* are left alone: the
    partition has another owner.
    """
    causes = causes or Causes()
    found, collisions = _by_alert(alerts, violations)
    events = []
    for id in sorted(alerts.keys() | found.keys()):
        alert, violation = alerts.get(id), found.get(id)
        if alert is not None and alert.generation > generation:
            continue
        event = _transition(alert, violation, now, causes)
        if event is not None:
            events.append(replace(event, alert=replace(event.alert, generation=generation)))
    return Changes(tuple(event.alert for event in events), tuple(events), tuple(collisions))


def obey(alerts: Alerts, commands: Iterable[AlertCommand], now: int, *, generation: int = 0) -> Changes:
    """Return how *alerts* change by the users' *commands*, in their order; a command that was obeyed changes nothing.

    What was reopened has to be evaluated again: nothing was resolved while it was dismissed.
    """
    current: dict[str, Alert] = {}
    events: list[AlertEvent] = []
    refusals: list[Refusal] = []
    for command in commands:
        alert = current.get(command.alert) or alerts.get(command.alert)
        if alert is None:
            refusals.append(Refusal(command, f"there is no alert {command.alert}"))
        elif command.id in alert.commands or alert.generation > generation or _too_early(alert, command, now):
            continue
        elif alert.status == "resolved":
            refusals.append(Refusal(command, f"{alert.id} is resolved ({alert.reason}): nothing to {command.action}"))
        elif command.action == "snooze" and (command.until or 0) <= now:
            refusals.append(Refusal(command, f"{alert.id}: until: the time to snooze it for is over: {command.until}"))
        else:
            remembered = [*alert.commands, command.id][-REMEMBERED:]
            alert = replace(alert, commands=remembered, generation=generation)
            event = _commanded(alert, command, now)
            current[alert.id] = alert if event is None else event.alert
            events += [event] if event else []
    return Changes(
        tuple(current[id] for id in sorted(current)),
        tuple(sorted(events, key=lambda event: (event.alert.id, event.seq))),
        refusals=tuple(refusals),
    )


def apply(alerts: Alerts, changes: Changes) -> dict[str, Alert]:
    """Return *alerts* with *changes* in them. What is there already, or was overtaken, changes nothing."""
    after = dict(alerts)
    for alert in changes.alerts:
        before = after.get(alert.id)
        if before is None or before.seq <= alert.seq:
            after[alert.id] = alert
    return after


def _by_alert(alerts: Alerts, violations: Iterable[Violation]) -> tuple[dict[str, Violation], list[Collision]]:
    """Return one violation an alert, the same whatever their order, and those whose id is another's."""
    groups: dict[str, dict[tuple[str, str], list[Violation]]] = {}
    for violation in violations:
        pair = (violation.policy.id, violation.resource.subject)
        groups.setdefault(violation.alert, {}).setdefault(pair, []).append(violation)
    found: dict[str, Violation] = {}
    collisions: list[Collision] = []
    for id, pairs in groups.items():
        kept = _pair(alerts[id]) if id in alerts else min(pairs)
        collisions += [Collision(id, kept, pair) for pair in sorted(pairs) if pair != kept]
        if kept in pairs:
            found[id] = _merged(pairs[kept])
    return found, sorted(collisions, key=lambda one: (one.alert, one.dropped))


def _pair(alert: Alert) -> tuple[str, str]:
    return alert.policy.id, alert.resource.subject


def _merged(rows: list[Violation]) -> Violation:
    """A join gives a row for each match: one violation of them, with all their findings."""
    first = rows[0] if len(rows) == 1 else min(rows, key=repr)
    findings = {finding for row in rows for finding in row.findings}
    return replace(first, findings=tuple(sorted(findings)))


def _transition(alert: Alert | None, violation: Violation | None, now: int, causes: Causes) -> AlertEvent | None:
    if violation is None:
        if alert is None or alert.status != "open":
            return None
        return _event(alert, "resolved", now, status="resolved", reason=_resolved_for(alert, causes))
    if alert is None:
        fresh = Alert(
            id=violation.alert,
            policy=violation.policy,
            resource=violation.resource,
            status="open",
            reason="NEW_ALERT",
            first_seen=now,
            last_seen=now,
            opened=now,
            updated=now,
            seq=0,
        )
        return _event(fresh, "opened", now, violation)
    reason: Reason = causes.policies.get(alert.policy.id, "RESOURCE_UPDATED")
    if alert.status == "resolved":
        again = replace(alert, dismissed_by="", dismissal_note="", snoozed_until=None)
        return _event(again, "reopened", now, violation, status="open", reason=reason)
    if _facts(alert) == (violation.policy, violation.resource, list(violation.findings)):
        return None
    # The reason of a dismissal stays with it; an update tells an open alert's readers why.
    return _event(alert, "updated", now, violation, reason=reason if alert.status == "open" else alert.reason)


def _facts(alert: Alert) -> tuple[AlertPolicy, AlertResource, list[str]]:
    """What an update is told for. Neither times nor the configuration itself: that changes all the time."""
    return alert.policy, alert.resource, alert.findings


def _resolved_for(alert: Alert, causes: Causes) -> Reason:
    change = causes.alerts.get(alert.id) or causes.policies.get(alert.policy.id)
    if change in ("POLICY_DELETED", "POLICY_DISABLED"):
        return change
    if alert.resource.subject in causes.deleted:
        return "RESOURCE_DELETED"
    return change or "RESOURCE_UPDATED"


def _too_early(alert: Alert, command: AlertCommand, now: int) -> bool:
    return command.action == "wake" and (alert.status != "snoozed" or (alert.snoozed_until or 0) > now)


def _commanded(alert: Alert, command: AlertCommand, now: int) -> AlertEvent | None:
    if command.action == "dismiss":
        if alert.status == "dismissed" and (alert.dismissed_by, alert.dismissal_note) == (command.by, command.note):
            return None
        done = replace(alert, dismissed_by=command.by, dismissal_note=command.note, snoozed_until=None)
        return _event(done, "dismissed", now, status="dismissed", reason="USER_DISMISSED", by=command.by)
    if command.action == "snooze":
        said = (command.by, command.note, command.until)
        if alert.status == "snoozed" and (alert.dismissed_by, alert.dismissal_note, alert.snoozed_until) == said:
            return None
        done = replace(alert, dismissed_by=command.by, dismissal_note=command.note, snoozed_until=command.until)
        return _event(done, "snoozed", now, status="snoozed", reason="USER_DISMISSED", by=command.by)
    if alert.status == "open":
        return None
    done = replace(alert, dismissed_by="", dismissal_note="", snoozed_until=None)
    reason: Reason = "SNOOZED_AUTO_REOPEN" if command.action == "wake" else "USER_REOPENED"
    return _event(done, "reopened", now, status="open", reason=reason, by=command.by)


def _event(
    alert: Alert,
    kind: Transition,
    now: int,
    violation: Violation | None = None,
    *,
    status: AlertStatus | None = None,
    reason: Reason | None = None,
    by: str = "",
) -> AlertEvent:
    """Return the next event of *alert*, with what *violation* says of it now."""
    after = replace(alert, status=status or alert.status, reason=reason or alert.reason, updated=now, seq=alert.seq + 1)
    if violation is not None:
        after = replace(
            after,
            policy=violation.policy,
            resource=violation.resource,
            findings=list(violation.findings),
            last_seen=now,
        )
    if kind != "updated":
        step = AlertStep(at=now, status=after.status, reason=after.reason, by=by)
        after = replace(after, history=[*alert.history, step][-STEPS:])
    config = None if violation is None else capped(violation.config)
    return AlertEvent(id=f"{after.id}-{after.seq}", seq=after.seq, kind=kind, at=now, by=by, alert=after, config=config)
