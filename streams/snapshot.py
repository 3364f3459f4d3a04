"""A snapshot: an immutable folder of the store as it was, which anybody may open without Tidegate.

`<UTC time>/tidegate.duckdb` is a read-only copy of the store, `<table>.parquet` are the tables that users ask, and
`manifest.json` says what it holds as of which Kafka offsets. A snapshot is made under a name that ends in `.tmp`
and gets its own by one atomic rename.
"""

# ruff: noqa: S608 - table names are ours, and paths are quoted

import asyncio
import builtins
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import overload

import duckdb

from streams.errors import SnapshotError
from streams.store.schema import PUBLIC_TABLES
from streams.store.store import Store
from streams.store.thread import StoreThread

log = logging.getLogger(__name__)

DATABASE = "tidegate.duckdb"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds. *offsets*: the next one, by topic and partition. *files*: their sizes in bytes."""

    taken: str
    schema_version: int
    store_id: str
    clusters: list[str]
    offsets: dict[str, dict[str, int]]
    rows: dict[str, int]
    files: dict[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished snapshot."""

    path: Path
    manifest: Manifest

    @property
    def database(self) -> Path:
        """The read-only DuckDB file: all tables of the store."""
        return self.path / DATABASE

    @property
    def taken(self) -> datetime:
        """When it was taken, with zone."""
        return datetime.fromisoformat(self.manifest.taken)


@overload
def create(store: Store, folder: Path, keep: int, now: datetime | None = None) -> Snapshot: ...


@overload
def create(store: StoreThread, folder: Path, keep: int, now: datetime | None = None) -> Awaitable[Snapshot]: ...


def create(
    store: Store | StoreThread, folder: Path, keep: int, now: datetime | None = None
) -> Snapshot | Awaitable[Snapshot]:
    """Take a snapshot of *store* into *folder*, and prune it to *keep*; to be awaited for a StoreThread.

    The store's thread is busy for one checkpoint only: copying and writing Parquet go on beside its next batches.
    One is taken at a time; what an interrupted one has left is removed. Raises SnapshotError, or StoreError from
    the checkpoint.
    """
    time = (now or datetime.now(UTC)).astimezone(UTC)
    if isinstance(store, Store):
        return _create(store, store.hold, folder, keep, time)
    thread = store
    return asyncio.to_thread(
        _create, thread.store, lambda: thread.submit(thread.store.hold).result(), folder, keep, time
    )


def list(folder: Path) -> "List[Snapshot]":
    """Return the finished snapshots in *folder*, oldest first. One that can't be read is left out, with a warning."""
    found = []
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.is_dir() and path.suffix != _UNFINISHED:
            try:
                found.append(read(path))
            except SnapshotError as error:
                log.warning("a snapshot is left out: %s", error)
    return sorted(found, key=lambda each: each.taken)


def newest(folder: Path) -> Snapshot | None:
    """Return the newest finished snapshot in *folder* that can be read, or None."""
    return next(reversed(list(folder)), None)


def read(path: Path) -> Snapshot:
    """Return the snapshot that the folder *path* is. Raises SnapshotError where it is none, or a file is missing or
    cut.
    """
    try:
        manifest = Manifest(**json.loads((path / MANIFEST).read_bytes()))
        datetime.fromisoformat(manifest.taken)
    except (OSError, ValueError, TypeError) as error:
        raise SnapshotError(f"{path} is no finished snapshot: {MANIFEST}: {error}") from None
    for name, size in manifest.files.items():
        try:
            there = (path / name).stat().st_size
        except OSError as error:
            raise SnapshotError(f"{path} is not whole: {name}: {error.strerror}") from None
        if there != size:
            raise SnapshotError(f"{path} is not whole: {name} has {there} bytes, the manifest says {size}")
    return Snapshot(path, manifest)


