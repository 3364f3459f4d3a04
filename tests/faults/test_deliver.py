"""Nothing is lost on the way out: destinations that fail, hang, throttle or refuse, and workers that come and go."""

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from aiohttp import web

from agents.deliver import deliverer as engine
from agents.integrations import Integration
from api.app import create_app
from api.state import Alone
from streams.settings import Settings
from streams.topics import DEAD_LETTERS
from tests.agents.delivering import Host, Receiver, log, made, pagerduty, still_open, topic, webhook
from tests.faults.harness import ROOT, environment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

ALERTS = 40


def in_order(receiver: Receiver) -> bool:
    """Whether no event came after a later one of its alert was taken."""
    last: dict[str, int] = {}
    for event in receiver.taken:
        alert, _, seq = event.rpartition("-")
        if int(seq) < last.get(alert, 0):
            return False
        last[alert] = int(seq)
    return True


async def closed(settings: Settings) -> None:
    """Wait until everything on the topic has its tombstone."""
    until = time.monotonic() + 20
    while open_ := await still_open(settings):
        assert time.monotonic() < until, open_


def everything_once(receiver: Receiver, alerts: int, events: int) -> None:
    assert set(receiver.taken) == {f"P-{alert}-{seq}" for alert in range(alerts) for seq in range(1, events + 1)}
    assert receiver.doubled() == 0
    assert in_order(receiver)


async def slowly(request: web.Request, number: int) -> web.StreamResponse:
    await asyncio.sleep(0.05)
    return web.Response()


def test_a_receiver_that_is_away_gets_everything_in_order_when_it_is_back(settings: Settings) -> None:
    async def run() -> None:
        async with Receiver(slowly) as receiver, Host(settings, webhook("hook", receiver)) as host:
            await receiver.stop()
            await host.send(made("hook", alert, seq) for seq in (1, 2, 3) for alert in range(ALERTS))
            await host.until(lambda: host.deliverer.counts["kept"] == 3 * ALERTS)
            await host.until(lambda: sum(host.acknowledged.values()) == 3 * ALERTS)
            (way,) = host.deliverer.routes()
            assert (way.state, way.open) == ("away", 3 * ALERTS) and "no connection" in way.words
            before = host.deliverer.counts["retried"]
            await asyncio.sleep(1.5)
            assert host.deliverer.counts["retried"] - before <= 3, "one at a time is tried, not all"
            await receiver.start()
            await host.until(lambda: host.deliverer.counts["delivered"] == 3 * ALERTS)
            everything_once(receiver, ALERTS, 3)
            assert receiver.most >= ALERTS // 2, "one success is enough to go on with all"
        assert await still_open(settings) == set()

    asyncio.run(run())


async def fails_at_first(request: web.Request, number: int) -> web.StreamResponse:
    return web.Response(status=500 if number <= 10 else 200)


async def breaks_at_first(request: web.Request, number: int) -> web.StreamResponse:
    if number > 3:
        return web.Response()
    answer = web.StreamResponse(headers={"Content-Length": "100"})
    await answer.prepare(request)
    await answer.write(b"half of")
    assert request.transport is not None
    request.transport.abort()
    return answer


@pytest.mark.parametrize("answer", [fails_at_first, breaks_at_first])
def test_answers_that_fail_or_break_off_are_tried_again_in_order(settings: Settings, answer: Any) -> None:
    async def run() -> None:
        async with Receiver(answer) as receiver, Host(settings, webhook("hook", receiver)) as host:
            await host.send(made("hook", alert, seq) for seq in (1, 2) for alert in range(ALERTS))
            await host.until(lambda: host.deliverer.counts["delivered"] == 2 * ALERTS)
            assert set(receiver.taken) == {f"P-{alert}-{seq}" for alert in range(ALERTS) for seq in (1, 2)}
            assert receiver.doubled() <= 3  # what broke off may have been taken, with the same id
            assert in_order(receiver)
        attempts = [line["attempts"] for line in await log(settings)]
        assert len(attempts) == 2 * ALERTS and max(attempts) > 1

    asyncio.run(run())


def test_a_receiver_that_asks_to_wait_is_left_alone(settings: Settings) -> None:
    async def answer(request: web.Request, number: int) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "2"}) if number == 1 else web.Response()

    async def run() -> None:
        async with Receiver(answer) as receiver, Host(settings, webhook("hook", receiver)) as host:
            await host.send([made("hook", 1)])
            await host.until(lambda: len(receiver.times) == 1)
            await host.send(made("hook", alert) for alert in range(2, 12))
            await host.until(lambda: host.deliverer.counts["delivered"] == 11)
            assert receiver.times[1] - receiver.times[0] >= 2
            assert receiver.doubled() == 0

    asyncio.run(run())


