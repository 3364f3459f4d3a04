"""Snapshots, seen by API and command line: described, taken, asked, verified."""

from datetime import UTC, datetime
from inspect import isawaitable
from pathlib import Path
from typing import Any

import duckdb

from api import answers, running
from api.state import Owner
from queries.sql import run_sql
from streams import snapshot
from streams.errors import SnapshotError
from streams.settings import Settings
from streams.snapshot import Snapshot
from streams.store import Store

SQL_TIMEOUT_S = 60.0


def describe(each: Snapshot) -> dict[str, Any]:
    """Return what people want to know of a snapshot, ready for JSON."""
    return {
        "name": each.path.name,
        "path": str(each.path),
        "taken": each.taken.isoformat(),
        "rows": dict(each.manifest.rows),
        "bytes": sum(each.manifest.files.values()),
    }


def take_alone(settings: Settings) -> Snapshot:
    """Take a snapshot of the store in the data folder, while nothing runs. Raises NotRunning where there is none."""
    if not settings.store_file.exists():
        raise running.NotRunning(f"{running.absent(settings.data)}; there is no store to take a snapshot of either")
    with running.Claim(settings.data):
        store = Store.open(settings.store_file, memory=settings.store_memory, threads=settings.store_threads)
        try:
            return snapshot.create(store, settings.snapshots, settings.snapshot_keep)
        finally:
            store.close()


def newest_first(folder: Path) -> list[Snapshot]:
    """Return the snapshots in *folder*."""
    return snapshot.list(folder)[::-1]


async def take(owner: Owner) -> Snapshot:
    """Take a snapshot of the store of *owner*, whose thread goes on after a moment."""
    made = snapshot.create(owner.store, owner.settings.snapshots, owner.settings.snapshot_keep)
    done: Snapshot = await made if isawaitable(made) else made
    return done


def as_of(settings: Settings, asked: str) -> Snapshot:
    """Return the snapshot of that name, or the newest one taken by that time (ISO 8601). Raises SnapshotError."""
    found = snapshot.list(settings.snapshots)
    named = next((each for each in found if each.path.name == asked), None)
    if named is not None:
        return named
    known = f"; there are {len(found)}, from {found[0].path.name} to {found[-1].path.name}" if found else ""
    try:
        moment = datetime.fromisoformat(asked)
    except ValueError:
        raise SnapshotError(f"as_of: {asked!r:.60} is no snapshot's name and no time in ISO 8601{known}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    before = [each for each in found if each.taken <= moment]
    if not before:
        raise SnapshotError(f"as_of: no snapshot was taken by {asked:.60}{known or '; there is none'}")
    return before[-1]


def ask(
    language: str, query: str, each: Snapshot, now: datetime, *, limit: int, explain: bool = False
) -> dict[str, Any]:
    """Return the answer of a snapshot to a *query* in *language* (rql or sql), as the API gives it."""
    if language == "sql":
        answer = answers.rows(run_sql(each.database, query, limit=limit, timeout=SQL_TIMEOUT_S))
    else:
        with duckdb.connect(str(each.database), read_only=True) as connection:
            answer = answers.rql(connection, query, now, limit=limit, explain=explain)
    return answer if "explain" in answer else {**answer, **source(each, now)}


def source(each: Snapshot, now: datetime) -> dict[str, Any]:
    """Return the part of an answer that says how far it can be relied on."""
    return {
        "whole": True,
        "source": "snapshot",
        "as_of": each.taken.isoformat(),
        "snapshot": each.path.name,
        "age_s": round((now - each.taken).total_seconds(), 1),
    }
