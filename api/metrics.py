"""The figures of a running Tidegate in the form that Prometheus reads."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from api.state import Owner
from api.version import ROOT, version

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Lines = list[tuple[str, str, list[str], list[tuple[list[str], float]]]]
"""Families: name, what it says, names of labels, and values with their labels."""


class Requests:
    """Counts requests and how long they took, by API and method: few, whatever is asked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._count = Counter(
            "tidegate_http_requests", "Requests.", ["api", "method", "status"], registry=self.registry
        )
        self._took = Histogram(
            "tidegate_http_request_seconds",
            "How long requests took.",
            ["api", "method"],
            registry=self.registry,
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )

    def done(self, path: str, method: str, status: int, seconds: float) -> None:
        """Note a request."""
        api = "tidegate" if path.startswith(ROOT) else "console" if path.startswith("/console") else "prisma"
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self._count.labels(api, known, str(status)).inc()
        self._took.labels(api, known).observe(seconds)


def stored(cursor: Any) -> Lines:
    """Return the families that come from the store."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
        return rows

    rows = [
        ([table], float(ask(f"select count(*) from {table}")[0][0]))  # noqa: S608 # names of ours
        for table in ("resources", "findings", "finding_resource", "alerts")
    ]
    alerts = [([s, v], float(n)) for s, v, n in ask("select status, severity, count(*) from alerts group by all")]
    findings = [
        ([source, severity], float(n))
        for source, severity, n in ask(
            "select source, severity, count(*) from findings where status = 'open' and not deleted group by all"
        )
    ]
    return [
        ("tidegate_store_rows", "Rows of a table of the store.", ["table"], rows),
        ("tidegate_alerts", "Alerts.", ["status", "severity"], alerts),
        ("tidegate_open_findings", "Open findings.", ["source", "severity"], findings),
    ]


def of_process(owner: Owner) -> Lines:
    """Return the families that the worker's counters and the files of the data folder give."""
    settings = owner.settings
    deliveries: Mapping[str, int] = getattr(getattr(owner, "deliverer", None), "counts", {})
    work: Mapping[str, int] = getattr(owner, "counts", {})
    newest = max((path.stat().st_mtime for path in settings.snapshots.glob("*") if path.is_dir()), default=None)
    other = {name: count for name, count in work.items() if not name.startswith(("evaluat", "alerts "))}
    events = {name.removeprefix("alerts "): count for name, count in work.items() if name.startswith("alerts ")}
    lines: Lines = [
        ("tidegate_deliveries_total", "Deliveries, by how they ended.", ["outcome"], _sorted(deliveries)),
        ("tidegate_open_deliveries", "Deliveries that are open.", ["integration", "state"], _open(owner)),
        ("tidegate_records_total", "Records that were worked on, by what became of them.", ["kind"], _sorted(other)),
        ("tidegate_alert_events_total", "What happened to alerts.", ["kind"], _sorted(events)),
        ("tidegate_evaluated_total", "Resources that were evaluated.", [], [([], float(work.get("evaluated", 0)))]),
        (
            "tidegate_evaluation_seconds_total",
            "Time that evaluations took.",
            [],
            [([], work.get("evaluation us", 0) / 1e6)],
        ),
        ("tidegate_store_bytes", "Size of the store's files.", [], [([], float(_size(settings.store_file)))]),
        ("tidegate_whole", "1: every partition is owned and read up.", [], [([], float(owner.ownership()["all"]))]),
    ]
    if newest is not None:
        age = max(0.0, time.time() - newest)
        lines.append(("tidegate_snapshot_age_seconds", "Age of the newest snapshot.", [], [([], age)]))
    return lines


def of_partitions(partitions: list[dict[str, Any]]) -> Lines:
    """Return the families that say how far Tidegate is behind; *partitions*: from api.figures."""
    at = [([each["topic"], str(each["partition"])], float(each["next_offset"])) for each in partitions]
    lag = [
        ([each["topic"], str(each["partition"])], float(each["lag"])) for each in partitions if each["lag"] is not None
    ]
    labels = ["topic", "partition"]
    return [
        ("tidegate_next_offset", "Up to where a partition is worked off.", labels, at),
        ("tidegate_lag_records", "Records that wait in a partition.", labels, lag),
    ]


def text(requests: Requests, lines: Lines) -> bytes:
    """Return all of it as Prometheus reads it."""
    registry = CollectorRegistry()
    info: Lines = [("tidegate_info", "What runs.", ["version"], [([version()], 1.0)])]
    registry.register(_Families([*info, *lines]))
    return generate_latest(registry) + generate_latest(requests.registry)


class _Families(Collector):
    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def collect(self) -> Iterator[Any]:
        for name, about, labels, values in self._lines:
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(name.removesuffix("_total"), about, labels=labels)
            for given, value in values:
                family.add_metric(given, value)
            yield family


def _open(owner: Owner) -> list[tuple[list[str], float]]:
    deliverer: Any = getattr(owner, "deliverer", None)
    return (
        [] if deliverer is None else [([each.integration, each.state], float(each.open)) for each in deliverer.routes()]
    )


def _sorted(counts: Mapping[str, int]) -> list[tuple[list[str], float]]:
    return [([str(name)], float(count)) for name, count in sorted(counts.items())]


def _size(file: Path) -> int:
    return sum(path.stat().st_size for path in file.parent.glob(file.name + "*") if path.is_file())
