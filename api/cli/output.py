"""What a command prints: tables with colour on a terminal, tab-separated values in a pipe, JSON with --json."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def json_out(document: object) -> None:
    """Print one JSON document; indented on a terminal, one line in a pipe."""
    line(json.dumps(document, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False, default=str))


def line(text: str = "") -> None:
    """Print one line of the answer, as it is."""
    sys.stdout.write(text + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print rows; without decoration when standard output is a pipe."""
    if not sys.stdout.isatty():
        line("\t".join(columns))
        for row in rows:
            line("\t".join(_flat(value) for value in row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", header_style="bold cyan", pad_edge=False)
    rows = list(rows)
    for index, column in enumerate(columns):
        numbers = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(_shown(value), style=_STYLES.get(str(value).lower(), "")) for value in row))
    console().print(drawn)


def fields(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names with their values, aligned."""
    pairs = list(pairs)
    width = max((len(name) for name, _ in pairs), default=0)
    if not sys.stdout.isatty():
        for name, value in pairs:
            line(f"{name}\t{_flat(value)}")
        return
    from rich.text import Text

    for name, value in pairs:
        text = Text(f"{name.ljust(width)}  ", style="cyan")
        shown = Text(_shown(value), style=_STYLES.get(str(value).lower(), "default"))
        console().print(text.append_text(shown), soft_wrap=True)


def note(text: str) -> None:
    """Say something beside the answer, on standard error."""
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        text = f"\x1b[2m{text}\x1b[0m"
    sys.stderr.write(text + "\n")


def error(text: str) -> None:
    """Say what went wrong and the way out, on standard error."""
    mark = "error:"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        mark = f"\x1b[1;31m{mark}\x1b[0m"
    sys.stderr.write(f"{mark} {text}\n")


def console(*, stderr: bool = False) -> "Console":
    """Return a rich console; with NO_COLOR it draws without any escape, bold and dim included."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")


def coloured(text: str, sign: str) -> str:
    """Return a line of a difference: green for `+`, red for `-`, yellow for `~` on a terminal."""
    colour = {"+": "32", "-": "31", "~": "33"}.get(sign)
    if colour is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def flat(value: object) -> str:
    """Return one value in one line, with nothing in it that steers the terminal."""
    return _flat(value)


def size(count: float) -> str:
    """Return bytes as people read them."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def ago(seconds: float) -> str:
    """Return an age as people say it."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} seconds"


_STYLES = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "blue",
    "informational": "dim",
    "true": "green",
    "false": "dim",
}


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def _flat(value: object) -> str:
    """One value in one cell: what would end the cell or the line is escaped, and nothing steers the terminal."""
    text = _shown(value)
    return (
        text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") if "\t" in text or "\n" in text else text
    )
