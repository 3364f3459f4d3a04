"""destinations.md: what each destination does, its settings, what it is sent, and the variables of templates."""

import inspect
import json
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agents.sinks import SINKS
from agents.sinks._base import Sink
from agents.sinks._payload import VARIABLES
from docs.sources import as_json

GOLDEN = Path(__file__).parents[1] / "tests" / "data" / "sinks"

_KEEPS = {
    "every event": "Every event of an alert is sent, in order.",
    "latest state": "An alert's latest state is sent: what it overtakes is superseded.",
}


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Destinations",
        "",
        "Printed from `agents/sinks/` and its test data by `make docs`; don't edit it here.",
        "",
        "How to set each up, at the vendor and here: [integrations.md](integrations.md). Addresses that are not public",
        "are refused unless the operator allows their network, redirects are not followed, and what is too long is cut",
        "where one sees it; ids never.",
    ]
    for name, sink in SINKS.items():
        lines += ["", f"## {name}", "", about(sink), "", *settings(sink)]
        *before, example = json.loads((GOLDEN / name / "open.request.json").read_bytes())
        also = f", after {len(before)} {'calls' if len(before) > 1 else 'call'} before it" if before else ""
        lines += ["", f"`{example['method']}` of an open alert{also}:", "", "```json", as_json(example["body"]), "```"]
    lines += ["", "## Variables", "", "`${Name}` or `$Name` within the texts of custom payloads and fields.", ""]
    lines += ["| variable | key in the default payload |", "|---|---|"]
    lines += [f"| `${{{name}}}` | `{key}` |" for name, key in VARIABLES.items()]
    return "\n".join([*lines, ""])


def about(sink: type[Sink]) -> str:
    """Return what the destination does and how fast, as Markdown."""
    calls = f"At most {sink.in_flight} {'calls' if sink.in_flight > 1 else 'call'} at a time"
    calls += f", {sink.per_second:g} a second" if sink.per_second else ""
    calls += f", of up to {sink.batch} alerts each" if sink.batch > 1 else ""
    also = f"Prisma Cloud calls it `{sink.prisma}`. {_KEEPS[sink.keeps]} {calls}; each may take {sink.seconds:g} s."
    return f"{inspect.getdoc(sink)}\n\n{also}"


def settings(plugin: type[BaseModel]) -> list[str]:
    """Return the table of a plug-in's settings, line by line."""
    head = ["| setting | needed | default | what it is | such as |", "|---|---|---|---|---|"]
    return [*head, *(_row(field, info) for field, info in plugin.model_fields.items())]


def _row(field: str, info: FieldInfo) -> str:
    default = "" if info.is_required() else _value(info.get_default(call_default_factory=True))
    shown = _value(info.examples[0]) if info.examples else ""
    return f"| `{field}` | {'yes' if info.is_required() else ''} | {default} | {info.description} | {shown} |"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = text.replace("\n", "\\n").replace("|", "\\|")
    return f"`{text}`" if text not in ("", "{}", "[]", '""') else ""
