"""What a batch of few records does to the tables: the same as `merge` does, without the price that many are worth.

For a few records nearly all of that price is planning, and looking through columns of millions of rows. So here Python
decides, rows are found by `places`, and most statements are planned once. A batch that has anything unusual in it, such
as a tombstone or a record that no table takes, is left to `merge`.
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb

from streams.store.parse import UNREADABLE, Rows, mistakes, typed
from streams.store.places import Places, in_sql
from streams.store.prepared import ROWS, Prepared, number, text
from streams.store.schema import FINDINGS, RESOURCES, Kind, columns

MOST = 500
"""Records of a batch that is small. Half as many again cost the same either way."""
MOST_BYTES = 2 * 1024 * 1024


class Counts(NamedTuple):
    """What became of records: how many were stored, repeated what is there, lost to a higher version; rows that
    tombstones removed.
    """

    stored: int = 0
    repeated: int = 0
    lost: int = 0
    removed: int = 0


class Record(NamedTuple):
    """A record as far as its fate depends on it. *names* are the hashes of what it is linked by."""

    part: int
    hash: int
    upper: int
    version: str
    links: int
    deleted: bool
    names: Sequence[int]
    key: bytes
    value: bytes


class Row(NamedTuple):
    """The row of a record's key that is there."""

    number: int
    upper: int
    version: str
    links: int


_At = tuple[int, int]


class Decided(NamedTuple):
    """Which records win, over which rows; the places of all, and of those whose winner isn't last in the log."""

    kind: Kind
    counts: Counts
    winners: list[tuple[Record, Row | None]]
    places: list[_At]
    overtaken: list[_At]
    noted: tuple[bool, bool]
    """Whether there are deletions of this kind, and keys to send again."""


def decide(kind: Kind, records: Sequence[Record], rows: dict[_At, Row]) -> Decided | None:
    """Return what becomes of *records*, in the order of the log within each partition; *rows* are by partition and
    hash.

    None where two keys have one hash.
    """
    best: dict[_At, str] = {}
    uppers: dict[_At, int] = {}
    last: dict[_At, str] = {}
    winners: dict[_At, Record] = {}
    stored = repeated = 0
    for record in records:
        at = record.part, record.hash
        row = rows.get(at)
        if uppers.setdefault(at, row.upper if row else record.upper) != record.upper:
            return None
        before = best.get(at, row.version if row else "")
        if record.version > before:
            stored += 1
            best[at], winners[at] = record.version, record
        else:
            repeated += record.version == before
            best[at] = before
        last[at] = record.version
    counts = Counts(stored, repeated, len(records) - stored - repeated)
    overtaken = [at for at, version in last.items() if version < best[at]]
    won = [(record, rows.get(at)) for at, record in winners.items()]
    return Decided(kind, counts, won, list(last), overtaken, (False, False))


