"""Which finding names which resource: kept up to date in the transaction that changes either side, whichever comes
first.

`finding_resource` always equals the join of `finding_references` and `resource_keys` within a partition. The keys are
hashes of account and identifier, so that nothing is linked across accounts. Only rows whose keys have changed cost
anything.
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

import duckdb

from streams.store.schema import FINDINGS, RESOURCES, Kind


def relink(db: duckdb.DuckDBPyConnection, kind: Kind, staged: str, *, changed: int, unlinked: int) -> None:
    """Bring the links of `verdict`'s winners up to date; *changed* have other links than before, *unlinked* of them
    had some.
    """
    if not changed:
        return
    other = FINDINGS if kind is RESOURCES else RESOURCES
    named = "keys" if kind is RESOURCES else '[r.id for r in "references"]'
    db.execute(f"""
        create or replace temp table relinked as
        select h, part, account, links, {named} as named from {staged}
        where n in (select n from verdict where wins and links <> had_links)""")
    if unlinked:
        for table in (kind.links, "finding_resource"):
            db.execute(f"""
                delete from {table} using relinked s where {table}.{kind.id} = s.h and {table}.part = s.part""")
    db.execute("""
        create or replace temp table linking as
        select distinct h, part, md5_number_lower(account || '|' || lower(name)) as key
        from (select h, part, account, unnest(named) as name from relinked where links <> 0) where name is not null""")
    db.execute(f"insert into {kind.links} select h, part, key from linking")
    db.execute(f"""
        insert into finding_resource ({kind.id}, {other.id}, part)
        select distinct l.h, o.{other.id}, l.part
        from linking l join {other.links} o on o.key = l.key and o.part = l.part""")
