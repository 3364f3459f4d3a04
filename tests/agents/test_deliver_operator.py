"""What an operator hears of integrations: each change once, through another integration, also after a restart."""

import pytest
from aiohttp import web

from agents.deliver.operator import ACCOUNT, LOOK_S, STEADY_S, Operator, message
from agents.deliver.status import AWAY_S, Status
from agents.integrations import Integration
from agents.sinks import SINKS
from agents.sinks._outcome import NotApplicable, Ok
from streams.partition import partition_of
from streams.settings import Settings
from tests.agents.delivering import Host, Receiver, made, webhook
from tests.contract.sinks import NOW, Case, in_process, told

HOOK = Integration(id="hook", name="What the SOC listens to", type="webhook")


async def operator(host: Host) -> Operator:
    settings = host.settings.model_copy(update={"operator_integration": "ops"})
    await host.until(lambda: host.deliverer.owns(partition_of(ACCOUNT, host.settings.partitions)), 40)
    return Operator(settings, host.producer, host.deliverer, lambda: host.integrations)


async def settled(telling: Operator, start: float, seconds: float = STEADY_S) -> float:
    """Let it look as often as it does within this time; return when that was over."""
    now = start
    while now <= start + seconds + LOOK_S:
        await telling.look(now)
        now += LOOK_S
    return now


def said(ops: Receiver) -> list[tuple[str, str]]:
    return [(body["alertStatus"], body["resourceName"].partition(":")[0]) for (body,) in ops.bodies]


@pytest.mark.kafka
async def test_each_change_is_told_once_also_after_a_restart(settings: Settings) -> None:
    refuses = True

    async def answer(_: web.Request, __: int) -> web.Response:
        return web.Response(status=401 if refuses else 202)

    async with Receiver(answer) as receiver, Receiver() as ops:
        hook, hears = webhook("hook", receiver), webhook("ops", ops)
        async with Host(settings, hook, hears) as host:
            await host.send([made("hook", 1)])
            await host.until(lambda: host.deliverer.counts["refused"] > 0)
            telling = await operator(host)
            await telling.look(0)
            await telling.look(STEADY_S - 1)
            assert host.deliverer.counts["delivered"] == 0
            now = await settled(telling, STEADY_S)
            await host.until(lambda: len(ops.taken) == 1)
            await settled(telling, now)
            assert said(ops) == [("open", "hook (webhook) is RED, was GREEN")]
            assert "credentials" in ops.bodies[0][0]["policyDescription"]
        refuses = False
        async with Host(settings, hook, hears) as host:
            await host.until(lambda: host.deliverer.counts["delivered"] > 0, 40)
            telling = await operator(host)
            now = await settled(telling, 0)
            await host.until(lambda: len(ops.taken) == 2)
            await settled(telling, now)
            assert said(ops)[1:] == [("resolved", "hook (webhook) is GREEN, was RED")]
            assert len({body["alertId"] for (body,) in ops.bodies}) == 1


@pytest.mark.kafka
async def test_a_hiccup_is_not_told_nor_what_is_disabled_nor_the_hearer_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as ops:
        hears = webhook("ops", ops)
        async with Host(settings, webhook("hook", ops), hears) as host:
            telling, now = await operator(host), 0.0
            seen: dict[str, Status] = {}
            monkeypatch.setattr(host.deliverer, "statuses", lambda: seen)
            for colour in ("YELLOW", "GREEN", "YELLOW", "RED"):  # each for less than it takes
                seen["hook"] = Status(colour, "why")
                await telling.look(now)
                now += STEADY_S - 1
            seen.update({"hook": Status("OFF", "disabled"), "ops": Status("RED", "down"), "gone": Status("RED", "")})
            now = await settled(telling, now)
            host.integrations["ops"] = hears.model_copy(update={"enabled": False})
            seen["hook"] = Status("RED", "down")
            now = await settled(telling, now)
            assert not ops.bodies and not host.opened("ops")
            host.integrations["ops"] = hears
            now = await settled(telling, now)
            await host.until(lambda: said(ops) == [("open", "hook (webhook) is RED, was GREEN")])
            seen["hook"] = Status("YELLOW", "away")  # as any outage begins after a restart
            now = await settled(telling, now, AWAY_S - STEADY_S)
            seen["hook"] = Status("RED", "away")
            await settled(telling, now)
            assert len(ops.bodies) == 1


@pytest.mark.kafka
async def test_only_the_owner_of_its_partition_speaks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as ops, Host(settings, webhook("hook", ops), webhook("ops", ops)) as host:
        telling = await operator(host)
        monkeypatch.setattr(host.deliverer, "statuses", lambda: {"hook": Status("RED", "down")})
        await host.give_up({partition_of(ACCOUNT, settings.partitions)})
        await settled(telling, 0)
        assert not ops.bodies and not telling._since


@pytest.mark.parametrize("name", SINKS)
async def test_any_destination_takes_it_as_it_takes_alerts(name: str) -> None:
    case = Case(name)
    down = message("ops", HOOK, Status("RED", "HTTP 401\r\nno"), "GREEN", 1, NOW * 1000)
    up = message("ops", HOOK, Status("GREEN", ""), "RED", 2, NOW * 1000)
    assert "\n" not in down.event.alert.resource.name and down.event.alert.id == up.event.alert.id
    outcome = await told(case.make(), [down, up], in_process(case.fake()))
    assert isinstance(outcome, NotApplicable if name in ("google_cscc", "security_hub") else Ok), outcome
