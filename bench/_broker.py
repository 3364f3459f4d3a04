"""A broker, the load on a raw topic, and contestants in processes of their own."""

import asyncio
import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.normalise import NORMALISERS
from bench.fill import fill
from streams.admin import ensure_topics
from streams.embedded import Broker
from streams.produce import BatchProducer
from streams.settings import Settings, load
from streams.store.store import Store
from streams.topics import TOPICS, full_name, raw_topic

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Took:
    """What a contestant took for *count* messages: wall and CPU seconds, and its largest resident memory."""

    count: int
    seconds: float
    cpu: float
    rss_mb: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.count / self.seconds

    @property
    def cores(self) -> float:
        """CPU seconds per second."""
        return self.cpu / self.seconds


class Arena:
    """A broker and a scratch folder for one benchmark."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder

    def settings(self, **more: Any) -> Settings:
        """Return settings with topics and a folder that nobody has used."""
        name = uuid.uuid4().hex[:8]
        return load(
            kafka_bootstrap_servers=self.broker.bootstrap_servers,
            data=self.folder / name,
            topic_prefix=f"{name}.",
            **{"partitions": 4, "raw_partitions": 4} | more,
        )

    def load(self, settings: Settings, messages: Iterable[bytes]) -> None:
        """Lay *messages* on the raw topic of GuardDuty, evenly over its partitions."""
        asyncio.run(_load(settings, messages))

    def template(self, findings: int) -> Path:
        """Return a store file with that many findings, in a partition that no topic has; made once, to be copied."""
        file = self.folder / f"{findings}.duckdb"
        if not file.exists():
            store = Store.open(file, memory="4GB")
            fill(store, findings=findings, part=60_000)
            store.close()
        return file

    def run(self, name: str, settings: Settings, count: int, **more: Any) -> Took:
        """Run a contestant of bench._child on what `load` laid down."""
        task = {"count": count, "settings": settings.model_dump(mode="json", exclude_unset=True)} | more
        command = [sys.executable, "-m", "bench._child", name, json.dumps(task)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600)
        return Took(count, **json.loads(done.stdout))


@contextmanager
def arena() -> Iterator[Arena]:
    """Give an Arena, and clear it away."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as name:
        folder = Path(name)
        with Broker(folder / "broker", Settings().cache) as broker:
            yield Arena(broker, folder)


async def _load(settings: Settings, messages: Iterable[bytes]) -> None:
    topic = raw_topic(NORMALISERS["guardduty"].topic)
    await ensure_topics(settings, [topic, *TOPICS])
    async with BatchProducer(settings) as producer:
        waiting: list[tuple[int, bytes | None, bytes | None]] = []
        for number, message in enumerate(messages):
            waiting.append((number % settings.raw_partitions, None, message))
            if len(waiting) == 5000:
                await producer.send(full_name(settings, topic), waiting)
                waiting = []
        await producer.send(full_name(settings, topic), waiting)
