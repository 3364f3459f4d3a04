"""What a batch does to the tables: versions decide, links follow, and a key whose winner isn't last in the log is
noted.

Everything here runs inside the caller's transaction. Every row is told by the hash of its Kafka key and its partition.
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

import duckdb

from streams.store import work
from streams.store.few import Counts, Decided, Few
from streams.store.links import relink
from streams.store.parse import Rows, load, unload
from streams.store.schema import FINDINGS, Kind, columns


class Records(NamedTuple):
    """Records as columns: number, partition, key, value; value None is a tombstone."""

    numbers: list[int]
    parts: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]


class Batch:
    """The records of one kind, in the order of the log within each partition. *name* names its temporary tables."""

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        kind: Kind,
        name: str,
        records: Records,
        *,
        few: Few,
        notes_work: bool = False,
    ) -> None:
        self._db = db
        self._few = few
        self._decided: Decided | None = None
        self._notes_work = notes_work
        self._kind = kind
        self.refused: dict[int, str] = {}
        self._rounds = [
            (f"{name}_{i}", rows, stones) for i, (rows, stones) in enumerate(_rounds(records, self.refused))
        ]

    def load(self) -> None:
        """Parse the records; *refused* says which can't be used, by number, and why. Outside of the transaction."""
        if len(self._rounds) == 1 and not self._rounds[0][2]:
            self._decided = self._few.load(self._kind, self._rounds[0][1])
            if self._decided is not None:
                return
        for name, rows, _ in self._rounds:
            self.refused |= load(self._db, self._kind, name, rows)

    def merge(self, now: datetime) -> Counts:
        """Bring the records into the tables, inside the caller's transaction. *now* is UTC without zone."""
        if self._decided is not None:
            return self._few.merge(self._decided, now)
        self._few.pass_by(self._kind)
        total = Counts()
        for name, rows, stones in self._rounds:
            verdict = _verdict(self._db, self._kind, name, rows, self.refused)
            if self._notes_work and verdict.unlinked and self._kind is FINDINGS:
                work.note_before(self._db)
            _write(self._db, self._kind, name, verdict, now)
            if self._notes_work and verdict.winners:
                work.note(self._db, self._kind)
            if self.refused:
                _resend_refused(self._db, self._kind, rows, self.refused)
            removed = _bury(self._db, self._kind, stones) if stones else 0
            counts = (verdict.stored, verdict.repeated, verdict.lost, removed)
            total = Counts(*(a + b for a, b in zip(total, counts, strict=True)))
        return total

    def unload(self) -> None:
        """Drop the temporary tables."""
        if self._decided is None:
            for name, _, _ in self._rounds:
                unload(self._db, name)


_Round = tuple[Rows, list[tuple[int, bytes]]]


def _rounds(records: Records, refused: dict[int, str]) -> list[_Round]:
    """Split the records so that a key's tombstone comes after its values in each round: one nearly always does."""
    if None not in records.values:
        return [(Rows(*records), [])]  # type: ignore[arg-type] # no value is None
    rounds: list[tuple[list[tuple[int, int, bytes | None, bytes]], list[tuple[int, bytes]]]] = [([], [])]
    buried: set[tuple[int, bytes | None]] = set()
    for number, part, key, value in zip(*records, strict=True):
        if value is not None:
            if (part, key) in buried:
                rounds.append(([], []))
                buried = set()
            rounds[-1][0].append((number, part, key, value))
        elif key is None:
            refused[number] = "neither key nor value"
        else:
            rounds[-1][1].append((part, key))
            buried.add((part, key))
    return [(Rows(*zip(*rows, strict=True)) if rows else Rows([], [], [], []), stones) for rows, stones in rounds]


class _Verdict(NamedTuple):
    stored: int
    repeated: int
    lost: int
    winners: int
    replaced: int
    overtaken: int
    deleted: int
    changed: int
    unlinked: int
    clashes: int
    deletions: int
    resends: int


def _verdict(db: duckdb.DuckDBPyConnection, kind: Kind, staged: str, rows: Rows, refused: dict[int, str]) -> _Verdict:
    """Make `verdict` of the table *staged*: of each record, whether it `wins`, and whether its key's winner is
    `last`.
    """
    distinct = len(set(zip(rows.parts, rows.keys, strict=True))) == len(rows.numbers)
    counts = _decide(db, kind, staged, distinct)
    if counts.clashes:
        # Two keys with one 64-bit hash: a matter of 10^9 rows. Whoever was first stays, the other is told.
        for (number,) in db.execute("select n from verdict where clash").fetchall():
            refused[number] = "its key has the same 64-bit md5 half as another key in the table"
        db.execute(f"delete from {staged} where n in (select n from verdict where clash)")
        counts = _decide(db, kind, staged, distinct)
    return counts


# Of keys that come once in the batch. Windows would cost half as much again as all the rest of the query.
_ONCE = """
    select n, part, h, links, had_links, deleted, r, true as last,
        coalesce(upper <> had_upper, false) as clash,
        had is null or version > had as better,
        coalesce(version = had, false) as same,
        had is null or version > had as wins,
        had is null or version >= had as top
    from met"""

_OFTEN = """
    , ranked as (
        select *,
            greatest(coalesce(had, ''), coalesce(max(version) over earlier, '')) as before,
            greatest(coalesce(had, ''), max(version) over k) as winner,
            row_number() over (k order by version desc, n) = 1 as first,
            max(n) over k = n as last,
            upper <> coalesce(had_upper, first_value(upper) over (k order by n)) as clash
        from met
        window k as (partition by h, part),
            earlier as (partition by h, part order by n rows between unbounded preceding and 1 preceding))
    select n, part, h, links, had_links, deleted, r, last, clash,
        version > before as better,
        version = before as same,
        first and version > coalesce(had, '') as wins,
        version = winner as top
    from ranked"""


