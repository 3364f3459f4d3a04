"""Snapshots, seen by API and command line: described, taken, asked, verified."""

import inspect
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from api import answers, running
from api.state import Owner
from queries.sql import run_sql
from streams import snapshot
from streams.settings import Settings
from streams.snapshot import Snapshot
from streams.store import Store

SQL_TIMEOUT_S = 60.0


def describe(each: Snapshot) -> dict[str, Any]:
    """Return what people want to know of a snapshot, ready for JSON."""
    return {
        "name": each.path.name,
        "path": str(each.path),
        "taken": _taken(each).isoformat(),
        "rows": dict(each.manifest.rows),
        "bytes": sum(file.stat().st_size for file in each.path.rglob("*") if file.is_file()),
    }


def open_(folder: Path) -> Snapshot:
    """Return the snapshot that *folder* is. Raises SnapshotError, naming it."""
    return snapshot.read(folder)


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


def verify(each: Snapshot) -> list[str]:
    """Return what is wrong with a snapshot, a sentence each: its files don't hold the rows that its manifest names."""
    wrong: list[str] = []
    with duckdb.connect() as connection:
        for table, count in each.manifest.rows.items():
            file = each.path / f"{table}.parquet"
            try:
                found = connection.execute("select count(*) from read_parquet(?)", [str(file)]).fetchall()[0][0]
            except duckdb.Error as error:
                wrong.append(f"{file}: {error}")
                continue
            if found != count:
                wrong.append(f"{file}: {found} rows, the manifest says {count}")
    try:
        with duckdb.connect(str(each.database), read_only=True) as connection:
            for table, count in each.manifest.rows.items():
                found = connection.execute(f"select count(*) from {table}").fetchall()[0][0]  # noqa: S608 # names of ours
                if found != count:
                    wrong.append(f"{each.database}: {table}: {found} rows, the manifest says {count}")
    except duckdb.Error as error:
        wrong.append(f"{each.database}: {error}")
    return wrong


def newest_first(folder: Path) -> list[Snapshot]:
    """Return the snapshots in *folder*."""
    return sorted(snapshot.list(folder), key=_taken, reverse=True)


def prune(folder: Path, keep: int) -> list[str]:
    """Remove all but the *keep* newest snapshots; return the names of what went."""
    before = {each.path.name for each in snapshot.list(folder)}
    snapshot.prune(folder, keep)
    return sorted(before - {each.path.name for each in snapshot.list(folder)})


async def take(owner: Owner) -> Snapshot:
    """Take a snapshot of the store of *owner*, in the store's own thread."""
    made = snapshot.create(owner.store, owner.settings.snapshots, owner.settings.snapshot_keep)
    return await made if inspect.isawaitable(made) else made


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
    taken = _taken(each)
    return {
        "whole": True,
        "source": "snapshot",
        "as_of": taken.isoformat(),
        "snapshot": each.path.name,
        "age_s": round((now - taken).total_seconds(), 1),
    }


def _taken(each: Snapshot) -> datetime:
    return datetime.fromisoformat(each.manifest.taken)
