"""Memory of a worker with 100,000 open deliveries to a destination that is dead, and what another one notices of it."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import psutil

from agents.integrations import Integration
from agents.worker import Worker
from bench import _outward
from bench._broker import ROOT, arena
from bench.figures import Figure
from streams.produce import BatchProducer
from streams.settings import Settings

COUNT, QUICK = 100_000, 20_000
WATCH_S, QUICK_WATCH_S = 20, 5
RATE = 200
"""Deliveries a second to the destination that works, meanwhile."""


def run(*, quick: bool = False) -> list[Figure]:
    """Lay deliveries for a dead destination on the topic, start a worker on them, and watch it when it has read all."""
    count, seconds = (QUICK, QUICK_WATCH_S) if quick else (COUNT, WATCH_S)
    with arena() as place, _outward.sink(place.folder) as sink:
        settings = place.settings(allowed_networks="127.0.0.0/8")
        _outward.load(settings, _outward.deliveries(count, alerts=count // 5, integration="dead"))
        task = {"count": count, "url": sink.url, "seconds": seconds}
        task |= {"settings": settings.model_dump(mode="json", exclude_unset=True)}
        command = [sys.executable, "-m", "bench.open", json.dumps(task)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600)
        told, stats = json.loads(done.stdout), sink.stats()
    memory: list[float] = told["memory"]
    half = len(memory) // 2
    return [
        Figure("rss", f"most resident memory of a worker with {count:,} open", max(memory), "MB", at_most=600),
        Figure(
            "growth",
            "the second half of the time over the first, most of each",
            max(memory[half:]) / max(memory[:half]),
            "x",
            at_most=1.05,
        ),
        Figure("idle_rss", "the same worker before", told["before"], "MB"),
        Figure("read", "until all of it was in the table", told["read"], "s"),
        Figure("other_p50", f"produced to received at {RATE}/s by a destination that works", stats["p50"], "ms"),
        Figure("other_p99", "the same", stats["p99"], "ms"),
    ]


async def _worker(settings: Settings, count: int, url: str, seconds: float) -> dict[str, Any]:
    integrations = {
        "dead": Integration(id="dead", type="webhook", settings={"url": "http://127.0.0.1:9/"}),
        "hook": Integration(id="hook", type="webhook", settings={"url": url}),
    }
    worker = Worker(settings, {}, integrations=lambda: integrations)
    process = psutil.Process()
    before, began = process.memory_info().rss / 1e6, time.monotonic()
    await worker.start()
    while worker.deliverer.counts["kept"] < count:
        await asyncio.sleep(0.05)
    read = time.monotonic() - began
    memory: list[float] = []
    async with BatchProducer(settings) as producer:
        until, number = time.monotonic() + seconds, 0
        while (now := time.monotonic()) < until:
            await _outward.lay(producer, settings, _outward.timed(number, RATE // 20))
            number += RATE // 20
            memory.append(process.memory_info().rss / 1e6)
            await asyncio.sleep(max(0.0, now + 0.05 - time.monotonic()))
    assert sum(way.open for way in worker.deliverer.routes() if way.integration == "dead") == count
    await worker.stop()
    return {"memory": memory, "before": before, "read": read}


def _main(asked: dict[str, Any]) -> None:
    settings = Settings(**asked.pop("settings"))
    settings.data.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(_worker(settings, **asked))))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
