"""Which alerts a client asks for: its filters and time range as a condition of the store's table."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from agents.places import resolved_rules
from api.prisma import times
from api.prisma.failures import bad
from api.prisma.words import STATUSES, cloud_in, suggestion
from streams.alerts import Alert
from streams.control import Control


class Condition(NamedTuple):
    """A condition in SQL over `alerts` with its values; *covered*: besides, one of these rules must cover the alert."""

    sql: str
    values: list[Any]
    covered: list[Any]

    def holds(self, alert: Alert) -> bool:
        """Return whether one of the rules covers *alert*, where rules are asked for."""
        return not self.covered or any(rule.covers(alert.policy, alert.resource) for rule in self.covered)


class Sources(NamedTuple):
    """What filters by name are looked up in."""

    policies: Mapping[str, Any]
    rules: Mapping[str, Any]
    accounts: Mapping[str, Any]
    groups: Mapping[str, Any]


def sources(control: Control) -> Sources:
    """Return the objects as they are."""
    return Sources(
        control.objects("policy"),
        resolved_rules(control),
        control.objects("cloud-account"),
        control.objects("account-group"),
    )


def condition(filters: Iterable[tuple[str, str]], range_: Any, now: int, known: Sources) -> Condition:
    """Return what *filters*, pairs of name and value, and *range_*, a body's timeRange, ask for at *now*.

    Of values of one name one is enough. Raises Failure for a name or value that can't be.
    """
    chosen: dict[str, list[str]] = {}
    for name, value in filters:
        if name not in FILTERS:
            raise bad(f"filters.{name:.60}", f"there is no such filter; {suggestion(name, FILTERS)}")
        if value not in chosen.setdefault(name, []):
            chosen[name].append(value)
    parts = ["true"]
    values: list[Any] = []
    covered: list[Any] = []
    for name, wanted in chosen.items():
        if name == "timeRange.type":
            continue
        if name == "alertRule.name":
            covered = [rule for rule in known.rules.values() if rule.name in wanted]
            parts += [] if covered else ["false"]
            continue
        column, texts = FILTERS[name](wanted, known)
        if column is None:  # decided already
            parts += ["true" if texts else "false"]
        else:
            parts.append(f"{column} in (select unnest(?::VARCHAR[]))")
            values.append(list(texts))
    start, end = times.read(range_, now)
    moment = _MOMENTS.get(chosen.get("timeRange.type", ["ALERT_OPENED"])[0].upper())
    if moment is None:
        raise bad("timeRange.type", f"wanted one of {', '.join(_MOMENTS)}")
    if (start, end) != times.EVER:
        parts.append(f"epoch_ms({moment}) between ? and ?")
        values += [start, min(end, times.EVER.end)]
    return Condition(" and ".join(parts), values, covered)


Made = tuple[str | None, Iterable[str]]
Filter = Callable[[list[str], Sources], Made]


def _column(column: str) -> Filter:
    return lambda wanted, _: (column, wanted)


def _fixed(*texts: str) -> Filter:
    """A filter on what is the same of all alerts."""
    return lambda wanted, _: (None, [each for each in wanted if each.lower() in texts])


def _status(wanted: list[str], _: Sources) -> Made:
    for each in wanted:
        if each.lower() not in STATUSES:
            raise bad("alert.status", f"{each!r:.60}: wanted one of {', '.join(STATUSES)}")
    return "status", [each.lower() for each in wanted]


def _accounts(wanted: list[str], known: Sources) -> Made:
    named = [id for id, account in known.accounts.items() if account.name in wanted]
    return "account", [*named, *wanted]


def _groups(wanted: list[str], known: Sources) -> Made:
    groups = {id for id, group in known.groups.items() if group.name in wanted or id in wanted}
    return "account", [id for id, account in known.accounts.items() if not groups.isdisjoint(account.groups)]


def _standard(wanted: list[str], known: Sources) -> Made:
    return "policy", [
        id for id, policy in known.policies.items() if any(each.standard in wanted for each in policy.compliance)
    ]


def _requirement(wanted: list[str], known: Sources) -> Made:
    return "policy", [
        id for id, policy in known.policies.items() if any(each.requirement in wanted for each in policy.compliance)
    ]


def _label(wanted: list[str], known: Sources) -> Made:
    return "policy", [id for id, policy in known.policies.items() if not set(wanted).isdisjoint(policy.labels)]


FILTERS: Mapping[str, Filter] = {
    "alert.id": _column("id"),
    "alert.status": _status,
    "alertRule.name": _fixed(),
    "cloud.account": _accounts,
    "cloud.accountId": _column("account"),
    "account.group": _groups,
    "cloud.type": lambda wanted, _: ("cloud", [cloud_in(each) for each in wanted]),
    "cloud.region": _column("region"),
    "cloud.service": _column("record->>'$.resource.service'"),
    "policy.id": _column("policy"),
    "policy.name": _column("policy_name"),
    "policy.severity": lambda wanted, _: ("severity", [each.lower() for each in wanted]),
    "policy.label": _label,
    "policy.type": _fixed("config"),
    "policy.subtype": _fixed("run"),
    "policy.remediable": _fixed("false"),
    "policy.complianceStandard": _standard,
    "policy.complianceRequirement": _requirement,
    "policy.complianceSection": _requirement,
    "resource.id": _column("record->>'$.resource.id'"),
    "resource.name": _column("resource"),
    "resource.type": _column("record->>'$.resource.resource_type'"),
    "timeRange.type": _fixed(),
}
"""Every filter by its name; a client's word for each status, severity or cloud in any case."""

_MOMENTS = {"ALERT_OPENED": "opened", "ALERT_STATUS_UPDATED": "updated", "ALERT_UPDATED": "updated"}
