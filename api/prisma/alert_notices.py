"""Telling a destination of one alert now, because somebody wants it to know."""

import asyncio
import time
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from agents.integrations import Integration
from agents.places import resolved_rules
from agents.sinks._base import Item
from agents.sinks._client import Client, open_client
from agents.sinks._outcome import Ok, Outcome
from api.prisma.access import may_change, session_of
from api.prisma.backend import Backend, Shape, answer, backend
from api.prisma.failures import Failure, bad, not_found, unsupported
from api.prisma.integration_types import channel_of, type_of
from api.prisma.items import config_of
from streams.alerts import Alert, AlertEvent, Delivery, RuleName
from streams.store.alerts import by_id

writes = APIRouter(tags=["Alerts"], dependencies=[Depends(may_change)])

TICKETS = ("jira", "servicenow")
"""Destinations that keep one ticket an alert: whoever opened it goes on writing it."""


class NoticeConfig(Shape):
    """Who is told."""

    integration_type: str = Field(description="The type of the integrations.", examples=["webhook"])
    template_id: str | None = Field(
        default="", description="Not supported: tickets follow their alerts by alert rules."
    )
    recipients: list[str] = Field(min_length=1, max_length=100, description="Ids of integrations.")


class NoticeBody(Shape):
    """Which alert, and who is told."""

    alert_id: str = Field(max_length=100, description="The alert's id.", examples=["P-7"])
    on_demand_notification_config: NoticeConfig = Field(description="Who is told.")


@writes.post("/alerts/api/v1/notification/ondemand", status_code=201)
async def notify(asked: NoticeBody, request: Request) -> Response:
    """Tell integrations of an alert as it is now, once, whatever its rules say; answer what they said."""
    back, wanted = backend(request), asked.on_demand_notification_config
    integrations = _integrations(back, wanted)

    def find(cursor: Any) -> tuple[Alert, Any] | None:
        rows = by_id(cursor, [asked.alert_id])
        return (rows[0].alert, config_of(cursor, rows[0].alert.resource.rrn)) if rows else None

    found = await back.ask(find)
    if found is None:
        raise not_found("alert", asked.alert_id)
    event = _event(*found, by=session_of(request).user)
    covering = [
        RuleName(id=id, name=rule.name)
        for id, rule in resolved_rules(back.control).items()
        if rule.covers(found[0].policy, found[0].resource)
    ]
    async with open_client(back.owner.settings.networks) as client:
        outcomes = await asyncio.gather(*(_told(each, event, covering, client) for each in integrations))
    told = list(zip(integrations, outcomes, strict=True))
    failed = [f"{each.name}: {outcome.words}" for each, outcome in told if not isinstance(outcome, Ok)]
    if len(failed) == len(told):
        raise Failure(400, "notification_failed", "; ".join(failed))
    return answer(
        {
            "success": len(told) - len(failed),
            "failed": len(failed),
            "successfulEvents": [_line(each, outcome) for each, outcome in told if isinstance(outcome, Ok)],
            "failedEvents": [_line(each, outcome) for each, outcome in told if not isinstance(outcome, Ok)],
        },
        201,
    )


def _integrations(back: Backend, wanted: NoticeConfig) -> list[Integration]:
    """Return the integrations that are named. Raises Failure for one that can't be told this way."""
    kind = channel_of(wanted.integration_type)
    known = back.control.objects("integration")
    found: list[Any] = []
    for number, id in enumerate(dict.fromkeys(wanted.recipients)):
        where = f"onDemandNotificationConfig.recipients.{number}"
        integration = known.get(id)
        if integration is None:
            raise not_found("integration", id)
        if integration.type != kind:
            raise bad(where, f"{integration.name!r:.100} is of type {type_of(integration)}")
        if not integration.enabled:
            raise bad(where, f"{integration.name!r:.100} is disabled")
        if integration.type in TICKETS:
            raise unsupported(where, "a ticket is written by the alert rule that opened it: name it in a rule")
        found.append(integration)
    return found


def _event(alert: Alert, config: Any, by: str) -> AlertEvent:
    now = int(time.time() * 1000)
    kinds: dict[str, Any] = {"open": "opened", "resolved": "resolved", "dismissed": "dismissed", "snoozed": "snoozed"}
    return AlertEvent(
        id=f"{alert.id}-{alert.seq}-{uuid4().hex[:8]}",
        seq=alert.seq,
        kind=kinds[alert.status],
        at=now,
        by=by,
        alert=alert,
        config=config,
    )


async def _told(integration: Integration, event: AlertEvent, rules: list[RuleName], client: Client) -> Outcome:
    delivery = Delivery(integration=integration.id, event=event, rules=rules)
    return (await integration.sink.deliver([Item(delivery, {})], client))[0]


def _line(integration: Integration, outcome: Outcome) -> dict[str, Any]:
    return {
        "recipient": {"id": integration.id, "name": integration.name},
        "notificationId": str(uuid4()),
        "metaData": {"outcome": type(outcome).__name__.lower(), "message": outcome.words},
    }
