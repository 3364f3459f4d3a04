"""Alert rules: which violations become alerts, and who hears of their events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from agents.holds import PACE, Pace, Wish, deliveries
from agents.schedule import Digest
from streams.alerts import AlertEvent, AlertPolicy, AlertResource, AlertStatus, Delivery
from streams.records import Cloud, Severity

Text = Annotated[str, Field(min_length=1)]

NOBODY = "no account is in these groups"
"""What stands among a rule's accounts where its groups are empty: no accounts would mean all of them."""


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
    digest: Digest | None = Field(default=None, description="One message at a time of day; none: as it happens.")
    most_an_hour: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Messages at once in an hour; the rest is one message at its end. None: 200 where people read"
        " them (Slack, Teams), else any number.",
    )


@dataclass(frozen=True, slots=True)
class Places:
    """What rules name and no alert holds."""

    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The accounts of each account group."""
    lists: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """The tags of each resource list: values by key, none for any."""
    off: frozenset[str] = frozenset()
    """The accounts in which no alerts are raised."""
    caps: Mapping[str, int] = field(default_factory=dict)
    """The most messages an hour of integrations whose channels say nothing of it."""


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
    standards: tuple[Text, ...] = Field(
        default=(), description="Compliance standards, of one of which a policy must check a requirement."
    )
    clouds: tuple[Cloud, ...] = Field(default=(), description="Clouds.")
    account_groups: tuple[Text, ...] = Field(default=(), description="Ids of account groups.")
    accounts: tuple[Text, ...] = Field(default=(), description="Canonical cloud accounts, besides those of groups.")
    excluded_accounts: tuple[Text, ...] = Field(default=(), description="Accounts that it doesn't cover.")
    regions: tuple[Text, ...] = Field(default=(), description="The providers' region ids.")
    resource_lists: tuple[Text, ...] = Field(
        default=(), description="Ids of resource lists; their tags count as the rule's own."
    )
    tags: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="Tags of which a resource must have one: a value by key, or several, or none for any.",
    )
    delay_s: int = Field(
        default=0, ge=0, le=7 * 86_400, description="An open alert is told when it has been open for so many seconds."
    )
    settle_s: int = Field(
        default=60,
        ge=0,
        le=86_400,
        description="The same for a new alert about a resource younger than 5 minutes, which may still be set up; and"
        " five times as long for one about what an account hasn't.",
    )
    channels: tuple[Channel, ...] = Field(default=(), description="Who hears of it; none: the alerts are raised only.")

    def resolved(self, places: Places) -> "AlertRule":
        """Return the rule with what it names in its place, which can tell what it covers."""
        accounts = {*self.accounts, *(one for group in self.account_groups for one in places.groups.get(group, ()))}
        if not accounts and self.account_groups:
            accounts = {NOBODY}
        tags = {key: _values(value) for key, value in self.tags.items()}
        for name in self.resource_lists:
            for key, values in places.lists.get(name, {}).items():
                own = tags.get(key)
                tags[key] = (*(own or ()), *values) if values and own != () else ()
        if not tags and self.resource_lists:
            tags = {NOBODY: ()}
        return self.model_copy(
            update={
                "account_groups": (),
                "resource_lists": (),
                "accounts": tuple(sorted(accounts)),
                "excluded_accounts": tuple(sorted({*self.excluded_accounts, *places.off})),
                "tags": tags,
                "channels": tuple(_capped(channel, places.caps) for channel in self.channels),
            }
        )

    def covers(self, policy: AlertPolicy, resource: AlertResource) -> bool:
        """Return whether a violation of *policy* by *resource* raises an alert by this rule.

        Raises ValueError where it names groups or lists: only a resolved rule knows what is in them.
        """
        if self.account_groups or self.resource_lists:
            raise ValueError(f"alert rule {self.id} isn't resolved")
        return (
            self.enabled
            and _chosen(policy.id, self.policies)
            and policy.id not in self.excluded_policies
            and _chosen(policy.severity, self.severities)
            and (not self.labels or not set(self.labels).isdisjoint(policy.labels))
            and (not self.standards or any(one.standard in self.standards for one in policy.compliance))
            and _chosen(resource.cloud, self.clouds)
            and (not self.accounts or resource.account in self._in)
            and resource.account not in self._out
            and _chosen(resource.region, self.regions)
            and (not self.tags or self.tagged(resource))
        )

    def tagged(self, resource: AlertResource) -> bool:
        """Return whether *resource* has one of the tags."""
        return any(
            key in resource.tags and (not (values := _values(value)) or resource.tags[key] in values)
            for key, value in self.tags.items()
        )

    @cached_property
    def _in(self) -> frozenset[str]:
        return frozenset(self.accounts)

    @cached_property
    def _out(self) -> frozenset[str]:
        return frozenset(self.excluded_accounts)


DEFAULT = AlertRule(id="default", name="Default alert rule")
"""Covers everything and notifies nobody."""


def covered(rules: Iterable[AlertRule], policy: AlertPolicy, resource: AlertResource) -> bool:
    """Return whether any rule raises an alert for a violation of *policy* by *resource*."""
    return any(rule.covers(policy, resource) for rule in rules)


def route(rules: Sequence[AlertRule], event: AlertEvent, pace: Pace = PACE) -> list[Delivery]:
    """Return the deliveries of *event*: one for each integration and template that a covering rule's channel names.

    *pace* counts them, for channels that take so many an hour.
    """
    alert = event.alert
    wishes = [
        Wish(
            rule=rule.id,
            name=rule.name,
            integration=channel.integration,
            template=channel.template,
            hears=alert.status in channel.states,
            heard=frozenset(channel.states),
            digest=channel.digest,
            most_an_hour=channel.most_an_hour,
            delay_ms=rule.delay_s * 1000,
            settle_ms=rule.settle_s * 1000,
        )
        for rule in rules
        if rule.channels and rule.covers(alert.policy, alert.resource)
        for channel in rule.channels
    ]
    return deliveries(wishes, event, pace)


def _chosen(value: str, choice: Sequence[str]) -> bool:
    return not choice or value in choice


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _capped(channel: Channel, caps: Mapping[str, int]) -> Channel:
    if channel.most_an_hour is not None or channel.integration not in caps:
        return channel
    return channel.model_copy(update={"most_an_hour": caps[channel.integration]})
