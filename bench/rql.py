"""RQL on 1,000,000 resources and 10,000,000 findings: nine queries against SQL by hand, on hot columns and JSON."""

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import duckdb

from bench import _hot
from bench import _postgres as _peer
from bench.figures import Figure, Pairs, interleaved
from bench.fill import fill
from queries import check, parse
from queries import compile as compile_rql
from queries import run as run_rql
from queries.run import prepared
from streams.store.store import Store

RESOURCES, FINDINGS = 1_000_000, 10_000_000
QUICK_RESOURCES, QUICK_FINDINGS = 20_000, 50_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)

_VM = "api_name = 'aws-ec2-describe-instances' and not deleted"
_SG = "api_name = 'aws-ec2-describe-security-groups' and not deleted"
_RULES = (
    """from_json(json->'ipPermissions', '[{"fromPort":"BIGINT","toPort":"BIGINT","ipRanges":["VARCHAR"],"""
    """"ipv6Ranges":[{"cidrIpv6":"VARCHAR"}]}]')"""
)
QUERIES: tuple[tuple[str, str, str], ...] = (
    # name, RQL, the same by hand: a count
    (
        "scalar",
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = state.name equals running and "
        "metadataOptions.httpTokens equals optional",
        f"select count(*) from resources where {_VM} and (json->>'$.state.name') = 'running'"
        " and (json->>'$.metadataOptions.httpTokens') = 'optional'",
    ),
    (
        "any",
        "config where api.name = 'aws-ec2-describe-security-groups' AND json.rule = ipPermissions[?any( (ipRanges[*] "
        "contains 0.0.0.0/0 or ipv6Ranges[*].cidrIpv6 contains ::/0) and fromPort <= 22 and toPort >= 22 )] exists",
        f"select count(*) from resources where {_SG} and len(list_filter({_RULES}, lambda p: (list_contains(p.ipRanges,"
        " '0.0.0.0/0') or len(list_filter(p.ipv6Ranges, lambda r: r.cidrIpv6 = '::/0')) > 0) and p.fromPort <= 22"
        " and p.toPort >= 22)) > 0",
    ),
    (
        "contains",
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = tags[*].value contains team-2",
        f"select count(*) from resources where {_VM} and len(list_filter(json_extract_string(json, '$.tags[*].value'),"
        " lambda v: contains(v, 'team-2'))) > 0",
    ),
    (
        "missing",
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = iamInstanceProfile does not exist",
        f"select count(*) from resources where {_VM} and not json_exists(json, '$.iamInstanceProfile')",
    ),
    (
        "size",
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = tags size greater than 1",
        f"select count(*) from resources where {_VM} and json_array_length(json, '$.tags') > 1",
    ),
    (
        "age",
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = _DateTime.ageInDays(launchTime) > 100",
        f"select count(*) from resources where {_VM} and datesub('day', (json->>'$.launchTime')::timestamp,"
        " timestamp '2026-11-01') > 100",
    ),
    (
        "join",
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = publicIpAddress != null as X; "
        "config where api.name = 'aws-ec2-describe-security-groups' AND json.rule = groupName equals web-7 as Y; "
        "filter '$.X.vpcId equals $.Y.vpcId'; show X;",
        f"select count(*) from resources where {_VM} and (json->>'$.publicIpAddress') is not null and"
        f" (json->>'$.vpcId') in (select json->>'$.vpcId' from resources where {_SG}"
        " and (json->>'$.groupName') = 'web-7')",
    ),
    (
        "join_array",
        "config where api.name = 'aws-ec2-describe-instances' as X; config where api.name = "
        "'aws-ec2-describe-security-groups' AND json.rule = isShared is false as Y; filter "
        "'$.X.securityGroups[*].groupId intersects $.Y.groupId'; show X;",
        "with x as (select rid, unnest(json_extract_string(json, '$.securityGroups[*].groupId')) g from resources"
        f" where {_VM}), y as (select json->>'$.groupId' as g from resources where {_SG} and (json->>'$.isShared') ="
        " 'false') select count(distinct rid) from x where g in (select g from y)",
    ),
    (
        "findings",
        "config where finding.type = 'AWS GuardDuty Host' AND finding.severity = 'high' AND finding.source = "
        "'AWS GuardDuty'",
        "select count(*) from resources where not deleted and rid in (select rid from finding_resource join findings"
        " using (fid) where type = 'AWS GuardDuty Host' and severity = 'high' and source = 'AWS GuardDuty'"
        " and not deleted and status = 'open')",
    ),
)


