"""Every normaliser alone: records a second on one core, and the memory that 200 MB of Qualys's XML take."""

import gc
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from bench._records import messages
from bench.figures import Figure
from streams.identity import Place

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "data" / "normalise"
GOAL = 15_000
COUNT, QUICK = 20_000, 3_000
ROUNDS = 3
XML, QUICK_XML = 200, 25
"""Megabytes."""


def run(*, quick: bool = False) -> list[Figure]:
    """Measure every source on its own messages; the best of three rounds, CPU time of one core."""
    count = QUICK if quick else COUNT
    figures = [_rate(source, _load(source, count)) for source in NORMALISERS]
    size = QUICK_XML if quick else XML
    done = subprocess.run(
        [sys.executable, "-m", "bench._xml", str(size)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    memory, rate = map(float, done.stdout.split())
    return [
        *figures,
        Figure("xml_memory", f"memory of a process that reads {size} MB of Qualys XML", memory, "MB", at_most=200),
        Figure("xml_rate", "and how fast", rate, "MB/s"),
    ]


def _rate(source: str, load: Sequence[bytes]) -> Figure:
    [*first] = NORMALISERS[source].read(load[0], Place(NORMALISERS[source].topic, 0, 0, 1_772_442_000_000))
    if not first or any(isinstance(record, Bad) for record in first):
        raise ValueError(f"{source}: the load is ours, and must be good: {first}")
    read, best, made = NORMALISERS[source].read, float("inf"), 0
    gc.collect()
    for _ in range(ROUNDS):
        made = 0
        began = time.process_time()
        for offset, value in enumerate(load):
            made += len(read(value, Place(NORMALISERS[source].topic, 0, offset, 1_772_442_000_000)))
        best = min(best, time.process_time() - began)
    size = sum(map(len, load)) / made
    return Figure(source, f"{source}: records of {size / 1000:.1f} KB, read", made / best, "records/s", at_least=GOAL)


def _load(source: str, count: int) -> list[bytes]:
    """Return messages made for *source*; for configurations its test case whose records are nearest to 3 KB."""
    if made := messages(source, count):
        return made
    return [_nearest(source)] * (count // 10)


def _nearest(source: str) -> bytes:
    found: list[tuple[float, bytes]] = []
    for path in sorted((CASES / source).glob("*.in.json")):
        value = path.read_bytes()
        entries = NORMALISERS[source].read(value, Place("raw", 0, 0, 1_772_442_000_000))
        if entries and not any(isinstance(entry, Bad) for entry in entries):
            found.append((abs(len(value) / len(entries) - 3000), value))
    return min(found)[1]
