"""The control plane's alert rules with what they name in its place: accounts of groups, tags of resource lists."""

from collections.abc import Mapping

from agents.integrations import Integration
from agents.rules import AlertRule, Places
from streams.control import Control

PEOPLE = ("slack", "teams")
"""Destinations whose messages people read one by one."""
CAP = 200
"""The most messages that people get in an hour, where a channel says nothing of it."""


def places_of(control: Control, integrations: Mapping[str, Integration] | None = None) -> Places:
    """Return what the objects of *control* are now. *integrations*: all there are; none: those of *control*."""
    accounts = control.objects("cloud-account")
    groups: dict[str, set[str]] = {group: set() for group in control.objects("account-group")}
    for id, account in accounts.items():
        for group in account.groups:
            groups.setdefault(group, set()).add(id)
    known: Mapping[str, Integration] = control.objects("integration") if integrations is None else integrations
    return Places(
        groups={group: frozenset(ids) for group, ids in groups.items()},
        lists={
            id: {tag.key: tuple(tag.values) for tag in each.tags}
            for id, each in control.objects("resource-list").items()
        },
        off=frozenset(id for id, account in accounts.items() if not account.enabled),
        caps={id: CAP for id, one in known.items() if one.type in PEOPLE},
    )


def resolved_rules(control: Control) -> Mapping[str, AlertRule]:
    """Return the alert rules of *control* by id, each able to tell what it covers now."""
    places = places_of(control)
    return {id: rule.resolved(places) for id, rule in control.objects("alert-rule").items()}
