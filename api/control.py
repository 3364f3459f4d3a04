"""The control plane's paths of the HTTP API: objects of every kind, read and written with their versions."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from agents.sinks._client import open_client
from agents.sinks._outcome import Ok
from api import control_models as models
from api import control_rules
from api.control_state import control_of
from api.rights import who
from streams.control import Control, Edit
from streams.control.access import add_access_key
from streams.control.apply import Given, edits, with_sources
from streams.control.audit import newest
from streams.control.errors import InUse, Missing, Refused, SealError, Stale
from streams.control.kinds import Kind
from streams.control.plan import Planned, State, references
from streams.control.show import as_json, described

STATUS: dict[type[Exception], int] = {Missing: 404, Stale: 412, Refused: 422, InUse: 409, SealError: 409}
"""What an error of the control plane is in HTTP."""

_objects = APIRouter(prefix="/control")

IfMatch = Annotated[str | None, Header(description="The version that was read; another one now is an error, 412.")]
Brief = Annotated[bool, Query(description="Without the fields that are as by default.")]


@_objects.get("", response_model=models.KindList)
async def list_kinds(request: Request) -> Response:
    """List the kinds of objects, and what can't be used."""
    control = control_of(request)
    kinds = [
        {"kind": kind.name, "plural": kind.plural, "about": kind.about, "count": len(control.objects(kind.name))}
        for kind in control.kinds.values()
    ]
    return _json({"kinds": kinds, "problems": sorted(control.problems.values())})


@_objects.post("", response_model=models.Changes)
async def apply_objects(order: models.ApplyOrder, request: Request) -> Response:
    """Make objects as they are to be, all or none.

    An object is written where it differs. References are checked as if all were there, so the order doesn't matter.
    """
    control = control_of(request)
    given = [Given(each.kind, each.document, each.source) for each in order.objects]
    sources: dict[str, str] = {}

    def wanted(state: State) -> list[Edit]:
        made, places = edits(control.kinds, state, given, prune=order.prune)
        sources.update(places)
        return [edit._replace(version=order.seen.get(f"{edit.kind} {edit.id}")) for edit in made]

    try:
        done = await control.change(wanted, by=who(request), origin="files", dry_run=order.dry_run)
    except Refused as refused:
        raise with_sources(refused, sources) from None
    return _json({"changes": [_change(each) for each in done], "dry_run": order.dry_run})


@_objects.post("/keys/rotate", response_model=models.Rotated)
async def rotate_keys(request: Request) -> Response:
    """Make a new key and seal every secret with it; keys of the operator's stay, and the first of them seals.

    The old key is dropped, unless objects that can't be read may still need it.
    """
    control = control_of(request)
    if control.keys.ours:
        await asyncio.to_thread(control.keys.add)
    resealed = await control.reseal(by=who(request))
    replaced = control.keys.ours and not control.problems  # what can't be read may be sealed with an old one
    if replaced:
        await asyncio.to_thread(control.keys.forget)
    problems = sorted(control.problems.values())
    return _json({"key": control.keys.current, "resealed": resealed, "replaced": replaced, "problems": problems})


@_objects.post("/access-keys", response_model=models.NewAccessKey, status_code=201)
async def create_access_key(order: models.AccessKeyOrder, request: Request) -> Response:
    """Make an access key. Its secret is in the answer, and never shown again."""
    id, secret = await add_access_key(control_of(request), order.user, order.name, order.expires, by=who(request))
    return _json({"id": id, "secret": secret}, 201)


@_objects.post("/integrations/{id}/test", response_model=models.Tested)
async def test_integration(id: str, request: Request) -> Response:
    """Make one harmless call that shows whether an integration's settings are right."""
    control = control_of(request)
    integration: Any = control.held("integration", id).object
    async with open_client(request.app.state.owner.settings.networks) as client:
        outcome = await integration.sink.check(client)
    ok = isinstance(outcome, Ok)
    return _json({"ok": ok, "outcome": type(outcome).__name__.lower(), "message": outcome.words})


