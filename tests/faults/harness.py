"""A real worker in a process of its own, to be killed; and what a test asks of topics and store afterwards."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from agents.normalise import NORMALISERS
from api.client import Client, Refused
from api.running import NotRunning
from bench._messages import guardduty
from streams.admin import committed, ensure_topics, watermarks
from streams.app import GROUP
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import STORED, TOPICS, full_name, raw_topic

ROOT = Path(__file__).parents[2]


class Process:
    """`tidegate worker` with *settings*; its log lies beside the data folder. Killed at the end if it still lives."""

    def __init__(self, settings: Settings, *, module: str = "api.cli", arguments: Sequence[str] = ("worker",)) -> None:
        self._settings = settings
        self._command = [sys.executable, "-m", module, *arguments]
        self._log = settings.data.parent / f"{settings.data.name}-{time.monotonic_ns()}.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                self._command, cwd=ROOT, env=os.environ | environment(self._settings), stdout=log, stderr=log
            )
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._popen.poll() is None:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._popen.send_signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        self._popen.terminate()
        return self._popen.wait(30)

    def wait_for_end(self, seconds: float = 60) -> None:
        """Wait until it has died by SIGKILL."""
        assert self._popen.wait(seconds) == -signal.SIGKILL, self.log[-4000:]

    @property
    def log(self) -> str:
        """What it has said."""
        return self._log.read_text(errors="replace")

    def wait_for(self, what: Callable[[], bool], seconds: float = 120) -> None:
        """Wait until *what* holds; fail with the log when it doesn't, or the process ends."""
        until = time.monotonic() + seconds
        while not what():
            assert self._popen.poll() is None, f"the worker ended with {self._popen.returncode}:\n{self.log[-4000:]}"
            assert time.monotonic() < until, f"not within {seconds} s:\n{self.log[-4000:]}"
            time.sleep(0.05)


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that give a process *settings*."""
    return {
        f"TIDEGATE_{name.upper()}": str(getattr(settings, name))
        for name in settings.model_fields_set
        if getattr(settings, name) is not None
    }


def send(settings: Settings, source: str, messages: Iterable[bytes]) -> int:
    """Send raw *messages* of *source* over all partitions; the topics are made where they are missing."""
    topic = raw_topic(NORMALISERS[source].topic)

    async def all_of_them() -> int:
        await ensure_topics(settings, [*(raw_topic(n.topic) for n in NORMALISERS.values()), *TOPICS])
        async with BatchProducer(settings) as producer:
            records = [(n % settings.raw_partitions, None, message) for n, message in enumerate(messages)]
            return await producer.send(full_name(settings, topic), records)

    return asyncio.run(all_of_them())


def send_findings(settings: Settings, count: int, **more: Any) -> None:
    """Send *count* different GuardDuty findings."""
    send(settings, "guardduty", guardduty(count, **more))


def lag(settings: Settings) -> float:
    """Return how many records the worker on the data folder is behind, by its own word; infinite while none answers."""
    try:
        status = Client(settings.data).get("/status")
    except (NotRunning, Refused, OSError):
        return math.inf
    return sum(math.inf if part["lag"] is None else part["lag"] for part in status["partitions"])


def uncommitted(settings: Settings) -> int:
    """Return how many records of all topics the group has still to acknowledge."""
    names = [full_name(settings, n.topic) for n in NORMALISERS.values()]
    names += [full_name(settings, topic) for topic in STORED.values()]

    async def ask() -> int:
        ends = await watermarks(settings, names)
        done = await committed(settings, settings.topic_prefix + GROUP)
        return sum(marks.end - done.get(at, marks.begin) for at, marks in ends.items())

    return asyncio.run(ask())


def stored(settings: Settings, sql: str, file: Path | None = None) -> list[Any]:
    """Return the rows of *sql* on the store's file, which no process may have open."""
    with duckdb.connect(str(file or settings.store_file), read_only=True) as db:
        return db.execute(sql).fetchall()


def produced(settings: Settings, kind: Any) -> int:
    """Return how many records lie on the topic that feeds *kind*."""
    name = full_name(settings, STORED[kind])
    return sum(marks.end - marks.begin for marks in asyncio.run(watermarks(settings, [name])).values())
