"""The way out in a process of its own: `python -m bench._outward NAME JSON`; the sink; the deliveries to be made."""

import asyncio
import ipaddress
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer
from faust.types import TP

from agents.deliver import Deliverer
from agents.integrations import Integration
from agents.sinks._client import open_client
from agents.sinks._payload import sample
from bench._broker import ROOT, Arena, Took
from streams.admin import Watermarks, cluster_identity, ensure_topics
from streams.alerts import Delivery, RuleName, key_of, write
from streams.app import create_app
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, DELIVERIES, DELIVERY_LOG, LEDGER, full_name

TOPICS = (DELIVERIES, DELIVERY_LOG, LEDGER, DEAD_LETTERS)
IN_FLIGHT = 64
"""Calls at a time, the webhook's own number; the bare loop has as many."""
SOURCE = Path(__file__).parent / "peers" / "sink.go"


@dataclass(frozen=True, slots=True)
class Sink:
    """The compiled destination, running."""

    program: Path
    port: int

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}/"

    def stats(self) -> dict[str, float]:
        """Return `count`, and `p50`, `p99`, `most` in ms of the bodies that tell when they were sent."""
        with urllib.request.urlopen(f"{self.url}stats", timeout=10) as answer:  # noqa: S310 - our own
            return dict(json.load(answer))

    def rate(self, count: int) -> float:
        """Return how many requests a second it takes from a compiled client on this machine."""
        command = [str(self.program), "load", self.url, str(count), str(IN_FLIGHT)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120)
        return float(json.loads(done.stdout)["rate"])


