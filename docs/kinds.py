"""kinds.md: every kind of object that people set up, with its fields and a file of one; schemas/: for editors."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import yaml
from pydantic.fields import FieldInfo

from agents.control import kinds, topics
from agents.control_schema import schema
from streams.control.kinds import Kind
from streams.control.secret_fields import may_hold_secrets

KINDS = kinds({})

_PROSE = """\
Each object has a kind, an id that never changes, and a name. `tidegate apply -f FOLDER` makes objects as YAML or
JSON files say, all or none; `tidegate get`, `describe`, `edit` and `delete` work on one; `tidegate export` writes
files. The API has the same under `/api/tidegate/v1/control`. Each kind has a compacted topic, every change is a
line in the topic `audit-log`, and every process holds all objects in memory.

A file may hold one object, a list of them, or several YAML documents; `kind` says what each is. In a folder that is
named as a kind, such as `policies/`, it may be left out, and the file's name is the id. An editor checks a file
that begins with `# yaml-language-server: $schema=` and the path of its schema; `tidegate schema KIND` prints one.

A secret shows as asterisks, which written back keep it. On topics it is sealed with AES-256-GCM; the key is in
`TIDEGATE_SECRETS_KEY`, in the file that `TIDEGATE_SECRETS_KEY_FILE` names, or made by the first `tidegate up` in
`secrets.key` of the data folder. Instead of a secret you can say where it is: `env:NAME`, `file:/path`.
"""


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# What you set up",
        "",
        "Printed from `streams/control/` and `agents/control.py` by `make docs`; don't edit it here.",
        "",
        *_PROSE.splitlines(),
        "",
        "| kind | topic | holds |",
        "|---|---|---|",
        *(f"| [{kind.plural}](#{kind.plural}) | `{kind.topic.name}` | {kind.about} |" for kind in KINDS.values()),
        f"| | `{topics()[-1].name}` | {topics()[-1].holds} |",
    ]
    for kind in KINDS.values():
        lines += ["", f"## {kind.plural}", "", " ".join((inspect.getdoc(kind.model) or "").split()), "", *_fields(kind)]
        lines += ["", "```yaml", _yaml(kind), "```", "", f"Schema: [{kind.name}.json](schemas/{kind.name}.json)."]
    return "\n".join([*lines, ""])


def _fields(kind: Kind) -> Iterator[str]:
    yield "| field | needed | default | what it is |"
    yield "|---|---|---|---|"
    for name, field in kind.model.model_fields.items():
        if not field.exclude:
            about = " ".join([field.description or "", *_facts(kind, name, field)]).strip()
            needed = "yes" if field.is_required() and name != "id" else ""
            yield f"| `{name}` | {needed} | {_default(field)} | {about.replace('|', '&#124;')} |"


def _facts(kind: Kind, name: str, field: FieldInfo) -> Iterator[str]:
    for pattern, other in kind.refers.items():
        if pattern.replace("[]", "").partition(".")[0] == name:
            inner = pattern.partition(".")[2]
            yield f"{f'`{inner}`: o' if inner else 'O'}f the {KINDS[other].plural}."
    if may_hold_secrets(field.annotation) or name in kind.hides:
        yield "Secrets in it are sealed."


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = json.dumps(field.get_default(call_default_factory=True), default=str)
    return "" if value in ('""', "[]", "{}", "null") else f"`{value}`"


def _yaml(kind: Kind) -> str:
    return yaml.safe_dump({"kind": kind.name, **kind.example}, sort_keys=False, allow_unicode=True, width=110).rstrip()


def _schema(kind: Kind) -> str:
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


MORE: Mapping[str, Callable[[], str]] = {f"schemas/{kind.name}.json": partial(_schema, kind) for kind in KINDS.values()}
"""The files beside the page."""
