"""Notification templates before they are saved: the fields that a ticket system has, and a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.sinks import _jira
from agents.sinks._client import Client, open_client
from agents.sinks._outcome import Ok
from agents.sinks._payload import VARIABLES
from agents.sinks._talk import SettledError, Talk, json_request
from agents.sinks.jira import Jira
from agents.sinks.servicenow import ServiceNow
from api.control_models import Tested
from api.control_state import control_of
from streams.control.check import read
from streams.control.errors import Missing, Refused
from streams.control.saved import TemplateField, TemplateOption

routes = APIRouter()

KIND = "notification-template"


class FieldList(BaseModel):
    """The fields that a ticket system has."""

    basic: list[TemplateField] = Field(description="Whatever the state.")
    open: list[TemplateField] = Field(description="Of an open alert; those that are required first.")
    resolved: list[TemplateField] = Field(description="Of a resolved one.")
    variables: list[str] = Field(description="What may stand in their texts, as `${Name}`.")


class TemplateGiven(BaseModel):
    """A template that needn't be saved."""

    model_config = ConfigDict(extra="forbid")

    template: dict[str, Any] = Field(description="Its fields, as docs/kinds.md lists them.")
    integration: str = Field(default="", description="The integration to test it with.")


@routes.get("/integrations/{id}/fields", response_model=FieldList)
async def list_fields(id: str, request: Request) -> Response:
    """Ask a ticket system which fields its tickets have, for notification templates."""
    integration: Any = control_of(request).held("integration", id).object
    sink = integration.sink
    if not isinstance(sink, Jira | ServiceNow):
        raise Missing(f"{id}: {integration.type} has no fields: notification templates are for jira and servicenow")
    async with open_client(request.app.state.owner.settings.networks) as client:
        try:
            found = await (_of_jira if isinstance(sink, Jira) else _of_servicenow)(sink, client)
        except SettledError as settled:
            raise Refused([f"{integration.name or id}: {settled.outcome.words}"]) from None
    shown = {state: [each.model_dump(mode="json") for each in fields] for state, fields in found.items()}
    return _json({**shown, "variables": list(VARIABLES)})


@routes.post("/notification-templates/test", response_model=Tested)
async def test_template(given: TemplateGiven, request: Request) -> Response:
    """Ask a ticket system whether it would take tickets made by a template; none is made."""
    template = _read(given, request)
    integration: Any = control_of(request).held("integration", given.integration or template.integration).object
    try:
        sink = integration.sink.templated(template)
    except ValueError as wrong:
        return _json({"ok": False, "outcome": "config", "message": _said(wrong)})
    async with open_client(request.app.state.owner.settings.networks) as client:
        outcome = await sink.check(client)
    ok = isinstance(outcome, Ok)
    return _json({"ok": ok, "outcome": type(outcome).__name__.lower(), "message": outcome.words})


def _read(given: TemplateGiven, request: Request) -> Any:
    kind = control_of(request).kind(KIND)
    return read(kind, str(given.template.get("id") or "preview"), {"name": "preview", **given.template})


def _said(wrong: ValueError) -> str:
    lines = [str(each["msg"]) for each in wrong.errors()] if hasattr(wrong, "errors") else [str(wrong)]
    return "; ".join(line.removeprefix("Value error, ") for line in lines)


