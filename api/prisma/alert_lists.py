"""Lists of alerts, page by page: the first page decides what is in the list and in which order, however alerts change
while a client pages through it.
"""

import time
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from agents.places import resolved_rules
from api.prisma.alert_filters import Condition, condition, sources
from api.prisma.alert_items import item
from api.prisma.backend import Backend
from api.prisma.failures import bad
from api.prisma.items import Names
from streams.alerts import Alert, read

MOST = 10_000
"""The most alerts of a page."""

ORDERS = {
    "alertTime": "opened",
    "eventOccurred": "opened",
    "lastUpdated": "updated",
    "firstSeen": "cast(record->>'$.first_seen' as bigint)",
    "lastSeen": "cast(record->>'$.last_seen' as bigint)",
    "id": "id",
    "alertId": "id",
    "alert.id": "id",
    "status": "status",
    "alert.status": "status",
    "policy.name": "policy_name",
    "policy.severity": "list_position(['critical', 'high', 'medium', 'low', 'informational'], severity)",
    "resource.name": "resource",
}


class Asked(NamedTuple):
    """What a list is of."""

    filters: Sequence[tuple[str, str]] = ()
    range: Any = None
    sort: Sequence[str] = ()
    limit: int = MOST
    offset: int = 0
    detailed: bool = False


async def first(back: Backend, asked: Asked) -> dict[str, Any]:
    """Return the first page of a list. Raises Failure."""
    wanted = condition(asked.filters, asked.range, int(time.time() * 1000), sources(back.control))
    order = _order(asked.sort)
    limit = max(1, min(asked.limit, MOST))

    def ask(cursor: Any) -> tuple[Sequence[int], list[Any]]:
        ids = chosen(cursor, wanted, order)
        found = alerts(cursor, ids[asked.offset : asked.offset + limit])
        return ids, shown(back, found, detailed=asked.detailed)

    ids, items = await back.ask(ask)
    plan: dict[str, Any] = {"l": limit, "o": asked.offset, "d": asked.detailed}
    if asked.offset + limit < len(ids):
        plan |= {"list": uuid4().hex, "f": list(asked.filters), "r": asked.range, "s": list(asked.sort)}
        back.lists.put(plan["list"], ids)
    return _page(back, plan, ids, items)


async def following(back: Backend, token: str) -> dict[str, Any]:
    """Return the page that *token* names. Raises Failure.

    After a restart, or when many lists were begun since, what is in the list is decided anew.
    """
    plan = back.signer.open("page", token)
    if plan is None or "list" not in plan:
        raise bad("pageToken", "it isn't one of this list: begin with the first page")
    ids = back.lists.get(plan["list"])
    if ids is None:
        filters = [(name, value) for name, value in plan["f"]]
        wanted = condition(filters, plan["r"], int(time.time() * 1000), sources(back.control))
        ids = back.lists.put(plan["list"], await back.ask(lambda cursor: chosen(cursor, wanted, _order(plan["s"]))))
    page = ids[plan["o"] : plan["o"] + plan["l"]]
    items = await back.ask(lambda cursor: shown(back, alerts(cursor, page), detailed=plan["d"]))
    return _page(back, plan, ids, items)


def chosen(cursor: Any, wanted: Condition, order: str = "opened desc, aid") -> Sequence[int]:
    """Return the store's numbers of the alerts that are *wanted*, in *order*: 8 bytes each."""
    found = cursor.execute(
        f"select aid{', record' if wanted.covered else ''} from alerts where {wanted.sql} order by {order}",  # noqa: S608 # names of ours
        wanted.values,
    )
    if not wanted.covered:
        return array("Q", found.fetchnumpy()["aid"].tobytes())
    return array("Q", [aid for aid, record in found.fetchall() if wanted.holds(read(Alert, record.encode())[0])])


def alerts(cursor: Any, ids: Sequence[int]) -> list[Alert]:
    """Return the alerts with the store's numbers *ids*, in this order; those that are gone are left out."""
    if not ids:
        return []
    rows = cursor.execute(
        "select aid, record from alerts where aid in (select unnest(?::UBIGINT[]))", [list(ids)]
    ).fetchall()
    found = {aid: read(Alert, record.encode())[0] for aid, record in rows}
    return [found[id] for id in ids if id in found]


def shown(back: Backend, found: Sequence[Alert], *, detailed: bool, data: Mapping[str, Any] | None = None) -> list[Any]:
    """Return *found* as items; *data*: configurations by rrn. Thousands take a while: in a reader's thread, then."""
    names = Names(back.control_)
    rules, policies = resolved_rules(back.control), back.control.objects("policy")
    return [
        item(each, names, rules, policies, detailed=detailed, data=(data or {}).get(each.resource.rrn))
        for each in found
    ]


def _page(back: Backend, plan: dict[str, Any], ids: Sequence[int], items: list[Any]) -> dict[str, Any]:
    start, limit = plan["o"], plan["l"]
    page: dict[str, Any] = {
        "totalRows": len(ids),
        "items": items,
        "dynamicColumns": [],
        "sortAllowedColumns": list(ORDERS),
        "infoMsg": "",
    }
    if start + limit < len(ids):
        page["nextPageToken"] = back.signer.sign("page", {**plan, "o": start + limit})
    return page


def _order(sort: Sequence[str]) -> str:
    """Return the order that a client's `sortBy` means. Raises Failure."""
    parts = []
    for each in sort:
        name, _, direction = each.partition(":")
        if name not in ORDERS or direction.lower() not in ("", "asc", "desc"):
            raise bad("sortBy", f"{each!r:.60}: wanted one of {', '.join(ORDERS)}, and :asc or :desc")
        parts.append(f"{ORDERS[name]} {direction.lower() or 'asc'}")
    return ", ".join([*(parts or ["opened desc"]), "aid"])
