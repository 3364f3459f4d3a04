"""Notification templates tried on an alert: each field as it would be sent, and what is wrong with it."""

import time
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.sinks._payload import sample
from agents.templates import STATES, preview
from api.alerts import NoSuchAlert
from api.control_state import control_of
from streams.alerts import AlertEvent, Delivery, capped
from streams.control import Control
from streams.control.check import read
from streams.control.errors import Missing, Refused
from streams.control.saved import NotificationTemplate
from streams.store.alerts import by_id

routes = APIRouter()


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Trial(_Shape):
    """What to try: a template that is there, or one that isn't yet, and an alert."""

    template: str = Field(default="", description="The id of a notification template.")
    document: dict[str, Any] | None = Field(default=None, description="A template as it stands in a file, instead.")
    alert: str = Field(default="", description="The alert's id; empty: a made-up one, P-0.")


class FieldShown(_Shape):
    """One field."""

    state: str = Field(description=f"When it is sent: {', '.join(STATES)}.")
    field: str = Field(description="What the destination calls it.")
    label: str = Field(description="What people call it.")
    text: str = Field(description="As it would be sent; as it stands in the template where that can't be told.")
    line: int | None = Field(description="The line of its text in which something is wrong.")
    wrong: str | None = Field(description="What is wrong there.")


class Preview(_Shape):
    """Every field of a template, for one alert."""

    template: str = Field(description="The template's id.")
    alert: str = Field(description="The alert's id.")
    status: str = Field(description="Its status: `basic` and this state's fields would be sent now.")
    works: bool = Field(description="Whether these have no fault; else the destination's own form is sent.")
    fields: list[FieldShown] = Field(description="The fields, in their order.")


@routes.post("/templates/preview", response_model=Preview)
async def preview_template(trial: Trial, request: Request) -> Response:
    """Show what a notification template makes of an alert; nothing is sent."""
    template = _template(control_of(request), trial)
    delivery = await _delivery(request, trial.alert)
    shown = preview(template, delivery)
    status = delivery.event.alert.status
    document = {
        "template": template.id,
        "alert": delivery.event.alert.id,
        "status": status,
        "works": not any(each.fault for each in shown if each.state in ("basic", status)),
        "fields": [
            {
                "state": each.state,
                "field": each.field,
                "label": each.label,
                "text": each.text,
                "line": each.fault.line if each.fault else None,
                "wrong": each.fault.words if each.fault else None,
            }
            for each in shown
        ],
    }
    return Response(orjson.dumps(document), media_type="application/json")


def _template(control: Control, trial: Trial) -> NotificationTemplate:
    """Return what is to be tried. Raises Refused, Missing."""
    kind = control.kinds["notification-template"]
    if bool(trial.template) == (trial.document is not None):
        raise Refused(["template: give the id of a template, or a document, and not both"])
    if trial.document is not None:
        document = {name: value for name, value in trial.document.items() if name != "kind"}
        made: Any = read(kind, str(document.get("id") or "preview"), document, new=False)
    else:
        made = control.objects(kind.name).get(trial.template)
        if made is None:
            raise Missing(f"there is no {kind.name} {trial.template!r:.120}")
    template: NotificationTemplate = made
    return template


async def _delivery(request: Request, id: str) -> Delivery:
    """Return the alert as it would be told now. Raises NoSuchAlert."""
    if not id:
        return sample(int(time.time() * 1000))

    def find(cursor: Any) -> Any:
        rows = by_id(cursor, [id])
        if not rows:
            return None
        config = cursor.execute(
            "select json from resources where rid = md5_number_lower(?)", [rows[0].alert.resource.rrn]
        ).fetchone()
        return rows[0].alert, config[0] if config else None

    found = await request.app.state.readers.run(find)
    if found is None:
        raise NoSuchAlert(f"there is no alert {id!r:.60}; `tidegate alerts list` shows them")
    alert, config = found
    event = AlertEvent(
        id=f"{alert.id}-{alert.seq}",
        seq=alert.seq,
        kind="updated",
        at=alert.updated,
        alert=alert,
        config=None if config is None else orjson.loads(orjson.dumps(capped(config.encode()))),
    )
    return Delivery(integration="preview", event=event)
