"""How long one waits: from a raw record, and from a delivery, until the receiver has it."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from agents.integrations import Integration
from bench import _outward
from bench._broker import ROOT, Arena, arena
from bench._raw_latency import raw
from bench.figures import Figure
from streams.produce import BatchProducer
from streams.settings import Settings

RATE = 1000
"""Deliveries a second, in 100 batches."""
SECONDS, QUICK_SECONDS = 20, 5
WARM_S = 2
"""What comes in the first seconds isn't timed."""


def run(*, quick: bool = False) -> list[Figure]:
    """Measure the way out alone, and the whole way."""
    with arena() as place:
        return [*delivery(place, QUICK_SECONDS if quick else SECONDS), *raw(place, quick=quick)]


def delivery(place: Arena, seconds: float) -> list[Figure]:
    """Produce 1,000 deliveries a second for *seconds*, and take the time at the receiver."""
    with _outward.sink(place.folder) as sink:
        settings = place.settings()
        task = {"seconds": seconds, "url": sink.url, "settings": settings.model_dump(mode="json", exclude_unset=True)}
        command = [sys.executable, "-m", "bench.latency", json.dumps(task)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=300)
        stats, told = sink.stats(), json.loads(done.stdout)
    what = f"delivery produced to received, {RATE:,}/s for {seconds:g} s"
    return [
        Figure("delivery_p50", what, stats["p50"], "ms", at_most=10),
        Figure("delivery_p99", what, stats["p99"], "ms", at_most=60),
        Figure("delivery_rate", "deliveries made, while they came", told["rate"], "deliveries/s"),
        Figure("delivery_cores", "CPU of our process meanwhile", told["cores"], "cores"),
    ]


async def _delivering(settings: Settings, url: str, seconds: float) -> dict[str, float]:
    hook = Integration(id="hook", type="webhook", settings={"url": url})
    async with BatchProducer(settings) as producer, _outward.Delivering(settings, producer, {"hook": hook}) as agent:
        settings_of_source = json.dumps(settings.model_dump(mode="json", exclude_unset=True))
        source = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.latency", "source", settings_of_source, str(seconds)), cwd=ROOT
        )
        cpu, began = time.process_time(), time.monotonic()
        await source.wait()
        took, used, made = time.monotonic() - began, time.process_time() - cpu, agent.counts["delivered"]
        total = int(RATE * (WARM_S + seconds))
        while agent.counts["delivered"] < total:
            await asyncio.sleep(0.01)
    return {"rate": made / took, "cores": used / took}


async def _source(settings: Settings, seconds: float) -> None:
    """Produce in a process of its own: ours is to be measured alone."""
    each = RATE // 100
    async with BatchProducer(settings) as producer:
        began = time.monotonic()
        for number in range(int((WARM_S + seconds) * 100)):
            timed = number >= WARM_S * 100
            await _outward.lay(producer, settings, _outward.timed(number * each, each, timed=timed))
            await asyncio.sleep(max(0.0, began + (number + 1) / 100 - time.monotonic()))


def _main(asked: dict[str, Any]) -> None:
    settings = Settings(**asked.pop("settings"))
    settings.data.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(_delivering(settings, **asked))))


if __name__ == "__main__":
    if sys.argv[1] == "source":
        asyncio.run(_source(Settings(**json.loads(sys.argv[2])), float(sys.argv[3])))
    else:
        _main(json.loads(sys.argv[1]))
