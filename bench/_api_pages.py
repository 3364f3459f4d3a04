"""A long list of alerts, paged to its end while alerts in it change and new ones come."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import aiohttp

from agents.control import kinds
from api.app import create_app
from api.state import Alone
from bench._api_served import TOKEN, served
from bench.figures import Figure
from queries.policy import load_all
from streams.alerts import Alert, AlertPolicy, AlertResource, alert_id, write
from streams.control import Control, Keys
from streams.settings import Settings
from streams.store import Store, alerts

PAGE = 1_000
"""Alerts of a page."""
WRITES, WRITTEN = 20, 50
"""Transactions a second, and alerts that each writes."""
START = 1_750_000_000_000


def made(count: int, first: int = 0) -> Iterator[Alert]:
    """Yield *count* open alerts, a second apart."""
    for number in range(first, first + count):
        severity = ("critical", "high", "medium", "low")[number % 4]
        policy = AlertPolicy(id=f"p-{number % 50}", name=f"Policy {number % 50}", severity=severity)  # type: ignore[arg-type]
        resource = AlertResource(
            rrn=f"rrn:aws:bench:{number}",
            id=f"i-{number:017x}",
            name=f"host-{number}",
            account=f"{100_000_000_000 + number % 200}",
            cloud="aws",
            region="eu-central-1",
            api_name="aws-ec2-describe-instances",
        )
        at = START + 1000 * number
        yield Alert(
            id=alert_id(policy.id, resource.subject),
            policy=policy,
            resource=resource,
            status="open",
            reason="NEW_ALERT",
            first_seen=at,
            last_seen=at,
            opened=at,
            updated=at,
            seq=1,
        )


def put(store: Store, given: Iterator[Alert] | Sequence[Alert]) -> None:
    """Write alerts to a partition that no topic has, in one transaction."""
    db = store.cursor()
    try:
        db.execute("begin")
        alerts.put(db, [alerts.Row(60_000, alert, write(alert)) for alert in given])
        db.execute("commit")
    finally:
        db.close()


async def paged(settings: Settings, count: int) -> list[Figure]:
    """Page through *count* alerts while others write, and compare what came with what was there at the first page."""
    store = Store.open(settings.store_file, memory="1GB", threads=settings.store_threads)
    keys = Keys.load("", None, settings.data / "secrets.key", create=True)
    control = Control(settings, kinds(load_all()), keys)
    await control.start()
    try:
        there = list(made(count))
        for first in range(0, count, 10_000):
            put(store, there[first : first + 10_000])
        over, written = threading.Event(), list[int]()
        writer = threading.Thread(target=_write, args=(store, there, over, written))
        app = create_app(Alone(settings, store), TOKEN, control=control)
        with served(app) as port:
            writer.start()
            try:
                ids, took = await asyncio.to_thread(asyncio.run, _read(port))
            finally:
                over.set()
                writer.join()
    finally:
        await control.stop()
        store.close()
    gaps = {alert.id for alert in there} - set(ids)
    what = f"of {count:,} alerts in a list under writes, those that no page had"
    return [
        Figure("list_gaps", what, len(gaps), "", at_most=0),
        Figure("list_doubles", "those that came twice", len(ids) - len(set(ids)), "", at_most=0),
        Figure("list_rate", f"alerts read in pages of {PAGE:,}", len(ids) / sum(took), "alerts/s"),
        Figure("list_page", "the slowest page", max(took) * 1000, "ms"),
        Figure("list_writes", "alerts that were written meanwhile", len(written) * WRITTEN, ""),
    ]


async def _read(port: int) -> tuple[list[str], list[float]]:
    """Return the ids of all pages in turn, and how long each page took, in seconds."""
    ids: list[str] = []
    took: list[float] = []
    body: dict[str, object] = {
        "limit": PAGE,
        "sortBy": ["alertTime:desc"],
        "timeRange": {"type": "to_now", "value": "epoch"},
    }
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as web:
        while True:
            began = time.monotonic()
            async with web.post("/v2/alert", json=body) as said:
                page = await said.json()
            took.append(time.monotonic() - began)
            ids += [each["id"] for each in page["items"]]
            if "nextPageToken" not in page:
                return ids, took
            body = {"pageToken": page["nextPageToken"]}


def _write(store: Store, there: Sequence[Alert], over: threading.Event, written: list[int]) -> None:
    """Dismiss some alerts, open others again, which moves them to another place of the order, and add new ones."""
    chance = random.Random(7)  # noqa: S311 - a load, not a secret
    turn = 0
    while not over.wait(1 / WRITES):
        turn += 1
        now = START + 10**9 + turn
        some = chance.sample(there, WRITTEN - 5)
        changed = [
            replace(
                each, status=chance.choice(("open", "dismissed", "resolved")), opened=now, updated=now, seq=turn + 1
            )
            for each in some
        ]
        put(store, [*changed, *made(5, len(there) + turn * 5)])
        written.append(turn)
