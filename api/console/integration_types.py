"""The types of integrations in both directions: the schema that forms are made of, and the procedure of each."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import orjson
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from agents.connectors import CONNECTORS
from agents.sinks import SINKS
from agents.sinks._base import Sink

routes = APIRouter()

Direction = Literal["out", "in"]


class IntegrationType(BaseModel):
    """One type of integrations."""

    type: str = Field(description="Its name.")
    direction: Direction = Field(description="`out`: told of alerts; `in`: asked for findings.")
    title: str = Field(description="What people call it.")
    about: str = Field(description="What it does, in a sentence.")
    templates: bool = Field(description="Whether notification templates say what it is told.")
    keeps: str = Field(description="Of `out`: `every event` of an alert, or its `latest state`.")
    settings: dict[str, Any] = Field(description="JSON Schema of its settings.")
    procedure: str = Field(description="How it is set up, as Markdown; empty: nobody wrote that down.")


class IntegrationTypes(BaseModel):
    """The types that there are."""

    types: list[IntegrationType] = Field(description="By title.")


@routes.get("/integration-types", response_model=IntegrationTypes)
async def list_integration_types() -> Response:
    """List the types of integrations with the schema of their settings and how each is set up."""
    return Response(orjson.dumps({"types": types()}), media_type="application/json")


@cache
def types() -> list[dict[str, Any]]:
    """Return every type as the API gives it, by title."""
    found = [_described(name, "out", kind, kind.keeps) for name, kind in SINKS.items()]
    found += [_described(name, "in", kind, "") for name, kind in CONNECTORS.items()]
    return sorted(found, key=lambda each: (each["title"].casefold(), each["direction"]))


def procedure(name: str) -> str:
    """Return how a type is set up, without the table of its settings: those stand in the form beside it."""
    text = next((path.read_text(encoding="utf-8") for path in _places(name) if path.is_file()), "")
    return _PRINTED.sub("", text).strip()


def _described(name: str, direction: Direction, kind: type[BaseModel], keeps: str) -> dict[str, Any]:
    text = procedure(name)
    heading = re.match(r"# +(.+)", text)
    about = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    return {
        "type": name,
        "direction": direction,
        "title": heading[1].strip() if heading else name.replace("_", " ").capitalize(),
        "about": about,
        "templates": issubclass(kind, Sink) and kind.templated is not Sink.templated,
        "keeps": keeps,
        "settings": kind.model_json_schema(),
        "procedure": text.partition("\n")[2].strip() if heading else text,
    }


def _places(name: str) -> Iterable[Any]:
    """Yield where a procedure may stand: in the source tree, or in a wheel, which takes the folder along."""
    yield Path(__file__).parents[2] / "docs" / "integrations" / f"{name}.md"
    yield files("api.console").joinpath("procedures", f"{name}.md")


_PRINTED = re.compile(r"<!-- printed by make docs -->.*?<!-- written by hand again -->", re.DOTALL)
