"""What policies that are new, have changed, or count days have yet to look at, of a partition with many resources.

One statement looks at a slice of them, and notes as work only those that violate the policy: that costs what an analyst
pays for the same question, and holds nothing up for long.
"""

# ruff: noqa: S608 - SQL is made of compiled conditions and our own numbers; values are bound

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import duckdb

from queries.fragment import Slot, Sql, filled
from queries.run import monitored_accounts
from streams.store import work

SLICE = 50_000
"""Resources of a slice: some 20 to 100 ms."""
FEW = 5_000
"""Resources of a partition that are noted one by one."""


def many(db: duckdb.DuckDBPyConnection, part: int) -> bool:
    """Return whether the partition has so many resources that it is swept."""
    return bool(db.execute("select count(*) > ? from resources where part = ?", [FEW, part]).fetchall()[0][0])


def begin(db: duckdb.DuckDBPyConnection, part: int, policies: Mapping[str, bool], noted: str | None = None) -> None:
    """Let the partition's resources be swept by *policies*: by their ids, whether they ask for findings.

    What is found is noted as work of *noted*, None: of the policy's id; and so is at once what each has alerts about.
    """
    for policy, findings in policies.items():
        name = policy if noted is None else noted
        db.execute("delete from sweeps where part = ? and policy = ? and noted = ?", [part, policy, name])
        # What joins findings costs the same for a slice.
        slices = "1" if findings else f"(select 1 + count(*) // {SLICE} from resources where part = $1)"
        db.execute(f"insert into sweeps select $1, $2, $3, 0, {slices}", [part, policy, name])
        work.note_policy(db, part, policy, (), name)


def step(db: duckdb.DuckDBPyConnection, parts: Collection[int], conditions: Mapping[str, Sql], now: datetime) -> bool:
    """Sweep one slice of one of *parts*, inside the caller's transaction, and return whether there was one.

    *conditions*: of the policies that judge each resource by itself; a sweep of one that is gone ends.
    """
    listed = ", ".join(str(part) for part in parts)
    found = db.execute(
        f"select rowid, part, policy, noted, slice, slices from sweeps where part in ({listed}) order by rowid limit 1"
    ).fetchall()
    if not found:
        return False
    ((row, part, policy, noted, slice_, slices),) = found
    condition = conditions.get(policy)
    if condition is not None:
        known: dict[Slot, Any] = {Slot.NOW: int(now.timestamp() * 1000), Slot.MONITORED: []}
        if Slot.MONITORED in condition.values:
            known[Slot.MONITORED] = monitored_accounts(db)
        db.execute(
            f"""insert into work select part, rid, ? from resources r
            where part = ? and not deleted and rid % {slices} = {slice_} and ({condition.text})""",
            [noted, part, *filled(condition, known)],
        )
    if condition is None or slice_ + 1 == slices:
        db.execute("delete from sweeps where rowid = ?", [row])
    else:
        db.execute("update sweeps set slice = slice + 1 where rowid = ?", [row])
    return True
