"""The JSON Schema of each kind's files, for editors: what a field is, what it may be, and a destination's settings."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from agents.connectors import CONNECTORS
from agents.inbound import KEPT
from agents.sinks import SINKS
from streams.control.kinds import ID, Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {
    "type": "string",
    "pattern": "^(env:|file:|\\*{10}$)",
    "description": "Where the value is; asterisks: it stays.",
}


def schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema of a file with one object of *kind*."""
    made = kind.model.model_json_schema()
    inner = {name for name, field in kind.model.model_fields.items() if field.exclude}
    properties = {name: _untitled(each) for name, each in made["properties"].items() if name not in inner}
    properties["id"] = {
        "type": "string",
        "pattern": f"^{ID.pattern.replace('(?:', '(')}$",
        "description": "Never changes. Without it, the object of that name, or an id made of the name.",
    }
    made["properties"] = {"kind": {"enum": [kind.name, kind.plural], "description": kind.about}, **properties}
    made["required"] = [name for name in made.get("required", ()) if name != "id"]
    made["title"] = kind.name
    if kind.name == "integration":
        made["properties"]["type"] = {"enum": list(SINKS), "description": "The destination."}
        made["allOf"] = _by_type(SINKS)
    if kind.name == "inbound-integration":
        made["properties"]["type"] = {"enum": [*CONNECTORS, *KEPT], "description": "The connector."}
        made["allOf"] = _by_type(CONNECTORS)
    return {"$schema": DIALECT, **made}


def _by_type(kinds: Mapping[str, type[BaseModel]]) -> list[dict[str, Any]]:
    """Say what the settings are for each type."""
    return [_of_type(name, kind, index) for index, (name, kind) in enumerate(kinds.items())]


def _of_type(name: str, kind: type[BaseModel], index: int) -> dict[str, Any]:
    """Say what the settings are where the type is *name*, the *index*-th."""
    settings = kind.model_json_schema()
    defined = settings.pop("$defs", {})
    settings["properties"] = {each: _or_reference(_untitled(field)) for each, field in settings["properties"].items()}
    settings.pop("title", None)
    if defined:
        settings = _renamed(settings, index)
    then: dict[str, Any] = {"properties": {"settings": settings}}
    if settings.get("required"):
        then["required"] = ["settings"]
    if defined:
        then["$defs"] = {each: _renamed(inner, index) for each, inner in defined.items()}
    return {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": then}


def _or_reference(field: dict[str, Any]) -> dict[str, Any]:
    """Let a text be given as where it is, too."""
    if field.get("type") != "string" or not {"pattern", "minLength", "maxLength", "format", "enum"} & field.keys():
        return field
    outer = {name: value for name, value in field.items() if name in ("description", "default", "examples")}
    inner = {name: value for name, value in field.items() if name not in (*outer, "writeOnly")}
    return {**outer, "anyOf": [inner, _REFERENCE]}


def _renamed(value: Any, index: int) -> Any:
    """Return *value* with its references led to where the definitions of the *index*-th type stand."""
    if isinstance(value, dict):
        return {
            key: f"#/allOf/{index}/then/{inner.removeprefix('#/')}" if key == "$ref" else _renamed(inner, index)
            for key, inner in value.items()
        }
    return [_renamed(each, index) for each in value] if isinstance(value, list) else value


def _untitled(field: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if name != "title"}
