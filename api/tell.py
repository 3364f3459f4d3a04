"""The open alerts that were there before a rule or channel: counted, and told to it once where somebody wants that."""

import time
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.holds import Pace
from agents.places import places_of
from agents.rules import AlertRule, route
from api.control_state import control_of
from api.state import Owner
from streams.alerts import Alert, AlertEvent, Delivery, account_of, key_of, read, write
from streams.control.errors import Missing
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import DELIVERIES, full_name

routes = APIRouter()

AT_ONCE = 1000
"""Deliveries in one round of sending."""


class Tell(BaseModel):
    """Who is to be told."""

    model_config = ConfigDict(extra="forbid")

    integration: str = Field(default="", description="Only this one of the rule's channels; empty: all.")
    template: str | None = Field(default=None, description="Only the channel with this template.")
    dry_run: bool = Field(default=False, description="Only count.")


class Told(BaseModel):
    """What that is."""

    rule: str = Field(description="The rule's id.")
    open_alerts: int = Field(description="Open alerts that the rule covers and its channels want to hear of.")
    messages: int = Field(description="Messages about them, digests counted by their alerts.")
    sent: bool = Field(description="Whether they are on their way.")


@routes.post("/alert-rules/{id}/tell", response_model=Told)
async def tell_open(id: str, order: Tell, request: Request) -> Response:
    """Tell a rule's channels of the alerts that are open already; what comes later they hear of anyway.

    By the rule's own digests, and no more at once than a channel takes in an hour.
    """
    control = control_of(request)
    rule: AlertRule | None = control.objects("alert-rule").get(id)
    if rule is None:
        raise Missing(f"there is no alert-rule {id!r:.120}")
    chosen = tuple(
        each
        for each in rule.channels
        if order.integration in ("", each.integration) and order.template in (None, each.template)
    )
    if not chosen:
        raise Missing(f"alert-rule {id} has no channel {order.integration} {order.template or ''}".rstrip())
    resolved = rule.model_copy(update={"channels": chosen}).resolved(places_of(control))
    records: list[str] = await request.app.state.readers.run(_open)
    deliveries = _deliveries(resolved, records, int(time.time() * 1000))
    owner: Owner = request.app.state.owner
    if not order.dry_run:
        await _send(owner.settings, deliveries)
    document = {
        "rule": id,
        "open_alerts": len({each.event.alert.id for each in deliveries}),
        "messages": len(deliveries),
        "sent": not order.dry_run,
    }
    return Response(orjson.dumps(document), media_type="application/json")


def _open(cursor: Any) -> list[str]:
    rows = cursor.execute("select record from alerts where status = 'open' order by opened, id").fetchall()
    return [record for (record,) in rows]


def _deliveries(rule: AlertRule, records: Sequence[str], now: int) -> list[Delivery]:
    pace = Pace()
    made: list[Delivery] = []
    for record in records:
        alert = read(Alert, record.encode())[0]
        event = AlertEvent(id=f"{alert.id}-{alert.seq}", seq=alert.seq, kind="updated", at=now, alert=alert)
        made += [each for each in route([rule], event, pace) if not each.withdraws]
    return made


async def _send(settings: Settings, deliveries: Sequence[Delivery]) -> None:
    topic = full_name(settings, DELIVERIES)
    async with BatchProducer(settings) as producer:
        for begin in range(0, len(deliveries), AT_ONCE):
            part = deliveries[begin : begin + AT_ONCE]
            await producer.send(
                topic, [(partition_of(account_of(one), settings.partitions), key_of(one), write(one)) for one in part]
            )
