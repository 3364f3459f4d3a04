"""Deliveries topic to a Splunk HTTP Event Collector: requests of 1 MB of alerts of 1 KB, without gzip."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from agents.integrations import Integration
from bench import _outward
from bench._broker import ROOT, arena
from bench.figures import Figure
from streams.produce import BatchProducer
from streams.settings import Settings

COUNT, QUICK = 150_000, 30_000
ALERTS = 20_000
ROUNDS = 3


@dataclass(slots=True)
class Collector:
    """What the collector has had."""

    url: str = ""
    events: int = 0
    sizes: list[int] = field(default_factory=list)
    """Bytes of each request."""


def run(*, quick: bool = False) -> list[Figure]:
    """Measure on deliveries that lie there: events of 20,000 alerts."""
    count, rounds = (QUICK, 1) if quick else (COUNT, ROUNDS)
    took = []
    with arena() as place, _collector() as collector:
        for _ in range(rounds):
            settings = place.settings()
            _outward.load(settings, _outward.deliveries(count, alerts=ALERTS, integration="splunk"))
            took.append(_measure(settings, count, collector.url))
    events, sizes = collector.events, collector.sizes
    rate = median(count / each["seconds"] for each in took)
    return [
        Figure("rate", "alerts to the collector", rate, "alerts/s", at_least=25_000),
        Figure("cores", "CPU of our process", median(each["cpu"] / each["seconds"] for each in took), "cores"),
        Figure("sent", "events that the collector has had, of those there were", events / (count * rounds), "x"),
        Figure("request", "bytes of a request", median(sizes), "bytes"),
        Figure("event", "bytes of an event", sum(sizes) / max(events, 1), "bytes"),
    ]


def _measure(settings: Settings, count: int, url: str) -> dict[str, float]:
    task = {"settings": settings.model_dump(mode="json", exclude_unset=True), "count": count, "url": url}
    command = [sys.executable, "-m", "bench.hec", json.dumps(task)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600)
    return dict(json.loads(done.stdout))


async def _delivering(settings: Settings, count: int, url: str) -> dict[str, float]:
    """Return wall and CPU seconds until the last tombstone is acknowledged."""
    given = {"url": url, "auth_token": "00000000-0000-4000-8000-000000000000", "compress": False}
    there = {"splunk": Integration(id="splunk", type="splunk", settings=given)}
    async with BatchProducer(settings) as producer, _outward.Delivering(settings, producer, there) as agent:
        cpu, began = time.process_time(), time.monotonic()
        while agent.counts["delivered"] < count:
            await asyncio.sleep(0.002)
        await agent.closed()
        return {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}


@contextmanager
def _collector() -> Iterator[Collector]:
    """Run a collector in a thread of this process, which isn't measured."""
    found, loop = Collector(), asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = b'{"text":"Success","code":0}'
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said)
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(asked.partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(size)
                found.sizes.append(size)
                found.events += body.count(b'"event_id"')
                writer.write(head + said)
        except asyncio.IncompleteReadError:
            writer.close()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(answer, "127.0.0.1", 0, limit=4 * 1024 * 1024)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result()
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _main(asked: dict[str, Any]) -> None:
    settings = Settings(**asked.pop("settings"))
    settings.data.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(_delivering(settings, **asked))))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
