"""Integrations, in both families of paths: those that are told of alerts, and those that bring data in."""

import asyncio
import time
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from agents.connectors._base import Way, checked
from agents.sinks._client import open_client
from agents.sinks._outcome import Ok
from api.prisma.access import may_change, may_read, session_of
from api.prisma.backend import Backend, Shape, answer, backend, change, nothing
from api.prisma.failures import Failure, bad, not_found
from api.prisma.integration_types import (
    BASE,
    CHANNELS,
    INBOUND,
    PULLED,
    channel_of,
    config_of,
    form_of,
    inbound_config,
    inbound_settings,
    inbound_type_of,
    renamed,
    settings_of,
    type_of,
)
from api.prisma.kept import Kept, all_kept, kept, removing, saving
from streams.control import Edit
from streams.control.check import read, refuse_references, unmasked
from streams.control.errors import Refused
from streams.control.show import shown

reads = APIRouter(tags=["Integrations"], dependencies=[Depends(may_read)])
writes = APIRouter(tags=["Integrations"], dependencies=[Depends(may_change)])

OUT, IN = "integration", "inbound-integration"
V1 = "/api/v1/tenant/{prisma_id}/integration"


class IntegrationBody(Shape):
    """An integration to write."""

    name: str = Field(min_length=1, max_length=255, description="What people call it; no two are called the same.")
    description: str | None = Field(default="", max_length=10_000, description="What it is for.")
    enabled: bool = Field(default=True, description="When it isn't, what it would be told waits.")
    integration_type: str | None = Field(
        default=None, description="In any case; it stays when absent.", examples=["webhook"]
    )
    integration_config: dict[str, Any] = Field(
        description="Its settings. Asterisks in place of a secret keep it.",
        examples=[{"url": "https://hooks.example.com/x", "headers": []}],
    )


class Switch(Shape):
    """Whether an integration is enabled."""

    enabled: bool = Field(description="Whether it is told of alerts.")


def of_tenant(prisma_id: Annotated[str, Path(description="As GET /license says.")], request: Request) -> None:
    """Refuse a path that names another tenant. Raises Failure."""
    if prisma_id != backend(request).signer.tenant:
        raise not_found("tenant", prisma_id)


TENANT = [Depends(of_tenant)]


@reads.get("/integration/type")
async def list_types() -> Response:
    """List the types of integrations."""
    return answer(sorted((*CHANNELS, *INBOUND)))


@reads.get(V1 + "/channels", dependencies=TENANT)
async def list_channels() -> Response:
    """List the types of integrations that are told of alerts."""
    return answer(sorted(CHANNELS))


@reads.get("/integration/name")
async def list_names(
    request: Request,
    type: Annotated[str | None, Query(description="Only of this type.")] = None,
    onlyEnabled: Annotated[bool, Query(description="Only those that are enabled.")] = False,
) -> Response:
    """List integrations by id and name."""
    found = _list(request, (OUT, IN), type, onlyEnabled, [])
    return answer([{"id": each["id"], "name": each["name"]} for each in found])


@reads.get("/integration")
async def list_integrations(
    request: Request, type: Annotated[str | None, Query(description="Only of this type.")] = None
) -> Response:
    """List integrations of both directions."""
    return answer(_list(request, (OUT, IN), type, False, []))


@reads.get(V1, dependencies=TENANT)
async def list_tenants_integrations(
    request: Request,
    ids: Annotated[list[str] | None, Query(description="Only these.")] = None,
    type: Annotated[str | None, Query(description="Only of this type.")] = None,
    onlyEnabled: Annotated[bool, Query(description="Only those that are enabled.")] = False,
) -> Response:
    """List integrations that are told of alerts."""
    return answer(_list(request, (OUT,), type, onlyEnabled, ids or []))


@reads.get("/integration/{id}")
@reads.get(V1 + "/{id}", dependencies=TENANT)
async def show_integration(id: str, request: Request) -> Response:
    """Show one integration."""
    return answer(_shown(request, *_find(backend(request), id)))


