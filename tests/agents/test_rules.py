"""Alert rules: what they cover, and whom they tell."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from agents.book import Book
from agents.holds import Pace
from agents.rule_reasons import why_not
from agents.rules import DEFAULT, AlertRule, Channel, Places, covered, route
from agents.schedule import Digest
from streams.alerts import AlertEvent, AlertStatus, AlertStep, Delivery, Reason, Requirement
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


PLACES = Places(
    groups={"shop": frozenset({"111122223333"}), "other": frozenset({"1"}), "empty": frozenset()},
    lists={"ours": {"team": ("ops",)}, "theirs": {"team": ("dev",)}, "tagged": {"team": ()}},
    off=frozenset({"999999999999"}),
)


@pytest.mark.parametrize(
    ("choice", "covers"),
    [
        ({"account_groups": ["shop"]}, True),
        ({"account_groups": ["other"]}, False),
        ({"account_groups": ["empty"]}, False),
        ({"account_groups": ["gone"]}, False),
        ({"account_groups": ["empty"], "accounts": ["111122223333"]}, True),
        ({"resource_lists": ["ours"]}, True),
        ({"resource_lists": ["theirs"]}, False),
        ({"resource_lists": ["theirs", "ours"]}, True),
        ({"resource_lists": ["tagged", "theirs"]}, True),
        ({"resource_lists": ["gone"]}, False),
        ({"resource_lists": ["theirs"], "tags": {"team": "ops"}}, True),
        ({"tags": {"team": ["dev", "ops"]}}, True),
        ({"tags": {"team": []}}, True),
        ({"tags": {"x": []}}, False),
        ({"standards": ["CIS"]}, True),
        ({"standards": ["PCI"]}, False),
    ],
)
def test_groups_lists_and_standards_choose_what_is_in_them(choice: dict[str, Any], covers: bool) -> None:
    policy = replace(POLICY, compliance=[Requirement(standard="CIS", requirement="1.1")])
    one = rule(**choice)
    assert one.resolved(PLACES).covers(policy, RESOURCE) is covers
    assert (why_not(one, policy, RESOURCE, PLACES) == []) is covers


def test_a_rule_that_names_a_group_says_nothing_until_that_is_looked_up() -> None:
    with pytest.raises(ValueError, match="isn't resolved"):
        rule(account_groups=["shop"]).covers(POLICY, RESOURCE)


def test_no_rule_covers_an_account_that_is_disabled() -> None:
    theirs = replace(RESOURCE, account="999999999999")
    assert not rule().resolved(PLACES).covers(POLICY, theirs)
    assert why_not(rule(), POLICY, theirs, PLACES) == ["the cloud account 999999999999 is disabled"]


def test_why_an_alert_is_covered_no_more_is_said_in_the_products_words() -> None:
    alert = delivery().event.alert

    def reason(*rules: AlertRule, gone: tuple[AlertRule, ...] = ()) -> str:
        return Book({}, rules, PLACES, gone).why_uncovered(alert)

    assert reason(rule(severities=["low"])) == "ALERT_RULE_UPDATED"
    assert reason(rule(enabled=False)) == "ALERT_RULE_DISABLED"
    assert reason(rule(account_groups=["other"])) == "ACCOUNT_GROUP_UPDATED"
    assert reason(rule(severities=["low"]), gone=(rule("g"),)) == "ALERT_RULE_DELETED"


HOUR = 3_600_000
T = 1_790_000_000_000 // HOUR * HOUR


def event(*steps: tuple[AlertStatus, Reason, int], created: int | None = None, rrn: str = "rrn:x") -> AlertEvent:
    """The event of the last of *steps*, each at some ms after T."""
    history = [AlertStep(at=T + at, status=status, reason=why) for status, why, at in steps]
    alert = replace(
        delivery(steps[-1][0]).event.alert,
        history=history,
        resource=replace(RESOURCE, rrn=rrn, created=None if created is None else T + created),
    )
    return replace(delivery().event, alert=alert, at=T + steps[-1][2])


OPENED: tuple[AlertStatus, Reason, int] = ("open", "NEW_ALERT", 0)
MENDED: tuple[AlertStatus, Reason, int] = ("resolved", "RESOURCE_UPDATED", 30_000)
ALERTED = Channel(integration="i")


def held(rules: AlertRule, *steps: tuple[AlertStatus, Reason, int], **more: Any) -> list[tuple[int, str, bool]]:
    return [
        (max(one.not_before - T, 0), one.digest, one.withdraws) for one in route([rules], event(*steps, **more), Pace())
    ]


def test_a_delay_holds_an_open_alert_and_one_that_is_mended_before_is_taken_back() -> None:
    late = rule(delay_s=60, channels=[ALERTED])
    assert held(late, OPENED) == [(60_000, "", False)]
    assert held(late, OPENED, MENDED) == [(0, "", True)]
    assert held(late, OPENED, ("resolved", "RESOURCE_UPDATED", 60_001)) == []
    both = rule(delay_s=60, channels=[Channel(integration="i", states=("open", "resolved"))])
    assert held(both, OPENED, MENDED) == [(0, "", False)]


def test_what_is_young_settles_before_anybody_hears_and_what_is_old_does_not() -> None:
    plain = rule(channels=[ALERTED])
    assert held(plain, OPENED) == [(0, "", False)]
    assert held(plain, OPENED, created=-10_000) == [(60_000, "", False)]
    assert held(plain, OPENED, created=-10 * 60_000) == [(0, "", False)]
    assert held(plain, OPENED, MENDED, created=-10_000) == [(0, "", True)]
    assert held(plain, OPENED, MENDED, ("open", "RESOURCE_UPDATED", 40_000), created=-10_000) == [(0, "", False)]
    assert held(rule(settle_s=0, channels=[ALERTED]), OPENED, created=-10_000) == [(0, "", False)]
    assert held(plain, OPENED, rrn="") == [(300_000, "", False)]


def test_a_digest_is_due_at_its_time_and_a_message_at_once_goes_before_it() -> None:
    daily = rule("d", channels=[Channel(integration="i", digest=Digest(schedule="hourly"))])
    assert held(daily, OPENED) == [(HOUR, "d hourly", False)]
    assert held(daily, OPENED, MENDED) == [(0, "", True)]
    (one,) = route([daily, rule("n", channels=[ALERTED])], event(OPENED), Pace())
    assert (one.not_before, one.digest, [name.id for name in one.rules]) == (0, "", ["d", "n"])


def test_what_is_more_than_a_channel_takes_in_an_hour_waits_for_its_end() -> None:
    few, pace = rule(channels=[Channel(integration="i", most_an_hour=2)]), Pace()
    made = [route([few], event(OPENED), pace)[0] for _ in range(4)]
    assert [(one.digest, one.not_before) for one in made] == [("", 0)] * 2 + [("i overflow", T + HOUR)] * 2
    assert route([few], event(("open", "NEW_ALERT", HOUR)), pace)[0].digest == ""
    capped = rule(channels=[ALERTED]).resolved(Places(caps={"i": 7}))
    assert capped.channels[0].most_an_hour == 7


@pytest.mark.parametrize(
    ("schedule", "zone", "at", "due"),
    [
        ("hourly", "UTC", "2026-11-24T22:10:00+00:00", "2026-11-24T23:00:00+00:00"),
        ("daily", "Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-29T06:00:00+00:00"),
        ("daily", "Europe/Berlin", "2026-11-24T07:00:00+00:00", "2026-11-25T07:00:00+00:00"),
        ("weekly", "UTC", "2026-11-24T22:00:00+00:00", "2026-11-30T08:00:00+00:00"),
        ("monthly", "UTC", "2026-11-24T22:00:00+00:00", "2026-12-01T08:00:00+00:00"),
        ("FREQ=HOURLY;INTERVAL=6;BYMINUTE=30", "UTC", "2026-11-24T22:00:00+00:00", "2026-11-25T00:30:00+00:00"),
        ("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-29T01:30:00+00:00"),
    ],
)
def test_a_digest_comes_at_the_hour_of_its_zone(schedule: str, zone: str, at: str, due: str) -> None:
    now, wanted = (int(datetime.fromisoformat(text).timestamp() * 1000) for text in (at, due))
    assert Digest(schedule=schedule, zone=zone).after(now) == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schedule": "dayly"}, "wanted hourly, daily, weekly, monthly, or an RRULE"),
        ({"schedule": "FREQ=DAILY;BYHOUR=99"}, "no RRULE"),
        ({"schedule": "FREQ=MINUTELY"}, "an hour apart"),
        ({"schedule": "FREQ=DAILY;COUNT=3"}, "no end"),
        ({"zone": "Mars"}, "no such time zone"),
    ],
)
def test_a_digest_that_never_comes_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Digest(**given)
