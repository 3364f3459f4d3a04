"""Connectors as the API and the command line give them: how far each inbound integration is, and what is done to it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined, to_jsonable_python

from agents.connectors import CONNECTORS
from agents.connectors._base import Connector, Way, checked
from agents.inbound import InboundIntegration
from agents.pull import Order, Pulls
from agents.pull.closing import close_findings
from agents.sinks._client import open_client
from agents.sinks._outcome import Ok, Outcome
from api.control_models import Tested
from api.control_state import control_of
from api.rights import who
from streams.control import Edit
from streams.control.errors import InUse, Missing
from streams.control.secret_fields import may_hold_secrets
from streams.errors import BrokerError
from streams.pulls import Amount, Pull
from streams.settings import Settings

KIND = "inbound-integration"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SettingInfo(_Shape):
    """One setting of a connector."""

    name: str = Field(description="Its name.")
    needed: bool = Field(description="Whether it must be given.")
    secret: bool = Field(description="Whether it's a secret.")
    about: str = Field(description="What it is.")
    default: Any = Field(description="What it is when it isn't given.")
    example: Any = Field(description="An example; none of a secret.")


class TypeInfo(_Shape):
    """One type of inbound integrations."""

    type: str = Field(description="Its name.")
    about: str = Field(description="What it asks for.")
    prisma: str = Field(description="What clients of the product's API call it.")
    source: str = Field(description="The finding.source of what it brings.")
    settings: list[SettingInfo] = Field(description="Its settings.")


class Types(_Shape):
    """The types that there are."""

    types: list[TypeInfo] = Field(description="By name.")


class Sent(_Shape):
    """How much was sent to the raw topic."""

    messages: int = Field(description="Messages.")
    bytes: int = Field(description="Their bytes.")
    items: int = Field(description="Findings, assets and rows in them.")


class ConnectorInfo(_Shape):
    """An inbound integration and how far it is. Times: milliseconds since 1970 UTC."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What people call it.")
    type: str = Field(description="Its type.")
    enabled: bool = Field(description="Whether it's pulled.")
    origin: Literal["control", "file"] = Field(description="Where it's set up: the control plane, the operator's file.")
    state: Literal["new", "pulling", "waiting", "failed", "disabled", "kept"] = Field(
        description="`waiting` for its next pull; `failed`: the pull wasn't complete and is gone on with; `kept`: no"
        " connector pulls this type."
    )
    message: str = Field(description="How far the pull is, or why it failed.")
    changed: int | None = Field(description="When this was noted.")
    began: int | None = Field(description="When the last pull began.")
    ended: int | None = Field(description="When a pull was complete.")
    next: int | None = Field(description="When it goes on.")
    failures: int = Field(description="How many pulls in a row failed.")
    backfilled: bool = Field(description="Whether a first pull was complete.")
    run: Sent = Field(description="What the last pull has sent.")
    total: Sent = Field(description="What all have sent.")


class Connectors(_Shape):
    """Every inbound integration."""

    connectors: list[ConnectorInfo] = Field(description="By id.")


class Ordered(_Shape):
    """An order to pull was given."""

    id: str = Field(description="The integration's id.")


class Deleted(_Shape):
    """What became of an integration and its findings."""

    id: str = Field(description="The integration's id.")
    deleted: bool = Field(description="Whether it is deleted.")
    open_findings: int = Field(description="How many findings of its vendor were open.")
    closed: int = Field(description="How many of them were closed.")
    message: str = Field(description="What becomes of them, and of the alerts that rest on them.")


routes = APIRouter(prefix="/connectors")


@routes.get("", response_model=Connectors)
async def list_connectors(request: Request) -> Response:
    """List the inbound integrations, and how far each has pulled."""
    return _json({"connectors": [_described(request, one) for _, one in sorted(_inbound(request).items())]})


@routes.get("/types", response_model=Types)
async def list_connector_types(request: Request) -> Response:
    """List the types of inbound integrations, with their settings."""
    return _json({"types": [_type(kind) for kind in CONNECTORS.values()]})


@routes.get("/{id}", response_model=ConnectorInfo)
async def show_connector(id: str, request: Request) -> Response:
    """Show one inbound integration, and how far it has pulled."""
    return _json(_described(request, _one(request, id)))


@routes.post("/{id}/test", response_model=Tested)
async def test_connector(id: str, request: Request) -> Response:
    """Make harmless calls that show whether an inbound integration's settings are right."""
    connector = _pulled(_one(request, id))
    outcome = await tried(connector, request.app.state.owner.settings)
    ok = isinstance(outcome, Ok)
    return _json({"ok": ok, "outcome": type(outcome).__name__.lower(), "message": outcome.words})


@routes.post("/{id}/pull", response_model=Ordered, status_code=202)
async def pull_connector(
    id: str,
    request: Request,
    from_start: Annotated[bool, Query(description="Forget the place to go on at: everything comes again.")] = False,
) -> Response:
    """Pull now, on whichever worker it falls to."""
    one = _one(request, id)
    _pulled(one)
    pulls: Pulls | None = getattr(request.app.state.owner, "pulls", None)
    if pulls is None:
        raise BrokerError("connectors can't be reached from this process")
    await pulls.ask(one.id, Order(int(time.time() * 1000), from_start))
    return _json({"id": one.id}, 202)


