"""Ten integrations of which one hangs, one is down and one throttles: how long the other seven wait, against alone."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

from agents.integrations import Integration
from bench import _outward
from bench._broker import ROOT, Arena, arena
from bench.figures import Figure, Pairs
from streams.produce import BatchProducer
from streams.settings import Settings

WELL = 7
ILL = ("hangs", "down", "throttles")
EACH = 50
"""Deliveries a second for each integration."""
TICKS = 50
"""Batches a second."""
SECONDS, QUICK_SECONDS = 20, 5
WARM_S = 3
"""What comes in the first seconds isn't timed."""
ROUNDS = 3


def run(*, quick: bool = False) -> list[Figure]:
    """Measure in pairs: the seven with the three ill ones, and without them, at the same pace."""
    seconds, rounds = (QUICK_SECONDS, 1) if quick else (SECONDS, ROUNDS)
    beside: list[dict[str, float]] = []
    alone: list[dict[str, float]] = []
    with arena() as place, _ill() as addresses:
        for turn in range(rounds):
            for ill, found in ((addresses, beside), ({}, alone))[:: -1 if turn % 2 else 1]:
                found.append(_measure(place, ill, seconds))
    pace = f"{EACH}/s for each"
    pairs = Pairs([each["p99"] for each in beside], [each["p99"] for each in alone])
    missing = max(each["missing"] for each in (*beside, *alone))
    return [
        pairs.figure("p99_to_alone", f"p99 of seven beside three ill ones, against alone, {pace}", at_most=1.5),
        Figure("p99_beside", "p99 of the seven beside them", median(pairs.ours), "ms"),
        Figure("p99_alone", "p99 of the seven alone", median(pairs.theirs), "ms"),
        Figure("p50_beside", "p50 of the seven beside them", median(each["p50"] for each in beside), "ms"),
        Figure("p50_alone", "p50 of the seven alone", median(each["p50"] for each in alone), "ms"),
        Figure("missing", "deliveries of the seven that weren't made", missing, "", at_most=0),
        Figure("waiting", "deliveries to the ill ones that stay open", median(e["open"] for e in beside), "deliveries"),
    ]


def _measure(place: Arena, ill: dict[str, str], seconds: float) -> dict[str, float]:
    settings = place.settings()
    with _outward.sink(place.folder) as sink:
        urls = {f"well-{number}": sink.url for number in range(WELL)} | ill
        task = {"seconds": seconds, "urls": urls, "settings": settings.model_dump(mode="json", exclude_unset=True)}
        command = [sys.executable, "-m", "bench.apart", json.dumps(task)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=300)
        return sink.stats() | dict(json.loads(done.stdout))


async def _delivering(settings: Settings, urls: dict[str, str], seconds: float) -> dict[str, float]:
    """Deliver until the seven have all of theirs; what is late then is missing."""
    there = {id: Integration(id=id, type="webhook", settings={"url": url}) for id, url in urls.items()}
    async with BatchProducer(settings) as producer, _outward.Delivering(settings, producer, there) as agent:
        task = json.dumps({"settings": settings.model_dump(mode="json", exclude_unset=True), "ids": [*urls]})
        source = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.apart", "source", task, str(seconds)), cwd=ROOT
        )
        await source.wait()
        for _ in range(1000):
            left = [each for each in agent.open() if each.integration.startswith("well")]
            if not left:
                break
            await asyncio.sleep(0.01)
        return {"missing": len(left), "open": sum(1 for _ in agent.open()) - len(left)}


async def _source(settings: Settings, ids: list[str], seconds: float) -> None:
    """Produce in a process of its own, each integration's alerts its own."""
    async with BatchProducer(settings) as producer:
        loop = asyncio.get_running_loop()
        began, made = loop.time(), 0
        for tick in range(int((WARM_S + seconds) * TICKS)):
            count = EACH // TICKS
            batch = []
            for id in ids:
                timed = tick >= WARM_S * TICKS and id.startswith("well")
                batch += [replace(each, integration=id) for each in _outward.timed(made, count, timed=timed)]
                made += count
            await _outward.lay(producer, settings, batch)
            await asyncio.sleep(max(0.0, began + (tick + 1) / TICKS - loop.time()))


@contextmanager
def _ill() -> Iterator[dict[str, str]]:
    """Run the ill destinations in a thread of this process, which isn't measured; give their addresses."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    servers = {name: asyncio.run_coroutine_threadsafe(_serve(name), loop).result() for name in ILL if name != "down"}
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # it is taken, and nobody listens
        ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
        ports["down"] = closed.getsockname()[1]
        try:
            yield {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


async def _serve(name: str) -> asyncio.Server:
    async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass

    async def throttles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    return await asyncio.start_server(hangs if name == "hangs" else throttles, "127.0.0.1", 0)


def _main(asked: dict[str, Any]) -> None:
    settings = Settings(**asked.pop("settings"))
    settings.data.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(_delivering(settings, **asked))))


if __name__ == "__main__":
    if sys.argv[1] == "source":
        source = json.loads(sys.argv[2])
        asyncio.run(_source(Settings(**source["settings"]), source["ids"], float(sys.argv[3])))
    else:
        _main(json.loads(sys.argv[1]))
