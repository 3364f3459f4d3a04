"""Checks by schedule: they tell the status, disturb nothing, and only those are made that nobody sees."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from agents.deliver.checks import Checks
from agents.deliver.status import Status
from agents.integrations import Integration
from agents.sinks import SINKS
from agents.sinks._base import Sink
from agents.sinks._client import Client, open_client
from agents.sinks._outcome import Config, Ok, Outcome, Retry
from streams.settings import Settings
from tests.agents.delivering import LOOPBACK, Host, Receiver, made, webhook
from tests.agents.test_deliver_status import colours, route
from tests.contract.sinks import Case, in_process


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    async with open_client(LOOPBACK) as opened:
        yield opened


def test_what_a_check_finds_is_told_until_the_settings_are_changed() -> None:
    one = route()
    one.found(Config("the token is wrong"))
    assert colours(one) == Status("RED", "its check failed: the token is wrong")
    one.found(Retry("no connection"))
    assert colours(one) == Status("YELLOW", "its check failed: no connection")
    one.found(Config("no project SEC", "template"))
    assert colours(one) == Status("YELLOW", "its check failed: no project SEC")
    assert one.channel.pause is None and not one.channel.templates
    one.look(one.integration.model_copy(update={"name": "saved again"}) if one.integration else None, 2.0)
    assert colours(one).colour == "GREEN"
    one.found(Retry("no connection"))
    one.found(Ok())
    assert colours(one).colour == "GREEN"


@pytest.mark.parametrize("name", SINKS)
async def test_a_quiet_check_sends_nothing_about_an_alert(name: str) -> None:
    case = Case(name)
    network = in_process(case.fake())
    sink = case.make()
    assert isinstance(await sink.check(network), Ok)
    sent = any(b"P-0" in request.body or b"Test of this" in request.body for request in network.requests)
    if sink.checks_quietly:
        assert not sent
        assert isinstance(await sink.check(network), Ok), "the second one meets the same"


@pytest.mark.kafka
async def test_only_quiet_and_enabled_ones_are_checked_and_deliveries_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    outcome: Outcome | Exception = Config("the token is wrong")

    async def check(self: Sink, _: Client) -> Outcome:
        asked.append(self.name)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def slow(_: web.Request, __: int) -> web.Response:
        return web.Response(status=202)

    for name in ("jira", "webhook", "xsoar"):
        monkeypatch.setattr(SINKS[name], "check", check)
    async with Receiver(slow) as receiver:
        jira = Integration(id="jira", type="jira", settings=Case("jira").settings())
        off = Integration(id="off", type="xsoar", settings=Case("xsoar").settings(), enabled=False)
        broken = Integration(id="broken", type="jira", settings={})
        async with Host(settings, jira, off, broken, webhook("hook", receiver)) as host:
            checks = Checks(60, host.deliverer, lambda: host.integrations, client)
            await checks.all()
            assert asked == ["jira"]
            assert host.deliverer.statuses()["jira"] == Status("RED", "its check failed: the token is wrong")
            outcome = RuntimeError("a defect")
            await checks.all()
            assert host.deliverer.statuses()["jira"].colour == "YELLOW"
            await host.send([made("hook", number) for number in range(20)])
            await host.until(lambda: host.deliverer.counts["delivered"] == 20)
            outcome = Ok()
            await checks.all()
            assert host.deliverer.statuses() == {"hook": Status("GREEN", ""), "jira": Status("GREEN", "")}


@pytest.mark.kafka
async def test_a_delivery_that_is_made_says_more_than_an_older_check(settings: Settings) -> None:
    async with Receiver() as receiver, Host(settings, webhook("hook", receiver)) as host:
        host.deliverer.route(b"hook").found(Config("the token is wrong"))
        assert host.deliverer.statuses()["hook"].colour == "RED"
        await host.send([made("hook", 1)])
        await host.until(lambda: host.deliverer.counts["delivered"] == 1)
        assert host.deliverer.statuses()["hook"] == Status("GREEN", "")
