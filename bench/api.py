"""The API: a search over the compiled SQL, 50 clients while 2,000 records/s arrive, a long list paged under writes."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

import queries
from api.client import Client
from bench import _api_pages, _api_served
from bench._api_load import MIX
from bench._broker import ROOT, Arena, arena
from bench._messages import guardduty
from bench.figures import Figure
from bench.fill import fill
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store import Store
from streams.topics import full_name

RESOURCES, FINDINGS, ALERTS = 1_000_000, 200_000, 100_000
QUICK_RESOURCES, QUICK_FINDINGS, QUICK_ALERTS = 50_000, 10_000, 10_000
CLIENTS, RATE = 50, 2_000
SECONDS, QUICK_SECONDS = 60, 8
SOME_ALERTS = 10_000
"""Alerts that there are while clients ask."""

SEARCHES = {
    "api.name": "config from cloud.resource where api.name = 'aws-ec2-describe-instances'",
    "json.rule": "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"
    " AND json.rule = metadataOptions.httpTokens = 'optional' and publicIpAddress exists",
    "findings": "config from cloud.resource where finding.severity IN ('critical', 'high')"
    " AND api.name = 'aws-ec2-describe-instances' AND json.rule = metadataOptions.httpEndpoint = 'enabled'",
}


def run(*, quick: bool = False) -> list[Figure]:
    """Fill a store; search it alone; then start a whole Tidegate on it; then page through a list of another one."""
    resources, findings, alerts = (
        (QUICK_RESOURCES, QUICK_FINDINGS, QUICK_ALERTS) if quick else (RESOURCES, FINDINGS, ALERTS)
    )
    with arena() as place:
        settings = place.settings(api_port=0)
        store = Store.open(settings.store_file, memory="2GB")
        fill(store, resources=resources, findings=findings, part=60_000, keep_records=False)
        _api_pages.put(store, _api_pages.made(SOME_ALERTS))
        accounts = [row[0] for row in store.cursor().execute("select distinct account from resources").fetchall()]
        store.close()
        figures = _searched(settings, resources, rounds=5 if quick else 15)
        figures += _under_load(place, settings, accounts, QUICK_SECONDS if quick else SECONDS)
        figures += asyncio.run(_api_pages.paged(place.settings(api_port=0), alerts))
    return figures


def _searched(settings: Settings, resources: int, rounds: int) -> list[Figure]:
    """Time searches of 100 rows by HTTP and their compiled SQL by turns, in one process, on an idle store."""
    figures, worst = [], 0.0
    with _api_served.alone(settings) as (cursor, ask):
        for name, query in SEARCHES.items():
            sql, http = [], []
            for _ in range(rounds + 1):
                began = time.perf_counter()
                queries.run(cursor, query, now=datetime.now(UTC), limit=100)
                sql.append((time.perf_counter() - began) * 1000)
                began = time.perf_counter()
                said = ask("/search/config", {"query": query, "limit": 100})
                http.append((time.perf_counter() - began) * 1000)
                if len(said["data"]["items"]) != 100:
                    raise ValueError(f"{name}: {len(said['data']['items'])} rows: wanted 100")
            alone, whole = median(sql[1:]), median(http[1:])
            worst = max(worst, (whole - 5) / alone)
            figures += [
                Figure(f"search_{name}", f"100 rows by {name} of {resources:,} resources, by HTTP", whole, "ms"),
                Figure(f"sql_{name}", "its compiled SQL alone", alone, "ms"),
            ]
    return [
        Figure("search_over_sql", "search by HTTP less 5 ms, over its SQL alone: the worst", worst, "x", at_most=2),
        *figures,
    ]


def _under_load(place: Arena, settings: Settings, accounts: list[str], seconds: int) -> list[Figure]:
    """Let clients ask a whole Tidegate, in a process of its own, while records arrive."""
    with _up(settings) as (api, client):
        client.change("PUT", "/control/users/bench", {"name": "Bench", "role": "admin"})
        made = client.post("/control/access-keys", {"user": "bench", "name": "bench"})
        over = threading.Event()
        sent: list[int] = []
        load = threading.Thread(target=lambda: sent.append(asyncio.run(_records(settings, over))))
        load.start()
        task = {"base": api, "key": made["id"], "secret": made["secret"], "accounts": accounts}
        task |= {"clients": CLIENTS, "seconds": seconds}
        before, began = _stored(client), time.monotonic()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench._api_load", json.dumps(task)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                check=True,
                timeout=seconds + 300,
            )
            stored = (_stored(client) - before) / (time.monotonic() - began)
        finally:
            over.set()
            load.join()
    told = json.loads(done.stdout)
    took = {kind: [each * 1000 for each in times] for kind, times in told["took"].items()}
    every = [each for times in took.values() for each in times]
    for wrong in told["wrong"][:5]:
        print(wrong, file=sys.stderr)
    mix = ", ".join(f"{share} % {kind}" for kind, share in MIX.items())
    what = f"{CLIENTS} clients, 200 ms think time, {seconds} s, {RATE:,} records/s arriving: {mix}"
    return [
        Figure("clients_p99", what, _percentile(every, 99), "ms", at_most=500),
        Figure("clients_errors", "answers that were none", len(told["wrong"]), "", at_most=0),
        Figure("clients_p50", "the median of all answers", median(every), "ms"),
        Figure("clients_rate", "answers", len(every) / seconds, "requests/s"),
        Figure("clients_stored", "records that were stored meanwhile", stored, "records/s", at_least=0.9 * RATE),
        *(Figure(f"p99_{kind}", f"{kind} alone", _percentile(times, 99), "ms") for kind, times in took.items()),
    ]


@contextlib.contextmanager
def _up(settings: Settings) -> Iterator[tuple[str, Client]]:
    """Run `tidegate up` on *settings*; give its address and a client that has the local token."""
    given = settings.model_dump(mode="json", exclude_unset=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    env |= {f"TIDEGATE_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "api.cli", "up", "--json"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        try:
            line = child.stdout.readline()
            if not line:
                raise SystemExit("`tidegate up` ended before it was ready")
            yield json.loads(line)["api"], Client(settings.data)
        finally:
            child.terminate()
            child.wait(60)


async def _records(settings: Settings, over: threading.Event) -> int:
    """Send RATE findings a second until *over*; return how many."""
    topic = full_name(settings, "raw.findings.guardduty")
    messages = list(guardduty(20_000))
    number = 0
    async with BatchProducer(settings) as producer:
        due = time.monotonic()
        while not over.is_set():
            slice_ = [messages[(number + at) % len(messages)] for at in range(RATE // 20)]
            number += len(slice_)
            await producer.send(topic, [(at % settings.raw_partitions, None, m) for at, m in enumerate(slice_)])
            due += 0.05
            await asyncio.sleep(max(due - time.monotonic(), 0))
    return number


def _stored(client: Client) -> int:
    """Return up to where the topic of findings is stored, all partitions together."""
    partitions: list[dict[str, Any]] = client.get("/status")["partitions"]
    return sum(each["next_offset"] for each in partitions if each["topic"].endswith("findings"))


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")
