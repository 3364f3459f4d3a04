"""What an alert's rules are, as the API gives it: which cover it, who hears of it, and why the others don't."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.places import places_of
from agents.rule_reasons import why_not
from agents.rules import AlertRule, Places
from api.alerts import NoSuchAlert
from api.control_state import control_of
from api.tell import routes as tell_routes
from api.templates import routes as template_routes
from streams.store.alerts import by_id

routes = APIRouter()
routes.include_router(template_routes)
routes.include_router(tell_routes)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Heard(_Shape):
    """One channel of a rule."""

    integration: str = Field(description="The integration's id.")
    template: str = Field(description="The template's id; empty: the destination's own form.")
    states: list[str] = Field(description="The states that it is told of.")
    told: bool = Field(description="Whether it is told of the alert as it is now.")


class RuleOfAlert(_Shape):
    """One alert rule, and what it makes of an alert."""

    id: str = Field(description="The rule's id.")
    name: str = Field(description="Its name.")
    covers: bool = Field(description="Whether it covers the alert.")
    why_not: list[str] = Field(description="What keeps it from that.")
    channels: list[Heard] = Field(description="Who hears of what it covers.")


class RulesOfAlert(_Shape):
    """Every alert rule, and what it makes of an alert."""

    alert: str = Field(description="The alert's id.")
    status: str = Field(description="Its status.")
    rules: list[RuleOfAlert] = Field(description="Those that cover it first.")


@routes.get("/alerts/{id}/rules", response_model=RulesOfAlert)
async def explain_rules(id: str, request: Request) -> Response:
    """Say which alert rules cover an alert, and why the others don't; without those of the operator's file."""
    rows = await request.app.state.readers.run(lambda cursor: by_id(cursor, [id]))
    if not rows:
        raise NoSuchAlert(f"there is no alert {id!r:.60}; `tidegate alerts list` shows them")
    alert = rows[0].alert
    control = control_of(request)
    places = places_of(control)
    rules = [_explained(rule, alert, places) for rule in control.objects("alert-rule").values()]
    rules.sort(key=lambda each: (not each["covers"], each["id"]))
    document = {"alert": alert.id, "status": alert.status, "rules": rules}
    return Response(orjson.dumps(document), media_type="application/json")


def _explained(rule: AlertRule, alert: Any, places: Places) -> dict[str, Any]:
    reasons = why_not(rule, alert.policy, alert.resource, places)
    return {
        "id": rule.id,
        "name": rule.name,
        "covers": not reasons,
        "why_not": reasons,
        "channels": [
            {
                "integration": channel.integration,
                "template": channel.template,
                "states": list(channel.states),
                "told": not reasons and alert.status in channel.states,
            }
            for channel in rule.channels
        ],
    }