async def _of_jira(sink: Any, client: Client) -> Mapping[str, Sequence[TemplateField]]:
    """Return Jira's fields. Raises SettledError."""
    talk, at = Talk(sink, client), f"issue/createmeta/{sink.project}/issuetypes"
    types = _jira.listed(await talk.call(sink._request("GET", f"{at}?maxResults=200")), "issueTypes")
    names = [str(each.get("name")) for each in types]
    chosen = next((each for each in types if each.get("name") == sink.issue_type), types[0] if types else {})
    wanted = _jira.listed(await talk.call(sink._request("GET", f"{at}/{chosen.get('id')}?maxResults=200")), "fields")
    answer = await talk.call(sink._request("GET", "resolution"), fine=(401, 403, 404))
    ended = orjson.loads(answer.body) if answer.status == 200 else []
    given = [_text("summary", "Summary", value="${Severity}: ${PolicyName}"), _text("description", "Description")]
    given += [
        TemplateField(field=str(id), label=str(each.get("name", id)), required=_must(each), **_kind(each))
        for each in wanted
        if (id := each.get("fieldId", each.get("key"))) and id not in _GIVEN
    ]
    return {
        "basic": [
            _text("project", "Project", required=True, value=sink.project),
            _listed("issueType", "Issue type", names, value=sink.issue_type, required=True),
        ],
        "open": sorted(given, key=lambda each: not each.required),
        "resolved": [
            _text("state", "Transition"),
            _listed("resolution", "Resolution", [str(each.get("name")) for each in ended if isinstance(each, dict)]),
        ],
    }


async def _of_servicenow(sink: Any, client: Client) -> Mapping[str, Sequence[TemplateField]]:
    """Return ServiceNow's fields. Raises SettledError."""
    talk, base = Talk(sink, client), f"{sink.host_url}/api/now/table"

    async def rows(table: str, query: str, fields: str) -> list[dict[str, Any]]:
        url = f"{base}/{table}?sysparm_query={query}&sysparm_fields={fields}&sysparm_limit=500"
        found = (await talk.call(json_request("GET", url), fine=(401, 403, 404))).fields.get("result")
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    names = await rows(
        "sys_dictionary",
        f"nameIN{sink.table},task^active=true^elementISNOTEMPTY^ORDERBYcolumn_label",
        "element,column_label,mandatory,max_length",
    )
    choices = await rows("sys_choice", f"nameIN{sink.table},task^inactive=false", "element,value,label")
    by_field: dict[str, list[TemplateOption]] = {}
    for each in choices:
        option = TemplateOption(id=str(each.get("value", "")), name=str(each.get("label", "")))
        by_field.setdefault(str(each.get("element")), []).append(option)
    fields = {}
    for each in names:
        id, most = str(each.get("element", "")), str(each.get("max_length", ""))
        if id and id not in ("description", "correlation_id", "state", "close_code") and not id.startswith("sys_"):
            fields[id] = TemplateField(
                field=id,
                label=str(each.get("column_label") or id),
                required=each.get("mandatory") == "true",
                type="list" if id in by_field else "text",
                options=tuple(by_field.get(id, ())),
                max_length=int(most) if most.isdigit() and int(most) else None,
            )
    return {
        "basic": [_listed("incidentType", "Table", ["incident", "sn_si_incident", "em_event"], value=sink.table)],
        "open": sorted(fields.values(), key=lambda each: (not each.required, each.label.casefold())),
        "resolved": [
            TemplateField(field=id, label=label, type="list", options=tuple(by_field.get(id, ())))
            for id, label in (("state", "State"), ("close_code", "Resolution code"))
        ],
    }


_GIVEN = frozenset(("summary", "description", "project", "issuetype", "reporter", "attachment", "issuelinks"))
_KINDS = {"boolean": "bool", "number": "integer", "array": "array", "option": "list", "priority": "list"}


def _text(field: str, label: str, **more: Any) -> TemplateField:
    return TemplateField(field=field, label=label, **more)


def _listed(field: str, label: str, names: Sequence[str], **more: Any) -> TemplateField:
    options = tuple(TemplateOption(name=name) for name in names)
    return TemplateField(field=field, label=label, type="list", options=options, **more)


def _must(field: Mapping[str, Any]) -> bool:
    return bool(field.get("required")) and not field.get("hasDefaultValue")


def _kind(field: Mapping[str, Any]) -> dict[str, Any]:
    allowed = [each for each in field.get("allowedValues") or () if isinstance(each, dict)]
    options = tuple(
        TemplateOption(id=str(each.get("id", "")), name=str(each.get("name", each.get("value", ""))))
        for each in allowed
    )
    kind = _KINDS.get(str((field.get("schema") or {}).get("type")), "list" if options else "text")
    return {"type": kind, "options": options}


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
