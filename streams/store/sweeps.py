"""What policies that are new, have changed, or count days have yet to look at, of a partition with many resources.

One statement looks at all of them as they are at that time, beside the transactions that go on, and what violates the
policy is noted as work: that costs what an analyst pays for the same question. What changes meanwhile is evaluated for
its own sake.
"""

# ruff: noqa: S608 - SQL is made of compiled conditions and our own numbers; values are bound

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import duckdb

from queries.fragment import Slot, Sql, filled
from queries.run import monitored_accounts
from streams.store import work

FEW = 5_000
"""Resources of a partition that are noted one by one."""


def many(db: duckdb.DuckDBPyConnection, part: int) -> bool:
    """Return whether the partition has so many resources that it is swept."""
    return bool(db.execute("select count(*) > ? from resources where part = ?", [FEW, part]).fetchall()[0][0])


class Sweep(NamedTuple):
    """One policy's look at one partition; what it finds is noted as *noted*."""

    id: UUID
    part: int
    policy: str
    noted: str


def begin(db: duckdb.DuckDBPyConnection, part: int, policies: Collection[str], noted: str | None = None) -> None:
    """Let the partition's resources be swept by *policies*, their ids.

    What is found is noted as work of *noted*, None: of the policy's id; and so is at once what each has alerts about.
    """
    for policy in policies:
        name = policy if noted is None else noted
        db.execute("delete from sweeps where part = ? and policy = ? and noted = ?", [part, policy, name])
        db.execute("insert into sweeps values (gen_random_uuid(), ?, ?, ?)", [part, policy, name])
        work.note_policy(db, part, policy, (), name)


def waiting(db: duckdb.DuckDBPyConnection, parts: Collection[int]) -> Sweep | None:
    """Return the oldest sweep of *parts*; None: there is none."""
    found = db.execute(
        "select id, part, policy, noted from sweeps where list_contains(?::USMALLINT[], part) order by rowid limit 1",
        [list(parts)],
    ).fetchall()
    return Sweep(*found[0]) if found else None


def look(db: duckdb.DuckDBPyConnection, sweep: Sweep, conditions: Mapping[str, Sql], now: datetime) -> list[int]:
    """Return the rids of the resources that violate the policy. Reads only, on a connection of its own.

    *conditions*: of the policies that judge each resource by itself; one that is gone finds nothing.
    """
    condition = conditions.get(sweep.policy)
    if condition is None:
        return []
    known: dict[Slot, Any] = {Slot.NOW: int(now.timestamp() * 1000), Slot.MONITORED: []}
    if Slot.MONITORED in condition.values:
        known[Slot.MONITORED] = monitored_accounts(db)
    found = db.execute(
        f"select rid from resources r where part = ? and not deleted and ({condition.text})",
        [sweep.part, *filled(condition, known)],
    ).fetchall()
    return [rid for (rid,) in found]


def end(db: duckdb.DuckDBPyConnection, sweep: Sweep, found: list[int]) -> None:
    """Note what the sweep has found, and that it is over; neither where it has been begun anew meanwhile."""
    if db.execute("delete from sweeps where id = ? returning 1", [sweep.id]).fetchall():
        db.execute("insert into work select $1, unnest($2::UBIGINT[]), $3", [sweep.part, found, sweep.noted])
