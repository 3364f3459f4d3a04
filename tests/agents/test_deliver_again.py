"""An integration that is switched off and on again: nothing is typed again, and the same ticket goes on."""

import asyncio
import contextlib
import time
from dataclasses import replace

import pytest

from agents.integrations import Integration
from agents.sinks import SINKS
from streams.alerts import Delivery
from streams.settings import Settings
from tests.agents.delivering import Host
from tests.contract.sinks import Case
from tests.fakes.server import Fake, serving

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_after_off_and_on_the_next_state_updates_the_same_ticket_everywhere(settings: Settings) -> None:
    async def run() -> None:
        fakes: dict[str, Fake] = {}
        on: dict[str, Integration] = {}
        async with contextlib.AsyncExitStack() as stack:
            for name in SINKS:
                fake = fakes[name] = Case(name).fake()
                fake.now = time.time() + 120  # later than what is signed, and before that ends
                url = await stack.enter_async_context(serving(fake))
                on[name] = Integration(id=name, type=name, settings=Case(name).settings(url))
            host = await stack.enter_async_context(Host(settings, *on.values()))
            await host.send(_told(name, 1) for name in SINKS)
            await host.until(lambda: host.deliverer.counts["delivered"] == len(SINKS))
            host.integrations = {name: each.model_copy(update={"enabled": False}) for name, each in on.items()}
            await host.until(lambda: {way.state for way in host.deliverer.routes()} == {"disabled"})
            await host.send(_told(name, 2) for name in SINKS)
            await host.until(lambda: len(host.opened()) == len(SINKS))
            before = {name: len(fake.calls) for name, fake in fakes.items()}
            host.integrations = {name: each.model_copy(update={"enabled": True}) for name, each in on.items()}
            await host.until(lambda: not host.opened())
            for name, fake in fakes.items():
                assert fake.wrong == [] and len(fake.calls) > before[name], name
                held = fake.holds("P-1")
                told = ["open", "resolved"] if SINKS[name].keeps == "every event" else ["resolved"]
                assert held == told, (name, held)

    asyncio.run(run())


def _told(name: str, seq: int) -> Delivery:
    base = Case(name).delivery("open" if seq == 1 else "resolved", id="P-1", seq=seq)
    return replace(base, integration=name)
