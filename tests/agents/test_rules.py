"""Alert rules: what they cover, and whom they tell."""

from typing import Any

import pytest

from agents.rules import DEFAULT, AlertRule, Channel, covered, route
from streams.alerts import AlertStatus, Delivery
from tests.contract.sinks import POLICY, RESOURCE, delivery


def rule(id: str = "r", **given: Any) -> AlertRule:
    return AlertRule(id=id, name=id.upper(), **given)


def told(*rules: AlertRule, status: AlertStatus = "open") -> list[Delivery]:
    return route(rules, delivery(status).event)


@pytest.mark.parametrize(
    ("choice", "covers"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"policies": ["aws-s3-public"]}, True),
        ({"policies": ["another"]}, False),
        ({"excluded_policies": ["aws-s3-public"]}, False),
        ({"severities": ["high", "critical"]}, True),
        ({"severities": ["critical"]}, False),
        ({"labels": ["s3", "x"]}, True),
        ({"labels": ["x"]}, False),
        ({"clouds": ["aws"]}, True),
        ({"clouds": ["gcp"]}, False),
        ({"accounts": ["111122223333"]}, True),
        ({"accounts": ["222233334444"]}, False),
        ({"excluded_accounts": ["111122223333"]}, False),
        ({"regions": ["eu-west-1"]}, True),
        ({"regions": ["us-east-1"]}, False),
        ({"tags": {"team": "ops", "x": "y"}}, True),
        ({"tags": {"team": "dev"}}, False),
        ({"accounts": ["111122223333"], "severities": ["low"]}, False),
    ],
)
def test_a_rule_covers_what_all_its_choices_choose(choice: dict[str, Any], covers: bool) -> None:
    assert rule(**choice).covers(POLICY, RESOURCE) is covers
    assert covered([rule(**choice)], POLICY, RESOURCE) is covers


def test_the_shipped_rule_covers_everything_and_tells_nobody() -> None:
    assert covered([DEFAULT], POLICY, RESOURCE)
    assert told(DEFAULT) == []


def test_a_channel_hears_of_the_states_that_it_asked_for() -> None:
    only_open = rule(channels=[Channel(integration="i")])
    both = rule(channels=[Channel(integration="i", states=("open", "resolved"))])
    assert [one.integration for one in told(only_open)] == ["i"]
    assert told(only_open, status="resolved") == []
    assert [one.integration for one in told(both, status="resolved")] == ["i"]


def test_two_rules_of_one_integration_and_template_send_once_and_name_both() -> None:
    (one,) = told(
        rule("a", channels=[Channel(integration="i")]),
        rule("b", channels=[Channel(integration="i"), Channel(integration="i")]),
        rule("c", enabled=False, channels=[Channel(integration="i")]),
    )
    assert [name.id for name in one.rules] == ["a", "b"]


def test_two_templates_of_an_integration_are_two_messages() -> None:
    channels = [Channel(integration="i", template="t"), Channel(integration="i", template="u")]
    assert [one.template for one in told(rule(channels=channels))] == ["t", "u"]
