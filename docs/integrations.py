"""integrations.md: how to set up each destination; and within each one's own page, the settings that it has."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from agents.sinks import SINKS
from docs.destinations import about, settings

FOLDER = Path(__file__).parent / "integrations"


def page() -> str:
    """Return the page that lists the others, as Markdown."""
    lines = [
        "# Integrations",
        "",
        "Printed from `agents/sinks/` by `make docs`; don't edit it here.",
        "",
        "Where alerts are sent to: what to do at the vendor, what to type here, and what to know. What each is sent:",
        "[destinations.md](destinations.md). In the operator's file `env:NAME` or `file:/path` may stand in place of",
        "any text, and should, of a secret.",
        "",
        "| type | in Prisma Cloud | what it does |",
        "|---|---|---|",
    ]
    for name, sink in SINKS.items():
        first = (sink.__doc__ or "").strip().partition("\n")[0]
        lines.append(f"| [{name}](integrations/{name}.md) | `{sink.prisma}` | {first} |")
    return "\n".join([*lines, ""])


def _with_settings(name: str) -> str:
    """Return the destination's page: written by hand, but for what stands between the marks."""
    path = FOLDER / f"{name}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {name}\n\n{_BEGIN}\n{_END}\n"
    before, _, rest = text.partition(_BEGIN)
    sink = SINKS[name]
    printed = "\n".join([_BEGIN, "", about(sink), "", *settings(sink), "", _END])
    return before + printed + rest.partition(_END)[2]


_BEGIN = "<!-- printed by make docs -->"
_END = "<!-- written by hand again -->"

MORE: Mapping[str, Callable[[], str]] = {f"integrations/{name}.md": partial(_with_settings, name) for name in SINKS}
"""The files beside the page."""
