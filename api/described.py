"""OpenAPI made whole: an example of each call, as a body and as a command, and what errors look like."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

AT = "http://127.0.0.1:8700"
_DEPTH = 5


def complete(schema: dict[str, Any], token: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """Return *schema* with an example in every operation. *token*: the header that a command sends; *error*: an error's
    body, for the answers that have none described.
    """
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None and not content.keys() & {"example", "examples"}:
                content["example"] = _example(schema, content["schema"], 0)
            for status, answer in operation["responses"].items():
                if status >= "400" and "content" not in answer:
                    answer["content"] = {"application/json": {"schema": dict(error)}}
            shown = _command(method, path, operation, token if operation.get("security") else "")
            operation["description"] += f"\n\n```sh\n{shown}\n```"
    return schema


def sentence(description: str) -> str:
    """Return a description without its example, on one line."""
    return " ".join(description.partition("\n\n```")[0].split())


def _command(method: str, path: str, operation: Mapping[str, Any], token: str) -> str:
    given = {p["name"]: _value(p) for p in operation.get("parameters", ()) if p["in"] != "header"}
    for name in [name for name in given if "{" + name + "}" in path]:
        path = path.replace("{" + name + "}", quote(str(given.pop(name)), safe=""))
    needed = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query" and p.get("required")]
    query = "&".join(f"{name}={quote(str(given[name]), safe='')}" for name in needed)
    parts = ["curl", "-s"] + ([] if method in ("get", "post") else ["-X", method.upper()])
    if token:
        parts += ["-H", f'"{token}"']
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = json.dumps(content["application/json"].get("example", {})).replace("'", "'\"'\"'")
        parts += ["-H", "'Content-Type: application/json'", "-d", f"'{body}'"]
    elif content:
        parts += ["--data-binary", "@records.jsonl"]
    elif method == "post":
        parts += ["-X", "POST"]
    return " ".join([*parts, f"'{AT}{path}{'?' if query else ''}{query}'"])


def _value(parameter: Mapping[str, Any]) -> Any:
    schema = parameter.get("schema", {})
    for found in (*parameter.get("examples", ()), *schema.get("examples", ())):
        return found
    return {"boolean": "true", "integer": 10}.get(schema.get("type", ""), _NAMES.get(parameter["name"], "id"))


def _example(described: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    """Return an example of *schema*: what is needed of it, and what has an example of its own."""
    for found in schema.get("examples", ()):
        return found
    if "$ref" in schema:
        return _example(described, described["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth)
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    if "enum" in schema or "const" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    if "anyOf" in schema:
        return _example(described, schema["anyOf"][0], depth)
    match schema.get("type"):
        case "object" | None if depth < _DEPTH:
            needed = schema.get("required", ())
            return {
                name: _example(described, field, depth + 1)
                for name, field in schema.get("properties", {}).items()
                if name in needed or "examples" in field
            }
        case "array" if depth < _DEPTH and "items" in schema:
            return [_example(described, schema["items"], depth + 1)]
    plain: dict[str, Any] = {"string": "text", "integer": 10, "number": 1.0, "boolean": True, "array": []}
    return plain.get(schema.get("type", ""), {})


_NAMES = {
    "prisma_id": "100000000000000001",
    "source": "guardduty",
    "kind": "alert-rules",
    "status": "open",
    "cloud": "aws",
    "enabled": "true",
    "alertId": "P-7",
}
"""Examples of parameters, by their names."""
