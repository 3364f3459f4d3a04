"""Alerts: listed, shown, counted, dismissed and opened again."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from agents.places import resolved_rules
from api.prisma import times
from api.prisma.access import may_change, may_read, session_of
from api.prisma.alert_commands import obeyed
from api.prisma.alert_filters import FILTERS, condition, sources
from api.prisma.alert_items import item
from api.prisma.alert_lists import MOST, Asked, alerts, chosen, first, following, shown
from api.prisma.backend import Backend, Shape, answer, backend, nothing
from api.prisma.failures import bad, not_found, unsupported
from api.prisma.items import Names, config_of
from api.prisma.policies import FilterName, values_of
from api.prisma.words import SEVERITIES, STATUSES, suggestion
from streams.alerts import Alert
from streams.store.alerts import by_id

reads = APIRouter(tags=["Alerts"], dependencies=[Depends(may_read)])
writes = APIRouter(tags=["Alerts"], dependencies=[Depends(may_change)])


class Filter(Shape):
    """One filter; of several with one name one is enough."""

    name: str = Field(description="Such as alert.status.", examples=["alert.status"])
    operator: str | None = Field(default="=", description="Only =.")
    value: str = Field(description="What it must be.", examples=["open"])


class ListBody(Shape):
    """What a list is of."""

    time_range: Any = Field(default=None, description="When alerts were opened; any time when absent.")
    filters: list[Filter] | None = Field(default=None, description="Which alerts; all when absent.")
    limit: int | None = Field(default=None, ge=0, description="Most alerts of a page; at most 10,000 come.")
    offset: int | None = Field(default=None, ge=0, description="How many to pass over.")
    page_token: str | None = Field(default=None, description="Of the page before; all else is passed over then.")
    sort_by: list[str] | None = Field(default=None, description="Such as alertTime:asc.", examples=[["alertTime:desc"]])
    detailed: bool | None = Field(default=None, description="With the policies' texts and the last change.")
    fields: list[str] | None = Field(default=None, description="Passed over.")
    group_by: list[str] | None = Field(default=None, description="Passed over.")


class Order(Shape):
    """Which alerts, and why."""

    alerts: list[str] | None = Field(default=None, description="Ids of alerts.", max_length=MOST)
    policies: list[str] | None = Field(default=None, description="Ids of policies: all their alerts that are listed.")
    dismissal_note: str | None = Field(default="", max_length=4000, description="Why.")
    dismissal_time_range: Any = Field(
        default=None,
        description="Until when: they are snoozed. Relative (from now on) or absolute (its end).",
        examples=[{"type": "relative", "value": {"amount": 3, "unit": "day"}}],
    )
    filter: ListBody | None = Field(default=None, description="Which alerts of those.")


Detailed = Annotated[bool, Query(description="With the policies' texts and the last change.")]


@reads.post("/v2/alert")
async def list_alerts(asked: ListBody, request: Request, detailed: Detailed = False) -> Response:
    """List alerts, page by page: `nextPageToken` alone asks for the next page."""
    back = backend(request)
    if asked.page_token:
        return answer(await following(back, asked.page_token))
    return answer(await first(back, asked_of(asked, detailed=detailed)))


@reads.get("/v2/alert")
async def list_alerts_by_query(request: Request, detailed: Detailed = False) -> Response:
    """List alerts; filters, time, `sortBy`, `limit` and `pageToken` stand in the query string."""
    back = backend(request)
    if token := request.query_params.get("pageToken"):
        return answer(await following(back, token))
    return answer(await first(back, _queried(request, detailed)))


@reads.post("/alert")
async def list_alerts_flat(asked: ListBody, request: Request, detailed: Detailed = False) -> Response:
    """List alerts, at most 10,000, without pages."""
    return answer((await first(backend(request), asked_of(asked, detailed=detailed)))["items"])


@reads.get("/alert")
async def list_alerts_flat_by_query(request: Request, detailed: Detailed = False) -> Response:
    """List alerts, at most 10,000, without pages; what is asked for stands in the query string."""
    return answer((await first(backend(request), _queried(request, detailed)))["items"])


@reads.post("/alert/policy")
async def group_alerts(asked: ListBody, request: Request, detailed: Detailed = False) -> Response:
    """Count alerts by policy."""
    return answer(await _by_policy(backend(request), asked_of(asked, detailed=detailed)))


@reads.get("/alert/policy")
async def group_alerts_by_query(request: Request, detailed: Detailed = False) -> Response:
    """Count alerts by policy; what is asked for stands in the query string."""
    return answer(await _by_policy(backend(request), _queried(request, detailed)))


@reads.get("/alert/count/{status}")
async def count_alerts(status: str, request: Request) -> Response:
    """Count the alerts of a status."""
    if status not in STATUSES:
        raise bad("status", f"{status!r:.60}: wanted one of {', '.join(STATUSES)}")
    rows = await backend(request).ask(
        lambda db: db.execute("select count(*) from alerts where status = ?", [status]).fetchall()
    )
    return answer({"count": rows[0][0]})


@reads.get("/alert/dismiss/require_dismissal_note")
async def show_note_needed() -> Response:
    """Say whether a dismissal needs a note: it doesn't."""
    return answer({"requireDismissalNote": False})