def verify(snapshot: Snapshot) -> "List[str]":
    """Return what is wrong with a snapshot, a sentence each: a file is missing, or doesn't hold what the manifest
    says.
    """
    try:
        read(snapshot.path)
    except SnapshotError as error:
        return [str(error)]
    wrong = []
    with duckdb.connect(str(snapshot.database), read_only=True) as db:
        for table, rows in snapshot.manifest.rows.items():
            for source in (table, f"read_parquet('{_quoted(snapshot.path / f'{table}.parquet')}')"):
                try:
                    found = db.execute(f"select count(*) from (select * from {source})").fetchall()[0][0]
                except duckdb.Error as error:
                    wrong.append(f"{source}: {error}")
                    continue
                if found != rows:
                    wrong.append(f"{source}: {found} rows, the manifest says {rows}")
    return wrong


def prune(folder: Path, keep: int) -> "List[str]":
    """Remove all but the *keep* newest finished snapshots; return the names of what went. The newest one always stays.

    Who has a file of it open goes on reading.
    """
    gone = list(folder)[: -max(keep, 1)]
    for each in gone:
        # Out of the list first, so that nobody begins with half a folder.
        leaving = each.path.with_name(each.path.name + _UNFINISHED)
        os.rename(each.path, leaving)
        shutil.rmtree(leaving)
    return [each.path.name for each in gone]


List = builtins.list
_UNFINISHED = ".tmp"


def _create(store: Store, hold: Callable[[], None], folder: Path, keep: int, now: datetime) -> Snapshot:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            for left in folder.glob(f"*{_UNFINISHED}"):
                shutil.rmtree(left)
            target = _free_name(folder, now)
            unfinished = target.with_name(target.name + _UNFINISHED)
            unfinished.mkdir()
            hold()
            try:
                _copy(store.path, unfinished / DATABASE)
            finally:
                store.release()
            _write_tables(unfinished, now)
            _publish(unfinished, target)
            prune(folder, keep)
        return read(target)
    except (OSError, duckdb.Error) as error:
        raise SnapshotError(f"no snapshot was taken into {folder}: {error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _free_name(folder: Path, now: datetime) -> Path:
    """Return a name by the time in milliseconds, which sorts by time; the next free one if it is taken."""
    while (path := folder / f"{now:%Y-%m-%dT%H-%M-%S}.{now.microsecond // 1000:03d}Z").exists():
        now += timedelta(milliseconds=1)
    return path


def _copy(source: Path, target: Path) -> None:
    """Copy within the kernel; a file system that can share blocks does."""
    with source.open("rb") as read, target.open("xb") as write:
        try:
            while os.copy_file_range(read.fileno(), write.fileno(), 1 << 30):
                pass
        except OSError:  # not on this file system, or across two
            read.seek(0)
            write.seek(0)
            write.truncate()
            shutil.copyfileobj(read, write, 16 * 1024 * 1024)


def _write_tables(folder: Path, now: datetime) -> None:
    """Write Parquet and manifest from the copy, with one thread: the writer of the store needs the others."""
    with duckdb.connect(str(folder / DATABASE), read_only=True, config=_CONFIG) as db:
        for table in PUBLIC_TABLES:
            file = _quoted(folder / f"{table}.parquet")
            db.execute(f"copy (select * from {table}) to '{file}' (format parquet, compression zstd)")
        ((schema_version, store_id),) = db.execute("select schema_version, store_id from store").fetchall()
        places = db.execute(
            "select topic, part, next_offset, cluster_id from partitions order by topic, part"
        ).fetchall()
        rows = {table: db.execute(f"select count(*) from {table}").fetchall()[0][0] for table in PUBLIC_TABLES}
    offsets: dict[str, dict[str, int]] = {}
    for topic, part, next_offset, _ in places:
        offsets.setdefault(topic, {})[str(part)] = next_offset
    manifest = Manifest(
        taken=now.isoformat(),
        schema_version=schema_version,
        store_id=store_id,
        clusters=sorted({cluster for *_, cluster in places if cluster}),
        offsets=offsets,
        rows=rows,
        files={file.name: file.stat().st_size for file in sorted(folder.iterdir())},
    )
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")


def _publish(unfinished: Path, target: Path) -> None:
    """Make everything last, read-only, and give it its name."""
    for path in (*unfinished.iterdir(), unfinished):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if path != unfinished:
                os.fchmod(descriptor, 0o444)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    os.rename(unfinished, target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


_CONFIG: dict[str, str | bool | int | float | List[str]] = {
    "threads": 1,
    "memory_limit": "1GB",
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