@writes.post("/integration/test")
async def try_integration(
    asked: IntegrationBody,
    request: Request,
    id: Annotated[str | None, Query(description="Of the integration whose secrets stand for asterisks.")] = None,
) -> Response:
    """Make one harmless call with these settings, and say what came of it."""
    ok, words = await _tested(request, asked, id)
    errors = [] if ok else [{"i18nKey": "integration_test_failed", "severity": "ERROR", "subject": words}]
    return answer({"success": ok, "statusCode": 200 if ok else 400, "errorMessages": errors, "tests": []})


@writes.post(V1 + "/test", dependencies=TENANT, response_class=Response)
async def try_tenants_integration(
    asked: IntegrationBody,
    request: Request,
    id: Annotated[str | None, Query(description="Of the integration whose secrets stand for asterisks.")] = None,
) -> Response:
    """Make one harmless call with these settings; an error when it fails."""
    ok, words = await _tested(request, asked, id)
    if not ok:
        raise Failure(400, "integration_test_failed", words)
    return nothing()


@writes.post("/integration")
@writes.post(V1, dependencies=TENANT)
async def create_integration(asked: IntegrationBody, request: Request) -> Response:
    """Make an integration."""
    if asked.integration_type is None:
        raise bad("integrationType", "missing")
    return await _write(request, str(uuid4()), asked, asked.integration_type)


@writes.put("/integration/{id}")
@writes.put(V1 + "/{id}", dependencies=TENANT)
async def update_integration(id: str, asked: IntegrationBody, request: Request) -> Response:
    """Write an integration anew; its type stays."""
    kind, found = _find(backend(request), id)
    type = inbound_type_of(found.object) if kind == IN else type_of(found.object)
    if asked.integration_type and asked.integration_type.lower() != type:
        raise bad("integrationType", f"{asked.integration_type!r:.60}: it is of type {type}, and stays so")
    return await _write(request, id, asked, type)


@writes.patch("/integration/{id}", response_class=Response)
@writes.patch(V1 + "/{id}", dependencies=TENANT, response_class=Response)
async def switch_integration(id: str, asked: Switch, request: Request) -> Response:
    """Enable or disable an integration."""
    kind, _ = _find(backend(request), id)
    await change(request, [Edit(kind, id, {"enabled": asked.enabled}, merge=True)])
    return nothing()


@writes.delete("/integration/{id}", response_class=Response)
@writes.delete(V1 + "/{id}", dependencies=TENANT, response_class=Response)
async def delete_integration(id: str, request: Request) -> Response:
    """Delete an integration that no alert rule names."""
    back = backend(request)
    kind, _ = _find(back, id)
    await change(request, removing(back.control, kind, id))
    return nothing()


def _find(back: Backend, id: str) -> tuple[str, Kept]:
    for kind in (OUT, IN):
        if id in back.control.objects(kind):
            return kind, kept(back.control, kind, id, "integration")
    raise not_found("integration", id)


def _list(
    request: Request, kinds: tuple[str, ...], type: str | None, enabled: bool, ids: list[str]
) -> list[dict[str, Any]]:
    control = backend(request).control
    found = [_shown(request, kind, each) for kind in kinds for each in all_kept(control, kind)]
    return [
        each
        for each in found
        if (not type or each["integrationType"] == type.lower())
        and (not enabled or each["enabled"])
        and (not ids or each["id"] in ids)
    ]


async def _write(request: Request, id: str, asked: IntegrationBody, type: str) -> Response:
    back = backend(request)
    plain = type.strip().lower()
    kind = IN if plain in INBOUND else OUT
    document = _inbound(back, plain, id, asked) if kind == IN else _outbound(back, plain, id, asked)
    if any(other.name == asked.name and one != id for one, other in back.control.objects(kind).items()):
        raise Failure(409, "integration_already_exists", f"name: {asked.name!r:.100} is another integration's")
    fields: dict[str, Any] = {"description": asked.description or ""}
    if kind == OUT:
        fields |= {"config": form_of(plain, asked.integration_config)}
    elif asked.integration_config.get(BASE):
        fields |= {"config": {BASE: asked.integration_config[BASE]}}
    try:
        await change(request, saving(request, kind, id, document, fields))
    except Refused as refused:
        raise Refused([renamed(plain, line) for line in refused.lines]) from None
    return answer(_shown(request, *_find(back, id)))