@reads.get("/alert/{id}")
async def show_alert(id: str, request: Request, detailed: Detailed = True) -> Response:
    """Show one alert with its resource's configuration."""
    back = backend(request)

    def ask(cursor: Any) -> tuple[Alert, Any] | None:
        rows = by_id(cursor, [id])
        return (rows[0].alert, config_of(cursor, rows[0].alert.resource.rrn)) if rows else None

    found = await back.ask(ask)
    if found is None:
        raise not_found("alert", id)
    rules, policies = resolved_rules(back.control), back.control.objects("policy")
    return answer(item(found[0], Names(back.control_), rules, policies, detailed=detailed, data=found[1]))


@writes.post("/alert/dismiss", response_class=Response)
async def dismiss(order: Order, request: Request) -> Response:
    """Dismiss alerts, or snooze them with `dismissalTimeRange`, and answer once that shows."""
    if order.dismissal_time_range is None:
        await _command(request, order, "dismiss")
    else:
        until = times.until(order.dismissal_time_range, int(time.time() * 1000))
        await _command(request, order, "snooze", until)
    return nothing()


@writes.post("/alert/reopen", response_class=Response)
async def reopen(order: Order, request: Request) -> Response:
    """Open dismissed and snoozed alerts again, and answer once that shows."""
    await _command(request, order, "reopen")
    return nothing()


@writes.post("/alert/remediation")
async def show_remediation() -> Response:
    """Refuse: Tidegate changes nothing in clouds."""
    raise unsupported("remediation", "Tidegate changes nothing in clouds; the policy's recommendation says how to")


@writes.patch("/alert/remediation/{id}")
async def remediate(id: str) -> Response:
    """Refuse: Tidegate changes nothing in clouds."""
    return await show_remediation()


@reads.get("/filter/alert/suggest")
async def list_filters(request: Request) -> Response:
    """List the filters of alerts with their values."""
    back = backend(request)
    values = {name: await _values(back, name) for name in FILTERS}
    return answer({name: {"options": found, "staticFilter": name in _STATIC} for name, found in values.items()})


@reads.post("/filter/alert/suggest")
async def list_values(asked: FilterName, request: Request) -> Response:
    """List the values of one filter."""
    if asked.filter_name not in FILTERS:
        raise bad("filterName", f"{asked.filter_name!r:.60}: {suggestion(asked.filter_name, FILTERS)}")
    return answer(values_of(await _values(backend(request), asked.filter_name), asked.query))


