"""What an alert rule would do before it is saved: the policies and open alerts it covers, and who would hear."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.book import Judged
from agents.places import places_of
from agents.rule_reasons import unheard
from agents.rules import AlertRule
from api.control_state import control_of
from streams.alerts import Alert, AlertResource, read
from streams.control.check import read as checked

routes = APIRouter()

SCANNED = 5000
"""Open alerts that are looked at, those that changed last."""
SHOWN = 8

_PLACE = ("clouds", "accounts", "excluded_accounts", "regions", "tags", "account_groups", "resource_lists")


class RuleGiven(BaseModel):
    """An alert rule that needn't be saved."""

    model_config = ConfigDict(extra="forbid")

    rule: dict[str, Any] = Field(description="Its fields, as docs/kinds.md lists them.")


class Covered(BaseModel):
    """An open alert that the rule covers."""

    id: str = Field(description="Its id.")
    policy: str = Field(description="Its policy's name.")
    severity: str = Field(description="How bad it is.")
    resource: str = Field(description="The resource's name.")
    account: str = Field(description="Its account.")


class Hearing(BaseModel):
    """Who would hear of them."""

    integration: str = Field(description="The integration's id.")
    name: str = Field(description="What people call it.")
    words: str = Field(description="What it is told, and when.")


class RulePreview(BaseModel):
    """What an alert rule covers now."""

    policies: int = Field(description="Enabled policies that it covers.")
    policy_names: list[str] = Field(description="Some of them, the worst first.")
    open_alerts: int = Field(description="Open alerts that it covers.")
    severities: dict[str, int] = Field(description="The same by severity.")
    accounts: int = Field(description="Accounts that they are in.")
    alerts: list[Covered] = Field(description="Some of them, the newest first.")
    looked_at: int = Field(description="Open alerts that were looked at, those that changed last.")
    total: int = Field(description="Open alerts that there are.")
    channels: list[Hearing] = Field(description="One for each channel.")
    warnings: list[str] = Field(description="What is allowed, and probably not meant.")


@routes.post("/alert-rules/preview", response_model=RulePreview)
async def preview_rule(given: RuleGiven, request: Request) -> Response:
    """Say which policies and open alerts a rule covers, and who would hear of them; nothing is saved."""
    control = control_of(request)
    fields = {"name": "preview", **given.rule, "enabled": True}
    made: Any = checked(control.kind("alert-rule"), str(fields.get("id") or "preview"), fields)
    rule = made.resolved(places_of(control))
    policies = [Judged(each).told for each in request.app.state.policies().values() if each.enabled]
    anywhere = rule.model_copy(update=dict.fromkeys(_PLACE, ()) | {"tags": {}})
    nowhere = AlertResource(id="", account="", cloud="aws")
    chosen = sorted(
        (each for each in policies if anywhere.covers(each, nowhere)), key=lambda one: _WORST.index(one.severity)
    )
    total, records = await request.app.state.readers.run(_open)
    alerts = [read(Alert, record.encode())[0] for record in records]
    covered = [each for each in alerts if rule.covers(each.policy, each.resource)]
    integrations = control.objects("integration")
    counted = Counter(str(each.policy.severity) for each in covered)
    document = {
        "policies": len(chosen),
        "policy_names": [each.name for each in chosen[:SHOWN]],
        "open_alerts": len(covered),
        "severities": {name: counted[name] for name in _WORST if counted[name]},
        "accounts": len({each.resource.account for each in covered}),
        "alerts": [_line(each) for each in covered[:SHOWN]],
        "looked_at": len(alerts),
        "total": total,
        "channels": list(_hearing(made, integrations)),
        "warnings": list(unheard(made, integrations)),
    }
    return Response(orjson.dumps(document), media_type="application/json")


_WORST = ("critical", "high", "medium", "low", "informational")


def _open(cursor: Any) -> tuple[int, list[str]]:
    total = cursor.execute("select count(*) from alerts where status = 'open'").fetchone()[0]
    rows = cursor.execute(
        "select record from alerts where status = 'open' order by updated desc limit ?", [SCANNED]
    ).fetchall()
    return total, [record for (record,) in rows]


def _line(alert: Alert) -> dict[str, str]:
    resource = alert.resource
    return {
        "id": alert.id,
        "policy": alert.policy.name,
        "severity": alert.policy.severity,
        "resource": resource.name or resource.id or resource.account,
        "account": resource.account,
    }


def _hearing(rule: AlertRule, integrations: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    for channel in rule.channels:
        one = integrations.get(channel.integration)
        states = " and ".join(channel.states)
        if channel.digest is not None:
            words = f"is told of {states} alerts in one message, {channel.digest.schedule} ({channel.digest.zone})"
        elif rule.delay_s:
            words = f"is told of {states} alerts; of open ones after {_span(rule.delay_s)}"
        else:
            words = f"is told of {states} alerts as it happens"
        yield {"integration": channel.integration, "name": (one and one.name) or channel.integration, "words": words}


def _span(seconds: int) -> str:
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {word}{'s' if seconds != size else ''}"
    return f"{seconds} seconds"