def _decide(db: duckdb.DuckDBPyConnection, kind: Kind, staged: str, distinct: bool) -> _Verdict:
    db.execute(f"""
        create or replace temp table verdict as
        with there as (
            select rowid r, {kind.id} h, part, upper had_upper, version had, links had_links from {kind.records}
            where {kind.id} in (select h from {staged})),
        met as (
            select n, part, h, upper, version, links, deleted, r, had, coalesce(had_links, 0) had_links, had_upper
            from {staged} left join there using (h, part))
        {_ONCE if distinct else _OFTEN}""")
    row = db.execute(
        """
        select count(*) filter (better), count(*) filter (same), count(*) filter (not better and not same),
            count(*) filter (wins), count(*) filter (wins and r is not null), count(*) filter (last and not top),
            count(*) filter (wins and deleted), count(*) filter (wins and links <> had_links),
            count(*) filter (wins and links <> had_links and had_links <> 0), count(*) filter (clash),
            (select count(*) from deletions where kind = $1), (select count(*) from resend where kind = $1)
        from verdict""",
        [kind.name],
    ).fetchall()[0]
    return _Verdict(*row)


def _write(db: duckdb.DuckDBPyConnection, kind: Kind, staged: str, counts: _Verdict, now: datetime) -> None:
    if counts.replaced:
        db.execute(f"""
            delete from {kind.name} using (select h, part from verdict where wins and r is not null) v
            where {kind.name}.{kind.id} = v.h and {kind.name}.part = v.part""")
        db.execute(f"delete from {kind.records} where rowid in (select r from verdict where wins)")
    if counts.winners:
        names = ", ".join(columns(kind))
        winners = staged
        if counts.winners < counts.stored + counts.repeated + counts.lost:
            winners = f"(select * from {staged} where n in (select n from verdict where wins))"
        db.execute(f"""
            insert into {kind.name} ({kind.id}, part, {names}) select h, part, {names} from {winners}""")
        db.execute(f"""
            insert into {kind.records} select s.h, s.part, s.upper, s.version, s.links, b.value
            from {staged}_batch b join {winners} s using (n)""")
    relink(db, kind, staged, changed=counts.changed, unlinked=counts.unlinked)
    if counts.replaced and counts.deletions:
        db.execute(
            "delete from deletions where kind = ? and (hash, part) in (select h, part from verdict where wins)",
            [kind.name],
        )
    if counts.deleted:
        db.execute("insert into deletions select ?, part, h, ? from verdict where wins and deleted", [kind.name, now])
    if counts.resends:
        db.execute(
            "delete from resend where kind = ? and (hash, part) in (select h, part from verdict where last)",
            [kind.name],
        )
    if counts.overtaken:
        db.execute("insert into resend select ?, part, h, false from verdict where last and not top", [kind.name])


def _resend_refused(db: duckdb.DuckDBPyConnection, kind: Kind, rows: Rows, refused: dict[int, str]) -> None:
    """A refused record that is last of its key in the log makes compaction drop the good one: that one is sent
    again.
    """
    last: dict[tuple[int, bytes], int] = {}
    for number, part, key, _ in zip(*rows, strict=True):
        if key is not None:
            last[part, key] = number
    keys = defaultdict(list)
    for (part, key), number in last.items():
        if number in refused and (text := _decoded(key)) is not None:
            keys[part].append(text)
    for part, texts in keys.items():
        _note(db, kind, part, texts)


def _bury(db: duckdb.DuckDBPyConnection, kind: Kind, stones: list[tuple[int, bytes]]) -> int:
    """A tombstone removes a deleted row. A live row stays, and its record is sent again, so that it outlives the
    tombstone.
    """
    removed = 0
    keys = defaultdict(list)
    for part, key in stones:
        if (text := _decoded(key)) is not None:  # no row has another
            keys[part].append(text)
    for part, texts in keys.items():
        db.execute(
            f"""create or replace temp table buried as select {kind.id} h from {kind.name}
            where part = ? and deleted and {kind.id} in (select md5_number_lower(unnest(?::VARCHAR[])))""",
            [part, texts],
        )
        for table in (kind.name, kind.records):
            db.execute(f"delete from {table} where part = ? and {kind.id} in (select h from buried)", [part])
        for table in ("deletions", "resend"):
            db.execute(
                f"delete from {table} where kind = ? and part = ? and hash in (select h from buried)", [kind.name, part]
            )
        removed += db.execute("select count(*) from buried").fetchall()[0][0]
        _note(db, kind, part, texts)
    return removed


def _note(db: duckdb.DuckDBPyConnection, kind: Kind, part: int, keys: list[str]) -> None:
    """Note those of *keys* that have a row: their winner is to be sent again."""
    db.execute(
        f"""create or replace temp table noted as select {kind.id} h from {kind.records}
        where part = ? and {kind.id} in (select md5_number_lower(unnest(?::VARCHAR[])))""",
        [part, keys],
    )
    db.execute("delete from resend where kind = ? and part = ? and hash in (select h from noted)", [kind.name, part])
    db.execute("insert into resend select ?, ?, h, false from noted", [kind.name, part])


def _decoded(key: bytes) -> str | None:
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None