def test_one_that_hangs_and_one_that_is_away_hold_back_nobody_else(settings: Settings) -> None:
    async def hang(request: web.Request, number: int) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response()

    async def run() -> None:
        async with Receiver() as good, Receiver(hang) as hanging:
            ways = (webhook("good", good), webhook("hanging", hanging), webhook("away", "http://127.0.0.1:9/"))
            async with Host(settings, *ways) as host:
                for seq in range(1, 6):
                    await host.send(made(way.id, alert, seq) for alert in range(ALERTS) for way in ways)
                    await host.until(lambda seq=seq: host.deliverer.counts["delivered"] == seq * ALERTS)  # type: ignore[misc]
                everything_once(good, ALERTS, 5)
                assert len(host.opened("hanging")) == len(host.opened("away")) == 5 * ALERTS
                await host.until(lambda: sum(host.acknowledged.values()) >= 15 * ALERTS)
                await over_http(host, "hanging", 5 * ALERTS)

    asyncio.run(run())


async def over_http(host: Host, integration: str, total: int) -> None:
    """What the API says of one integration."""

    class Owner(Alone):
        deliverer = host.deliverer

    transport = httpx.ASGITransport(create_app(Owner(host.settings, None), "s" * 43))
    async with httpx.AsyncClient(transport=transport, base_url="http://t/api/tidegate/v1") as client:
        client.headers["authorization"] = f"Bearer {'s' * 43}"
        found = (await client.get("/deliveries", params={"integration": integration, "limit": 7})).json()
    assert (len(found["deliveries"]), found["total"]) == (7, total)
    assert {each["integration"] for each in found["deliveries"]} == {integration}
    assert found["integrations"][0]["sending"] == min(ALERTS, 64)


def test_refused_settings_pause_until_they_are_changed(settings: Settings) -> None:
    async def answer(request: web.Request, number: int) -> web.StreamResponse:
        return web.Response(status=200 if request.headers.get("authorization") == "Bearer right" else 401)

    async def run() -> None:
        async with Receiver(answer) as receiver:
            wrong = webhook("hook", receiver)
            async with Host(settings, wrong) as host:
                await host.send(made("hook", alert) for alert in range(100))
                await host.until(lambda: bool(host.deliverer.routes()) and host.deliverer.routes()[0].state == "paused")
                await host.until(lambda: host.deliverer.routes()[0].sending == 0)
                assert "credentials" in host.deliverer.routes()[0].words
                assert len(receiver.times) <= 64 and receiver.taken == []
                host.integrations["hook"] = Integration(
                    id="hook", type="webhook", settings=wrong.settings | {"token": "right"}
                )
                await host.until(lambda: host.deliverer.counts["delivered"] == 100)
                assert receiver.doubled() == 0

    asyncio.run(run())


def test_what_is_never_taken_is_a_dead_letter(settings: Settings) -> None:
    async def answer(request: web.Request, number: int) -> web.StreamResponse:
        return web.Response(status=400, text="no such field")

    async def run() -> None:
        async with Receiver(answer) as receiver, Host(settings, webhook("hook", receiver)) as host:
            await host.send([made("hook", 7)])
            await host.until(lambda: host.deliverer.counts["dead-letter"] == 1 and not host.opened())
        assert await still_open(settings) == set()
        ((_, letter),) = await topic(settings, DEAD_LETTERS)
        assert (letter["source"], letter["reason"]) == ("deliver-hook", "HTTP 400: no such field")
        (line,) = await log(settings)
        assert (line["outcome"], line["words"], line["alert"]) == ("dead-letter", "HTTP 400: no such field", "P-7")

    asyncio.run(run())


def test_a_disabled_integration_keeps_its_deliveries_and_a_deleted_one_loses_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with Receiver() as receiver:
            off = webhook("off", receiver, enabled=False)
            async with Host(settings, off) as host:
                await host.send([*(made("off", n) for n in range(5)), *(made("gone", n) for n in range(5))])
                await host.until(lambda: host.deliverer.counts["kept"] == 10)
                assert {way.integration: way.state for way in host.deliverer.routes()} == {
                    "off": "disabled",
                    "gone": "missing",
                }
                monkeypatch.setattr(engine, "MISSING_S", 0.1)
                await host.until(lambda: host.deliverer.counts["dropped"] == 5)
                assert len(host.opened()) == 5 and receiver.times == []
                host.integrations["off"] = webhook("off", receiver)
                await host.until(lambda: host.deliverer.counts["delivered"] == 5)
        lines = await log(settings)
        assert {line["words"] for line in lines if line["outcome"] == "dropped"} == {
            "there is no integration gone any more"
        }
        assert await still_open(settings) == set()

    asyncio.run(run())


