"""A small world to evaluate policies in: temporary tables with the names of the real ones, which hide them, and in them
only the resources that were touched and the findings on these.

So a policy's statement is the one that an analyst runs, and costs what it finds there.
"""

# ruff: noqa: S608 - SQL is made of the database's own name; values are bound

from collections.abc import Collection, Sequence
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


def gather(db: duckdb.DuckDBPyConnection, rids: Sequence[int]) -> list[Seen]:
    """Make the world of the resources *rids* and return them, the deleted ones too; what isn't stored isn't there."""
    db.execute("create or replace temp table touched as select unnest(?::UBIGINT[]) as rid", [list(rids)])
    return _gather(db)


def gather_accounts(
    db: duckdb.DuckDBPyConnection, accounts: Collection[str], api_names: Collection[str] | None
) -> list[Seen]:
    """Make the world of the resources that *accounts* have of these APIs (None: of any), and of one resource of each
    region, so that the regions are known. Return them.
    """
    db.execute(
        f"""create or replace temp table touched as
        with owned as (
            select rid, account, region, api_name from {_main(db)}.resources
            where account in (select unnest($1::VARCHAR[])))
        select rid from owned where $2::VARCHAR[] is null or api_name in (select unnest($2::VARCHAR[]))
        union select min(rid) from owned group by account, region""",
        [list(accounts), None if api_names is None else list(api_names)],
    )
    return _gather(db)


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


def audit(db: duckdb.DuckDBPyConnection) -> list[tuple[int, int, int, int | None, int | None]]:
    """Return how the world differs from what `audited` says: part, rid, what, the state now and the state then.

    *what* is 0 for the configuration and a fid for a finding; a state is a hash, None where it isn't there. Writes the
    states of now.
    """
    main = _main(db)
    db.execute(f"""
        create or replace temp table changes as
        with today as (
            select part, rid, 0::UBIGINT as what, hash(json::VARCHAR, deleted) as state from temp.resources
            union all
            select l.part, l.rid, l.fid, hash(f.status, f.severity) from temp.finding_resource l
            join temp.findings f using (fid, part)),
        former as (
            select rowid as r, * from {main}.audited
            where rowid in (select rowid from {main}.audited where rid in (select rid from touched)))
        select part, rid, what, t.state as today, f.state as former, f.r
        from today t full join former f using (part, rid, what) where t.state is distinct from f.state""")
    found = db.execute("select part, rid, what, today, former from changes order by all").fetchall()
    if any(former is not None for *_, former in found):
        db.execute(f"delete from {main}.audited where rowid in (select r from changes)")
    if any(today is not None for _, _, _, today, _ in found):
        db.execute(f"insert into {main}.audited select part, rid, what, today from changes where today is not null")
    return found


def findings(db: duckdb.DuckDBPyConnection, fids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what the audit trail tells of findings, by fid; of the deleted ones too, so long as they are stored."""
    names = ("id", "source", "type", "name", "cves", "severity", "status", "title")
    rows = db.execute(
        f"select fid, {', '.join(names)} from {_main(db)}.findings where fid in (select unnest(?::UBIGINT[]))",
        [list(fids)],
    ).fetchall()
    return {fid: dict(zip(names, values, strict=True)) for fid, *values in rows}


def _gather(db: duckdb.DuckDBPyConnection) -> list[Seen]:
    main = _main(db)
    some = True
    for table, key, asked in (
        ("resources", "rid", "touched"),
        ("finding_resource", "rid", "touched"),
        ("findings", "fid", "temp.finding_resource"),
    ):
        # By their row ids: of 1,000,000 rows the keys alone are read, and the documents of those that are wanted.
        which = f"where rowid in (select rowid from {main}.{table} where {key} in (select {key} from {asked}))"
        ((made,),) = db.execute(
            f"create or replace temp table {table} as select * from {main}.{table} {which if some else 'limit 0'}"
        ).fetchall()
        some = made > 0
    return seen(db)


def _main(db: duckdb.DuckDBPyConnection) -> str:
    ((name,),) = db.execute("select current_database()").fetchall()
    return '"' + str(name).replace('"', '""') + '".main'