def run(*, quick: bool = False) -> list[Figure]:
    """Measure everything on data of one size, and how the time grows up to it."""
    resources, findings = (QUICK_RESOURCES, QUICK_FINDINGS) if quick else (RESOURCES, FINDINGS)
    figures, total = _filled(resources, findings, 5)
    return [*_compiling(), *figures, *_growth(total, resources, findings, 10 if quick else 100)]


def _cold(connection: duckdb.DuckDBPyConnection, rounds: int) -> tuple[list[Figure], dict[str, int]]:
    """Measure each query on JSON against the same by hand, by turns; return what each counts as well."""
    found, counts = [], {}
    rows = connection.execute("select count(*) from resources").fetchall()[0][0]
    for name, rql, by_hand in QUERIES:
        counts[name] = _count(connection, rql)
        want = connection.execute(by_hand).fetchall()[0][0]
        if counts[name] != want:
            raise AssertionError(f"{name}: RQL finds {counts[name]}, the SQL by hand {want}")
        pairs = _against(connection, rql, by_hand, rounds)
        goal = 1.5 if rows >= RESOURCES else None
        page = median(_ms(lambda rql=rql: run_rql(connection, rql, now=NOW, limit=100)) for _ in range(3))  # type: ignore[misc]
        found.append(Figure(f"{name}_page_ms", f"{name} on JSON: the first 100 of {want:,}", page, "ms"))
        found.append(pairs.figure(f"{name}_ratio", f"{name}, counted, over SQL on JSON by hand", at_most=goal))
    return found, counts


def _hot_(connection: duckdb.DuckDBPyConnection, counts: dict[str, int], rounds: int) -> list[Figure]:
    """The same on hot columns; the answers must be those of the documents."""
    found = []
    written = _hot.by_hand(connection)
    rows = connection.execute("select count(*) from resources").fetchall()[0][0]
    for name, rql, on_json in QUERIES:
        by_hand = written.get(name, on_json)
        for who, count in (
            ("RQL", _count(connection, rql)),
            ("the SQL by hand", connection.execute(by_hand).fetchall()[0][0]),
        ):
            if count != counts[name]:
                raise AssertionError(f"{name}: {who} finds {count} on hot columns, {counts[name]} on JSON")
        pairs = _against(connection, rql, by_hand, rounds)
        found.append(Figure(f"{name}_ms", f"{name} on hot columns: {counts[name]:,} counted", median(pairs.ours), "ms"))
        goal = 1.3 if rows >= RESOURCES else None  # fewer are asked so fast that planning is most of it
        found.append(pairs.figure(f"{name}_hot_ratio", f"{name}, over SQL on hot columns by hand", at_most=goal))
    return found


def _count(connection: duckdb.DuckDBPyConnection, rql: str) -> int:
    return run_rql(connection, rql, now=NOW, limit=0).total or 0


def _against(connection: duckdb.DuckDBPyConnection, rql: str, by_hand: str, rounds: int) -> Pairs:
    return interleaved(
        lambda: _ms(lambda: _count(connection, rql)),
        lambda: _ms(lambda: connection.execute(by_hand).fetchall()),
        rounds,
    )


def _compiling() -> list[Figure]:
    """Measure how long a query takes to become SQL, and to be found again."""
    texts = [rql for _, rql, _ in QUERIES]
    fresh = [_cpu_ms(lambda text=text: compile_rql(check(parse(text)), NOW)) for text in texts * 60]  # type: ignore[misc]
    cached = [_cpu_ms(lambda text=text: prepared(text)) for text in texts * 200]  # type: ignore[misc]
    return [
        Figure(
            "compile_p99", "one query to SQL, 99th percentile of CPU time", quantiles(fresh, n=100)[98], "ms", at_most=3
        ),
        Figure("cached", "the same once more, median", median(cached) * 1000, "µs", at_most=50),
        Figure("parse", "queries read in a second", _rate(texts), "queries/s", at_least=2000),
    ]


