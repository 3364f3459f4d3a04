"""The colour of an integration, and its reason."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from agents.deliver.entry import Chain, Entry
from agents.deliver.loader import Loader
from agents.deliver.route import Route, Surroundings
from agents.deliver.sending import Sending
from agents.deliver.status import AWAY_S, Status, status_of
from agents.integrations import Integration
from agents.sinks._outcome import Config, Outcome, Retry
from streams.control.saved import NotificationTemplate
from tests.contract.sinks import Case

JIRA = Integration(id="i", type="jira", settings=Case("jira").settings())
TEMPLATE = {"id": "t", "name": "Tickets", "type": "jira", "integration": "i"}


def route(integration: Integration | None = JIRA) -> Route:
    nothing = cast(Any, None)
    around = Surroundings(
        Sending(nothing, dict, Counter()), cast(Loader, None), nothing, nothing, nothing, nothing, Counter()
    )
    made = Route("i", around)
    made.look(integration, 0.0)
    return made


def failed(route: Route, outcome: Outcome, template: str = "") -> None:
    """Let a delivery have this *outcome* at time 0, without a network: the channel alone."""
    entry = Entry(Chain(f"i|{template}|P-1".encode(), 0), 1, 1, 0, b"")
    route.channel.add(entry)
    turn = route.channel.take(0.0)
    assert turn is not None
    route.channel.settle(turn.entries, [outcome], 0.0)


def colours(route: Route, templates: Mapping[str, NotificationTemplate] | None = None, now: float = 1.0) -> Status:
    return status_of(route, templates or {}, now)


def test_what_delivers_is_green_what_is_off_or_gone_is_not() -> None:
    assert colours(route()) == Status("GREEN", "")
    assert colours(route(JIRA.model_copy(update={"enabled": False}))).colour == "OFF"
    assert colours(route(None)) == Status("RED", "there is no such integration")
    assert colours(route(Integration(id="i", type="jira"))).colour == "RED"


def test_refused_settings_are_red_and_a_wait_that_was_asked_for_is_yellow() -> None:
    refused, asked = route(), route()
    failed(refused, Config("the token is wrong"))
    failed(asked, Retry("slow down", 30.0))
    assert colours(refused) == Status("RED", "the token is wrong")
    assert colours(asked) == Status("YELLOW", "slow down")


def test_a_destination_that_is_away_for_long_is_red() -> None:
    away = route()
    for alert in range(3):
        entry = Entry(Chain(f"i||P-{alert}".encode(), 0), 1, 1, 0, b"")
        away.channel.add(entry)
        now = 1.0 + alert * 0.21  # Jira's pace
        turn = away.channel.take(now)
        assert turn is not None
        away.channel.settle(turn.entries, [Retry("no connection")], now)
    assert [colours(away, now=now).colour for now in (5.0, AWAY_S + 5)] == ["YELLOW", "RED"]


def test_a_template_that_the_destination_refuses_is_named_and_yellow() -> None:
    one = route()
    failed(one, Config("duedate: Due date is required.", "template"), "tickets")
    assert colours(one) == Status("YELLOW", "template tickets: duedate: Due date is required.")


def test_it_is_green_only_when_all_its_templates_are_right() -> None:
    wrong = NotificationTemplate.model_validate(
        TEMPLATE | {"open": [{"field": "summary", "required": True}], "basic": [{"field": "project", "value": "SEC"}]}
    )
    status = colours(route(), {"t": wrong})
    assert status.colour == "YELLOW" and "template t" in status.words and "summary" in status.words
    other = wrong.model_copy(update={"integration": "another"})
    assert colours(route(), {"t": other}).colour == "GREEN"


def test_a_warning_stays_until_the_settings_are_changed() -> None:
    one = route()
    one.warning = "SEC-1: the issue has no transition"
    assert colours(one) == Status("YELLOW", "SEC-1: the issue has no transition")
    one.look(JIRA.model_copy(update={"name": "saved again"}), 2.0)
    assert colours(one).colour == "GREEN"
