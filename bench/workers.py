"""Two workers against one, at a destination that takes 20 ms for each answer, with a fixed cap in flight for each."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from agents.integrations import Integration
from agents.sinks.webhook import Webhook
from bench import _outward
from bench._broker import ROOT, Arena, arena
from bench.figures import Figure, interleaved
from streams.produce import BatchProducer
from streams.settings import Settings

ANSWER_S = 0.02
CAP = 8
"""Calls of a worker at a time: it makes 400 a second at most, so that neither machine nor broker is measured."""
COUNT, QUICK = 12_000, 3_000
ROUNDS = 3


@dataclass(slots=True)
class Slow:
    """What the slow destination has had."""

    url: str = ""
    count: int = 0


def run(*, quick: bool = False) -> list[Figure]:
    """Measure in pairs, from the moment at which the workers have their partitions."""
    count, rounds = (QUICK, 1) if quick else (COUNT, ROUNDS)
    with arena() as place, _slow() as slow:
        pairs = interleaved(lambda: _rate(place, slow, count, 2), lambda: _rate(place, slow, count, 1), rounds)
    most = CAP / ANSWER_S
    return [
        pairs.figure("ratio_to_one", f"deliveries of two workers, against one, {CAP} in flight each", at_least=1.7),
        Figure("rate_two", "two workers", median(pairs.ours), "deliveries/s"),
        Figure("rate_one", f"one worker, which could make {most:,.0f}/s", median(pairs.theirs), "deliveries/s"),
    ]


def _rate(place: Arena, slow: Slow, count: int, workers: int) -> float:
    """Return the deliveries a second of the middle half, which all *workers* have a part in."""
    base = place.settings()
    with ExitStack() as stack:
        for number in range(workers):
            own = base.model_copy(update={"data": base.data / str(number)})
            task = {"settings": own.model_dump(mode="json", exclude_unset=True), "url": slow.url}
            command = [sys.executable, "-m", "bench.workers", json.dumps(task)]
            process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        time.sleep(5)  # the last one that came has its share by then
        before = slow.count
        _outward.load(base, _outward.deliveries(count, alerts=count))
        times = [_when(slow, before + count * part // 4) for part in (1, 3)]
    return count / 2 / (times[1] - times[0])


def _when(slow: Slow, count: int) -> float:
    """Return when the destination had that many. Raises TimeoutError."""
    until = time.monotonic() + 200
    while slow.count < count:
        if time.monotonic() > until:
            raise TimeoutError(f"the destination has had {slow.count} of {count}")
        time.sleep(0.002)
    return time.monotonic()


async def _delivering(settings: Settings, url: str) -> None:
    Webhook.in_flight = CAP
    there = {"hook": Integration(id="hook", type="webhook", settings={"url": url})}
    async with BatchProducer(settings) as producer, _outward.Delivering(settings, producer, there):
        print("ready", flush=True)
        await asyncio.Event().wait()


@contextmanager
def _slow() -> Iterator[Slow]:
    """Run the destination in a thread of this process, which isn't measured."""
    found, loop = Slow(), asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                await asyncio.sleep(ANSWER_S)
                found.count += 1
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(answer, "127.0.0.1", 0), loop).result()
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        loop.call_soon_threadsafe(loop.call_later, 0.1, loop.stop)
        thread.join()


def _main(asked: dict[str, Any]) -> None:
    settings = Settings(**asked.pop("settings"))
    settings.data.mkdir(parents=True, exist_ok=True)
    asyncio.run(_delivering(settings, **asked))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
