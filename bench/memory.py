"""Memory of the worker while 1,000,000 messages wait: it must not grow with what waits."""

import json
import subprocess
import sys
import time

import psutil

from bench._broker import ROOT, arena
from bench._messages import guardduty
from bench.figures import Figure

COUNT, QUICK = 1_000_000, 60_000


def run(*, quick: bool = False) -> list[Figure]:
    """Start a worker on a full raw topic and watch its resident memory until the end, or for 60 seconds."""
    count = QUICK if quick else COUNT
    with arena() as place:
        settings = place.settings()
        place.load(settings, guardduty(count))
        task = json.dumps({"count": count, "settings": settings.model_dump(mode="json", exclude_unset=True)})
        child = subprocess.Popen(
            [sys.executable, "-m", "bench._child", "inbound", task], cwd=ROOT, stdout=subprocess.PIPE
        )
        seen: list[float] = []
        until = time.monotonic() + 60
        while child.poll() is None and time.monotonic() < until:
            try:
                seen.append(psutil.Process(child.pid).memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.25)
        child.kill()
        child.wait()
    third = len(seen) // 3
    return [
        Figure("rss", f"most resident memory with {count:,} messages waiting", max(seen), "MB", at_most=600),
        Figure(
            "growth",
            "last third of the time over the second third, most of each",
            max(seen[-third:]) / max(seen[third:-third]),
            "x",
            at_most=1.2,
        ),
    ]
