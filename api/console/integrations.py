"""Integrations of both directions, each with a light and why it has it; and settings tried before they are saved."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.connectors._base import Way, checked
from agents.sinks._client import open_client
from agents.sinks._outcome import Ok
from api.console.integration_types import Direction
from api.control_models import Tested
from api.control_state import control_of
from api.deliveries import listing
from api.rights import is_local
from streams.control import Control
from streams.control.check import read, refuse_references, unmasked
from streams.control.errors import Missing

routes = APIRouter()

KINDS: Mapping[Direction, str] = {"out": "integration", "in": "inbound-integration"}

State = Literal["ok", "warn", "bad", "off"]


class IntegrationShown(BaseModel):
    """One integration and how it does. Times: ms since 1970 UTC."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What people call it.")
    type: str = Field(description="Its type.")
    direction: Direction = Field(description="`out`: told of alerts; `in`: asked for findings.")
    enabled: bool = Field(description="Whether it is used.")
    version: int = Field(description="For If-Match.")
    changed_at: int | None = Field(description="When it was changed last.")
    changed_by: str = Field(description="Who changed it last.")
    state: State = Field(description="A light: green, yellow, red, or none.")
    word: str = Field(description="The state in a word or two.")
    words: str = Field(description="Why, in a sentence.")
    waiting: int = Field(description="Deliveries that are open.")
    used_by: list[str] = Field(description="Names of the alert rules that name it.")
    tested: int | None = Field(description="When it was tried last, since this process started.")


class IntegrationsShown(BaseModel):
    """Every integration that the control plane has."""

    integrations: list[IntegrationShown] = Field(description="By name.")


class TestOrder(BaseModel):
    """Settings to try; nothing is saved."""

    __test__ = False
    model_config = ConfigDict(extra="forbid")

    direction: Direction = Field(default="out", description="`out` or `in`.")
    type: str = Field(description="The type.")
    settings: dict[str, Any] = Field(default_factory=dict, description="The settings; asterisks: as saved.")
    id: str = Field(default="", description="The integration whose secrets the asterisks stand for.")


@routes.get("/integrations", response_model=IntegrationsShown)
async def list_integrations(request: Request) -> Response:
    """List the integrations of both directions, each with how it does and why."""
    control, state = control_of(request), request.app.state
    deliverer = getattr(state.owner, "deliverer", None)
    ways = {each["integration"]: each for each in listing(deliverer, None, 0)["integrations"]} if deliverer else {}
    pulls = getattr(state, "pulls", None)
    tests, shown = _tests(request), []
    for direction, kind in KINDS.items():
        for id, held in control.state()[kind].items():
            one: Any = held.object
            users = _users(control, id) if direction == "out" else []
            test = tests.get((direction, id, held.version))
            if direction == "out":
                light = _light_out(one, ways.get(id), test, users)
            else:
                light = _light_in(one, pulls.all.get(id) if pulls is not None else None, test)
            shown.append(
                {
                    **{"id": id, "name": held.name, "type": one.type, "direction": direction, "enabled": one.enabled},
                    **{"version": held.version, "changed_at": held.at or None, "changed_by": held.by},
                    **dict(zip(("state", "word", "words"), light, strict=True)),
                    "waiting": ways[id]["open"] if direction == "out" and id in ways else 0,
                    "used_by": users,
                    "tested": test[2] if test else None,
                }
            )
    shown.sort(key=lambda each: (str(each["name"]).casefold(), each["id"]))
    return _json({"integrations": shown})


@routes.post("/integrations/test", response_model=Tested)
async def try_settings(order: TestOrder, request: Request) -> Response:
    """Make one harmless call with settings that needn't be saved, and say what came of it."""
    control = control_of(request)
    kind, id = control.kinds[KINDS[order.direction]], order.id or "new"
    held = control.state()[kind.name].get(order.id) if order.id else None
    if order.id and held is None:
        raise Missing(f"there is no {kind.name} {order.id!r:.120}")
    saved: Any = held.object if held else None
    before = saved.model_dump() | {"settings": plain(saved.settings)} if saved else {}
    document = unmasked(kind, id, {"name": id, "type": order.type, "settings": order.settings}, before)
    if not is_local(request):
        refuse_references(kind, id, document, before)
    made: Any = read(kind, id, document)
    async with open_client(request.app.state.owner.settings.networks) as client:
        if order.direction == "out":
            outcome = await made.sink.check(client)
        elif made.connector is None:
            raise Missing(f"type: {order.type} is only kept: Tidegate doesn't call it")
        else:
            outcome = await checked(made.connector, Way(client, asyncio.sleep))
    ok = isinstance(outcome, Ok)
    if held is not None and plain(made.settings) == before["settings"]:
        _tests(request)[order.direction, order.id, held.version] = (ok, outcome.words, int(time.time() * 1000))
    return _json({"ok": ok, "outcome": type(outcome).__name__.lower(), "message": outcome.words})


def plain(value: Any) -> Any:
    """Return settings with their secrets as texts."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


_Test = tuple[bool, str, int]
_Light = tuple[State, str, str]

_OUT: Mapping[str, tuple[State, str]] = {
    "open": ("ok", "delivers"),
    "paused": ("bad", "paused"),
    "broken": ("bad", "unusable"),
    "missing": ("bad", "missing"),
    "away": ("warn", "can't be reached"),
    "asked": ("warn", "asked to wait"),
}


def _light_out(one: Any, way: Mapping[str, Any] | None, test: _Test | None, users: list[str]) -> _Light:
    waiting = way["open"] if way else 0
    if not one.enabled:
        return "off", "disabled", f"{waiting} messages wait for it." if waiting else "Nothing is sent to it."
    if way is not None and way["state"] != "open":
        state, word = _OUT.get(way["state"], ("warn", way["state"]))
        return state, word, way["words"]
    if test is not None and not test[0]:
        return "bad", "test failed", test[1]
    if way is not None:
        return "ok", "delivers", f"{waiting} messages are on their way." if waiting else "All that was to be sent is."
    heard = "" if users else " No alert rule names it yet: nothing is sent to it."
    if test is not None:
        return ("ok" if users else "warn"), "tested", f"The test succeeded.{heard}"
    return ("off", "not used yet", heard.strip() or "Nothing was sent since Tidegate started.")


def _light_in(one: Any, pull: Any, test: _Test | None) -> _Light:
    if not one.enabled:
        return "off", "disabled", "It isn't asked; what it brought stays."
    if getattr(one, "connector", None) is None:
        return "warn", "only kept", "Tidegate doesn't call it: its findings come in by topics."
    if pull is not None and pull.state == "failed":
        return ("bad" if pull.failures > 1 else "warn"), "failed", pull.words
    if test is not None and not test[0]:
        return "bad", "test failed", test[1]
    if pull is not None and pull.state in ("pulling", "waiting"):
        return "ok", "pulling" if pull.state == "pulling" else "up to date", pull.words
    return ("ok" if test else "off"), "tested" if test else "new", "It wasn't asked yet."


def _users(control: Control, id: str) -> list[str]:
    rules = control.objects("alert-rule").values()
    return sorted(rule.name for rule in rules if any(channel.integration == id for channel in rule.channels))


def _tests(request: Request) -> dict[tuple[str, str, int], _Test]:
    """Return what tests said since this process started, by direction, id and version."""
    state = request.app.state
    if not hasattr(state, "integration_tests"):
        state.integration_tests = {}
    tests: dict[tuple[str, str, int], _Test] = state.integration_tests
    return tests


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