class Few:
    """Small batches of one store."""

    def __init__(self, db: duckdb.DuckDBPyConnection, *, notes_work: bool = False) -> None:
        self._db = db
        self._notes_work = notes_work
        self._run = Prepared(db).run
        self._nothing_noted: set[str] = set()
        self._places = {
            table: Places(db, table, column)
            for kind in (RESOURCES, FINDINGS)
            for table, column in ((kind.name, kind.id), (kind.records, kind.id), (kind.links, "key"))
        }

    def load(self, kind: Kind, rows: Rows) -> Decided | None:
        """Read and judge *rows*; None where that is for `merge` to do. Outside of the transaction."""
        few = len(rows.numbers) <= MOST and sum(map(len, rows.values)) <= MOST_BYTES
        records = self._records(kind, rows) if few and rows.numbers and None not in rows.keys else None
        if records is None:
            return None
        for places in self._places.values():
            places.refresh()
        found = self._places[kind.records].find("part, upper, version, links", [record.hash for record in records])
        there = {(part, hash_): Row(number, *rest) for number, hash_, part, *rest in found}
        twice = len({hash_ for _, hash_, *_ in found}) < len(found)  # somebody has put a key into two partitions
        decided = None if twice else decide(kind, records, there)
        return None if decided is None else decided._replace(noted=self._noted(kind))

    def merge(self, decided: Decided, now: datetime) -> Counts:
        """Write what was decided, inside the caller's transaction. *now* is UTC without zone."""
        kind, _, winners, *_ = decided
        if replaced := [(record, row) for record, row in winners if row is not None]:
            self._delete(kind, replaced)
        if winners:
            self._insert(kind, [record for record, _ in winners])
            self._link(kind, winners)
        self._note(decided, now)
        return decided.counts

    def pass_by(self, kind: Kind) -> None:
        """Take note that a batch of records of *kind* is written elsewhere, in this transaction."""
        self._nothing_noted.discard(kind.name)
        for table in (kind.name, kind.records, kind.links):
            self._places[table].grow()

    def places(self, table: str) -> Places:
        """Return the places of resources or findings."""
        return self._places[table]

    def forget(self) -> None:
        """Let go of what is known of the rows' places: a checkpoint moves rows."""
        for places in self._places.values():
            places.forget()

    def _records(self, kind: Kind, rows: Rows) -> list[Record] | None:
        batch = [(n, *row) for n, row in enumerate(zip(rows.parts, rows.keys, rows.values, strict=True))]
        try:
            found = sorted(self._run(_LOOK[kind.name], batch))  # type: ignore[arg-type] # no key is None
            if any(odd for *_, odd in found) and self._run(_MISTAKES[kind.name], batch):  # type: ignore[arg-type]
                return None
        except UNREADABLE:
            return None
        return [
            Record(part, hash_, upper, version, links, deleted, names, rows.keys[n] or b"", rows.values[n])
            for n, part, hash_, upper, version, links, deleted, names, _ in found
        ]

    def _noted(self, kind: Kind) -> tuple[bool, bool]:
        if kind.name in self._nothing_noted:
            return False, False
        ((deletions, resends),) = self._db.execute(
            "select exists(from deletions where kind = $1), exists(from resend where kind = $1)", [kind.name]
        ).fetchall()
        if not deletions and not resends:
            self._nothing_noted.add(kind.name)
        return deletions, resends

    def _delete(self, kind: Kind, replaced: Sequence[tuple[Record, Row]]) -> None:
        self._places[kind.name].delete([record.hash for record, _ in replaced])
        numbers = [row.number for _, row in replaced]
        where, values = in_sql(numbers)
        self._db.execute(f"delete from {kind.records} where {where}", values)
        self._places[kind.records].gone(numbers)

    def _insert(self, kind: Kind, records: Sequence[Record]) -> None:
        for table in (kind.name, kind.records):
            self._places[table].add([record.hash for record in records])
        self._run(_INSERT[kind.name], [(n, r.part, r.key, r.value) for n, r in enumerate(records)])
        self._run(
            _INSERT_RECORD[kind.name],
            [(r.hash, r.part, r.upper, r.version.encode(), r.links, r.value) for r in records],
        )

    def _link(self, kind: Kind, winners: Sequence[tuple[Record, Row | None]]) -> None:
        """As `links.relink` and `work.note` do."""
        other = FINDINGS if kind is RESOURCES else RESOURCES
        changed = [record for record, row in winners if record.links != (row.links if row else 0)]
        touched = {(record.part, record.hash) for record, _ in winners} if kind is RESOURCES else set[_At]()
        had_links = [row.links if row else 0 for _, row in winners]
        unlinked = [r for (r, _), had in zip(winners, had_links, strict=True) if had not in (0, r.links)]
        if unlinked:
            touched |= self._unlink(kind, unlinked)
        asked = [record for record, _ in winners] if self._notes_work and kind is FINDINGS else changed
        names = {name for record in asked for name in record.names}
        linked: dict[_At, set[int]] = {}
        found = self._places[other.links].find(f"part, {other.id}", list(names)) if names else []
        for _, name, part, id in found:
            linked.setdefault((part, name), set()).add(id)
        self._places[kind.links].add([name for record in changed for name in record.names])
        self._append(_INSERT_LINK[kind.name], [(r.hash, r.part, name) for r in changed for name in r.names])
        self._append(_INSERT_PAIR[kind.name], [(r.hash, id, r.part) for r in changed for id in _linked(r, linked)])
        if self._notes_work:
            if kind is FINDINGS:
                touched |= {(record.part, id) for record in asked for id in _linked(record, linked)}
            self._append(_INSERT_WORK, sorted(touched))

    def _unlink(self, kind: Kind, records: Sequence[Record]) -> set[_At]:
        hashes, parts = [record.hash for record in records], [record.part for record in records]
        touched = set()
        which = f"({kind.id}, part) in (select unnest($1::UBIGINT[]), unnest($2::USMALLINT[]))"
        if self._notes_work and kind is FINDINGS:
            touched = set(
                self._db.execute(f"select part, rid from finding_resource where {which}", [hashes, parts]).fetchall()
            )
        for table in (kind.links, "finding_resource"):
            self._db.execute(f"delete from {table} where {which}", [hashes, parts])
        return touched

    def _note(self, decided: Decided, now: datetime) -> None:
        name = decided.kind.name
        deletions, resends = decided.noted
        won = [(record.part, record.hash) for record, row in decided.winners if row is not None]
        for table, there, ats in (("deletions", deletions, won), ("resend", resends, decided.places)):
            if there and ats:
                parts, hashes = zip(*ats, strict=True)
                self._db.execute(
                    f"""delete from {table} where kind = ? and (hash, part) in (
                        select unnest(?::UBIGINT[]), unnest(?::USMALLINT[]))""",
                    [name, hashes, parts],
                )
        deleted = [(name, record.part, record.hash, now) for record, _ in decided.winners if record.deleted]
        if deleted or decided.overtaken:
            self._nothing_noted.discard(name)
        if deleted:
            self._db.executemany("insert into deletions values (?, ?, ?, ?)", deleted)
        if decided.overtaken:
            rows = [(name, part, hash_) for part, hash_ in decided.overtaken]
            self._db.executemany("insert into resend values (?, ?, ?, false)", rows)

    def _append(self, sql: str, rows: Sequence[tuple[int, ...]]) -> None:
        if rows:
            self._run(sql, rows)