@routes.delete("/{id}", response_model=Deleted)
async def delete_connector(
    id: str,
    request: Request,
    findings: Annotated[
        Literal["keep", "close"], Query(description="What becomes of open findings: they stay, or they are closed.")
    ] = "keep",
    dry_run: Annotated[bool, Query(description="Only say what would become of them.")] = False,
) -> Response:
    """Delete an inbound integration with its place to go on at, and say what becomes of its findings and alerts."""
    control = control_of(request)
    one = _one(request, id)
    if id not in control.objects(KIND):
        raise InUse(f"integration {id} stands in the operator's file: take it out there, and start again")
    settings: Settings = request.app.state.owner.settings
    kind = CONNECTORS.get(one.type)
    if findings == "close" and kind is not None:
        others = sorted(o.id for o in _inbound(request).values() if o.type == one.type and o.id != id)
        if others:
            raise InUse(
                f"findings of {kind.source} come from {', '.join(others)} as well and can't be told apart:"
                " keep them (findings=keep), or delete the others first"
            )
        if not dry_run:
            await control.change([Edit(KIND, id, {"enabled": False}, merge=True)], by=who(request))
            await _until_it_rests(request, id)
    closing = findings == "close" and not dry_run
    counted = await close_findings(settings, kind.source, dry_run=not closing) if kind else None
    if not dry_run:
        await control.change([Edit(KIND, id, None)], by=who(request))
    open_, closed = counted or (0, 0)
    words = _FATE[findings].format(open=open_, source=kind.source if kind else one.type)
    return _json({"id": id, "deleted": not dry_run, "open_findings": open_, "closed": closed, "message": words})


_FATE: Mapping[str, str] = {
    "keep": "{open} open findings of {source} stay open, and so do the alerts that rest on them, until other news of"
    " them comes; findings=close closes them",
    "close": "{open} open findings of {source} are closed, those that came another way too, and the alerts that rest"
    " on them resolve; should the vendor tell of one again, it's open again",
}


async def tried(connector: Connector, settings: Settings) -> Outcome:
    """Return what came of the connector's check."""
    async with open_client(settings.networks) as client:
        return await checked(connector, Way(client, asyncio.sleep))


def state_of(request: Request, one: InboundIntegration) -> Pull:
    """Return how far *one* is, as it's known here."""
    pulls: Pulls | None = getattr(request.app.state.owner, "pulls", None)
    had = pulls.all.get(one.id) if pulls is not None else None
    return had if had is not None else Pull(id=one.id, type=one.type)


def _inbound(request: Request) -> Mapping[str, InboundIntegration]:
    arrangement: Any = getattr(request.app.state.owner, "arrangement", None)
    if arrangement is None and request.app.state.control is None:
        return {}
    found: Mapping[str, InboundIntegration] = (
        arrangement.inbound() if arrangement is not None else control_of(request).objects(KIND)
    )
    return found


def _one(request: Request, id: str) -> InboundIntegration:
    found = _inbound(request)
    if id not in found:
        raise Missing(f"there is no {KIND} {id!r:.120}")
    return found[id]


def _pulled(one: InboundIntegration) -> Connector:
    """Return the connector. Raises IntegrationError, and Missing where the type is only kept."""
    if one.connector is None:
        raise Missing(f"{one.type} is only kept: there is no connector for it")
    return one.connector


async def _until_it_rests(request: Request, id: str) -> None:
    """Wait until nobody pulls it, for some seconds at most: who dies while pulling doesn't say so."""
    for _ in range(40):
        found = _one(request, id)
        if state_of(request, found).state in ("disabled", "new"):
            return
        await asyncio.sleep(0.25)


def _described(request: Request, one: InboundIntegration) -> dict[str, Any]:
    pull = state_of(request, one)
    control = request.app.state.control
    kept = one.type not in CONNECTORS
    state = "kept" if kept else "disabled" if not one.enabled else "new" if pull.state == "disabled" else pull.state
    return {
        "id": one.id,
        "name": one.name,
        "type": one.type,
        "enabled": one.enabled,
        "origin": "control" if control is not None and one.id in control.objects(KIND) else "file",
        "state": state,
        "message": pull.words,
        "changed": pull.at or None,
        "began": pull.began,
        "ended": pull.ended,
        "next": pull.next,
        "failures": pull.failures,
        "backfilled": pull.backfilled,
        "run": _sent(pull.run),
        "total": _sent(pull.total),
    }


def _sent(amount: Amount) -> dict[str, int]:
    return {"messages": amount.messages, "bytes": amount.bytes, "items": amount.items}


def _type(kind: type[Connector]) -> dict[str, Any]:
    settings = []
    for name, field in kind.model_fields.items():
        secret = may_hold_secrets(field.annotation)
        default = None if secret or field.default is PydanticUndefined else to_jsonable_python(field.default)
        settings.append(
            {
                "name": name,
                "needed": field.is_required(),
                "secret": secret,
                "about": field.description or "",
                "default": default,
                "example": None if secret or not field.examples else field.examples[0],
            }
        )
    about = " ".join((kind.__doc__ or "").split())
    return {"type": kind.name, "about": about, "prisma": kind.prisma, "source": kind.source, "settings": settings}


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
