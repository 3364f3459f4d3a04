"""One DuckDB file of resources and findings: batches in, cursors out."""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from threading import Condition
from typing import TypeVar

import duckdb

from streams.errors import StoreError
from streams.store import alerts, resend, starts
from streams.store.batch import Applied, Part, Refused
from streams.store.few import Counts, Few
from streams.store.file import connect, lasting, wal_of
from streams.store.hot import HotColumns
from streams.store.merge import Batch, Records
from streams.store.places import Places, Rows
from streams.store.schema import KINDS, PUBLIC_TABLES, TABLES_BY_PART, KindName

log = logging.getLogger(__name__)

T = TypeVar("T")


_Unseen = tuple[Part, Sequence[tuple[int, bytes | None, bytes | None]]]


class Store:
    """One store file, open for writing by this process. Not thread-safe but for `cursor`: streams.store.thread runs it
    from asyncio.

    Every method that changes something is one transaction: it happened whole, or raised StoreError and changed
    nothing.
    """

    def __init__(self, path: Path, db: duckdb.DuckDBPyConnection, *, notes_work: bool = False) -> None:
        self.path = path
        self._db = db
        self._evaluation = db.cursor()
        self._open = True
        self._held = 0
        self._holders = Condition()
        self._notes_work = notes_work
        self._few = Few(db, notes_work=notes_work)
        self._places = {table: Places(db, table, "rid") for table in ("finding_resource", "audited", "alerts")}
        self._offsets: dict[tuple[str, int], int] = {}
        self.hot = HotColumns(db, path.with_name(f"{path.name}.hot.json"), self.transact, self._few.places("resources"))
        self.reload()

    @classmethod
    def open(cls, path: Path | str, memory: str = "1GB", threads: int = 2, *, notes_work: bool = False) -> "Store":
        """Open the file, or create it and its folder. *memory* and *threads* bound DuckDB. *notes_work*: batches note
        what they touch, for somebody who evaluates it.

        Raises StoreError where the file is another process's, can't be read, or was written by another version of
        Tidegate.
        """
        path = Path(path)
        db = connect(path, memory, threads)
        try:
            with _duckdb_errors(f"opening {path}"):
                # What was on its way when we stopped may not have arrived.
                db.execute("update resend set taken = false where taken")
                return cls(path, db, notes_work=notes_work)
        except BaseException:
            db.close()
            raise

    def close(self) -> None:
        """Move everything into the file and close it; a second time does nothing."""
        with self._holders:
            self._holders.wait_for(lambda: not self._held)  # closing writes to the file
        if self._open:
            self._open = False
            with _duckdb_errors(f"closing {self.path}"), lasting(self._db):
                self._evaluation.close()
                self._db.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own that sees committed batches only, for one thread; close it after use."""
        return self._db.cursor()

    def apply(self, parts: Sequence[Part], now: datetime | None = None) -> Applied:
        """Write the records of *parts* and their offsets in one transaction; records below the stored offsets have
        been seen and are skipped.

        Raises StoreError, nothing written, where a part begins above its stored offset, or where DuckDB fails.
        """
        time = _utc(now)
        records, offsets = self._unseen(parts)
        firsts: list[int] = []  # the number of each part's first record: numbers run through all parts
        columns: dict[KindName, Records] = {}
        count = 0
        for part, unseen in records:
            firsts.append(count)
            if unseen:
                _, keys, values = zip(*unseen, strict=True)
                into = columns.setdefault(part.kind, Records([], [], [], []))
                into.numbers.extend(range(count, count + len(unseen)))
                into.parts.extend([part.partition] * len(unseen))
                into.keys.extend(keys)
                into.values.extend(values)
                count += len(unseen)
        of_alerts = columns.pop("alerts", None)
        batches = [
            Batch(self._db, KINDS[kind], f"staged_{kind}", of_kind, few=self._few, notes_work=self._notes_work)
            for kind, of_kind in columns.items()
        ]
        try:
            with _duckdb_errors(f"parsing a batch in {self.path}"):
                for batch in batches:
                    batch.load()
            with self._transaction("a batch"):
                counts = [batch.merge(time) for batch in batches]
                refusals = [batch.refused for batch in batches]
                self.hot.note(columns.get("resources"))
                if of_alerts is not None:
                    *of_them, why = alerts.merge(self._db, *of_alerts)
                    counts.append(Counts(*of_them))
                    refusals.append(why)
                starts.advance(self._db, offsets, time)
                reasons = sorted(reason for why in refusals for reason in why.items())
                refused = [_refused(records, firsts, number, reason) for number, reason in reasons]
                if refused:
                    self._db.executemany("insert into refused values (?, ?, ?, ?, ?, ?, ?)", refused)
        finally:
            for batch in batches:
                batch.unload()
        self._offsets.update({(topic, part): end for (topic, _, part), end in offsets.items()})
        return Applied(
            stored=sum(c.stored for c in counts),
            repeated=sum(c.repeated for c in counts),
            lost=sum(c.lost for c in counts),
            refused=refused,
            removed=sum(c.removed for c in counts),
        )

    def start(
        self,
        topic: str,
        kind: KindName,
        part: int,
        *,
        cluster_id: str,
        topic_id: str,
        begin: int,
        end: int,
        now: datetime,
        delete_retention_ms: int,
    ) -> int:
        """Return the offset from which to read the partition, whose log spans *begin* to *end* (excluded).

        Where the store can't go on from its own offset, it drops the partition's rows, says why in the log, and
        returns *begin*.
        """
        there = starts.known(self._db, topic, part)
        why = starts.distrust(
            there,
            cluster_id=cluster_id,
            topic_id=topic_id,
            begin=begin,
            end=end,
            now=_utc(now),
            delete_retention_ms=delete_retention_ms,
        )
        if there is not None and why is None:
            return there.next_offset
        log.log(
            logging.INFO if there is None else logging.WARNING,
            "%s %d is read from offset %d: %s",
            topic,
            part,
            begin,
            why,
        )
        with self._transaction(f"start of {topic} {part}"):
            self._drop(kind, part)
            self._db.execute(
                "insert into partitions values (?, ?, ?, ?, ?, ?, ?)",
                [topic, kind, part, begin, topic_id, cluster_id, _utc(now)],
            )
        self._offsets[topic, part] = begin
        return begin

    def touch(self, topic: str, part: int, now: datetime) -> None:
        """Note that the partition is at the end of its log *now*: it misses nothing."""
        with self._transaction("touch"):
            self._db.execute(
                "update partitions set synced_at = ? where topic = ? and part = ?", [_utc(now), topic, part]
            )

    def drop(self, kind: KindName, part: int) -> None:
        """Forget the partition: its rows, links and offset."""
        with self._transaction(f"drop of {kind} {part}"):
            topics = self._db.execute(
                "select topic from partitions where kind = ? and part = ?", [kind, part]
            ).fetchall()
            self._drop(kind, part)
        for (topic,) in topics:
            del self._offsets[topic, part]

    def next_offset(self, topic: str, part: int) -> int | None:
        """Return the offset after the last record that is stored, or None where the store has never seen the
        partition.
        """
        return self._offsets.get((topic, part))

    def offsets(self) -> dict[tuple[str, int], int]:
        """Return the next offset by topic and partition."""
        return dict(self._offsets)

    def rows(self) -> dict[str, int]:
        """Return how many rows the tables hold that a user asks: resources, findings, finding_resource."""
        return {table: self._db.execute(f"select count(*) from {table}").fetchall()[0][0] for table in PUBLIC_TABLES}

    def resends(self, kind: KindName, part: int, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to *limit* keys and records that must be sent again, so that compaction keeps them.

        Ask once the partition is at the end of its log: while it is read again from the beginning, what follows may
        settle a key.
        """
        with self._transaction("resends"):
            return resend.take(self._db, KINDS[kind], part, limit)

    def resent(self, kind: KindName, part: int, keys: Sequence[bytes]) -> None:
        """Forget *keys*: the broker has acknowledged what `resends` gave for them."""
        with self._transaction("resent"):
            resend.sent(self._db, KINDS[kind], part, keys)

    def refusals(self, limit: int, most_bytes: int = 16 * 1024 * 1024) -> list[Refused]:
        """Return records that no table took and whose dead letters aren't known to be written yet: up to *limit*, and
        no more than fit into *most_bytes*, or one.
        """
        order = 'order by topic, part, "offset"'
        sizes = self._db.execute(
            f"select coalesce(octet_length(value), 0) from refused {order} limit ?", [limit]
        ).fetchall()
        fit = sum(total <= most_bytes for total in accumulate(size for (size,) in sizes))
        rows = self._db.execute(f"select * from refused {order} limit ?", [max(fit, 1)]).fetchall() if sizes else []
        return [Refused(*row) for row in rows]

    def told(self, refused: Sequence[Refused]) -> None:
        """Forget *refused*: the broker has acknowledged their dead letters."""
        with self._transaction("told"):
            self._db.executemany(
                'delete from refused where topic = ? and part = ? and "offset" = ?',
                [(one.topic, one.partition, one.offset) for one in refused],
            )

    def expired(self, kind: KindName, part: int, before: datetime, limit: int) -> list[bytes]:
        """Return up to *limit* keys that this store has known as deleted since before *before*: tombstones are due for
        them.

        The rows stay, and the keys are given again, until the tombstone comes by on the topic.
        """
        if kind == "alerts":
            return []  # an alert has no deletion
        return resend.expired(self._db, KINDS[kind], part, _utc(before), limit)

    def transact(self, what: str, work: Callable[[duckdb.DuckDBPyConnection], T], *, world: bool = False) -> T:
        """Call *work* in one transaction and return what it returns. *what* names it in errors.

        *world*: on a connection of its own, whose temporary tables may hide the real ones (streams.store.world).
        Raises StoreError, nothing changed, where DuckDB fails; what *work* raises goes through, nothing changed.
        """
        db = self._evaluation if world else self._db
        with self._transaction(what, db):
            return work(db)

    def rows_of(self, table: str, hashes: Sequence[int]) -> Rows | None:
        """Return the rows of resources, findings, finding_resource, audited or alerts that have one of *hashes*: rids,
        or fids of findings; None: look for them in the table. As of the last transaction; they hold until the next.
        """
        places = self._places.get(table) or self._few.places(table)
        places.refresh()
        found = places.rows(hashes)
        if table in self._places:
            places.grow()
        return found

    def rows_gone(self, table: str, numbers: Sequence[int]) -> None:
        """Take note that these rows of audited or alerts have been deleted in the transaction that runs."""
        self._places[table].gone(numbers)

    def reload(self) -> None:
        """Read the offsets again, after somebody has written them with a cursor."""
        self._forget()
        found = self._db.execute("select topic, part, next_offset from partitions").fetchall()
        self._offsets = {(topic, part): next_offset for topic, part, next_offset in found}
        self.hot.check()

    def wal_bytes(self) -> int:
        """Return the size of the write-ahead log, which `checkpoint` empties and an opening after a crash reads."""
        with suppress(FileNotFoundError):
            return wal_of(self.path).stat().st_size
        return 0

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file: when idle, or when `wal_bytes` is too large, as it takes up to
        seconds.

        Does nothing while the file is held.
        """
        with self._holders:
            if not self._held:
                self._checkpoint()

    def hold(self) -> None:
        """Move all that is stored into the file, and change nothing there until `release`: batches go to the log
        beside it.

        So the file can be copied while the store is written to, and the copy is the store as it is now.
        """
        with self._holders:
            if not self._held:
                self._checkpoint()
            # Held already: the file is as of a moment ago, a little older than now but whole.
            self._held += 1

    def release(self) -> None:
        """End a `hold`; from any thread."""
        with self._holders:
            self._held -= 1
            self._holders.notify_all()

    def _forget(self) -> None:
        """Let go of row numbers: somebody else has changed rows, or a checkpoint moves them."""
        self._few.forget()
        for places in self._places.values():
            places.forget()

    def _checkpoint(self) -> None:
        self._forget()
        with _duckdb_errors(f"checkpoint of {self.path}"), lasting(self._db):
            self._db.execute("checkpoint")

    def _unseen(self, parts: Sequence[Part]) -> tuple[list[_Unseen], dict[tuple[str, str, int], int]]:
        """Return each part's records from the stored offset on, and the offsets that follow."""
        ends: dict[tuple[str, str, int], int] = {}
        records = []
        for part in parts:
            place = (part.topic, part.kind, part.partition)
            at = ends.get(place, self._offsets.get((part.topic, part.partition), part.start))
            if part.start > at:
                raise StoreError(
                    f"{part.topic} {part.partition}: the store is at offset {at}, and is given records from offset "
                    f"{part.start}: what lies between would be lost"
                )
            records.append((part, part.records if part.start >= at else [r for r in part.records if r[0] >= at]))
            ends[place] = max(at, part.end)
        return records, ends

    def _drop(self, kind: KindName, part: int) -> None:
        self.hot.drop_part(kind, part)
        for table in TABLES_BY_PART[kind]:
            self._db.execute(f"delete from {table} where part = ?", [part])
        for table in ("partitions", "resend", "deletions"):
            self._db.execute(f"delete from {table} where kind = ? and part = ?", [kind, part])

    @contextmanager
    def _transaction(self, what: str, connection: duckdb.DuckDBPyConnection | None = None) -> Iterator[None]:
        db = connection or self._db
        with _duckdb_errors(f"{what} in {self.path}"):
            db.execute("begin")
            try:
                yield
                db.execute("commit")
            except BaseException:
                with suppress(duckdb.Error):
                    db.execute("rollback")
                self._forget()  # what seemed deleted is there
                raise


@contextmanager
def _duckdb_errors(what: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise StoreError(f"{what}: {error}") from error


def _refused(records: list[_Unseen], firsts: list[int], number: int, reason: str) -> Refused:
    place = bisect_right(firsts, number) - 1
    part, unseen = records[place]
    offset, key, value = unseen[number - firsts[place]]
    return Refused(part.kind, part.topic, part.partition, offset, key, value, reason)


def _utc(time: datetime | None) -> datetime:
    """Return *time* as UTC without zone, as the tables hold it."""
    return (time or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