def _inbound(back: Backend, type: str, id: str, asked: IntegrationBody) -> dict[str, Any]:
    held = back.control.objects(IN).get(id)
    before = shown(back.control.kinds[IN], held)["settings"] if held else {}
    return {
        "name": asked.name,
        "type": PULLED.get(type, type),
        "description": asked.description or "",
        "enabled": asked.enabled,
        "settings": inbound_settings(type, asked.integration_config, before),
    }


def _outbound(back: Backend, type: str, id: str, asked: IntegrationBody) -> dict[str, Any]:
    name = channel_of(type)
    held = back.control.objects(OUT).get(id)
    before = shown(back.control.kinds[OUT], held)["settings"] if held else {}
    settings = settings_of(type, asked.integration_config, before)
    return {"name": asked.name, "type": name, "enabled": asked.enabled, "settings": settings}


def _shown(request: Request, kind: str, each: Kept) -> dict[str, Any]:
    made, said = each.object, each.fields
    if kind == IN:
        type = inbound_type_of(made)
        config = inbound_config(type, made.settings, said.get("config") or {})
        status = _pulled(request, each.id)
    else:
        type = type_of(made)
        admin = session_of(request).role == "admin"
        config = config_of(type, made.settings, said.get("config") or {}, admin=admin)
        status = backend(request).jobs.get(f"test:{each.id}") or {"status": "NA", "reason": None}
    control = backend(request).control
    return {
        "id": each.id,
        "name": made.name or each.id,
        "description": made.description if kind == IN else str(said.get("description") or ""),
        "enabled": made.enabled,
        "integrationType": type,
        "integrationConfig": config,
        "createdBy": each.made_by,
        "createdTs": each.made_at,
        "lastModifiedBy": each.changed_by,
        "lastModifiedTs": each.changed_at,
        **status,
        "valid": status["status"] != "RED",
        "alertRules": [
            {"policyScanConfigId": id, "name": rule.name}
            for id, rule in control.objects("alert-rule").items()
            if any(channel.integration == each.id for channel in rule.channels)
        ],
    }


async def _tested(request: Request, asked: IntegrationBody, id: str | None) -> tuple[bool, str]:
    """Return whether a call with these settings succeeded, and what was answered. Raises Failure, Refused."""
    back = backend(request)
    if id is not None:
        kind, found = _find(back, id)
        type = asked.integration_type or (inbound_type_of if kind == IN else type_of)(found.object)
    else:
        type = asked.integration_type or ""
    plain = type.strip().lower()
    side = IN if plain in INBOUND else OUT
    if side == IN and plain not in PULLED:
        raise bad("integrationType", f"{plain}: it is only kept, Tidegate doesn't call it")
    document = (_inbound if side == IN else _outbound)(back, plain, id or "", asked)
    held = back.control.objects(side).get(id) if id else None
    kind_ = back.control.kinds[side]
    before = held.model_dump() | {"settings": _plain(held.settings)} if held else {}
    document = unmasked(kind_, id or "test", document, before)
    if session_of(request).key:
        refuse_references(kind_, id or "test", document, before)
    integration: Any = read(kind_, id or "test", document)
    async with open_client(back.owner.settings.networks) as client:
        if side == IN:
            outcome = await checked(integration.connector, Way(client, asyncio.sleep))
        else:
            outcome = await integration.sink.check(client)
    ok = isinstance(outcome, Ok)
    if id is not None:
        told = {"status": "GREEN" if ok else "RED", "reason": _reason(outcome.words, int(time.time() * 1000))}
        back.jobs.put(f"test:{id}", told)
    return ok, outcome.words


def _pulled(request: Request, id: str) -> dict[str, Any]:
    """Return how the pulls of an integration go, else what its last test said."""
    pulls: Any = getattr(backend(request).owner, "pulls", None)
    pull = pulls.all.get(id) if pulls is not None else None
    if pull is None or pull.state not in ("waiting", "failed", "pulling"):
        return backend(request).jobs.get(f"test:{id}") or {"status": "NA", "reason": None}
    status = "RED" if pull.failures else "GREEN" if pull.backfilled else "YELLOW"
    return {"status": status, "reason": _reason(pull.words, pull.at)}


def _reason(words: str, at: int) -> dict[str, Any]:
    return {"lastUpdated": at, "errorType": "TEST", "message": words, "details": None}


def _plain(value: Any) -> Any:
    """Return settings with their secrets as texts."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value
