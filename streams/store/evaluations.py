"""When a partition may be evaluated again after it has moved, and what of it policies and rules have yet to see."""

from collections.abc import Mapping
from typing import NamedTuple

import duckdb

from streams.store import sweeps, work

RULES = "*"
"""Stands for the alert rules where a policy's id stands otherwise."""


class Policies(NamedTuple):
    """What is known of the policies of the moment, by their ids."""

    digests: Mapping[str, str]
    """Of each policy's text, and of the rules under RULES."""
    api_names: Mapping[str, frozenset[str] | None]
    """What each may find."""
    single: frozenset[str]
    """Those that judge each resource by itself; the others look at accounts as a whole."""


def begin(db: duckdb.DuckDBPyConnection, part: int, policies: Policies) -> None:
    """Note what must be evaluated because policies or rules have changed since *part* was evaluated last.

    Of a part that has never been evaluated here, all rows have just been stored and noted: where they are many, they
    are swept instead.
    """
    former = dict(db.execute("select policy, digest from evaluated where part = ?", [part]).fetchall())
    digests = policies.digests
    changed = {policy for policy in former.keys() | digests.keys() if former.get(policy) != digests.get(policy)}
    many = bool(changed) and sweeps.many(db, part)
    if former:
        for policy in sorted(changed):
            work.forget(db, part, policy)
            note(db, part, policy, policies, many=many)
    else:
        _take_as_told(db, part)
        if many:
            db.execute("delete from work where part = ?", [part])
            sweeps.begin(db, part, policies.single, "")
            work.note_accounts(db, part, "")
        _settle_orphans(db, part)
    if changed:
        db.execute("delete from evaluated where part = ?", [part])
        db.execute(
            "insert into evaluated select $1, unnest($2::VARCHAR[]), unnest($3::VARCHAR[])",
            [part, list(digests.keys()), list(digests.values())],
        )


def note(
    db: duckdb.DuckDBPyConnection, part: int, policy: str, policies: Policies, *, many: bool, noted: str | None = None
) -> None:
    """Note what a policy's change may make or end in the partition, or RULES'; as *noted*, where that isn't its id.
    *many*: its resources are so many that they are swept.
    """
    if policy == RULES and many:
        sweeps.begin(db, part, policies.single, RULES)
        work.note_accounts(db, part, RULES)
    elif policy in policies.single and many:
        sweeps.begin(db, part, [policy], noted)
    elif policy in policies.single or policy == RULES or policy not in policies.digests:
        gone = () if policy not in policies.digests else None
        work.note_policy(db, part, policy, policies.api_names.get(policy, gone), noted)
    else:
        work.note_accounts(db, part, policy if noted is None else noted)


def _settle_orphans(db: duckdb.DuckDBPyConnection, part: int) -> None:
    """Note resources of which there is an alert, and nothing else any more."""
    db.execute(
        """insert into work select distinct part, rid, '' from alerts
        where part = $1 and rid <> 0 and status <> 'resolved'
            and rid not in (select rid from resources where part = $1)""",
        [part],
    )


def _take_as_told(db: duckdb.DuckDBPyConnection, part: int) -> None:
    """Of a partition that was filled anew, what is there now has been in the audit trail before: only changes from now
    on are told.
    """
    db.execute("delete from audited where part = ?", [part])
    db.execute(
        """insert into audited
        select part, rid, 0, hash(json::VARCHAR, deleted) from resources where part = $1
        union all
        select l.part, l.rid, l.fid, hash(f.status, f.severity)
        from finding_resource l join findings f using (fid, part) where l.part = $1""",
        [part],
    )
