"""RQL on 1,000,000 resources and 10,000,000 findings: nine queries against hand-written SQL, compile times, growth."""

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

from bench import _postgres as _peer
from bench.figures import Figure, interleaved
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
        "config where api.name = 'aws-ec2-describe-instances' AND json.rule = securityGroups size greater than 1",
        f"select count(*) from resources where {_VM} and json_array_length(json, '$.securityGroups') > 1",
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
    """Measure everything on data of one size and of a tenth of it."""
    resources, findings = (QUICK_RESOURCES, QUICK_FINDINGS) if quick else (RESOURCES, FINDINGS)
    figures, total = _filled(resources, findings, 5)
    sys.stderr.write("hot columns aren't built: these are the figures on JSON\n")
    return [*_compiling(), *figures, *_growth(total, resources, findings)]


def _queries(connection: duckdb.DuckDBPyConnection, rounds: int) -> list[Figure]:
    """Measure each query against the same by hand, by turns."""
    found = []
    for name, rql, by_hand in QUERIES:
        total = run_rql(connection, rql, now=NOW, limit=0).total
        want = connection.execute(by_hand).fetchall()[0][0]
        if total != want:
            raise AssertionError(f"{name}: RQL finds {total}, the SQL by hand {want}")
        pairs = interleaved(
            lambda rql=rql: _ms(lambda: run_rql(connection, rql, now=NOW, limit=0)),  # type: ignore[misc]
            lambda sql=by_hand: _ms(lambda: connection.execute(sql).fetchall()),  # type: ignore[misc]
            rounds,
        )
        page = median(_ms(lambda rql=rql: run_rql(connection, rql, now=NOW, limit=100)) for _ in range(3))  # type: ignore[misc]
        found.append(Figure(f"{name}_ms", f"{name}: the first 100 of {want:,}", page, "ms"))
        found.append(pairs.figure(f"{name}_ratio", f"{name}, counted, over SQL on JSON by hand", at_most=1.5))
    return found


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
    """Fill a store of that size and measure on it; return the figures and the total of all queries in ms."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as name:
        store = Store.open(Path(name) / "store.duckdb", memory="4GB")
        fill(store, resources=resources, findings=findings, keep_records=False)
        cursor = store.cursor()
        figures = _queries(cursor, rounds)
        documents = _documents(cursor) if rounds > 3 else []
        Path(name).chmod(0o755)  # the server's user isn't ours, if ours is root
        peer = _postgres(cursor, Path(name) / "postgres", figures) if rounds > 3 else []
        cursor.close()
        store.close()
    figures += peer
    if documents:
        figures += _jmespath(documents, figures, resources)
    return figures, sum(figure.value for figure in figures if figure.key.endswith("_ms"))


def _documents(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = cursor.execute(f"select json from resources where {_SG} limit 10000").fetchall()
    return [json.loads(document) for (document,) in rows]


def _postgres(cursor: duckdb.DuckDBPyConnection, folder: Path, figures: list[Figure]) -> list[Figure]:
    """Compare with PostgreSQL's jsonb, indexed by api.name and by GIN; it only counts, ours gives a page as well."""
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
    ours = sum(figure.value for figure in figures if figure.key.endswith("_ms"))
    each = ", ".join(f"{name} {took:.0f}" for name, (_, took) in found.items())
    return [Figure("postgres_over_ours", f"PostgreSQL's time for all nine over ours (ms: {each})", theirs / ours, "x")]


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
    return [Figure("any_to_jmespath", "the `any` query: jmespath's time over ours", theirs / ours, "x")]


def _growth(total: float, resources: int, findings: int) -> list[Figure]:
    """Measure on a tenth of the data: ten times as much may take at most ten times as long, and a tenth more."""
    _, small = _filled(resources // 10, findings // 10, 3)
    return [Figure("growth", "time of all queries on ten times the data", total / small, "x", at_most=11)]


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
