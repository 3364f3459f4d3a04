"""Every kind of object that people set up, in the order in which they build on each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from agents import templates
from agents.inbound import INBOUND_INTEGRATIONS
from agents.integrations import Integration
from agents.rule_reasons import unheard
from agents.rules import DEFAULT, AlertRule
from agents.sinks import SINKS
from queries.errors import RqlError
from queries.policy import Policy
from streams.control.access import ACCESS_KEYS, USERS
from streams.control.accounts import ACCOUNT_GROUPS, CLOUD_ACCOUNTS
from streams.control.documents import Document, Path
from streams.control.forms import CLIENT_FORMS
from streams.control.kinds import Kind, Kinds
from streams.control.saved import NOTIFICATION_TEMPLATES, RESOURCE_LISTS, SAVED_SEARCHES
from streams.control.secret_fields import secret_paths
from streams.control.topics import AUDIT_LOG
from streams.topics import Topic


def kinds(policies: Mapping[str, Policy], integrations: Iterable[str] = ()) -> Kinds:
    """Return the kinds by name. *policies*: those that are there without being written, by id; *integrations*: the ids
    of those that the operator's file has.
    """
    policy = Kind(
        name="policy",
        plural="policies",
        about="policies of your own, and what you changed of those that come with Tidegate",
        model=Policy,
        example={
            "id": "instances-without-an-owner",
            "name": "Instances without an owner",
            "severity": "low",
            "description": "Nobody can be told when something is wrong with them.",
            "recommendation": "Tag them with the team.",
            "rql": "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"
            " and tag('team') does not exist",
        },
        shipped=policies,
        check=_answerable,
    )
    integration = replace(_INTEGRATIONS, elsewhere=frozenset(integrations))
    return {kind.name: kind for kind in (ACCOUNT_GROUPS, CLOUD_ACCOUNTS, policy, integration, *_REST)}


def topics() -> list[Topic]:
    """Return every topic of the control plane."""
    return [*(kind.topic for kind in kinds({}).values()), AUDIT_LOG]


def _answerable(policy: Policy) -> None:
    """Raise ValueError unless the policy's query can be answered and finds all that violate it."""
    try:
        limit = policy.checked.query.limit
    except RqlError as wrong:
        raise ValueError(f"rql: {wrong}") from None
    if limit is not None:
        raise ValueError(f"rql: a policy finds all that violate it: leave out `limit search records to {limit}`")


def _secrets(document: Document) -> Iterator[Path]:
    """Yield where secrets stand in the document of an integration: its destination's settings say it."""
    sink = SINKS.get(str(document.get("type", "")))
    if sink is not None:
        yield from secret_paths(sink, document.get("settings"), ("settings",))


_INTEGRATIONS = Kind(
    name="integration",
    plural="integrations",
    about="destinations with their settings, secrets sealed",
    model=Integration,
    example={
        "id": "soc-hook",
        "name": "What the SOC listens to",
        "type": "webhook",
        "settings": {"url": "env:SOC_HOOK_URL", "headers": {"X-Team": "cloud"}},
    },
    find_secrets=_secrets,
    hides=("settings",),
    check_new=Integration.check,
)
_REST = (
    replace(NOTIFICATION_TEMPLATES, check_new=templates.check),
    RESOURCE_LISTS,
    Kind(
        name="alert-rule",
        plural="alert-rules",
        about="which violations become alerts, and who hears of them",
        model=AlertRule,
        example={
            "id": "critical-to-the-soc",
            "name": "Critical to the SOC",
            "severities": ["critical"],
            "channels": [{"integration": "soc-hook", "states": ["open", "resolved"]}],
        },
        refers={
            "policies[]": "policy",
            "excluded_policies[]": "policy",
            "account_groups[]": "account-group",
            "resource_lists[]": "resource-list",
            "channels[].integration": "integration",
            "channels[].template": "notification-template",
        },
        shipped={DEFAULT.id: DEFAULT},
        warn=lambda rule, objects: unheard(rule, objects("integration")),
    ),
    SAVED_SEARCHES,
    USERS,
    ACCESS_KEYS,
    INBOUND_INTEGRATIONS,
    CLIENT_FORMS,
)
