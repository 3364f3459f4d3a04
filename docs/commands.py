"""commands.md: every command of `tidegate` with its arguments, options and exit codes."""

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from api.cli import app
from api.cli.exits import MEANINGS


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Commands",
        "",
        "Printed from `api/cli/` by `make docs`; don't edit it here. `tidegate COMMAND --help` says the same.",
        "",
        "With `--json` a command prints one JSON document. Tables have colour in a terminal and none in a pipe.",
    ]
    for name, command in commands().items():
        lines += ["", f"## tidegate {name}", "", " ".join((command.help or "").split()), ""]
        lines += [f"- {line}" for line in _parameters(command)]
    lines += ["", "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join([*lines, ""])


def commands() -> dict[str, Any]:
    """Map the words of each command, such as `snapshot create`, to the command."""
    return dict(_walk("", get_command(app)))


def _walk(prefix: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield prefix, command
        return
    for name, inner in command.commands.items():
        yield from _walk(f"{prefix} {name}".strip(), inner)


def _parameters(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.hidden:
            continue
        value = parameter.metavar or parameter.name.upper()
        if parameter.param_type_name == "argument":
            name = value
        else:
            name = ", ".join(parameter.opts) + ("" if parameter.is_flag else f" {value}")
        default = parameter.default
        after = (
            ""
            if callable(default) or default in (None, "", False, ()) or parameter.required
            else f" Default: {default}."
        )
        yield f"`{name}`: {parameter.help.replace('<', '&lt;')}{after}"