def _filled(resources: int, findings: int, rounds: int) -> tuple[list[Figure], float]:
    """Fill a store of that size and measure on it; return the figures and the time of all queries in ms.

    Few *rounds*: only that time.
    """
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as name:
        store = Store.open(Path(name) / "store.duckdb", memory="4GB")
        fill(store, resources=resources, findings=findings, keep_records=False)
        cursor = store.cursor()
        whole = rounds > 3
        cold, counts = _cold(cursor, rounds) if whole else ([], {n: _count(cursor, rql) for n, rql, _ in QUERIES})
        seconds = _hot.promote(store, [rql for _, rql, _ in QUERIES])
        figures = [*cold, *_hot_(cursor, counts, rounds)]
        total = sum(figure.value for figure in figures if figure.key in {f"{name}_ms" for name, *_ in QUERIES})
        if whole:
            figures.append(
                Figure("promote_all", f"all paths of the nine queries hot, {resources:,} resources", seconds, "s")
            )
            Path(name).chmod(0o755)  # the server's user isn't ours, if ours is root
            figures += _postgres(cursor, Path(name) / "postgres", total)
            figures += _jmespath(_documents(cursor), figures, resources)
            figures += _hot.promoting(store)
        cursor.close()
        store.close()
    return figures, total


def _documents(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = cursor.execute(f"select json from resources where {_SG} limit 10000").fetchall()
    return [json.loads(document) for (document,) in rows]


def _postgres(cursor: duckdb.DuckDBPyConnection, folder: Path, ours: float) -> list[Figure]:
    """Compare with PostgreSQL's jsonb, indexed by api.name and by GIN; both count."""
    programs = _peer.binaries()
    if programs is None:
        sys.stderr.write("PostgreSQL isn't installed: not compared\n")
        return []
    with _peer.filled(programs, folder, cursor) as socket:
        found = _peer.measure(programs, socket, 3)
    for name, _, by_hand in QUERIES:
        want = cursor.execute(by_hand).fetchall()[0][0]
        if found[name][0] != want:
            raise AssertionError(f"{name}: PostgreSQL finds {found[name][0]}, the SQL by hand {want}")
    theirs = sum(took for _, took in found.values())
    each = ", ".join(f"{name} {took:.0f}" for name, (_, took) in found.items())
    what = f"PostgreSQL's time for all nine over ours on hot columns (ms: {each})"
    goal = 5 if cursor.execute("select count(*) from resources").fetchall()[0][0] >= RESOURCES else None
    return [Figure("postgres_over_ours", what, theirs / ours, "x", at_least=goal)]


def _jmespath(documents: list[dict[str, Any]], figures: list[Figure], resources: int) -> list[Figure]:
    """Compare the `any` query with jmespath over parsed documents; reading them isn't counted."""
    try:
        jmespath = importlib.import_module("jmespath")
    except ImportError:
        sys.stderr.write("jmespath isn't installed: not compared\n")
        return []
    asked = jmespath.compile(
        "ipPermissions[?(contains(ipRanges, '0.0.0.0/0') || contains(ipv6Ranges[].cidrIpv6, '::/0'))"
        " && fromPort <= `22` && toPort >= `22`] | length(@) > `0`"
    )
    took = _ms(lambda: [asked.search(document) for document in documents])
    ours = next(figure.value for figure in figures if figure.key == "any_ms")
    theirs = took * (resources / 2) / len(documents)
    what = "the `any` query: jmespath's time over ours on hot columns"
    goal = 50 if resources >= RESOURCES else None
    return [Figure("any_to_jmespath", what, theirs / ours, "x", at_least=goal)]


def _growth(total: float, resources: int, findings: int, times: int) -> list[Figure]:
    """Measure on a part of the data: so many times as much may take at most so many times as long, and a tenth more."""
    _, small = _filled(resources // times, findings // times, 3)
    what = f"time of all queries on {resources:,} resources over {resources // times:,}"
    return [Figure("growth", what, total / small, "x", at_most=times * 1.1)]


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def _rate(texts: list[str]) -> float:
    began = time.thread_time()
    for text in texts * 60:
        parse(text)
    return len(texts) * 60 / (time.thread_time() - began)
