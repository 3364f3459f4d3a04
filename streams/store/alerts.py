"""Alerts in the store: what evaluations here wrote, and what their topic brings, where another owner may have written.

An alert's version is its owner's generation, then its seq. Of two versions the higher one stays, in either order.
"""

# ruff: noqa: S608 - SQL is made of our own names and numbers; values are bound

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb

from streams.alerts import Alert, read
from streams.errors import BadRecord
from streams.store import prepared
from streams.store.places import Finder, in_sql
from streams.store.prepared import ROWS, Prepared
from streams.store.world import having

AT_ONCE = 1_000
"""Alerts in one statement, which holds them as text."""


class Row(NamedTuple):
    """An alert, and its record as it lies on the topic, with what other versions of Tidegate know of it."""

    part: int
    alert: Alert
    record: bytes
    unknown: Mapping[str, Any] | None = None
    """Of the record, what only other versions know."""
    number: int | None = None
    """The row's own, where it is one of the table's; it holds in this transaction."""


class Merged(NamedTuple):
    """What became of records, as Applied counts them; *refused*: why not, by their number."""

    stored: int
    repeated: int
    lost: int
    removed: int
    refused: dict[int, str]


def merge(
    db: duckdb.DuckDBPyConnection,
    numbers: Sequence[int],
    parts: Sequence[int],
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
) -> Merged:
    """Bring records of the alerts topic into the table, inside the caller's transaction; a None value is a tombstone.

    A record of an owner before the one whose alert stands here lies behind it in the log: the alert is noted to be
    sent again.
    """
    refused: dict[int, str] = {}
    best: dict[tuple[int, str], Row | None] = {}
    stale: dict[tuple[int, str], tuple[int, int]] = {}
    rows: list[Row | None] = []
    for number, part, key, value in zip(numbers, parts, keys, values, strict=True):
        try:
            id = key.decode() if key is not None else ""
            row = None if value is None else Row(part, read(Alert, value)[0], value)
        except (BadRecord, UnicodeDecodeError) as wrong:
            refused[number] = str(wrong)
            continue
        if row is not None and row.alert.id != id:
            refused[number] = f"id: {row.alert.id!r} under the key {id!r}: they must be the same"
            continue
        rows.append(row)
        before = best.get((part, id))
        if row is None or before is None or version(row.alert) >= version(before.alert):
            best[part, id] = row
        if row is not None:
            stale[part, id] = version(row.alert)
    there = _versions(db, best)
    winners = [row for at, row in best.items() if row and (at not in there or version(row.alert) > there[at])]
    buried = [at for at, row in best.items() if row is None and at in there]
    put(db, winners)
    _delete(db, buried)
    stands = {at: max(version(row.alert), there.get(at, (0, 0))) for at, row in best.items() if row is not None}
    late = [at for at, last in stale.items() if at in stands and last[0] < stands[at][0]]
    _note(db, late)
    given = [row for row in rows if row is not None]
    repeated = sum(version(row.alert) == there.get((row.part, row.alert.id)) for row in given)
    return Merged(len(winners), repeated, len(given) - len(winners) - repeated, len(buried), refused)


def version(alert: Alert) -> tuple[int, int]:
    """Return what decides between two records of one alert."""
    return alert.generation, alert.seq


def put(db: duckdb.DuckDBPyConnection, rows: Sequence[Row], over: Sequence[int] | None = None) -> None:
    """Write alerts over what is there of them: the rows of the numbers *over*, where that is known."""
    if not rows:
        return
    if over is None:
        _delete(db, [(row.part, row.alert.id) for row in rows])
    elif over:
        where, values = in_sql(over)
        db.execute(f"delete from alerts where {where}", values)
    for begin in range(0, len(rows), AT_ONCE):
        _prepared(db).run(_INSERT, map(_fields, rows[begin : begin + AT_ONCE]))


def of_subjects(db: duckdb.DuckDBPyConnection, rids: Sequence[int], finder: Finder) -> list[Row]:
    """Return every alert about the resources *rids*, whatever its status."""
    which = having("rid", rids, finder.rows_of("alerts", rids))
    if which == "false":
        return []
    return _rows(db.execute(f"select rowid, part, record from alerts where {which}").fetchall())


