"""When a partition may be evaluated again after it has moved, and what of it policies and rules have yet to see."""

from collections.abc import Collection, Mapping

import duckdb

from streams.store import work

RULES = "*"
"""Stands for the alert rules where a policy's id stands otherwise."""


def begin(
    db: duckdb.DuckDBPyConnection,
    part: int,
    digests: Mapping[str, str],
    api_names: Mapping[str, frozenset[str] | None],
    wide: Collection[str] = (),
) -> None:
    """Note what must be evaluated because policies or rules have changed since *part* was evaluated last.

    *digests*: of each policy's text by its id, and of the rules under RULES; *api_names*: what each policy may find;
    *wide*: the policies that look at accounts as a whole.
    A part that has never been evaluated here needs nothing noted for that: all of its rows have just been stored.
    """
    rows = db.execute("select policy, digest from evaluated where part = ?", [part]).fetchall()
    former = dict(rows)
    changed = {policy for policy in former.keys() | digests.keys() if former.get(policy) != digests.get(policy)}
    if former:
        for policy in sorted(changed):
            gone = frozenset[str]() if policy not in digests else None
            if policy in wide:
                work.note_accounts(db, part, policy)
            else:
                work.note_policy(db, part, policy, api_names.get(policy, gone))
    else:
        _settle_orphans(db, part)
        _take_as_told(db, part)
    if changed:
        db.execute("delete from evaluated where part = ?", [part])
        db.execute(
            "insert into evaluated select $1, unnest($2::VARCHAR[]), unnest($3::VARCHAR[])",
            [part, list(digests.keys()), list(digests.values())],
        )


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
