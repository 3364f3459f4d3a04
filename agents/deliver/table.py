"""The open table: what is not delivered yet, with the offset up to which the topic was read, in one SQLite file.

It is a copy of what the topic says: a file that is lost or can't be read is made anew, and filled from the log.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from streams.admin import Watermarks
from streams.errors import StoreError
from streams.store.starts import Known, distrust
from streams.topics import DELETE_RETENTION_MS

T = TypeVar("T")

VERSION = 2
_SCHEMA = f"""
create table open (
    part integer not null,
    place integer not null,
    key blob not null,
    at integer not null,
    attempts integer not null,
    first integer not null,
    last integer not null,
    words text not null,
    not_before integer not null,
    digest text not null,
    withdraws integer not null,
    value blob not null,
    primary key (part, place)
);
create table partitions (
    topic text not null,
    part integer not null,
    next_offset integer not null,
    topic_id text not null,
    cluster_id text not null,
    synced_at text not null,
    primary key (topic, part)
);
create table ledger (part integer not null, key blob primary key, value blob not null);
pragma user_version = {VERSION};
"""


class Source(NamedTuple):
    """A topic (its full name and id, and its cluster's id) that fills a table."""

    topic: str
    topic_id: str
    cluster_id: str
    fills: Literal["open", "ledger"]


class Row(NamedTuple):
    """An open delivery as the table has it. *place*: its offset in the partition; the times: ms since 1970 UTC."""

    part: int
    place: int
    key: bytes
    at: int
    attempts: int
    first: int
    last: int
    words: str
    not_before: int
    digest: str
    withdraws: bool
    value: bytes


@dataclass(slots=True)
class Change:
    """One transaction: rows that come and go, attempts at rows, ledger entries, and the offsets that go with them."""

    opened: list[Row] = field(default_factory=list)
    closed: list[tuple[int, int]] = field(default_factory=list)
    """Partition and place."""
    tried: list[tuple[int, int, int, str, int, int]] = field(default_factory=list)
    """Attempts, first, last, words; partition and place."""
    ledger: list[tuple[int, bytes, bytes | None]] = field(default_factory=list)
    """Partition, key, and the entry; None: forget it."""
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    """The next offset of a topic's partition."""


class OpenTable:
    """The file and the one thread that works on it. Every method raises StoreError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, "open-deliveries")
        self._db: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file; one that can't be used is made anew."""
        await self._run(self._open)

    async def close(self) -> None:
        """Close it; closing twice is safe."""
        if self._db is not None:
            await self._run(self._db.close)
            self._db = None
        self._thread.shutdown(wait=False)

    async def start(self, at: Source, part: int, marks: Watermarks) -> int:
        """Return where the partition is to be read from; forget what can't be trusted of it."""
        return await self._run(lambda: self._start(at, part, marks))

    async def rows(self, part: int) -> list[Row]:
        """Return what is open in the partition, oldest first, without the records."""
        columns = "part, place, key, at, attempts, first, last, words, not_before, digest, withdraws, x''"
        sql = f"select {columns} from open where part = ? order by place"  # noqa: S608 - our own columns
        return await self._run(lambda: [Row(*row) for row in self._opened.execute(sql, [part])])

    async def values(self, places: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """Return the record at each partition and place; None where none is."""
        sql = "select value from open where part = ? and place = ?"

        def read() -> list[bytes | None]:
            found = [self._opened.execute(sql, place).fetchone() for place in places]
            return [row and row[0] for row in found]

        return await self._run(read)

    async def ledger(self, part: int) -> dict[bytes, bytes]:
        """Return the partition's ledger entries by key."""
        sql = "select key, value from ledger where part = ?"
        return await self._run(lambda: dict(self._opened.execute(sql, [part]).fetchall()))

    async def write(self, change: Change) -> None:
        """Carry out *change*, all of it or nothing."""
        await self._run(lambda: self._write(change))

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(f"{self.path} is closed")
        return self._db

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}; delete it to have it made anew from the topic") from error

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = self._connect()
            return
        except sqlite3.DatabaseError:
            pass  # torn, foreign or of another version: the topic has it all
        for each in self.path.parent.glob(f"{self.path.name}*"):
            each.unlink()
        self._db = self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")  # what a power cut takes is in the log, behind the kept offset
            db.execute("pragma cache_size = -4096")
            db.execute("pragma journal_size_limit = 33554432")
            version = db.execute("pragma user_version").fetchone()[0]
            if version == 0:
                db.executescript(f"begin; {_SCHEMA} commit;")
            elif version != VERSION:
                raise sqlite3.DatabaseError(f"version {version}")
            return db
        except BaseException:
            db.close()
            raise

    def _start(self, at: Source, part: int, marks: Watermarks) -> int:
        db, now = self._opened, datetime.now(UTC)
        row = db.execute(
            "select next_offset, topic_id, cluster_id, synced_at from partitions where topic = ? and part = ?",
            [at.topic, part],
        ).fetchone()
        there = Known(row[0], row[1], row[2], datetime.fromisoformat(row[3])) if row else None
        if there is not None and not distrust(
            there,
            cluster_id=at.cluster_id,
            topic_id=at.topic_id,
            begin=marks.begin,
            end=marks.end,
            now=now,
            delete_retention_ms=DELETE_RETENTION_MS,
        ):
            return there.next_offset
        with closing(db.cursor()) as cursor, _Transaction(cursor):
            cursor.execute(f"delete from {at.fills} where part = ?", [part])  # noqa: S608 - one of two names
            cursor.execute(
                "insert or replace into partitions values (?, ?, ?, ?, ?, ?)",
                [at.topic, part, marks.begin, at.topic_id, at.cluster_id, now.isoformat()],
            )
        return marks.begin

    def _write(self, change: Change) -> None:
        with closing(self._opened.cursor()) as cursor, _Transaction(cursor):
            cursor.executemany("insert or replace into open values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", change.opened)
            cursor.executemany("delete from open where part = ? and place = ?", change.closed)
            cursor.executemany(
                "update open set attempts = ?, first = ?, last = ?, words = ? where part = ? and place = ?",
                change.tried,
            )
            cursor.executemany(
                "insert or replace into ledger values (?, ?, ?)", [e for e in change.ledger if e[2] is not None]
            )
            cursor.executemany("delete from ledger where key = ?", [[key] for _, key, v in change.ledger if v is None])
            cursor.executemany(
                "update partitions set next_offset = ?, synced_at = ? where topic = ? and part = ?",
                _moved(change.offsets),
            )


class _Transaction:
    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def __enter__(self) -> None:
        self._cursor.execute("begin immediate")

    def __exit__(self, wrong: type[BaseException] | None, *_: object) -> None:
        self._cursor.execute("commit" if wrong is None else "rollback")


def _moved(offsets: Mapping[tuple[str, int], int]) -> Iterable[tuple[int, str, str, int]]:
    now = datetime.now(UTC).isoformat()
    return [(offset, now, topic, part) for (topic, part), offset in offsets.items()]
