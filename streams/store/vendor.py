"""What scanners know of their hosts and checks, in the store: rows by version, and which findings lack what they tell.

Every worker has all of it, whichever accounts it owns: a finding of any account may need any of it.
"""

# ruff: noqa: S608 - SQL is made of the table names in streams.store.schema; values are bound

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import duckdb
import orjson

from streams.store.hosts import HELD

VendorKind = Literal["assets", "knowledge", "inventories", "parts"]
Name = tuple[str, str]
"""A source, and an id of its asset or knowledge."""


class Row(NamedTuple):
    """One record as it lies on its topic. *names*: by what findings call it; *digest*: of what they take from it."""

    source: str
    id: str
    names: Sequence[str]
    version: str
    digest: str
    record: bytes


class Told(NamedTuple):
    """What is known under a name: the records, and a digest of all that a finding takes from them."""

    records: tuple[dict[str, Any], ...]
    digest: str


class Lacking(NamedTuple):
    """A finding that was completed with less than is known, or something else."""

    part: int
    fid: int
    version: str


class Gone(NamedTuple):
    """A row that isn't in a full inventory of its kind; *version*: the inventory's."""

    part: int
    hash: int
    version: str


def row(kind: VendorKind, record: bytes) -> Row | None:
    """Return what the tables hold of *record*; None where it is no record of this kind."""
    try:
        told = orjson.loads(record)
        source, id, version = told["source"], told["id"], told["version"]
        names = {"assets": [id, *told.get("ids", ())], "inventories": told.get("ids", [])}.get(kind, [id])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    if not all(type(text) is str and text for text in (source, id, version, *names)):
        return None
    taken = {name: told.get(name) for name in _TAKEN[kind]}
    if told.get("deleted"):
        taken["version"] = version  # it says which findings are over
    if id.startswith(HELD):
        taken["since"] = told.get("first_seen")  # it says which findings are its
    digest = hashlib.md5(orjson.dumps(taken, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()[:16]
    return Row(source, id, list(dict.fromkeys(names)), version, digest, record)


def start(
    db: duckdb.DuckDBPyConnection, kind: VendorKind, topic: str, part: int, ids: tuple[str, str], begin: int, end: int
) -> int:
    """Return the offset from which to read the partition; *ids*: of the topic and the cluster. What comes of another
    log is dropped. Inside the caller's transaction.
    """
    found = db.execute(
        "select next_offset, topic_id, cluster_id from vendor_partitions where topic = ? and part = ?", [topic, part]
    ).fetchall()
    if found and found[0][1:] == ids and begin <= found[0][0] <= end:
        return int(found[0][0])
    for table in _TABLES[kind]:
        db.execute(f"delete from {table} where part = ?", [part])
    db.execute("delete from vendor_partitions where topic = ? and part = ?", [topic, part])
    db.execute("insert into vendor_partitions values (?, ?, ?, ?, ?)", [topic, part, begin, *ids])
    return begin


def merge(
    db: duckdb.DuckDBPyConnection,
    kind: VendorKind,
    topic: str,
    part: int,
    records: Sequence[tuple[str, Row | None]],
    end: int,
) -> int:
    """Bring records of a partition into the tables, in the order of the log, each under its key; None: a tombstone. The
    higher version stays, in either order. Return how many rows changed. Inside the caller's transaction.
    """
    table = _TABLES[kind][0]
    keys = [key for key, _ in records]
    there = dict(
        db.execute(
            f"""select source || '|' || id, version from {table}
            where part = $1 and source || '|' || id in (select unnest($2::VARCHAR[]))""",
            [part, keys],
        ).fetchall()
    )
    best: dict[str, Row] = {}
    again: dict[str, bool] = {}
    gone = set()
    for key, given in records:
        if given is None:
            gone.add(key)
            best.pop(key, None)
            there.pop(key, None)
            continue
        stands = best[key].version if key in best else there.get(key, "")
        if given.version > stands:
            best[key] = given
        again[key] = given.version < stands
    changed = [*best, *gone]
    if changed:
        for each in _TABLES[kind]:
            db.execute(
                f"""delete from {each} where part = $1 and source || '|' || id in (select unnest($2::VARCHAR[]))""",
                [part, changed],
            )
    if best:
        rows = list(best.values())
        flags = [again[key] for key in best]
        db.execute(
            f"""insert into {table} select $1, unnest($2::VARCHAR[]), unnest($3::VARCHAR[]), unnest($4::VARCHAR[]),
            unnest($5::VARCHAR[]), unnest($6::BOOLEAN[]), unnest($7::VARCHAR[])""",
            [
                part,
                *([getattr(each, name) for each in rows] for name in ("source", "id", "version", "digest")),
                flags,
                [each.record.decode() for each in rows],
            ],
        )
        if len(_TABLES[kind]) > 1 and any(each.names for each in rows):
            named = [(each.source, each.id, name) for each in rows for name in each.names]
            db.execute(
                f"""insert into {_TABLES[kind][1]} select $1, unnest($2::VARCHAR[]), unnest($3::VARCHAR[]),
                unnest($4::VARCHAR[])""",
                [part, *(list(column) for column in zip(*named, strict=True))],
            )
    for flag in (True, False):
        if mine := [key for key, late in again.items() if late is flag and key not in best and key in there]:
            db.execute(
                f"""update {table} set again = $3
                where part = $1 and again <> $3 and source || '|' || id in (select unnest($2::VARCHAR[]))""",
                [part, mine, flag],
            )
    db.execute("update vendor_partitions set next_offset = ? where topic = ? and part = ?", [end, topic, part])
    return len(changed)


def winners(db: duckdb.DuckDBPyConnection, kind: VendorKind, part: int, limit: int) -> list[tuple[bytes, bytes]]:
    """Return up to *limit* keys and records that must be sent again, so that compaction keeps them: until they come
    by, each time.
    """
    found = db.execute(
        f"select source || '|' || id, record from {_TABLES[kind][0]} where part = ? and again limit ?", [part, limit]
    ).fetchall()
    return [(key.encode(), record.encode()) for key, record in found]


def assets(db: duckdb.DuckDBPyConnection, names: Collection[Name]) -> dict[Name, Told]:
    """Return the assets of these names, each with those that it calls by another of its own names."""
    found = db.execute(
        f"""with asked as (select unnest($1::VARCHAR[]) as source, unnest($2::VARCHAR[]) as name), {_MEANT}
        select m.source, m.name, list(a.record order by a.id), {_DIGEST}
        from meant m join vendor_assets a using (source, id) group by 1, 2""",
        _columns(names),
    ).fetchall()
    return {(source, name): _told(records, digest) for source, name, records, digest in found}


def knowledge(db: duckdb.DuckDBPyConnection, names: Collection[Name]) -> dict[Name, Told]:
    """Return what is known under these names."""
    found = db.execute(
        """select k.source, k.id, [k.record], k.digest from vendor_knowledge k
        where (k.source, k.id) in (select unnest($1::VARCHAR[]), unnest($2::VARCHAR[]))""",
        _columns(names),
    ).fetchall()
    return {(source, id): _told(records, digest) for source, id, records, digest in found}


def empty(db: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether nothing at all is known."""
    ((some,),) = db.execute("select exists(from vendor_assets) or exists(from vendor_knowledge)").fetchall()
    return not some


def lacking(db: duckdb.DuckDBPyConnection, parts: Collection[int], limit: int) -> list[Lacking]:
    """Return up to *limit* live findings of *parts* whose vendor tells more, or something else, than they have."""
    found = db.execute(
        f"""with needy as (
            select fid, part, source, asset, knowledge, linked, version from findings
            where not deleted and (asset <> '' or knowledge <> '') and part in (select unnest($1::USMALLINT[]))),
        asked as (select distinct source, asset as name from needy where asset <> ''), {_MEANT},
        told as (
            select m.source, m.name, {_DIGEST} as digest from meant m join vendor_assets a using (source, id)
            group by 1, 2)
        select n.part, n.fid, n.version from needy n
            left join told t on t.source = n.source and t.name = n.asset
            left join vendor_knowledge k on k.source = n.source and k.id = n.knowledge
        where coalesce(t.digest <> coalesce(n.linked->>'asset', ''), false)
            or coalesce(k.digest <> coalesce(n.linked->>'knowledge', ''), false)
        limit $2""",
        [list(parts), limit],
    ).fetchall()
    return [Lacking(*each) for each in found]


def records(db: duckdb.DuckDBPyConnection, of: Sequence[Lacking]) -> list[tuple[Lacking, bytes]]:
    """Return the records of these findings as they lie on the topic, where they still have that version."""
    wanted = {(each.part, each.fid, each.version): each for each in of}
    found = db.execute(
        "select part, fid, version, record from finding_records where fid in (select unnest($1::UBIGINT[]))",
        [[each.fid for each in of]],
    ).fetchall()
    return [(wanted[at], record.encode()) for *key, record in found if (at := (key[0], key[1], key[2])) in wanted]


def gone(
    db: duckdb.DuckDBPyConnection, kind: Literal["resources", "findings"], parts: Collection[int], limit: int
) -> list[Gone]:
    """Return up to *limit* live rows of *parts* that are older than a full inventory of their kind, and not in it."""
    id, same = {
        "resources": ("rid", "t.cloud = i.source and t.account = i.account and t.api_name = i.api_name"),
        "findings": ("fid", "t.source = i.source and (i.account = '' or t.account = i.account) and t.status = 'open'"),
    }[kind]
    found = db.execute(
        f"""with full_ as (
            select source, id, version, record->>'$.account' as account, record->>'$.api_name' as api_name,
                record->>'$.region' as region
            from inventories where split_part(id, '|', 1) = $1)
        select t.part, t.{id}, max(i.version) from {kind} t
            join full_ i on {same} and (i.region = '' or t.region = i.region)
            anti join inventory_ids n on n.source = i.source and n.id = i.id and n.name = t.id
        where not t.deleted and t.version < i.version and t.part in (select unnest($2::USMALLINT[]))
        group by 1, 2 limit $3""",
        [{"resources": "configs", "findings": "findings"}[kind], list(parts), limit],
    ).fetchall()
    return [Gone(*each) for each in found]


def rows(
    db: duckdb.DuckDBPyConnection, kind: Literal["resources", "findings"], of: Sequence[Gone]
) -> list[tuple[Gone, bytes]]:
    """Return the records of these rows as they lie on the topic."""
    id = {"resources": "rid", "findings": "fid"}[kind]
    wanted = {(each.part, each.hash): each for each in of}
    found = db.execute(
        f"select part, {id}, record from {kind[:-1]}_records where {id} in (select unnest($1::UBIGINT[]))",
        [[each.hash for each in of]],
    ).fetchall()
    return [(wanted[part, hash_], record.encode()) for part, hash_, record in found if (part, hash_) in wanted]


def unlinked(db: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many open findings are linked to no resource, by the reason why."""
    found = db.execute(
        """
        with alone as (
            select account, source, asset, "references" from findings
            where not deleted and status = 'open' and fid not in (select fid from finding_resource)),
        names as (
            select source, name as asset, true as known,
                max(record->>'$.status_reason') filter (starts_with(id, $1)) as why,
                bool_or(starts_with(id, $1) and json_array_length(record->'$.references') > 0) as later
            from vendor_names join vendor_assets using (source, id) group by 1, 2)
        select case
                when account <> 'unlinked' and len("references") > 0 then 'its resource is not here'
                when account <> 'unlinked' and why <> '' then why
                when account <> 'unlinked' and later then 'its resource has its host name or address only since then'
                when account <> 'unlinked' then 'it names no resource'
                when asset = '' then 'it has no cloud account, and no asset'
                when known then 'its asset has no cloud account'
                else 'its asset is not here' end as reason,
            count(*)
        from alone left join names using (source, asset) group by 1 order by 2 desc, 1""",
        [HELD],
    ).fetchall()
    return dict(found)


# The assets that a name means: those that have it, and those that these call by another of their names.
_MEANT = """
    meant as (
        select distinct q.source, q.name, b.name as id from asked q
        join vendor_names a on a.source = q.source and a.name = q.name
        join vendor_names b on b.source = a.source and b.id = a.id)"""
_DIGEST = "left(md5(string_agg(a.digest, ' ' order by a.id)), 16)"

_TABLES: Mapping[VendorKind, tuple[str, ...]] = {
    "assets": ("vendor_assets", "vendor_names"),
    "knowledge": ("vendor_knowledge",),
    "inventories": ("inventories", "inventory_ids"),
    "parts": ("resource_parts",),
}
_TAKEN: Mapping[VendorKind, tuple[str, ...]] = {
    "assets": (
        "account",
        "cloud",
        "region",
        "references",
        "hostnames",
        "addresses",
        "deleted",
        "status_reason",
    ),
    "knowledge": (
        "name",
        "cves",
        "severity",
        "vendor_severity",
        "score",
        "cvss",
        "packages",
        "title",
        "description",
        "remediation",
        "links",
    ),
    "inventories": ("version",),
    "parts": ("version",),
}


def _columns(names: Collection[Name]) -> list[list[str]]:
    return [[source for source, _ in names], [name for _, name in names]]


def _told(texts: Sequence[str], digest: str) -> Told:
    found = []
    for text in texts:
        record = orjson.loads(text)
        record.pop("original", None)
        found.append(record)
    return Told(tuple(found), digest)
