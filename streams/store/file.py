"""The store's file: how it is opened, and what of it outlives which crash.

The file is as of the last checkpoint; the write-ahead log beside it holds the batches since. Either may be lost, since
each holds the Kafka offsets of just what it holds: the rest is read again. So a batch need not wait for the disk: it
outlives a kill of this process, and after a crash of the machine the store is a whole prefix of the batches, or as of
the last checkpoint, or rebuilt.
"""

import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from streams.errors import StoreError
from streams.store.schema import DDL, SCHEMA_VERSION

log = logging.getLogger(__name__)


def connect(path: Path, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """Open or create a store file of this schema version. A write-ahead log that can't be read is set aside as
    `.wal.broken`.

    Raises StoreError with the way out.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = duckdb.connect(str(path), config=_config(memory, threads))
        except duckdb.Error as error:
            if "WAL" not in str(error) or not wal_of(path).exists():
                raise
            log.warning("%s can't be read, the store goes on from its last checkpoint: %s", wal_of(path), error)
            os.replace(wal_of(path), f"{wal_of(path)}.broken")
            db = duckdb.connect(str(path), config=_config(memory, threads))
    except (duckdb.Error, OSError) as error:
        if "lock" in str(error):
            raise StoreError(f"another process has the store {path} open: stop it first. {error}") from error
        raise StoreError(f"can't open the store {path}: {error}. {_way_out(path)}") from error
    try:
        _check_version(db, path)
        db.execute("set fsync_mode = 'NONE'")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def lasting(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Wait for the disk inside this: for a checkpoint, whose order of writes is what keeps the file whole in a
    crash.
    """
    db.execute("set fsync_mode = 'STANDARD'")
    yield
    with suppress(duckdb.ConnectionException):  # it was closed
        db.execute("set fsync_mode = 'NONE'")


def wal_of(path: Path) -> Path:
    """Return where the write-ahead log of a store lies."""
    return path.with_name(path.name + ".wal")


def _config(memory: str, threads: int) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": memory,
        "threads": threads,
        "checkpoint_threshold": "1TB",  # ours to choose: an automatic one would hold a batch up for seconds
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }


def _check_version(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    if not db.execute("select count(*) from duckdb_tables() where not temporary").fetchall()[0][0]:
        db.execute("begin")
        db.execute(DDL)
        db.execute("insert into store values (?, ?, now() at time zone 'UTC')", [SCHEMA_VERSION, str(uuid.uuid4())])
        db.execute("commit")
        db.execute("checkpoint")
        return
    try:
        ((version,),) = db.execute("select schema_version from store").fetchall()
    except (duckdb.Error, ValueError):
        raise StoreError(
            f"{path} is a DuckDB file, but no store of Tidegate: name another folder in TIDEGATE_DATA"
        ) from None
    if version != SCHEMA_VERSION:
        raise StoreError(f"{path} has schema version {version}, this Tidegate has {SCHEMA_VERSION}. {_way_out(path)}")


def _way_out(path: Path) -> str:
    return f"All that it holds lies in Kafka: stop Tidegate, delete {path}*, start again: it is filled from the topics."
