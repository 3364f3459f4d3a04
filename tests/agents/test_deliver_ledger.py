"""What a destination calls an alert outlives the worker that heard it."""

import asyncio

import pytest
from aiohttp import web

from agents.integrations import Integration
from streams.settings import Settings
from streams.topics import LEDGER
from tests.agents.delivering import Host, Receiver, made, topic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(60)]


async def xsoar(request: web.Request, number: int) -> web.StreamResponse:
    """XSOAR: it makes incident 42, and finds it by its id alone."""
    if request.path.endswith("/search"):
        known = (await request.json())["filter"].get("id") == ["42"]
        found = [{"id": "42", "name": "P-1: of ours", "status": 1, "version": 3}] if known else []
        return web.json_response({"data": found, "total": len(found)})
    return web.json_response({"id": "42", "version": 1})


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_later_event_finds_the_incident_of_the_first_by_its_id(settings: Settings, elsewhere: bool) -> None:
    async def run() -> None:
        async with Receiver(xsoar) as receiver:
            url = receiver.url.removesuffix("/hook")
            integration = Integration(
                id="soc", type="xsoar", settings={"host_url": url, "version": "6", "api_key": "k", "api_key_id": ""}
            )
            async with Host(settings, integration) as host:
                await host.send([made("soc", 1)])
                await host.until(lambda: host.deliverer.counts["delivered"] == 1)
            ((key, entry),) = await topic(settings, LEDGER)
            assert (key, entry["entry"]["id"], entry["seq"], entry["status"]) == (b"soc|P-1", "42", 1, "open")
            other = settings.model_copy(update={"data": settings.data.with_name("other")}) if elsewhere else settings
            async with Host(other, integration) as host:
                await host.send([made("soc", 1, 2, "resolved")])
                await host.until(lambda: host.deliverer.counts["delivered"] == 1)
            assert [body["ids"] for body in receiver.bodies if "ids" in body] == [["42"]], "it is closed by its id"

    asyncio.run(run())
