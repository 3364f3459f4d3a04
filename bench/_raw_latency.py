"""From a raw record to a webhook: 500 configurations a second, each of which opens or resolves an alert."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import orjson
from aiohttp import web

from bench._broker import ROOT, Arena
from bench.figures import Figure
from bench.fill import fill
from streams.admin import ensure_topics
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store.store import Store
from streams.topics import TOPICS, full_name, raw_topic

RATE = 500
INSTANCES = 2_500
POLICY = "aws-ec2-instance-public-imdsv1"
TICK_S = 0.02


def raw(place: Arena, *, quick: bool) -> list[Figure]:
    """Return the latency's figures: 30 s on a store of 1,000,000 resources, less when *quick*."""
    seconds = 6 if quick else 30
    resources = 30_000 if quick else 1_000_000
    settings = place.settings(store_memory="1GB")
    store = Store.open(settings.store_file, memory="2GB")
    fill(store, resources=resources, findings=resources // 5, part=60_000, keep_records=False)
    store.close()
    took, doubled = asyncio.run(_run(settings, seconds))
    what = f"raw configuration produced to webhook received, {RATE}/s for {seconds} s, {resources:,} resources"
    return [
        Figure("raw_p50", f"{what}: median", median(took), "ms", at_most=100),
        Figure("raw_p99", f"{what}: 99 of 100", quantiles(took, n=100)[98], "ms", at_most=600),
        Figure("raw_lost", "records of which no webhook came", RATE * seconds - len(took), "", at_most=0),
        Figure("raw_doubled", "webhooks that came twice", doubled, ""),
    ]


async def _run(settings: Settings, seconds: int) -> tuple[list[float], int]:
    produced: dict[tuple[str, str], float] = {}
    took: dict[str, float] = {}
    doubled = 0

    async def receive(request: web.Request) -> web.Response:
        nonlocal doubled
        now, id = time.monotonic(), request.headers["webhook-id"]
        for alert in orjson.loads(await request.read()):
            at = produced.get((alert["resourceName"], id.rpartition("-")[2]))
            if at is not None and alert["policyId"] == POLICY:
                doubled += id in took
                took.setdefault(id, (now - at) * 1000)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr] # it has been started
    raw = raw_topic("raw.configs.aws")
    await ensure_topics(settings, [raw, *TOPICS])
    process = _worker(settings, f"http://127.0.0.1:{port}/")
    try:
        async with BatchProducer(settings) as producer:
            await _ready(settings)
            number, due = 0, time.monotonic()
            for _ in range(int(seconds / TICK_S)):
                records = []
                for _ in range(int(RATE * TICK_S)):
                    instance, turn = number % INSTANCES, number // INSTANCES
                    name = f"n{instance}"
                    produced[name, str(turn + 1)] = time.monotonic()
                    records.append((instance % settings.raw_partitions, None, _row(name, instance, turn)))
                    number += 1
                await producer.send(full_name(settings, raw), records)
                due += TICK_S
                await asyncio.sleep(max(due - time.monotonic(), 0))
        until = time.monotonic() + 20
        while len(took) < number and time.monotonic() < until:
            await asyncio.sleep(0.1)
    finally:
        process.terminate()
        process.wait(30)
        await runner.cleanup()
    return list(took.values()), doubled


def _row(name: str, instance: int, turn: int) -> bytes:
    tokens = "required" if turn % 2 else "optional"
    return orjson.dumps(
        {
            "cloud": "aws",
            "account": f"{100_000_000_000 + instance % 50:012d}",
            "region": "eu-central-1",
            "api_name": "aws-ec2-describe-instances",
            "resource_type": "AWS::EC2::Instance",
            "resource_id": f"i-{instance:017x}",
            "config": {
                "InstanceId": f"i-{instance:017x}",
                "InstanceType": "t3.micro",
                "State": {"Code": 16, "Name": "running"},
                "MetadataOptions": {"State": "applied", "HttpTokens": tokens, "HttpEndpoint": "enabled"},
                "Tags": [{"Key": "Name", "Value": name}],
                "PublicIpAddress": "198.51.100.0",
                "Note": "x" * 1000,
            },
        }
    )


def _worker(settings: Settings, url: str) -> "subprocess.Popen[bytes]":
    states = ["open", "resolved"]
    rule = {"id": "r", "name": "R", "policies": [POLICY], "channels": [{"integration": "hook", "states": states}]}
    said = {"integrations": [{"id": "hook", "type": "webhook", "settings": {"url": url}}], "alert_rules": [rule]}
    file = Path(tempfile.mkdtemp(prefix="tidegate-bench-")) / "alerting.yaml"
    file.write_text(json.dumps(said))
    given = settings.model_dump(mode="json", exclude_unset=True)
    given |= {"alerting": str(file), "allowed_networks": "127.0.0.0/8", "api_port": 0}
    env = os.environ | {f"TIDEGATE_{name.upper()}": str(value) for name, value in given.items()}
    return subprocess.Popen([sys.executable, "-m", "api.cli", "worker"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)


async def _ready(settings: Settings) -> None:
    from api.client import Client, Refused
    from api.running import NotRunning

    def asked() -> Any:
        return Client(settings.data).get("/status")

    until = time.monotonic() + 120
    while True:
        try:
            if (await asyncio.to_thread(asked))["whole"]:
                await asyncio.sleep(2)  # partitions are admitted
                return
        except (NotRunning, Refused, OSError):
            pass
        if time.monotonic() > until:
            raise RuntimeError("the worker isn't ready after 120 s")
        await asyncio.sleep(0.2)
