"""One contestant in a process of its own: `python -m bench._child NAME JSON` prints what it took as JSON."""

import asyncio
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faust
import orjson
from aiokafka import AIOKafkaConsumer

from agents.ingest import Ingest
from agents.normalise import NORMALISERS
from agents.normalise._base import Bad, Normaliser
from agents.worker import Worker
from bench._tenfold import Tenfold
from streams.app import create_app
from streams.codec import encode
from streams.identity import Place
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import FINDINGS, full_name


@dataclass(frozen=True, slots=True)
class Task:
    """What to do: *count* messages of the raw topic, with the shipped normaliser or the one of ten fields."""

    count: int
    tenfold: bool
    template: str
    settings: Settings

    @property
    def normaliser(self) -> Normaliser:
        """The normaliser to use."""
        return Tenfold() if self.tenfold else NORMALISERS["guardduty"]

    @property
    def topic(self) -> str:
        """The raw topic's full name."""
        return full_name(self.settings, NORMALISERS["guardduty"].topic)


async def loop(task: Task) -> float:
    """Run the floor: poll, normalise, send in batches by partition, await, commit. Return the seconds that it took."""
    consumer = AIOKafkaConsumer(
        task.topic,
        bootstrap_servers=task.settings.kafka_bootstrap_servers,
        group_id="floor",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=task.settings.batch,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    producer = BatchProducer(task.settings)
    findings = full_name(task.settings, FINDINGS)
    read, seen = task.normaliser.read, 0
    await producer.start()
    await consumer.start()
    began = time.monotonic()
    before: asyncio.Task[int] | None = None
    while seen < task.count:
        outgoing = []
        for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
            seen += len(records)
            for record in records:
                for made in read(record.value, Place(tp.topic, tp.partition, record.offset, record.timestamp)):
                    assert not isinstance(made, Bad)
                    account, key, value = encode(made)
                    outgoing.append((partition_of(account, task.settings.partitions), key, value))
        if before is not None:
            await before
            await consumer.commit()
        before = asyncio.create_task(producer.send(findings, outgoing))
    assert before is not None
    await before
    await consumer.commit()
    took = time.monotonic() - began
    await consumer.stop()
    await producer.stop()
    return took


async def normalise(task: Task) -> float:
    """Run our agent that normalises, without a store. Return the seconds until the last acknowledgement."""
    producer = BatchProducer(task.settings)
    await producer.start()
    app = create_app(task.settings)
    ingest = Ingest(task.settings, task.normaliser, producer, Counter())
    done, seen = asyncio.Event(), 0

    @app.agent(app.topic(task.topic), name="normalise")
    async def agent(stream: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(ingest.send())
            async for event in stream.noack().events():
                ingest.put(await ingest.normalise(event.value), partial(acknowledged, event))

    def acknowledged(event: Any) -> None:
        nonlocal seen
        event.ack()
        seen += len(event.value.records)
        if seen >= task.count:
            done.set()

    took = await _measured(app, done)
    await producer.stop()
    return took


async def inbound(task: Task) -> float:
    """Run the whole worker. Return the seconds from joining the group until every finding is in the store."""
    if task.template:
        task.settings.store_file.parent.mkdir(parents=True)
        shutil.copy(task.template, task.settings.store_file)
    worker = Worker(task.settings, {"guardduty": task.normaliser})
    await worker.start()
    began = time.monotonic()
    while worker.counts["stored"] < task.count:
        await asyncio.sleep(0.005)
    took = time.monotonic() - began
    await worker.stop()
    return took


async def plain_faust(task: Task) -> float:
    """Run Faust as its guide shows it: one event a message, the finding into a Table. Return the seconds."""
    app = faust.App(
        "plain",
        broker=f"kafka://{task.settings.kafka_bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_partitions=task.settings.raw_partitions,
        topic_replication_factor=1,
    )
    table = app.Table("findings-table", partitions=task.settings.raw_partitions)
    topic = app.topic(task.topic, value_serializer="raw", key_serializer="raw")
    done, read, seen = asyncio.Event(), task.normaliser.read, 0

    @app.agent(topic)
    async def agent(stream: Any) -> None:
        nonlocal seen
        async for event in stream.events():
            message = event.message
            for made in read(
                event.value, Place(message.topic, message.partition, message.offset, int(message.timestamp * 1000))
            ):
                assert not isinstance(made, Bad)
                _, key, value = encode(made)
                table[key.decode()] = orjson.loads(value)
            seen += 1
            if seen >= task.count:
                done.set()

    return await _measured(app, done)


async def _measured(app: faust.App, done: asyncio.Event) -> float:
    """Start *app*, and return the seconds from when it has its partitions until it is *done*."""
    ready = asyncio.Event()
    app.on_rebalance_complete.connect(lambda *_, **__: ready.set(), weak=False)
    await app.start()
    await ready.wait()
    began = time.monotonic()
    await done.wait()
    took = time.monotonic() - began
    await app.stop()
    return took


def _most_memory() -> float:
    """Return the most resident memory of this process in MB. Not ru_maxrss: that begins with the parent's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


CONTESTANTS: dict[str, Callable[[Task], Awaitable[float]]] = {
    "loop": loop,
    "normalise": normalise,
    "inbound": inbound,
    "plain_faust": plain_faust,
}


def main(name: str, asked: dict[str, Any]) -> None:
    """Run the contestant and print what it took."""
    settings = Settings(**asked["settings"])
    Path(settings.data).mkdir(parents=True, exist_ok=True)
    task = Task(asked["count"], asked.get("tenfold", False), asked.get("template", ""), settings)

    async def run() -> dict[str, float]:
        cpu = time.process_time()
        seconds = await CONTESTANTS[name](task)
        return {
            "seconds": seconds,
            "cpu": time.process_time() - cpu,
            "rss_mb": _most_memory(),
        }

    print(json.dumps(asyncio.run(run())))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
