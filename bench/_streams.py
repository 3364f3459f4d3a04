"""Kafka Streams as a peer: bench/peers/Peer.java, compiled here where there is a Java compiler."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import jgo

from agents.normalise import NORMALISERS
from bench._broker import Took
from streams.admin import ensure_topics
from streams.settings import Settings
from streams.topics import FINDINGS, full_name

QUOTED = 38_000
"""Messages/s of Kafka Streams 4.3.1 on this work on two cores, measured once: where there is no Java compiler."""

SOURCE = Path(__file__).parent / "peers" / "Peer.java"
JARS = "+".join(
    (
        "org.apache.kafka:kafka-streams:4.3.1",
        "com.fasterxml.jackson.core:jackson-databind:2.19.2",
        "org.slf4j:slf4j-nop:1.7.36",
    )
)


@dataclass(frozen=True, slots=True)
class Peer:
    """The compiled program."""

    classes: Path
    class_path: str

    def run(self, settings: Settings, count: int) -> Took:
        """Run it on what lies on the raw topic of GuardDuty."""
        raw = full_name(settings, NORMALISERS["guardduty"].topic)
        findings = replace(FINDINGS, name="findings-of-peer")  # ours lie on our own
        asyncio.run(ensure_topics(settings, [findings]))
        arguments = [settings.kafka_bootstrap_servers, raw, full_name(settings, findings), str(count)]
        state = settings.data.with_name(f"{settings.data.name}-streams")
        command = ["java", "-Xmx512m", "-cp", self.class_path, "Peer", *arguments, str(state)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600)
        return Took(count, **json.loads(done.stdout.splitlines()[-1]))


def available() -> bool:
    """Whether a Java compiler is there."""
    return shutil.which("javac") is not None and shutil.which("java") is not None


@contextmanager
def compiled(folder: Path) -> Iterator[Peer]:
    """Compile the peer into *folder*; its libraries come from the cache."""
    built = jgo.build(JARS, cache_dir=Settings().cache / "peers")
    jars = sorted(Path(built.path).rglob("*.jar"))
    class_path = ":".join(map(str, jars))
    classes = folder / "peer"
    subprocess.run(["javac", "-cp", class_path, "-d", str(classes), str(SOURCE)], check=True)
    yield Peer(classes, f"{classes}:{class_path}")