def of_accounts(db: duckdb.DuckDBPyConnection, policies: Iterable[str], accounts: Iterable[str]) -> list[Row]:
    """Return every alert of these policies in these accounts, whatever its status."""
    found = db.execute(
        """select rowid, part, record from alerts
        where policy in (select unnest(?::VARCHAR[])) and account in (select unnest(?::VARCHAR[]))""",
        [list(policies), list(accounts)],
    ).fetchall()
    return _rows(found)


def by_id(db: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> list[Row]:
    """Return the alerts that have these ids."""
    found = db.execute(
        """select rowid, part, record from alerts
        where aid in (select md5_number_lower(unnest(?::VARCHAR[])))""",
        [list(ids)],
    ).fetchall()
    return _rows(found)


def snoozed(db: duckdb.DuckDBPyConnection, part: int) -> list[Row]:
    """Return the partition's snoozed alerts."""
    return _rows(
        db.execute("select rowid, part, record from alerts where part = ? and status = 'snoozed'", [part]).fetchall()
    )


def newest_generation(db: duckdb.DuckDBPyConnection, part: int) -> int:
    """Return the generation of the partition's last owner that wrote an alert; 0: nobody has."""
    ((newest,),) = db.execute("select coalesce(max(generation), 0) from alerts where part = ?", [part]).fetchall()
    return int(newest)


def _rows(found: Sequence[tuple[int, int, str]]) -> list[Row]:
    rows = []
    for number, part, record in found:
        value = record.encode()
        rows.append(Row(part, *_read(value), number))
    return rows


def _read(value: bytes) -> tuple[Alert, bytes, Mapping[str, Any]]:
    alert, unknown = read(Alert, value)
    return alert, value, unknown


_At = tuple[int, str]


def _versions(db: duckdb.DuckDBPyConnection, ats: Mapping[_At, object]) -> dict[_At, tuple[int, int]]:
    rows = db.execute(
        """select part, id, generation, seq from alerts
        where aid in (select md5_number_lower(unnest(?::VARCHAR[])))""",
        [list({id for _, id in ats})],
    ).fetchall()
    return {(part, id): (generation, seq) for part, id, generation, seq in rows}


def _delete(db: duckdb.DuckDBPyConnection, ats: Sequence[_At]) -> None:
    if ats:
        db.execute(
            """delete from alerts where (aid, part) in (
                select md5_number_lower(unnest($1::VARCHAR[])), unnest($2::USMALLINT[]))""",
            [[id for _, id in ats], [part for part, _ in ats]],
        )


def _note(db: duckdb.DuckDBPyConnection, ats: Sequence[_At]) -> None:
    if ats:
        db.execute(
            """insert into resend select 'alerts', unnest($1::USMALLINT[]), md5_number_lower(unnest($2::VARCHAR[])),
            false""",
            [[part for part, _ in ats], [id for _, id in ats]],
        )


@lru_cache(maxsize=2)
def _prepared(db: duckdb.DuckDBPyConnection) -> Prepared:
    return Prepared(db)


def _fields(row: Row) -> list[int | bytes]:
    alert = row.alert
    about = alert.resource
    of_policy = (alert.policy.id, alert.policy.name, alert.policy.severity)
    of_resource = (about.rrn, about.account, about.cloud, about.region, about.name or about.id)
    texts = (alert.id, *of_policy, alert.status, alert.reason, *of_resource)
    numbers = (row.part, _ms(alert.opened), _ms(alert.updated), alert.generation, alert.seq)
    return [*numbers, *(text.encode() for text in texts), row.record]


def _ms(time: int) -> int:
    return max(0, min(time, int(datetime(9999, 12, 31, tzinfo=UTC).timestamp() * 1000)))


def _insert() -> str:
    id, rrn = prepared.text(6), prepared.text(12)
    about = ", ".join(prepared.text(place) for place in range(7, 12))
    return f"""
        insert into alerts select md5_number_lower({id}), {prepared.number(1, "USMALLINT")}, {id}, {about},
            case when {rrn} = '' then 0 else md5_number_lower({rrn}) end, {rrn},
            {", ".join(prepared.text(place) for place in range(13, 17))},
            make_timestamp(1000 * {prepared.number(2, "BIGINT")}),
            make_timestamp(1000 * {prepared.number(3, "BIGINT")}),
            {prepared.number(4, "BIGINT")}, {prepared.number(5, "BIGINT")}, {prepared.text(17)}
        from {ROWS}"""


_INSERT = _insert()
