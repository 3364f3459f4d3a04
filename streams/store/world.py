"""A small world to evaluate policies in: temporary tables with the names of the real ones, which hide them, and in them
only the resources that were touched and the findings on these.

So a policy's statement is the one that an analyst runs, and costs what it finds there.
"""

# ruff: noqa: S608 - SQL is made of names and row numbers of the database's own; values are bound

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb

from streams.store.places import SHORT, Finder, Rows, in_sql

LARGEST = 20_000
"""Bytes of a configuration that is read with its resource."""


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
    created: int | None
    """In ms since 1970 UTC."""
    state: int
    """A hash of what the audit trail tells of the configuration; 0 in a world of accounts."""
    config: str | None
    """None: there is none, or it is too large to be read before it is asked for."""


class World(NamedTuple):
    """The resources of the world, and whether there are findings on any."""

    seen: list[Seen]
    findings: bool


def gather(db: duckdb.DuckDBPyConnection, rids: Sequence[int], finder: Finder, *, largest: int = LARGEST) -> World:
    """Make the world of the resources *rids* and return them, the deleted ones too; what isn't stored isn't there.

    *largest*: longer configurations aren't read before they are asked for, in bytes.
    """
    main = _main(db)
    wanted = list(rids)
    for table, column in (("resources", "rid"), ("finding_resource", "rid"), ("findings", "fid")):
        which = having(column, wanted, finder.rows_of(table, wanted) if wanted else None)
        db.execute(f"create or replace temp table {table} as select * from {main}.{table} where {which}")
        if table == "finding_resource":
            found = [] if which == "false" else db.execute("select distinct fid from temp.finding_resource").fetchall()
            wanted = [fid for (fid,) in found]
    return World(_seen(db, largest), bool(wanted))


def gather_accounts(
    db: duckdb.DuckDBPyConnection, accounts: Collection[str], api_names: Collection[str] | None, finder: Finder
) -> World:
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
    return gather(db, [rid for (rid,) in rows], finder, largest=0)


def accounts(db: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the accounts of which there are resources, in the real table."""
    found = db.execute(f"select distinct account from {_main(db)}.resources where not deleted").fetchall()
    return sorted(account for (account,) in found)


def configs(db: duckdb.DuckDBPyConnection, resources: Sequence[Seen]) -> dict[int, bytes | None]:
    """Return the configurations of *resources* of the world as JSON, by rid."""
    known = {one.rid: one.config.encode() for one in resources if one.config is not None}
    if len(known) == len(resources):
        return dict(known)
    rows = db.execute(
        "select rid, json::VARCHAR from temp.resources where rid in (select unnest(?::UBIGINT[]))",
        [[one.rid for one in resources if one.rid not in known]],
    ).fetchall()
    return known | {rid: None if config is None else config.encode() for rid, config in rows}


def audit(
    db: duckdb.DuckDBPyConnection, world: World, rids: Sequence[int], finder: Finder
) -> list[tuple[int, int, int, int | None, int | None]]:
    """Return how the *world* of *rids* differs from what `audited` says: part, rid, what, the state now and then.

    *what* is 0 for the configuration and a fid for a finding; a state is a hash, None where it isn't there. Writes the
    states of now.
    """
    main = _main(db)
    now = {(one.part, one.rid, 0): one.state for one in world.seen}
    if world.findings:
        of_findings = db.execute("""
            select l.part, l.rid, l.fid, hash(f.status, f.severity) from temp.finding_resource l
            join temp.findings f using (fid, part)""").fetchall()
        now |= {(part, rid, fid): state for part, rid, fid, state in of_findings}
    which = having("rid", rids, finder.rows_of("audited", rids))
    former = []
    if which != "false":
        former = db.execute(f"select rowid, part, rid, what, state from {main}.audited where {which}").fetchall()
    then = {(part, rid, what): (row, state) for row, part, rid, what, state in former}
    changed = sorted(at for at in now.keys() | then.keys() if now.get(at) != then.get(at, (0, None))[1])
    if gone := [then[at][0] for at in changed if at in then]:
        where, values = in_sql(gone)
        db.execute(f"delete from {main}.audited where {where}", values)
        finder.rows_gone("audited", gone)
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
    names = ("id", "source", "type", "name", "cves", "severity", "status", "status_reason", "title")
    rows = db.execute(
        f"select fid, {', '.join(names)} from {_main(db)}.findings where fid in (select unnest(?::UBIGINT[]))",
        [list(fids)],
    ).fetchall()
    return {fid: dict(zip(names, values, strict=True)) for fid, *values in rows}


def having(column: str, hashes: Sequence[int], rows: Rows | None) -> str:
    """Return SQL that holds for the rows of which *column* is one of *hashes*, *rows* where that is known; `false`
    where there are none.
    """
    if not hashes or (rows is not None and not rows.numbers):
        return "false"
    listed = f"[{', '.join(map(str, hashes))}]::UBIGINT[]"
    among = f"{column} in (select unnest({listed}))"
    if rows is None:
        return among
    first, last = min(rows.numbers), max(rows.numbers)
    if last - first + 1 == len(rows.numbers):
        which = f"rowid between {first} and {last}"
    else:
        which = f"rowid in (select unnest([{', '.join(map(str, rows.numbers))}]::BIGINT[]))"
    if rows.sure:
        return which
    return f"{which} and " + (f"list_contains({listed}, {column})" if len(hashes) <= SHORT else among)


def _seen(db: duckdb.DuckDBPyConnection, largest: int) -> list[Seen]:
    document = f"case when strlen(json::VARCHAR) <= {largest} then json::VARCHAR end" if largest else "NULL"
    state = "hash(json::VARCHAR, deleted)" if largest else "0"
    rows = db.execute(f"""
        select rid, part, rrn, id, name, account, cloud, region, api_name, service, resource_type, tags, deleted,
            epoch_ms(created), {state}, {document}
        from temp.resources""").fetchall()
    return [Seen(*row) for row in rows]


@lru_cache(maxsize=1)
def _main(db: duckdb.DuckDBPyConnection) -> str:
    ((name,),) = db.execute("select current_database()").fetchall()
    return '"' + str(name).replace('"', '""') + '".main'