@_objects.get("/audit-log", response_model=models.AuditLog)
async def list_changes(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most lines to answer.")] = 50,
    kind: Annotated[str | None, Query(description="Only of this kind.")] = None,
    id: Annotated[str | None, Query(description="Only of the object with this id.")] = None,
    by: Annotated[str | None, Query(description="Only this user's.")] = None,
) -> Response:
    """List who changed what, and when, the newest first."""
    asked = {"kind": control_of(request).kind(kind).name if kind else None, "id": id, "by": by}

    def wanted(line: dict[str, Any]) -> bool:
        return all(value is None or line.get(name) == value for name, value in asked.items())

    lines = await newest(request.app.state.owner.settings, limit=limit, wanted=wanted)
    return _json({"lines": [models.AuditLine.model_validate(line).model_dump() for line in lines]})


@_objects.get("/{kind}", response_model=models.ObjectList)
async def list_objects(kind: str, request: Request, brief: Brief = False) -> Response:
    """List the objects of a kind."""
    control = control_of(request)
    found = control.kind(kind)
    held = control.state()[found.name]
    return _json({"objects": [described(found, held[id], brief=brief) for id in sorted(held)]})


@_objects.get("/{kind}/{id}", response_model=models.OneObject)
async def show_object(kind: str, id: str, request: Request, brief: Brief = False) -> Response:
    """Show one object, and what refers to it. The header ETag is its version."""
    control = control_of(request)
    return _one(control, control.kind(kind), id, brief=brief)


@_objects.put("/{kind}/{id}", response_model=models.OneObject)
async def put_object(
    kind: str, id: str, document: models.AnyObject, request: Request, if_match: IfMatch = None
) -> Response:
    """Make an object as it is to be; without If-Match whatever there is now. `If-Match: 0`: there must be none."""
    control = control_of(request)
    found = control.kind(kind)
    await control.change([Edit(found.name, id, _fields(document), _version(if_match))], by=who(request))
    return _one(control, found, id)


@_objects.patch("/{kind}/{id}", response_model=models.OneObject)
async def patch_object(
    kind: str, id: str, document: models.AnyObject, request: Request, if_match: IfMatch = None
) -> Response:
    """Change some fields of an object, as a JSON merge patch says: null takes a field away."""
    control = control_of(request)
    found = control.kind(kind)
    await control.change([Edit(found.name, id, _fields(document), _version(if_match), merge=True)], by=who(request))
    return _one(control, found, id)


@_objects.delete("/{kind}/{id}", response_model=models.ChangeInfo)
async def delete_object(kind: str, id: str, request: Request, if_match: IfMatch = None) -> Response:
    """Delete an object that nothing refers to. One that comes with Tidegate is again as it came."""
    control = control_of(request)
    done = await control.change([Edit(control.kind(kind).name, id, None, _version(if_match))], by=who(request))
    return _json(_change(done[0]))


def _one(control: Control, kind: Kind, id: str, *, brief: bool = False) -> Response:
    held = control.held(kind.name, id)
    users = sorted(
        f"{other.name} {user}: {path}"
        for other in control.kinds.values()
        if kind.name in other.refers.values()
        for user, made in control.objects(other.name).items()
        for path, wanted, named in references(other, made)
        if (wanted, named) == (kind.name, id)
    )
    warnings = list(kind.warn(held.object, control.objects))
    answer = _json({**described(kind, held, brief=brief), "used_by": users, "warnings": warnings})
    answer.headers["etag"] = f'"{held.version}"'
    return answer


def _change(each: Planned) -> dict[str, Any]:
    made = each.after or (each.before and each.before.object)
    return {
        "kind": each.kind.name,
        "id": each.id,
        "name": getattr(made, "name", "") or each.id,
        "action": each.action,
        "version": each.before.version if each.before else 0,
        "differences": [as_json(one) for one in each.differences],
        "warnings": list(each.warnings),
    }


def _fields(document: models.AnyObject) -> dict[str, Any]:
    return dict(document.model_extra or {})


def _version(header: str | None) -> int | None:
    """Return the version that If-Match names. Raises Refused."""
    if header is None or header.strip() == "*":
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused([f"If-Match: {header!r:.60}: wanted a version as ETag gives it, such as 17"])
    return int(text)


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


routes = APIRouter()
"""Every path; at the end, when all are known."""
routes.include_router(_objects)
routes.include_router(control_rules.routes)
