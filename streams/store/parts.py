"""Parts of documents that came alone, in the store: which resources lack theirs."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import duckdb
import orjson


class Unassembled(NamedTuple):
    """A resource that was put together from other parts than there are; *digest*: of those that there are."""

    part: int
    rid: int
    version: str
    digest: str


class Pieces(NamedTuple):
    """A resource's record as it lies on the topic, and its parts by name."""

    of: Unassembled
    record: dict[str, Any]
    parts: dict[str, dict[str, Any]]


def unassembled(db: duckdb.DuckDBPyConnection, parts: Collection[int], limit: int) -> list[Unassembled]:
    """Return up to *limit* live resources of the partitions *parts* that aren't made of the parts that there are."""
    found = db.execute(
        """with told as (
            select source as rrn, left(md5(string_agg(id || version, ' ' order by id)), 16) as digest
            from resource_parts group by 1)
        select r.part, r.rid, r.version, t.digest from told t join resources r on r.rid = md5_number_lower(t.rrn)
        where not r.deleted and r.parts <> t.digest and r.part in (select unnest($1::USMALLINT[])) limit $2""",
        [list(parts), limit],
    ).fetchall()
    return [Unassembled(*each) for each in found]


def pieces(db: duckdb.DuckDBPyConnection, of: Sequence[Unassembled]) -> list[Pieces]:
    """Return what these resources are made of, where they still have that version."""
    wanted = {(each.part, each.rid, each.version): each for each in of}
    found = db.execute(
        "select part, rid, version, record from resource_records where rid in (select unnest($1::UBIGINT[]))",
        [[each.rid for each in of]],
    ).fetchall()
    made = []
    for *at, record in found:
        each = wanted.get((at[0], at[1], at[2]))
        if each is None:
            continue
        resource = orjson.loads(record)
        told = db.execute("select id, record from resource_parts where source = ?", [resource["rrn"]]).fetchall()
        made.append(Pieces(each, resource, {name: orjson.loads(part) for name, part in told}))
    return made
