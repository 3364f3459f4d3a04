"""What has to be evaluated: noted in the transaction that changes it, cleared in the one that evaluates it."""

# ruff: noqa: S608 - SQL is made of table names in streams.store.schema and of our own numbers; values are bound

from collections.abc import Collection, Sequence
from typing import NamedTuple

import duckdb

from streams.store.schema import Kind

BY_TIME = "time:"
"""Stands before a policy's id where it hasn't changed, but time has passed."""


class Work(NamedTuple):
    """One resource to evaluate. *policy*: that policy's id, where it is because it changed; empty: the resource did."""

    row: int
    part: int
    rid: int
    policy: str


def note(db: duckdb.DuckDBPyConnection, kind: Kind) -> None:
    """Note what `verdict`'s winners touch: the resources themselves, or those that the findings are linked to now."""
    if kind.name == "resources":
        db.execute("insert into work select part, h, '' from verdict where wins")
    else:
        _note_linked(db, "wins")


def note_before(db: duckdb.DuckDBPyConnection) -> None:
    """Note the resources from which `verdict`'s winning findings are about to be unlinked."""
    _note_linked(db, "wins and had_links <> 0 and links <> had_links")


def note_policy(
    db: duckdb.DuckDBPyConnection, part: int, policy: str, api_names: Collection[str] | None, noted: str | None = None
) -> None:
    """Note every resource of the partition that the policy may find (None: of any api.name), or has an alert about; as
    *noted*, where that isn't the policy's id.
    """
    db.execute(
        """insert into work
        select part, rid, $4 from resources
        where part = $1 and not deleted and ($3::VARCHAR[] is null or api_name in (select unnest($3::VARCHAR[])))
        union select part, rid, $4 from alerts where part = $1 and policy = $2 and rid <> 0
        union select part, min(rid), $4 from resources
            where part = $1 and account in (select account from alerts where policy = $2 and rid = 0)
            group by part, account""",
        [part, policy, None if api_names is None else sorted(api_names), policy if noted is None else noted],
    )


def note_accounts(db: duckdb.DuckDBPyConnection, part: int, noted: str) -> None:
    """Note one resource of each account of the partition, for a policy that looks at accounts as a whole."""
    db.execute(
        "insert into work select part, min(rid), $2 from resources where part = $1 group by part, account",
        [part, noted],
    )


def forget(db: duckdb.DuckDBPyConnection, part: int, noted: str) -> None:
    """Drop what is noted so in the partition: it is about to be noted again."""
    db.execute("delete from work where part = ? and policy = ?", [part, noted])


def note_alerts(db: duckdb.DuckDBPyConnection, part: int, ids: Sequence[str]) -> None:
    """Note the resources that these alerts are about."""
    db.execute(
        """insert into work select distinct part, rid, '' from alerts
        where part = ? and rid <> 0 and aid in (select md5_number_lower(unnest(?::VARCHAR[])))""",
        [part, ids],
    )


def waiting(db: duckdb.DuckDBPyConnection, parts: Collection[int], limit: int) -> list[Work]:
    """Return up to *limit* pieces of work of *parts*: what changed before what policies ask for, oldest first."""
    listed = ", ".join(str(part) for part in parts)
    found = db.execute(
        f"select rowid, part, rid, policy from work where part in ({listed}) order by policy <> '', rowid limit ?",
        [limit],
    ).fetchall()
    return [Work(*row) for row in found]


def clear(db: duckdb.DuckDBPyConnection, done: Sequence[Work]) -> None:
    """Delete these rows: they are evaluated. In the transaction that `waiting` was called in."""
    rows = [work.row for work in done]
    first, last = min(rows), max(rows)
    if last - first + 1 == len(rows):  # costs half as much
        db.execute("delete from work where rowid between ? and ?", [first, last])
    else:
        db.execute("delete from work where rowid in (select unnest(?::BIGINT[]))", [rows])


def _note_linked(db: duckdb.DuckDBPyConnection, which: str) -> None:
    db.execute(f"""
        insert into work select distinct fr.part, fr.rid, '' from finding_resource fr
        where (fr.fid, fr.part) in (select h, part from verdict where {which})""")
