"""Run the whole matrix and print docs/reliability.md: `python -m tests.reliability --alerts 2000 --outage 30`."""

import argparse
import asyncio
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from streams.embedded import Broker
from streams.settings import Settings
from tests.contract.sinks import CASES, Case
from tests.faults.harness import ROOT
from tests.reliability.cell import DEDUPLICATED, LIFE, Found, run
from tests.reliability.faults import FAULTS, SECONDS, Fault

PAGE = ROOT / "docs" / "reliability.md"
VARIANTS = {
    "slack": ("", "bot"),
    "splunk": ("", "ack"),
    "servicenow": ("", "event"),
    "jira": ("", "dc"),
    "sqs": ("", "fifo"),
}


def cases(names: Sequence[str]) -> list[Case]:
    """Return the destinations to run, in each form that delivers in a way of its own."""
    wanted = [case for case in CASES if case.variant in VARIANTS.get(case.name, ("",))]
    named = [case for case in wanted if not names or str(case) in names or case.name in names]
    return sorted(named, key=lambda case: (bool(case.variant), str(case)))


def page(found: Mapping[tuple[str, str], Found | str], alerts: int, outage: float) -> str:
    """Return the page that tells what was found."""
    rows = sorted({row for row, _ in found})
    columns = [kind for kind in FAULTS if any(name == kind.name for _, name in found)]
    cells = list(found.values())
    good = [cell for cell in cells if isinstance(cell, Found)]
    lines = [
        "# What destinations hold after faults",
        "",
        f"Printed by `python -m tests.reliability --alerts {alerts} --outage {outage:g}` at commit {_commit()} on"
        f" {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}.",
        "",
        f"In each cell, {alerts:,} alerts go {' → '.join(LIFE)}, {alerts * len(LIFE):,} deliveries, through a real"
        " Kafka and the delivery agent, by HTTP, to a double of the destination that keeps what it is told. Then what"
        " it holds is compared with what it should. The doubles hold each request against the vendor's own schema or"
        f" documents. Calls have {SECONDS:g} s, and the published paces are switched off: they would take hours.",
        "",
        f"**Lost: {sum(cell.lost for cell in good)}** in {len(good)} cells."
        f" Alerts that don't end in their last state: {sum(cell.wrong for cell in good)}."
        f" Dead letters: {sum(cell.dead for cell in good)}. Requests that a vendor would refuse:"
        f" {sum(cell.refused for cell in good)}. Cells that failed: {len(cells) - len(good)}.",
        "",
        "## Doubles",
        "",
        "Messages beside the first of their event, or tickets beside the first of their alert.",
        "",
        "| destination | " + " | ".join(kind.name for kind in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    lines += [
        f"| {row} | " + " | ".join(_shown(found.get((row, kind.name))) for kind in columns) + " |" for row in rows
    ]
    lines += [
        "",
        f"None is possible in {', '.join(sorted(DEDUPLICATED))}: they know an event by its id, or we find what is there"
        " before we make anything. The others have no ids of ours: what they took without our hearing of it comes"
        " again, at most once for each answer that was lost.",
        "",
        "## Faults",
        "",
        *(f"- `{kind.name}`: {kind.about}" for kind in columns),
        "",
        f"Outages, storms and refusals last {outage:g} s.",
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run the cells one after the other; return the exit code: 1 when something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--alerts", type=int, default=2000)
    parser.add_argument("--outage", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--only", action="append", default=[], metavar="DESTINATION")
    parser.add_argument("--fault", action="append", default=[], choices=[kind.name for kind in FAULTS])
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE")
    asked = parser.parse_args(arguments)
    found: dict[tuple[str, str], Found | str] = {}
    kinds = [kind for kind in FAULTS if not asked.fault or kind.name in asked.fault]
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "broker", Settings().cache) as broker:
        for kind in kinds:
            for case in cases(asked.only):
                settings = _settings(Path(folder), broker.bootstrap_servers)
                cell = found[str(case), kind.name] = _found(case, kind(asked.outage), settings, asked.alerts)
                sys.stdout.write(f"{case} {kind.name}: {cell}\n")
                sys.stdout.flush()
                asked.page.write_text(page(found, asked.alerts, asked.outage), encoding="utf-8")
    return int(any(not isinstance(cell, Found) or cell.lost or cell.wrong for cell in found.values()))


def _found(case: Case, fault: Fault, settings: Settings, alerts: int) -> Found | str:
    try:
        return asyncio.run(run(case, fault, settings, alerts))
    except Exception as error:  # noqa: BLE001 - the others are to be run all the same
        return f"{type(error).__name__}: {error}"


def _settings(folder: Path, servers: str) -> Settings:
    own = folder / uuid4().hex[:12]
    own.mkdir()
    return Settings(
        data=own / "data",
        kafka_bootstrap_servers=servers,
        topic_prefix=f"r{own.name}.",
        partitions=4,
        raw_partitions=4,
        replication=1,
        api_port=0,
    )


def _shown(cell: Found | str | None) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return "failed"
    wrong = [f"**{count} {name}**" for count, name in ((cell.lost, "lost"), (cell.wrong, "wrong")) if count]
    return ", ".join([str(cell.doubles), *wrong])


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