@contextmanager
def sink(folder: Path) -> Iterator[Sink]:
    """Compile the destination into *folder* and run it. Needs Go."""
    if shutil.which("go") is None:
        raise SystemExit("the destination of this benchmark is a Go program: install Go (apt-get install golang-go)")
    program = folder / "sink"
    if not program.exists():
        subprocess.run(["go", "build", "-o", str(program), str(SOURCE)], check=True)
    with subprocess.Popen([program, "serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Sink(program, int(process.stdout.readline()))
        finally:
            process.kill()


def deliveries(count: int, *, alerts: int, integration: str = "hook", first: int = 0) -> Iterator[Delivery]:
    """Yield *count* events of *alerts* alerts in 100 accounts, in turn."""
    for number in range(first, first + count):
        yield delivery(number % alerts, number // alerts + 1, integration)


def delivery(alert: int, seq: int, integration: str = "hook") -> Delivery:
    """Return event *seq* of an alert, such as a policy makes them."""
    at = int(time.time() * 1000)
    base = _sample()
    resource = replace(base.event.alert.resource, account=f"{alert % 100:012d}")
    state = replace(base.event.alert, id=f"P-{alert}", seq=seq, resource=resource)
    event = replace(base.event, id=f"P-{alert}-{seq}", seq=seq, at=at, alert=state)
    return replace(base, integration=integration, event=event)


def timed(first: int, count: int, *, timed: bool = True) -> Iterator[Delivery]:
    """Yield deliveries of new alerts that tell the sink when they were made, in ns, unless not *timed*."""
    for number in range(first, first + count):
        link = str(time.time_ns()) if timed else ""
        yield replace(delivery(number, 1), link=link)


async def lay(producer: BatchProducer, settings: Settings, made: Iterable[Delivery]) -> None:
    """Lay deliveries on their partitions."""
    records = []
    for each in made:
        partition = partition_of(each.event.alert.resource.account, settings.partitions)
        records.append((partition, key_of(each), write(each)))
    await producer.send(full_name(settings, DELIVERIES), records)


def load(settings: Settings, made: Iterator[Delivery]) -> None:
    """Make the topics, and lay all of it on them."""

    async def run() -> None:
        await ensure_topics(settings, TOPICS)
        async with BatchProducer(settings) as producer:
            while part := [each for _, each in zip(range(5000), made, strict=False)]:
                await lay(producer, settings, part)

    asyncio.run(run())


def measure(place: Arena, name: str, settings: Settings, count: int, url: str) -> Took:
    """Run a contestant on what `load` laid down."""
    task = {"count": count, "url": url, "settings": settings.model_dump(mode="json", exclude_unset=True)}
    command = [sys.executable, "-m", "bench._outward", name, json.dumps(task)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600)
    return Took(count, **json.loads(done.stdout))


async def ours(settings: Settings, count: int, url: str) -> float:
    """Run the delivery agent under Faust. Return the seconds until the last tombstone is acknowledged."""
    hook = Integration(id="hook", type="webhook", settings={"url": url})
    async with BatchProducer(settings) as producer, Delivering(settings, producer, {"hook": hook}) as deliverer:
        began = time.monotonic()
        while deliverer.counts["delivered"] < count:
            await asyncio.sleep(0.002)
        await deliverer.closed()
        return time.monotonic() - began


class Delivering:
    """A Faust app with the delivery agent and nothing else, as the worker has it."""

    def __init__(self, settings: Settings, producer: BatchProducer, integrations: Mapping[str, Integration]) -> None:
        self._settings = settings
        networks = [ipaddress.ip_network("127.0.0.0/8")]
        self.deliverer = Deliverer(settings, producer, lambda: integrations, partial(open_client, networks))

    async def __aenter__(self) -> Deliverer:
        deliverer, topic = self.deliverer, full_name(self._settings, DELIVERIES)
        await ensure_topics(self._settings, TOPICS)
        cluster, ids = await cluster_identity(self._settings)
        await deliverer.start(cluster, ids)
        self._running = asyncio.create_task(deliverer.run())
        self._app = app = create_app(self._settings)
        assigned = asyncio.Event()

        @app.agent(app.topic(topic), name="deliver")  # type: ignore[untyped-decorator] # Faust has no types
        async def deliver(stream: Any) -> None:
            async for event in stream.noack().events():
                deliverer.take(event.value, event.ack)

        async def starts(tps: set[TP]) -> Mapping[TP, int]:
            begins, ends = await app.consumer.earliest_offsets(*tps), await app.consumer.highwaters(*tps)
            marks = {tp.partition: Watermarks(begins[tp] or 0, ends[tp] or 0) for tp in tps}
            found = await deliverer.assign(marks)
            assigned.set()
            return {TP(topic, number): start for number, start in found.items()}

        app.starts = starts
        await app.start()
        await assigned.wait()
        return deliverer

    async def __aexit__(self, *_: object) -> None:
        await self.deliverer.stop()
        await self._app.stop()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


async def bare(settings: Settings, count: int, url: str) -> float:
    """Run the floor: aiokafka, aiohttp, as many calls at a time, no order, no tombstone, a commit after each poll."""
    consumer = AIOKafkaConsumer(
        full_name(settings, DELIVERIES),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id="floor",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=settings.batch,
    )
    await consumer.start()
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def post(records: Iterator[Any]) -> None:
            for record in records:
                async with session.post(url, data=record.value, headers=headers) as answer:
                    await answer.read()
                    assert answer.status == 202

        seen, began = 0, time.monotonic()
        while seen < count:
            polled = await consumer.getmany(timeout_ms=1000)
            records = [record for each in polled.values() for record in each if record.value is not None]
            waiting = iter(records)
            await asyncio.gather(*(post(waiting) for _ in range(IN_FLIGHT)))
            await consumer.commit()
            seen += len(records)
        took = time.monotonic() - began
    await consumer.stop()
    return took


def _sample() -> Delivery:
    base = sample(0)
    resource = replace(
        base.event.alert.resource,
        rrn="rrn:aws:aws-ec2-describe-security-groups:eu-west-1:111122223333:0a1b2c3d4e:sg-1",
        id="sg-0a1b2c3d4e5f60718",
        name="web",
        region="eu-west-1",
        api_name="aws-ec2-describe-security-groups",
        service="Amazon EC2",
        resource_type="AWS::EC2::SecurityGroup",
        tags={"team": "ops"},
    )
    state = replace(base.event.alert, resource=resource)
    return replace(base, event=replace(base.event, alert=state), rules=[RuleName(id="r1", name="All of production")])


CONTESTANTS: dict[str, Callable[[Settings, int, str], Awaitable[float]]] = {"ours": ours, "bare": bare}


def main(name: str, asked: dict[str, Any]) -> None:
    """Run the contestant and print what it took."""
    settings = Settings(**asked["settings"])
    Path(settings.data).mkdir(parents=True, exist_ok=True)

    async def run() -> dict[str, float]:
        cpu = time.process_time()
        seconds = await CONTESTANTS[name](settings, asked["count"], asked["url"])
        line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM"))
        return {"seconds": seconds, "cpu": time.process_time() - cpu, "rss_mb": int(line.split()[1]) / 1024}

    print(json.dumps(asyncio.run(run())))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
