"""How things stand, in figures that a picture is made of: findings and alerts by day, what is worst, who is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.console.events import watch_of
from api.deliveries import listing

routes = APIRouter()

SEVERITIES = ("critical", "high", "medium", "low", "informational")
MOST_SOURCES = 8


class Series(BaseModel):
    """One value a day."""

    name: str = Field(description="What it counts: a severity, a source, `opened` or `resolved`.")
    values: list[int] = Field(description="One for each of `days`.")


class Rank(BaseModel):
    """How many of something there are."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What people call it.")
    count: int = Field(description="How many.")
    severity: str = Field(default="", description="Of a policy.")


class Channel(BaseModel):
    """An integration that alerts are sent to."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What people call it.")
    type: str = Field(description="Its type.")
    state: str = Field(description="`ok`, `waiting`, `paused`, `disabled` or `broken`.")
    words: str = Field(description="Why, in its own words.")
    open: int = Field(description="Deliveries that are open.")


class Sample(BaseModel):
    """A moment of the last minutes."""

    at: int = Field(description="In ms since 1970 UTC.")
    stored: int = Field(description="Records stored since the store began.")
    waiting: int = Field(description="Records that wait.")


class Overview(BaseModel):
    """How things stand. Days are UTC."""

    days: list[str] = Field(description="ISO dates, the oldest first.")
    findings: list[Series] = Field(
        description="Findings that aren't deleted, by severity and the day they were seen first."
    )
    sources: list[Series] = Field(description="The same by source, those with most.")
    alerts: list[Series] = Field(description="Alerts opened, and alerts resolved.")
    open_findings: dict[str, int] = Field(description="Open findings by severity.")
    open_alerts: dict[str, int] = Field(description="Open alerts by severity.")
    rows: dict[str, int] = Field(description="`resources`, `accounts`, `findings`, `alerts`.")
    policies: list[Rank] = Field(description="With most open alerts.")
    accounts: list[Rank] = Field(description="With most open alerts.")
    channels: list[Channel] = Field(description="Integrations that alerts are sent to.")
    deliveries: dict[str, int] = Field(description="How deliveries ended since this process started.")
    enabled_policies: int = Field(description="How many policies are evaluated.")
    notifying_rules: int = Field(description="How many alert rules tell somebody.")
    samples: list[Sample] = Field(description="The last minutes, while somebody looked.")
    rate: float = Field(description="Records stored a second, lately.")
    whole: bool = Field(description="True when every account is in it.")


@routes.get("/overview", response_model=Overview)
async def show_overview(
    request: Request,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, today included.")] = 30,
) -> Response:
    """Say how things stand, and how they went over the last days."""
    state = request.app.state
    today = datetime.now(UTC).date()
    names = [(today - timedelta(days=back)).isoformat() for back in reversed(range(days))]
    figures = await state.readers.run(lambda cursor: _figures(cursor, names))
    watch = watch_of(request)
    deliverer = getattr(state.owner, "deliverer", None)
    delivered = listing(deliverer, None, 0) if deliverer is not None else {"integrations": [], "counts": {}}
    shown = {
        "days": names,
        **figures,
        "channels": _channels(state.control, delivered["integrations"]),
        "deliveries": delivered["counts"],
        "enabled_policies": sum(1 for each in state.policies().values() if each.enabled),
        "notifying_rules": _notifying(state.control),
        "samples": [{"at": at, "stored": stored, "waiting": waiting} for at, stored, waiting in watch.samples],
        "rate": watch.rate(),
        "whole": bool(state.owner.ownership()["all"]),
    }
    return Response(orjson.dumps(shown), media_type="application/json")


def _figures(cursor: Any, days: list[str]) -> dict[str, Any]:
    def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = cursor.execute(sql, values).fetchall()
        return rows

    by_day = "select {0}, cast({1} as date)::VARCHAR, count(*) from {2} where {1} >= ?::DATE{3} group by all"
    found = ask(by_day.format("severity", "first_seen", "findings", " and not deleted"), days[0])
    sources = ask(by_day.format("source", "first_seen", "findings", " and not deleted"), days[0])
    opened = ask(by_day.format("'opened'", "opened", "alerts", ""), days[0])
    resolved = ask(by_day.format("'resolved'", "updated", "alerts", " and status = 'resolved'"), days[0])
    totals: dict[str, int] = {}
    for source, _, count in sources:
        totals[source] = totals.get(source, 0) + count
    most = sorted(totals, key=lambda source: (-totals[source], source))[:MOST_SOURCES]
    open_alerts = "from alerts where status = 'open' group by all order by count(*) desc, 1 limit 6"
    counted = ask(
        "select (select count(*) from resources where not deleted),"
        " (select count(distinct account) from resources where not deleted),"
        " (select count(*) from findings where not deleted), (select count(*) from alerts)"
    )[0]
    return {
        "findings": _series(found, SEVERITIES, days),
        "sources": _series(sources, most, days),
        "alerts": _series([*opened, *resolved], ("opened", "resolved"), days),
        "open_findings": dict(
            ask("select severity, count(*) from findings where status = 'open' and not deleted group by 1")
        ),
        "open_alerts": dict(ask("select severity, count(*) from alerts where status = 'open' group by 1")),
        "rows": dict(zip(("resources", "accounts", "findings", "alerts"), counted, strict=True)),
        "policies": [
            {"id": id, "name": name, "severity": severity, "count": count}
            for id, name, severity, count in ask(
                f"select policy, any_value(policy_name), severity, count(*) {open_alerts}"
            )  # ours
        ],
        "accounts": [
            {"id": account, "name": account, "severity": "", "count": count}
            for account, count in ask(f"select account, count(*) {open_alerts}")  # ours
        ],
    }


def _series(rows: list[tuple[Any, ...]], names: Sequence[str], days: list[str]) -> list[dict[str, Any]]:
    place = {day: number for number, day in enumerate(days)}
    made = {name: [0] * len(days) for name in names}
    for name, day, count in rows:
        if name in made and day in place:
            made[name][place[day]] += count
    return [{"name": name, "values": values} for name, values in made.items()]


def _channels(control: Any, running: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the integrations with how they do: those that have had deliveries, and those that have not."""
    known = dict(control.objects("integration")) if control else {}
    ways = {each["integration"]: each for each in running}
    shown = []
    for id in sorted({*known, *ways}):
        integration, way = known.get(id), ways.get(id)
        state = _STATES.get(way["state"], way["state"]) if way else "ok"
        if integration is not None and not integration.enabled:
            state = "disabled"
        name = integration.name if integration else id
        kind = integration.type if integration else ""
        words, waiting = (way["words"], way["open"]) if way else ("", 0)
        shown.append({"id": id, "name": name, "type": kind, "state": state, "words": words, "open": waiting})
    return shown


def _notifying(control: Any) -> int:
    rules = control.objects("alert-rule").values() if control else ()
    return sum(1 for rule in rules if rule.enabled and rule.channels)


_STATES = {"open": "ok", "away": "waiting", "asked": "waiting", "missing": "broken"}
"""How the deliverer's words for an integration's state are told."""
