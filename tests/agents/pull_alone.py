"""A puller in a process of its own, to be killed: settings from the environment, one Tenable at the address given."""

import asyncio
import sys

from agents.inbound import InboundIntegration
from agents.pull import Puller, Pulls
from streams.settings import Settings
from tests.fakes.tenable import KEYS


async def main(url: str) -> None:
    settings = Settings()
    one = InboundIntegration(id="scanner", name="Scanner", type="tenable", settings={"url": url, **KEYS})
    pulls = Pulls(settings)
    await pulls.start()

    async def soon(seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)

    owned = range(settings.partitions)
    await Puller(settings, pulls, lambda: {one.id: one}, lambda _: True, lambda: owned, sleep=soon).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
