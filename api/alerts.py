"""Alerts as the API and the command line give them: listed, shown, and what users want of them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.rights import is_local, who
from api.state import Owner
from queries.policy import Severity
from streams.alerts import Alert, AlertCommand, AlertStatus, key_of, write
from streams.control.errors import Refused
from streams.errors import TidegateError
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store.alerts import by_id
from streams.topics import ALERT_COMMANDS, full_name

routes = APIRouter()

PATIENCE_S = 10.0
"""How long a command's effect is waited for."""


class NoSuchAlert(TidegateError):
    """There is no alert of that id."""


class NotObeyed(TidegateError):
    """A command had no effect, or none that was seen in time."""


class Order(BaseModel):
    """What is wanted of an alert."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["dismiss", "snooze", "reopen"] = Field(description="What is wanted.")
    by: str = Field(
        default="api",
        min_length=1,
        max_length=200,
        description="With the local token: who wants it.",
    )
    note: str = Field(default="", max_length=4000, description="Why.")
    until: AwareDatetime | None = Field(default=None, description="When a snoozed alert opens again, with its zone.")


class AlertLine(BaseModel):
    """An alert in a list."""

    id: str = Field(description="Such as P-7.")
    status: AlertStatus = Field(description="As it is now.")
    reason: str = Field(description="Why it is so.")
    severity: Severity = Field(description="The policy's.")
    policy: str = Field(description="The policy's id.")
    policy_name: str = Field(description="The policy's name.")
    account: str = Field(description="The cloud account.")
    region: str = Field(description="The provider's region id.")
    resource: str = Field(description="The resource's name.")
    rrn: str = Field(description="Tidegate's name of the resource; empty: it is about an account.")
    opened: datetime = Field(description="When it was opened, or opened again.")
    updated: datetime = Field(description="When its last event was.")
    seq: int = Field(description="Its last event's number.")


class AlertList(BaseModel):
    """Alerts, the one that changed last first."""

    alerts: list[AlertLine] = Field(description="At most `limit`.")
    total: int = Field(description="How many there are.")
    whole: bool = Field(description="True when every account is in it.")


@routes.get("/alerts", response_model=AlertList)
async def list_alerts(
    request: Request,
    status: Annotated[list[AlertStatus] | None, Query(description="Only these; all when absent.")] = None,
    severity: Annotated[list[Severity] | None, Query(description="Only these.")] = None,
    policy: Annotated[list[str] | None, Query(description="Only of the policies with these ids.")] = None,
    account: Annotated[list[str] | None, Query(description="Only of these cloud accounts.")] = None,
    rrn: Annotated[list[str] | None, Query(description="Only about these resources.")] = None,
    limit: Annotated[int, Query(ge=0, le=10_000, description="Most alerts to answer; `total` counts all.")] = 100,
) -> Response:
    """List alerts, the one that changed last first."""
    chosen = {"status": status, "severity": severity, "policy": policy, "account": account, "rrn": rrn}
    found = await request.app.state.readers.run(lambda cursor: select(cursor, chosen, limit))
    return _json(found | {"whole": bool(request.app.state.owner.ownership()["all"])})


@routes.get("/alerts/{id}", response_model=Alert)
async def show_alert(id: str, request: Request) -> Response:
    """Show one alert."""
    return _json(await _find(request, id))


@routes.post("/alerts/{id}/commands", response_model=Alert)
async def command_alert(id: str, order: Order, request: Request) -> Response:
    """Dismiss, snooze or reopen an alert, and answer it as it is then."""
    owner: Owner = request.app.state.owner
    until = _until(order)
    alert = await _find(request, id)
    if alert.status == "resolved":
        raise NotObeyed(f"{id} is resolved ({alert.reason}): there is nothing to {order.action}")
    command = AlertCommand(
        id=uuid4().hex,
        alert=id,
        account=alert.resource.account,
        action=order.action,
        by=order.by if is_local(request) else who(request),
        note=order.note,
        at=int(time.time() * 1000),
        until=until,
    )
    await send(owner.settings, [command])
    patience = time.monotonic() + PATIENCE_S
    while time.monotonic() < patience:
        await asyncio.sleep(0.05)
        alert = await _find(request, id)
        if command.id in alert.commands:
            return _json(alert)
    raise NotObeyed(f"{id}: the command is on its way, but no worker has obeyed it within {PATIENCE_S:g} s; look again")


def _until(order: Order) -> int | None:
    """Return when the alert opens again, in ms since 1970 UTC. Raises Refused."""
    if order.action != "snooze":
        if order.until is not None:
            raise Refused([f"until: only `snooze` has a time, not `{order.action}`"])
        return None
    if order.until is None:
        raise Refused(["until: missing: when the alert opens again, such as 2026-12-01T08:00:00Z"])
    until = int(order.until.timestamp() * 1000)
    if until <= time.time() * 1000:
        raise Refused([f"until: {order.until.isoformat()} is over: give a time to come"])
    return until


def select(cursor: Any, chosen: Mapping[str, Sequence[str] | None], limit: int) -> dict[str, Any]:
    """Return `alerts` and `total` of the alerts whose columns have one of the *chosen* values (None: any)."""
    asked = {name: list(values) for name, values in chosen.items() if values}
    where = " and ".join(f"{name} in (select unnest(?::VARCHAR[]))" for name in asked) or "true"
    names = list(AlertLine.model_fields)
    rows = cursor.execute(
        f"select {', '.join(names)}, count(*) over () from alerts where {where} order by updated desc, id limit ?",  # noqa: S608 # names of ours
        [*asked.values(), limit],
    ).fetchall()
    total = rows[0][-1] if rows else 0
    if not rows and not limit:
        total = cursor.execute(f"select count(*) from alerts where {where}", list(asked.values())).fetchone()[0]  # noqa: S608
    return {"alerts": [dict(zip(names, row[:-1], strict=True)) for row in rows], "total": total}


async def send(settings: Settings, commands: Sequence[AlertCommand]) -> None:
    """Send users' commands to the owners of their alerts. Raises BrokerError."""
    async with BatchProducer(settings) as producer:
        records = [(partition_of(one.account, settings.partitions), key_of(one), write(one)) for one in commands]
        await producer.send(full_name(settings, ALERT_COMMANDS), records)


async def _find(request: Request, id: str) -> Alert:
    rows = await request.app.state.readers.run(lambda cursor: by_id(cursor, [id]))
    if not rows:
        raise NoSuchAlert(f"there is no alert {id!r:.60}; `tidegate alerts list` shows them")
    alert: Alert = rows[0].alert
    return alert


def _json(document: object) -> Response:
    return Response(
        orjson.dumps(document, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z), media_type="application/json"
    )
