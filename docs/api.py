"""api.md: every path of the HTTP API, what goes in, what comes out, and which errors there are."""

from collections.abc import Iterator
from json import dumps
from typing import Any

from api.app import ERRORS, create_app
from api.described import sentence
from api.state import Alone
from api.version import ROOT
from streams.settings import Settings


def page() -> str:
    """Return the page as Markdown."""
    schema = create_app(Alone(Settings(), None), "").openapi()
    lines = [
        "# HTTP API",
        "",
        "Printed from `api/routes.py` and `api/models.py` by `make docs`; don't edit it here.",
        "",
        f"Base path `{ROOT}`, on `TIDEGATE_API_HOST` and `TIDEGATE_API_PORT` (loopback, 8700, when nothing is set).",
        "Every call but `/health` needs `Authorization: Bearer <token>`; the token is in the file `token` of the data",
        f"folder, which only its owner can read. `GET {ROOT}/openapi.json` is this page for programs.",
        "",
        "```",
        'curl -s -H "Authorization: Bearer $(cat ~/.local/share/tidegate/token)" \\',
        f"  -H 'Content-Type: application/json' http://127.0.0.1:8700{ROOT}/rql \\",
        """  -d '{"query": "config from cloud.resource where cloud.type = '"'aws'"'"}'""",
        "```",
    ]
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            lines += ["", f"## {method.upper()} {path.removeprefix(ROOT)}", "", sentence(call["description"])]
            lines += _takes(schema, call)
            lines += _gives(schema, call)
    lines += ["", "## Errors", "", 'Every error has the body `{"error": {"code": ..., "message": ...}}`.', ""]
    lines += ["| status | when |", "|---|---|", *(f"| {status} | {when} |" for status, when in ERRORS.items())]
    return "\n".join([*lines, ""])


def _takes(schema: dict[str, Any], call: dict[str, Any]) -> Iterator[str]:
    given = [(p["name"], p["schema"], p["required"], p.get("description", "")) for p in call.get("parameters", [])]
    described = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "requestBody" in call and not described:
        yield from ("", f"Takes {call['requestBody']['description']}")
    if described:
        body = _shape(schema, described)
        required = body.get("required", [])
        given += [(n, f, n in required, f.get("description", "")) for n, f in body["properties"].items()]
    if given:
        yield from ("", "Takes:", "")
    for name, field, required, about in given:
        default = "" if required or field.get("default") is None else f" Default: {dumps(field['default'])}."
        yield f"- `{name}` ({_type(field)}{'' if required else ', optional'}): {about}{default}".rstrip(": ")


def _gives(schema: dict[str, Any], call: dict[str, Any]) -> Iterator[str]:
    status, answer = next((s, a) for s, a in call["responses"].items() if s.startswith("2"))
    if "application/json" not in answer["content"]:
        yield from ("", f"Gives {status}, {', '.join(answer['content'])}.")
        return
    shapes = answer["content"]["application/json"]["schema"]
    for shape in shapes.get("anyOf", [shapes]):
        if "$ref" not in shape:
            yield from ("", f"Gives {status}: an {shape.get('type', 'object')}.")
            continue
        name, body = shape["$ref"].rpartition("/")[2], _shape(schema, shape)
        yield from ("", f"Gives {status}, {name}: {_sentence(body['description'])}", "")
        for field, about in body["properties"].items():
            yield f"- `{field}` ({_type(about)}): {about.get('description', '')}".rstrip(": ")


def _shape(schema: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
    return found


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "enum" in field:
        return " or ".join(f'"{each}"' for each in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return str(field.get("type", "anything"))


def _sentence(text: str) -> str:
    return " ".join(text.split())