def asked_of(asked: ListBody, *, detailed: bool) -> Asked:
    """Return what a body asks for. Raises Failure."""
    for each in asked.filters or ():
        if each.operator not in (None, "="):
            raise bad("filters.operator", f"{each.operator!r:.20}: only =")
    filters = [(each.name, each.value) for each in asked.filters or ()]
    limit = MOST if asked.limit is None else asked.limit
    return Asked(
        filters, asked.time_range, asked.sort_by or (), limit, asked.offset or 0, bool(asked.detailed or detailed)
    )


def _queried(request: Request, detailed: bool) -> Asked:
    query = request.query_params
    filters = [(name, value) for name, value in query.multi_items() if "." in name]
    number = query.get("limit", str(MOST))
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise bad("limit", f"{number!r:.40}: wanted a number")
    sort = [each for each in query.get("sortBy", "").split(",") if each]
    return Asked(filters, times.from_query(query), sort, int(number), 0, detailed)


async def _by_policy(back: Backend, asked: Asked) -> list[dict[str, Any]]:
    wanted = condition(asked.filters, asked.range, int(time.time() * 1000), sources(back.control))
    found = await back.ask(lambda cursor: alerts(cursor, chosen(cursor, wanted)))
    groups: dict[str, list[Alert]] = {}
    for alert in found:
        groups.setdefault(alert.policy.id, []).append(alert)
    newest = [max(group, key=lambda alert: alert.opened) for group in groups.values()]
    made = shown(back, newest, detailed=asked.detailed)
    return [{**each, "alertCount": len(groups[each["policyId"]])} for each in made]


async def _command(request: Request, order: Order, action: Any, until: int | None = None) -> None:
    """Send a command for each alert that *order* means, and wait until all are obeyed. Raises Failure, NotObeyed."""
    back = backend(request)
    if not order.alerts and not order.policies and (order.filter is None or not order.filter.filters):
        raise bad("alerts", "none: name alerts or policies, or give a filter")
    narrowed = asked_of(order.filter or ListBody(), detailed=False)
    filters = list(narrowed.filters) + [("policy.id", each) for each in order.policies or ()]
    if order.alerts:
        filters = [("alert.id", each) for each in order.alerts]
    range_ = None if order.alerts else narrowed.range
    wanted = condition(filters, range_, int(time.time() * 1000), sources(back.control))
    found = await back.ask(lambda cursor: alerts(cursor, chosen(cursor, wanted)))
    if missing := sorted(set(order.alerts or ()) - {alert.id for alert in found}):
        raise not_found("alert", missing[0])
    await obeyed(back, found, action, session_of(request).user, order.dismissal_note or "", until)


async def _values(back: Backend, name: str) -> list[str]:
    """Return the values that a filter may have, as alerts have them."""
    if name in _STATIC:
        return list(_STATIC[name])
    if name == "alertRule.name":
        return sorted(str(rule.name) for rule in back.control.objects("alert-rule").values())
    if name == "account.group":
        return sorted(str(group.name) for group in back.control.objects("account-group").values())
    column = _COLUMNS.get(name)
    if column is None:
        return []
    rows = await back.ask(
        lambda db: db.execute(f"select distinct {column} from alerts order by 1 limit 1000").fetchall()  # noqa: S608 # names of ours
    )
    return [str(value) for (value,) in rows if value]


_STATIC = {
    "alert.status": STATUSES,
    "policy.severity": SEVERITIES,
    "policy.type": ("config",),
    "policy.subtype": ("run",),
    "policy.remediable": ("false",),
    "timeRange.type": ("ALERT_OPENED", "ALERT_STATUS_UPDATED", "ALERT_UPDATED"),
    "cloud.type": ("aws", "azure", "gcp", "alibaba_cloud"),
}
_COLUMNS = {
    "cloud.account": "account",
    "cloud.accountId": "account",
    "cloud.region": "region",
    "cloud.service": "record->>'$.resource.service'",
    "policy.id": "policy",
    "policy.name": "policy_name",
    "resource.type": "record->>'$.resource.resource_type'",
}