def _linked(record: Record, linked: dict[_At, set[int]]) -> Iterable[int]:
    return {id for name in record.names for id in linked.get((record.part, name), ())}


_BATCH = (
    f"(select {number(1, 'INTEGER')} as n, {number(2, 'USMALLINT')} as part, {text(3)} as key, {text(4)} as value "
    f"from {ROWS})"
)


def _look(kind: Kind) -> str:
    name = "k" if kind is RESOURCES else "k.id"
    hashed = f"md5_number_lower(account || '|' || lower({name}))"
    return f"""
        select n, part, h, upper, version, links, deleted,
            case when links = 0 then [] else
                list_distinct([{hashed} for k in "{kind.linked_by}" if {name} is not null]) end as names, odd
        from ({typed(kind, _BATCH)})"""


def _insert(kind: Kind) -> str:
    names = ", ".join(columns(kind))
    return f"insert into {kind.name} ({kind.id}, part, {names}) select h, part, {names} from ({typed(kind, _BATCH)})"


def _insert_record(kind: Kind) -> str:
    return f"""
        insert into {kind.records} select {number(1, "UBIGINT")}, {number(2, "USMALLINT")}, {number(3, "UBIGINT")},
            {text(4)}, {number(5, "UBIGINT")}, {text(6)}
        from {ROWS}"""


def _insert_link(kind: Kind) -> str:
    return f"""
        insert into {kind.links} ({kind.id}, part, key)
        select {number(1, "UBIGINT")}, {number(2, "USMALLINT")}, {number(3, "UBIGINT")} from {ROWS}"""


def _insert_pair(kind: Kind) -> str:
    other = FINDINGS if kind is RESOURCES else RESOURCES
    return f"""
        insert into finding_resource ({kind.id}, {other.id}, part)
        select {number(1, "UBIGINT")}, {number(2, "UBIGINT")}, {number(3, "USMALLINT")} from {ROWS}"""


_BOTH = (RESOURCES, FINDINGS)
_LOOK = {kind.name: _look(kind) for kind in _BOTH}
_MISTAKES = {kind.name: mistakes(kind, f"({typed(kind, _BATCH)}) t", _BATCH) for kind in _BOTH}
_INSERT = {kind.name: _insert(kind) for kind in _BOTH}
_INSERT_RECORD = {kind.name: _insert_record(kind) for kind in _BOTH}
_INSERT_LINK = {kind.name: _insert_link(kind) for kind in _BOTH}
_INSERT_PAIR = {kind.name: _insert_pair(kind) for kind in _BOTH}
_INSERT_WORK = f"insert into work select {number(1, 'USMALLINT')}, {number(2, 'UBIGINT')}, '' from {ROWS}"
