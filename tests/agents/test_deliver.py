"""Deliveries from the topic to a receiver: each once, in order by alert, closed behind it."""

import asyncio
from collections import defaultdict

import pytest

from streams.settings import Settings
from streams.topics import DELIVERIES
from tests.agents.delivering import Host, Receiver, log, made, still_open, topic, webhook

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(60)]


def by_alert(ids: list[str]) -> dict[str, list[int]]:
    orders: dict[str, list[int]] = defaultdict(list)
    for each in ids:
        alert, _, seq = each.rpartition("-")
        orders[alert].append(int(seq))
    return orders


def test_each_delivery_arrives_once_in_order_and_is_closed(settings: Settings) -> None:
    async def run() -> None:
        async with Receiver() as receiver, Host(settings, webhook("hook", receiver)) as host:
            await host.send(made("hook", alert, seq) for seq in range(1, 6) for alert in range(100))
            await host.until(lambda: host.deliverer.counts["delivered"] == 500)
            await host.until(lambda: sum(host.acknowledged.values()) == 1000)  # the tombstones come by too
            assert host.opened() == []
        assert by_alert(receiver.taken) == {f"P-{alert}": [1, 2, 3, 4, 5] for alert in range(100)}
        assert await still_open(settings) == set()
        lines = await log(settings)
        assert len(lines) == 500
        assert {(line["outcome"], line["attempts"]) for line in lines} == {("delivered", 1)}
        assert all(0 <= line["took"] < 30_000 and line["first"] == line["last"] <= line["ended"] for line in lines)

    asyncio.run(run())


def test_what_was_closed_before_is_not_sent_again_by_another_worker(settings: Settings) -> None:
    async def run() -> None:
        async with Receiver() as receiver:
            async with Host(settings, webhook("hook", receiver)) as host:
                await host.send(made("hook", alert) for alert in range(50))
                await host.until(lambda: host.deliverer.counts["delivered"] == 50)
            elsewhere = settings.model_copy(update={"data": settings.data.with_name("elsewhere")})
            async with Host(elsewhere, webhook("hook", receiver)) as host:
                await host.send([made("hook", 99)])
                await host.until(lambda: host.deliverer.counts["delivered"] == 1)
            assert receiver.doubled() == 0 and len(receiver.taken) == 51
        assert len([value for _, value in await topic(settings, DELIVERIES) if value is None]) == 51

    asyncio.run(run())
