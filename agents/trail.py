"""The audit trail of configurations and findings: what differs from what it told last."""

from collections.abc import Sequence
from typing import Any

import duckdb

from streams.alerts import capped
from streams.audit import AuditRecord
from streams.store import world
from streams.store.places import Finder
from streams.store.world import World


def trail(
    db: duckdb.DuckDBPyConnection, world_: World, rids: Sequence[int], finder: Finder, now: int
) -> list[tuple[int, AuditRecord]]:
    """Return what has happened to the resources of the world since it was told last, with their partitions; what is
    there now counts as told. *rids*: what the world was made of. *now*: ms since 1970 UTC. Inside the caller's
    transaction.
    """
    seen = {one.rid: one for one in world_.seen}
    changes = [change for change in world.audit(db, world_, rids, finder) if change[1] in seen]
    told = [rid for _, rid, what, today, _ in changes if what == 0 and today and not seen[rid].deleted]
    configs = world.configs(db, [seen[rid] for rid in told]) if told else {}
    fids = sorted({what for _, _, what, _, _ in changes if what})
    findings = world.findings(db, fids) if fids else {}
    records = []
    for part, rid, what, today, former in changes:
        resource = seen[rid]
        detail: dict[str, Any]
        if what == 0:
            change = "deleted" if resource.deleted else "created" if former is None else "changed"
            detail = {"config": capped(configs[rid])} if rid in configs else {}
        else:
            detail = findings.get(what, {})
            over = today is None or detail.get("status", "open") != "open"
            change = "closed" if over else "opened" if former is None else "changed"
        record = AuditRecord(
            rrn=resource.rrn,
            account=resource.account,
            at=now,
            kind="finding" if what else "configuration",
            change=change,
            detail=detail,
        )
        records.append((part, record))
    return records
