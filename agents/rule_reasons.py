"""Why an alert rule doesn't cover an alert, and what its channels won't hear, in words for its author."""

from collections.abc import Iterator, Mapping, Sequence

from agents.integrations import Integration
from agents.rules import NOBODY, AlertRule, Places
from agents.sinks import SINKS
from streams.alerts import AlertPolicy, AlertResource


def why_not(rule: AlertRule, policy: AlertPolicy, resource: AlertResource, places: Places | None = None) -> list[str]:
    """Return what keeps *rule* from covering a violation of *policy* by *resource*; nothing where it covers it.

    *places*: what the rule names.
    """
    places = places or Places()
    return list(_hindrances(rule, rule.resolved(places), policy, resource, places))


def unheard(rule: AlertRule, integrations: Mapping[str, Integration]) -> Iterator[str]:
    """Yield a sentence for each channel that keeps an alert's state elsewhere and won't be told when it is resolved."""
    for number, channel in enumerate(rule.channels):
        integration = integrations.get(channel.integration)
        sink = SINKS.get(integration.type) if integration else None
        if sink is not None and sink.keeps == "latest state" and "resolved" not in channel.states:
            yield (
                f"channels[{number}]: {channel.integration} ({sink.name}) opens what it will never close: it isn't told"
                " of resolved alerts; add `resolved` to its states"
            )


def _hindrances(
    rule: AlertRule, resolved: AlertRule, policy: AlertPolicy, resource: AlertResource, places: Places
) -> Iterator[str]:
    if not rule.enabled:
        yield "it is disabled"
    yield from _outside("policies", policy.id, rule.policies)
    if policy.id in rule.excluded_policies:
        yield f"excluded_policies: has {policy.id}"
    yield from _outside("severities", policy.severity, rule.severities)
    if rule.labels and set(rule.labels).isdisjoint(policy.labels):
        yield f"labels: the policy has {_list(policy.labels)}, none of {_list(rule.labels)}"
    if rule.standards and not {one.standard for one in policy.compliance} & set(rule.standards):
        known = sorted({one.standard for one in policy.compliance})
        yield f"standards: the policy checks {_list(known)}, none of {_list(rule.standards)}"
    yield from _outside("clouds", resource.cloud, rule.clouds)
    if rule.account_groups and resource.account not in resolved.accounts:
        yield f"account_groups: {resource.account} is in none of {_list(rule.account_groups)}"
    elif not rule.account_groups:
        yield from _outside("accounts", resource.account, rule.accounts)
    if resource.account in rule.excluded_accounts:
        yield f"excluded_accounts: has {resource.account}"
    elif resource.account in places.off:
        yield f"the cloud account {resource.account} is disabled"
    yield from _outside("regions", resource.region, rule.regions)
    if resolved.tags and not resolved.tagged(resource):
        field = "tags" if rule.tags else "resource_lists"
        wanted = [_spelled(key, values) for key, values in resolved.tags.items()]
        yield f"{field}: the resource has none of {_list(wanted)}"


def _outside(field: str, value: str, choice: Sequence[str]) -> Iterator[str]:
    if choice and value not in choice:
        yield f"{field}: {value or 'none'} isn't among {_list(choice)}"


def _spelled(key: str, values: str | tuple[str, ...]) -> str:
    if key == NOBODY:
        return "what lists hold that aren't there"
    said = (values,) if isinstance(values, str) else values
    return f"{key}={'|'.join(said)}" if said else key


def _list(values: Sequence[str]) -> str:
    shown = ", ".join(values[:5])
    return (f"{shown} and {len(values) - 5} more" if len(values) > 5 else shown) or "none"
