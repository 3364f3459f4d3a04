"""Alert rules: which violations become alerts, and who hears of their events."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from streams.alerts import AlertEvent, AlertPolicy, AlertResource, AlertStatus, Delivery, RuleName
from streams.records import Cloud, Severity

Text = Annotated[str, Field(min_length=1)]


class Channel(BaseModel):
    """An integration that hears of a rule's alerts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    integration: Text = Field(description="The integration's id.")
    template: str = Field(default="", description="A notification template's id; empty: the destination's own form.")
    states: tuple[AlertStatus, ...] = Field(
        default=("open",),
        min_length=1,
        description="The states that are told. Without `resolved` a ticket or incident there is never closed by us.",
    )


class AlertRule(BaseModel):
    """One alert rule. An alert is raised where at least one enabled rule covers the policy and the resource.

    An empty choice chooses everything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: Text = Field(description="Never changes.")
    name: Text = Field(description="What people call it; messages name it.")
    enabled: StrictBool = Field(default=True, description="A disabled rule covers nothing.")
    policies: tuple[Text, ...] = Field(default=(), description="Ids of policies.")
    excluded_policies: tuple[Text, ...] = Field(default=(), description="Ids of policies that it doesn't cover.")
    severities: tuple[Severity, ...] = Field(default=(), description="Severities of policies.")
    labels: tuple[Text, ...] = Field(default=(), description="Labels of which a policy must have one.")
    clouds: tuple[Cloud, ...] = Field(default=(), description="Clouds.")
    accounts: tuple[Text, ...] = Field(default=(), description="Canonical cloud accounts.")
    excluded_accounts: tuple[Text, ...] = Field(default=(), description="Accounts that it doesn't cover.")
    regions: tuple[Text, ...] = Field(default=(), description="The providers' region ids.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of which a resource must have one.")
    channels: tuple[Channel, ...] = Field(default=(), description="Who hears of it; none: the alerts are raised only.")

    def covers(self, policy: AlertPolicy, resource: AlertResource) -> bool:
        """Return whether a violation of *policy* by *resource* raises an alert by this rule."""
        return (
            self.enabled
            and _chosen(policy.id, self.policies)
            and policy.id not in self.excluded_policies
            and _chosen(policy.severity, self.severities)
            and (not self.labels or not set(self.labels).isdisjoint(policy.labels))
            and _chosen(resource.cloud, self.clouds)
            and _chosen(resource.account, self.accounts)
            and resource.account not in self.excluded_accounts
            and _chosen(resource.region, self.regions)
            and (not self.tags or any(resource.tags.get(key) == value for key, value in self.tags.items()))
        )


DEFAULT = AlertRule(id="default", name="Default alert rule")
"""Covers everything and notifies nobody."""


def covered(rules: Iterable[AlertRule], policy: AlertPolicy, resource: AlertResource) -> bool:
    """Return whether any rule raises an alert for a violation of *policy* by *resource*."""
    return any(rule.covers(policy, resource) for rule in rules)


def route(rules: Sequence[AlertRule], event: AlertEvent) -> list[Delivery]:
    """Return the deliveries of *event*: one for each integration and template that a covering rule's channel names."""
    alert = event.alert
    told: dict[tuple[str, str], list[RuleName]] = {}
    for rule in rules:
        if not rule.covers(alert.policy, alert.resource):
            continue
        for channel in rule.channels:
            if alert.status in channel.states:
                names = told.setdefault((channel.integration, channel.template), [])
                if all(name.id != rule.id for name in names):
                    names.append(RuleName(id=rule.id, name=rule.name))
    return [
        Delivery(integration=integration, template=template, event=event, rules=names)
        for (integration, template), names in told.items()
    ]


def _chosen(value: str, choice: Sequence[str]) -> bool:
    return not choice or value in choice
