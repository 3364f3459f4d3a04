"""The nine queries by hand on hot columns, and a path that is promoted while the store is written to."""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

import duckdb

from agents.heat import Heater
from bench.figures import Figure
from queries import check, parse
from queries.hot import Columns
from queries.hot_asked import asked
from queries.hot_table import read_path
from streams.errors import StoreError
from streams.store import Part, Store, StoreThread

VM, SG = "aws-ec2-describe-instances", "aws-ec2-describe-security-groups"
RATE, BATCH = 2_000, 100
"""Rows a second that are written while a path is promoted, and rows of one batch."""
_SHORT = {"vm": VM, "sg": SG}
_VM = f"from resources r join <vm> h using (rid, part) where r.api_name = '{VM}' and not r.deleted"
_SG = f"from resources r join <sg> h using (rid, part) where r.api_name = '{SG}' and not r.deleted"
_RULE = (
    "(list_contains(p.<sg ipPermissions[?].ipRanges[*]>, '0.0.0.0/0') or"
    " len(list_filter(p.<sg ipPermissions[?].ipv6Ranges[*].cidrIpv6>, lambda r: r = '::/0')) > 0)"
    " and p.<sg ipPermissions[?].fromPort>::double <= 22 and p.<sg ipPermissions[?].toPort>::double >= 22"
)
# <vm> is a hot table, <vm a.b> the text of a path's column
BY_HAND = {
    "scalar": f"select count(*) {_VM} and h.<vm state.name> = 'running'"
    " and h.<vm metadataOptions.httpTokens> = 'optional'",
    "any": f"select count(*) {_SG} and len(list_filter(h.e0, lambda p: {_RULE})) > 0",
    "contains": f"select count(*) {_VM} and"
    " len(list_filter(h.<vm tags[*].value>, lambda v: contains(v, 'team-2'))) > 0",
    "missing": f"select count(*) {_VM} and h.<vm! iamInstanceProfile> is null",
    "size": f"select count(*) {_VM} and json_array_length(h.<vm! tags>) > 1",
    "age": f"select count(*) {_VM} and datesub('day', h.<vm launchTime>::timestamp, timestamp '2026-11-01') > 100",
    "join": f"select count(*) {_VM} and h.<vm publicIpAddress> is not null and h.<vm vpcId> in"
    f" (select h.<sg vpcId> {_SG} and h.<sg groupName> = 'web-7')",
    "join_array": f"with x as (select r.rid, unnest(h.<vm securityGroups[*].groupId>) g {_VM}),"
    f" y as (select h.<sg groupId> as g {_SG} and h.<sg isShared> = 'false')"
    " select count(distinct rid) from x where g in (select g from y)",
}


def promote(store: Store, queries: Iterable[str]) -> float:
    """Make hot what *queries* ask; return how many seconds that took."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for query in queries:
        for api_name, paths in asked(check(parse(query))).items():
            wanted[api_name] |= set(map(str, paths))
    store.hot.want(wanted, "policy", only=True)
    began = time.perf_counter()
    while store.hot.step():
        pass
    store.checkpoint()
    return time.perf_counter() - began


def by_hand(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return BY_HAND with the names of this store's tables and columns."""
    found = connection.execute("select n, api_name, paths from hot_tables where ready").fetchall()
    tables = {api_name: (f"hot_{n}", Columns(map(read_path, json.loads(paths)))) for n, api_name, paths in found}

    def name(match: re.Match[str]) -> str:
        short, form, text = match.groups()
        table, columns = tables[_SHORT[short]]
        if not text:
            return table
        path, letter = read_path(text), "h" if form else "t"
        if path.field is None:
            return f"{letter}{columns.values.index(path.steps)}"
        return f"{letter}{columns.arrays[path.steps].index(path.field)}"

    return {key: re.sub(r"<(vm|sg)(!?) ?([^>]*)>", name, query) for key, query in BY_HAND.items()}


def promoting(store: Store) -> list[Figure]:
    """Promote one path while RATE rows a second are written; tell the longest wait of a batch, and how many failed."""
    waits, failed, took = asyncio.run(_promoting(store))
    rows = store.rows()["resources"]
    about = f"while a path over {rows:,} resources was promoted in {took:.0f} s, {RATE:,} rows/s written beside it"
    return [
        Figure("promote_stall", f"longest wait of a batch {about}", max(waits), "s", at_most=1),
        Figure("promote_failed", f"batches that failed {about}", failed, "batches", at_most=0),
        Figure("promote_written", f"rows written {about}", len(waits) * BATCH / took, "rows/s"),
    ]


async def _promoting(store: Store) -> tuple[list[float], int, float]:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)
    thread = StoreThread(store, pool)
    store.hot.want({VM: ["imageId"]}, "user")
    heating = asyncio.create_task(Heater(thread).run())
    began, waits, failed, offset = time.perf_counter(), [], 0, 0
    cursor = store.cursor()
    due = began
    while True:
        records = [_record(offset + n) for n in range(BATCH)]
        start = time.perf_counter()
        try:
            await thread.apply([Part("resources", "bench", 7, offset, offset + BATCH, records)])
        except StoreError:
            failed += 1
        waits.append(time.perf_counter() - start)
        offset += BATCH
        ready = cursor.execute(
            "select bool_and(ready) from hot_tables where api_name = ? and contains(paths, 'imageId')", [VM]
        ).fetchall()[0][0]
        if heating.done() or ready:
            break
        due += BATCH / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    took = time.perf_counter() - began
    heating.cancel()
    with suppress(asyncio.CancelledError):
        await heating
    cursor.close()
    pool.shutdown()
    return waits, failed, took


def _record(n: int) -> tuple[int, bytes, bytes]:
    rrn = f"rrn:bench:{n % 20_000}"
    record = {
        "rrn": rrn,
        "account": "123456789012",
        "cloud": "aws",
        "region": "eu-west-1",
        "api_name": VM,
        "id": rrn,
        "version": f"{n:015d}.00000000000000000000.raw.x.00000.000000000000000.000000",
        "config": {"imageId": f"ami-{n % 97}", "state": {"name": "running"}, "padding": "x" * 1_000},
    }
    return n, rrn.encode(), json.dumps(record).encode()
