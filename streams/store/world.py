"""A small world to evaluate policies in: temporary tables with the names of the real ones, which hide them, and in them
only the resources that were touched and the findings on these.

So a policy's statement is the one that an analyst runs, and costs what it finds there.
"""

# ruff: noqa: S608 - SQL is made of names and row numbers of the database's own; values are bound

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import duckdb


class Seen(NamedTuple):
    """A resource of the world. *tags* and *config* are JSON text."""

    rid: int
    part: int
    rrn: str
    id: str
    name: str
    account: str
    cloud: str
    region: str
    api_name: str
    service: str
    resource_type: str
    tags: str
    deleted: bool


RowsOf = Callable[[str, Sequence[int]], list[int]]
"""Given a table and hashes, the numbers of the rows that have them (Store.rows_of)."""


def gather(db: duckdb.DuckDBPyConnection, rids: Sequence[int], rows_of: RowsOf) -> list[Seen]:
    """Make the world of the resources *rids* and return them, the deleted ones too; what isn't stored isn't there."""
    main = _main(db)
    wanted = list(rids)
    for table in _TABLES:
        rows = rows_of(table, wanted) if wanted else []
        db.execute(f"create or replace temp table {table} as select * from {main}.{table} where {_numbered(rows)}")
        if table == "finding_resource":
            found = db.execute("select distinct fid from temp.finding_resource").fetchall() if rows else []
            wanted = [fid for (fid,) in found]
    return seen(db)


def gather_accounts(
    db: duckdb.DuckDBPyConnection, accounts: Collection[str], api_names: Collection[str] | None, rows_of: RowsOf
) -> list[Seen]:
    """Make the world of the resources that *accounts* have of these APIs (None: of any), and of one resource of each
    region, so that the regions are known. Return them.
    """
    rows = db.execute(
        f"""with owned as (
            select rid, account, region, api_name from {_main(db)}.resources
            where account in (select unnest($1::VARCHAR[])))
        select rid from owned where $2::VARCHAR[] is null or api_name in (select unnest($2::VARCHAR[]))
        union select min(rid) from owned group by account, region""",
        [list(accounts), None if api_names is None else list(api_names)],
    ).fetchall()
    return gather(db, [rid for (rid,) in rows], rows_of)


def accounts(db: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the accounts of which there are resources, in the real table."""
    found = db.execute(f"select distinct account from {_main(db)}.resources where not deleted").fetchall()
    return sorted(account for (account,) in found)


def seen(db: duckdb.DuckDBPyConnection) -> list[Seen]:
    """Return the resources of the world."""
    rows = db.execute("""
        select rid, part, rrn, id, name, account, cloud, region, api_name, service, resource_type, tags, deleted
        from temp.resources""").fetchall()
    return [Seen(*row) for row in rows]


def configs(db: duckdb.DuckDBPyConnection, rids: Sequence[int]) -> dict[int, bytes | None]:
    """Return the configurations of resources of the world as JSON, by rid."""
    rows = db.execute(
        "select rid, json::VARCHAR from temp.resources where rid in (select unnest(?::UBIGINT[]))", [list(rids)]
    ).fetchall()
    return {rid: None if config is None else config.encode() for rid, config in rows}


def audit(
    db: duckdb.DuckDBPyConnection, rids: Sequence[int], rows_of: RowsOf
) -> list[tuple[int, int, int, int | None, int | None]]:
    """Return how the world of *rids* differs from what `audited` says: part, rid, what, the state now and then.

    *what* is 0 for the configuration and a fid for a finding; a state is a hash, None where it isn't there. Writes the
    states of now.
    """
    main = _main(db)
    today = db.execute("""
        select part, rid, 0::UBIGINT as what, hash(json::VARCHAR, deleted) as state from temp.resources
        union all
        select l.part, l.rid, l.fid, hash(f.status, f.severity) from temp.finding_resource l
        join temp.findings f using (fid, part)""").fetchall()
    rows = rows_of("audited", rids)
    former = db.execute(f"select rowid, part, rid, what, state from {main}.audited where {_numbered(rows)}").fetchall()
    now = {(part, rid, what): state for part, rid, what, state in today}
    then = {(part, rid, what): (row, state) for row, part, rid, what, state in former}
    changed = sorted(at for at in now.keys() | then.keys() if now.get(at) != then.get(at, (0, None))[1])
    if gone := [then[at][0] for at in changed if at in then]:
        db.execute(f"delete from {main}.audited where {_numbered(gone)}")
    if fresh := [(*at, now[at]) for at in changed if at in now]:
        columns = [list(column) for column in zip(*fresh, strict=True)]
        db.execute(
            f"""insert into {main}.audited select unnest($1::USMALLINT[]), unnest($2::UBIGINT[]),
            unnest($3::UBIGINT[]), unnest($4::UBIGINT[])""",
            columns,
        )
    return [(*at, now.get(at), then.get(at, (0, None))[1]) for at in changed]


def findings(db: duckdb.DuckDBPyConnection, fids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what the audit trail tells of findings, by fid; of the deleted ones too, so long as they are stored."""
    names = ("id", "source", "type", "name", "cves", "severity", "status", "title")
    rows = db.execute(
        f"select fid, {', '.join(names)} from {_main(db)}.findings where fid in (select unnest(?::UBIGINT[]))",
        [list(fids)],
    ).fetchall()
    return {fid: dict(zip(names, values, strict=True)) for fid, *values in rows}


def _main(db: duckdb.DuckDBPyConnection) -> str:
    ((name,),) = db.execute("select current_database()").fetchall()
    return '"' + str(name).replace('"', '""') + '".main'


def _numbered(rows: Sequence[int]) -> str:
    """Return SQL that holds for the rows with these numbers."""
    return f"rowid in (select unnest([{', '.join(map(str, rows))}]::BIGINT[]))" if rows else "false"


_TABLES = ("resources", "finding_resource", "findings")