def test_pagerduty_is_never_paged_by_a_trigger_that_comes_after_the_resolve(settings: Settings) -> None:
    incidents: dict[str, str] = {}
    pages: list[str] = []
    up = False

    async def answer(request: web.Request, number: int) -> web.StreamResponse:
        """PagerDuty: a trigger of an alert that isn't open pages, a resolve closes it."""
        if not up:
            return web.Response(status=503)
        event = await request.json()
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger":
            if incidents.get(key) != "open":
                pages.append(key)
            incidents[key] = "open"
        elif key in incidents:
            incidents[key] = action
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)

    async def run() -> None:
        nonlocal up
        async with Receiver(answer) as receiver, Host(settings, pagerduty("ops", receiver)) as host:
            await host.send([made("ops", 1), made("ops", 2)])
            await host.until(lambda: host.deliverer.counts["retried"] >= 2)
            await host.send([made("ops", 1, 2, "resolved")])
            await host.until(lambda: host.deliverer.counts["superseded"] == 1)
            up = True
            await host.until(lambda: host.deliverer.counts["delivered"] == 2)
            assert pages == ["P-2"], "what was resolved before it was told pages nobody"
            await host.send([made("ops", 2, 2, "resolved")])
            await host.until(lambda: host.deliverer.counts["delivered"] == 3)
            await host.send([made("ops", 2), made("ops", 1)])  # the triggers once more, late
            await host.until(lambda: host.deliverer.counts["repeated"] == 2)
            await host.until(lambda: sum(host.acknowledged.values()) == 12)
            assert pages == ["P-2"] and incidents == {"P-2": "resolve"}
        outcomes = sorted((line["alert"], line["seq"], line["outcome"]) for line in await log(settings))
        assert outcomes == [
            ("P-1", 1, "superseded"),
            ("P-1", 2, "delivered"),
            ("P-2", 1, "delivered"),
            ("P-2", 2, "delivered"),
        ]
        assert await still_open(settings) == set()

    asyncio.run(run())


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_open_at_a_stop_is_delivered_after_the_next_start(settings: Settings, keep: bool) -> None:
    async def run() -> None:
        async with Receiver() as receiver:
            await receiver.stop()
            async with Host(settings, webhook("hook", receiver)) as host:
                await host.send(made("hook", alert, seq) for seq in (1, 2) for alert in range(ALERTS))
                await host.until(lambda: host.deliverer.counts["kept"] == 2 * ALERTS)
                await receiver.start()
                await host.until(lambda: host.deliverer.counts["delivered"] >= ALERTS // 2)
            if not keep:
                for each in (settings.data / "store").glob("deliveries.sqlite*"):
                    each.unlink()
            async with Host(settings, webhook("hook", receiver)) as host:
                await host.until(lambda: len(set(receiver.taken)) == 2 * ALERTS)
                await closed(settings)
            everything_once(receiver, ALERTS, 2)
        assert await still_open(settings) == set()

    asyncio.run(run())


def test_partitions_that_go_and_come_back_lose_nothing_and_double_nothing(settings: Settings) -> None:
    async def run() -> None:
        accounts = [f"{n:012d}" for n in range(20)]
        async with Receiver(slowly) as receiver, Host(settings, webhook("hook", receiver)) as host:
            for alert in range(200):
                await host.send(made("hook", alert, seq, account=accounts[alert % 20]) for seq in (1, 2))
            for lost in ({0, 1}, {2}, {0, 1, 2, 3}):
                await asyncio.sleep(0.2)
                await host.deliverer.forget(lost)
                await host.assign(range(4))
            await host.until(lambda: len(set(receiver.taken)) == 400)
            await closed(settings)
            everything_once(receiver, 200, 2)
        assert await still_open(settings) == set()

    asyncio.run(run())


@pytest.mark.parametrize("point", ["delivering:5", "delivered:5", "tombstone:1"])
def test_a_worker_killed_between_two_steps_loses_nothing(settings: Settings, point: str) -> None:
    async def run() -> None:
        async with Receiver() as receiver:
            async with Host(settings) as host:  # it knows no integration: the topics are made, and filled
                await host.send(made("hook", alert, seq) for seq in (1, 2, 3) for alert in range(ALERTS))
            child = await asyncio.to_thread(_killed, settings, receiver.url, point)
            assert child.returncode == -9, child.stderr
            taken = len(receiver.taken)
            assert taken < 3 * ALERTS or point.startswith("tombstone")
            async with Host(settings, webhook("hook", receiver)) as host:
                await host.until(lambda: len(set(receiver.taken)) == 3 * ALERTS)
                await closed(settings)
            assert receiver.doubled() <= taken, "only what had no tombstone yet comes again, under the same id"
            last: dict[str, int] = {}
            for event in dict.fromkeys(receiver.taken):  # the first time that each came
                alert, _, seq = event.rpartition("-")
                assert int(seq) == last.get(alert, 0) + 1
                last[alert] = int(seq)
        assert await still_open(settings) == set()

    asyncio.run(run())


def _killed(settings: Settings, url: str, point: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.agents.delivering", url],
        cwd=ROOT,
        env=os.environ | environment(settings) | {"TIDEGATE_TEST_KILL_AT": point},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
