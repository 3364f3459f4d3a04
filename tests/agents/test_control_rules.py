"""Why a rule doesn't cover an alert is said exactly where it doesn't, and a channel that will not hear is warned of."""

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.control import kinds
from agents.integrations import Integration
from agents.rule_reasons import unheard, why_not
from agents.rules import AlertRule, Channel
from api.cli.control_files import read as read_files
from streams.alerts import AlertPolicy, AlertResource
from streams.control.check import read
from streams.records import Severity

ROOT = Path(__file__).parent.parent.parent


def _some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2).map(tuple)


RULES = st.builds(
    AlertRule,
    id=st.just("r"),
    name=st.just("R"),
    enabled=st.booleans(),
    policies=_some("p", "q"),
    excluded_policies=_some("q"),
    severities=_some("high", "low"),
    labels=_some("x", "y"),
    clouds=_some("aws", "gcp"),
    accounts=_some("1", "2"),
    excluded_accounts=_some("2"),
    regions=_some("eu", "us"),
    tags=st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw"), max_size=2),
)
POLICIES = st.builds(
    AlertPolicy,
    id=st.sampled_from("pq"),
    name=st.just("P"),
    severity=st.sampled_from(("high", "low")),
    labels=_some("x", "z").map(list),
)
RESOURCES = st.builds(
    AlertResource,
    id=st.just("i"),
    account=st.sampled_from("12"),
    cloud=st.sampled_from(("aws", "gcp")),
    region=st.sampled_from(("eu", "us", "")),
    tags=st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw"), max_size=2),
)


@given(RULES, POLICIES, RESOURCES)
def test_a_rule_covers_exactly_what_nothing_keeps_it_from(
    rule: AlertRule, policy: AlertPolicy, resource: AlertResource
) -> None:
    assert (why_not(rule, policy, resource) == []) == rule.covers(policy, resource)


def test_each_reason_names_the_field_and_the_values() -> None:
    rule = AlertRule(
        id="r", name="R", enabled=False, policies=("q",), severities=("low",), labels=("x",), tags={"team": "shop"}
    )
    policy = AlertPolicy(id="p", name="P", severity="high")
    resource = AlertResource(id="i", account="1", cloud="aws")
    assert why_not(rule, policy, resource) == [
        "it is disabled",
        "policies: p isn't among q",
        "severities: high isn't among low",
        "labels: the policy has none, none of x",
        "tags: the resource has none of team=shop",
    ]


def test_a_channel_that_could_close_its_ticket_and_will_not_hear_of_it_is_warned_of() -> None:
    integrations = {
        "pd": Integration(id="pd", type="pagerduty", settings={"integration_key": "a" * 32}),
        "hook": Integration(id="hook", type="webhook", settings={"url": "https://x.example"}),
    }
    rule = AlertRule(
        id="r",
        name="R",
        channels=(
            Channel(integration="hook"),
            Channel(integration="pd"),
            Channel(integration="pd", template="t", states=("open", "resolved")),
            Channel(integration="none"),
        ),
    )
    (warning,) = unheard(rule, integrations)
    assert warning.startswith("channels[1]: pd (pagerduty) opens what it will never close")


def test_the_shipped_example_can_be_applied_and_says_what_it_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGERDUTY_KEY", "a" * 32)
    monkeypatch.setenv("SLACK_WEBHOOK", "https://hooks.slack.com/services/T0/B0/x")
    known = kinds({})
    made: dict[str, dict[str, Any]] = {"integration": {}, "alert-rule": {}}
    for each in read_files([ROOT / "docs" / "examples" / "alert-rules.yaml"]):
        made[each.kind][each.document["id"]] = read(known[each.kind], each.document["id"], each.document)
    rules = made["alert-rule"]
    assert [list(unheard(rule, made["integration"])) for rule in rules.values()] == [[], []]
    assert {channel.integration for rule in rules.values() for channel in rule.channels} == set(made["integration"])
    resource = AlertResource(id="i", account="1", cloud="aws")
    covering = [
        [id for id, rule in rules.items() if rule.covers(AlertPolicy(id="p", name="P", severity=severity), resource)]
        for severity in get_args(Severity)
    ]
    assert covering == [["critical-at-once"]] + [["the-rest-daily"]] * 4
