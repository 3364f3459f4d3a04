"""The demo's RQL on 1,000,000 resources while 2,000 records/s arrive, against the same on an idle store."""

import asyncio
import time
from datetime import UTC, datetime
from statistics import median

from agents.worker import Worker
from bench._broker import arena
from bench._messages import guardduty
from bench.figures import Figure
from bench.fill import fill
from queries import run as run_rql
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store.store import Store
from streams.topics import full_name

RESOURCES, FINDINGS = 1_000_000, 200_000
QUICK_RESOURCES, QUICK_FINDINGS = 100_000, 20_000
RATE = 2_000
RQL = (
    "config from cloud.resource where finding.type = 'AWS GuardDuty Host' AND finding.severity IN ('critical', 'high')"
    " AND api.name = 'aws-ec2-describe-instances'"
    " AND json.rule = publicIpAddress exists and metadataOptions.httpTokens = 'optional'"
)


def run(*, quick: bool = False) -> list[Figure]:
    """Fill a store, start the worker on it, ask it idle and under load in the worker's own process, as `up` does."""
    resources, findings = (QUICK_RESOURCES, QUICK_FINDINGS) if quick else (RESOURCES, FINDINGS)
    with arena() as place:
        settings = place.settings()
        store = Store.open(settings.store_file, memory="2GB")
        fill(store, resources=resources, findings=findings, part=60_000, keep_records=False)
        store.close()
        place.load(settings, [])
        idle, busy, stored = asyncio.run(_measure(settings, rounds=9 if quick else 25))
    return [
        Figure(
            "ratio_to_idle",
            "median of the demo's RQL under load over idle",
            median(busy) / median(idle),
            "x",
            at_most=2,
        ),
        Figure("idle", f"the demo's RQL on {resources:,} resources, idle", median(idle), "ms"),
        Figure("busy", f"the same while {RATE:,} records/s arrive", median(busy), "ms"),
        Figure("worst", "the slowest under load", max(busy), "ms"),
        Figure("stored", "records that arrived meanwhile, per second", stored, "records/s", at_least=0.95 * RATE),
    ]


async def _measure(settings: Settings, rounds: int) -> tuple[list[float], list[float], float]:
    worker = Worker(settings)
    await worker.start()
    idle = [await _ask(worker) for _ in range(rounds)][2:]
    load = asyncio.create_task(_load(settings))
    await asyncio.sleep(2)
    before, began = worker.counts["stored"], time.monotonic()
    busy: list[float] = []
    while len(busy) < rounds or time.monotonic() - began < 8:
        busy.append(await _ask(worker))
    stored = (worker.counts["stored"] - before) / (time.monotonic() - began)
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    await worker.stop()
    return idle, busy, stored


async def _ask(worker: Worker) -> float:
    def ask() -> float:
        cursor = worker.store.cursor()
        try:
            began = time.monotonic()
            run_rql(cursor, RQL, now=datetime.now(UTC))
            return (time.monotonic() - began) * 1000
        finally:
            cursor.close()

    return await asyncio.to_thread(ask)


async def _load(settings: Settings) -> None:
    topic = full_name(settings, "raw.findings.guardduty")
    messages = list(guardduty(20_000))
    async with BatchProducer(settings) as producer:
        due, number = time.monotonic(), 0
        while True:
            slice_ = [messages[(number + n) % len(messages)] for n in range(RATE // 20)]
            number += len(slice_)
            await producer.send(topic, [(n % settings.raw_partitions, None, m) for n, m in enumerate(slice_)])
            due += 0.05
            await asyncio.sleep(max(due - time.monotonic(), 0))
