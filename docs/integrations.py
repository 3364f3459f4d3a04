"""integrations.md: how to set up each vendor and destination; and within each one's own page, its settings."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from agents.connectors import CONNECTORS
from agents.connectors._base import Connector
from agents.normalise import NORMALISERS
from agents.sinks import SINKS
from docs.destinations import about, settings

FOLDER = Path(__file__).parent / "integrations"


def page() -> str:
    """Return the page that lists the others, as Markdown."""
    lines = [
        "# Integrations",
        "",
        "Printed from `agents/sinks/` and `agents/connectors/` by `make docs`; don't edit it here.",
        "",
        "What to do at the vendor, what to type here, and what to know. In the operator's file `env:NAME` or",
        "`file:/path` may stand in place of any text, and should, of a secret.",
        "",
        "## Vendors that are asked for findings",
        "",
        *_PULLING.splitlines(),
        "",
        "| type | in Prisma Cloud's API | what it does |",
        "|---|---|---|",
        *(_line(name, kind.prisma, kind) for name, kind in CONNECTORS.items()),
        "",
        "## Where alerts are sent to",
        "",
        "What each is sent: [destinations.md](destinations.md).",
        "",
        "| type | in Prisma Cloud | what it does |",
        "|---|---|---|",
    ]
    lines += [_line(name, sink.prisma, sink) for name, sink in SINKS.items()]
    return "\n".join([*lines, ""])


def _line(name: str, prisma: str, kind: type) -> str:
    return f"| [{name}](integrations/{name}.md) | `{prisma}` | {(kind.__doc__ or '').strip().partition(chr(10))[0]} |"


_PULLING = """\
Findings come in by Kafka topics from any producer; these vendors Tidegate can also ask itself. An inbound integration
belongs to the worker that owns the partition of its id, so that only one asks. Each page goes to the raw topic; once
Kafka has acknowledged it, the place to go on at is written to the topic `pulls`. So what a kill interrupts is gone on
with, and may come twice, which the versions of findings settle. The first pull takes all that there is, later ones
what changed; both ask for what is fixed, closed or archived, too.

- `tidegate integrations add TYPE NAME --set KEY=VALUE --test` sets one up; `test` makes harmless calls and says what is
  wrong; `pull` asks now, `pull --from-start` for everything again.
- `tidegate integrations status` and `tidegate status` say how far each is, `GET /connectors` the same to programs.
- `disable` stops asking: findings and the place to go on at stay. `delete` forgets the place; findings stay as they
  are, and alerts that rest on them stay open, unless `--close-findings` closes them: then the alerts resolve. What it
  would do, `--dry-run` says.
- With other settings for whose data it is (address, user, key, role) a pull begins from the beginning.
- In the operator's file they stand under `inbound_integrations`, with `id`, `name`, `type` and `settings`.
"""


def _of_connector(name: str) -> str:
    """Return the page of a vendor that is asked."""
    kind = CONNECTORS[name]
    return _with(name, _about(kind), settings(kind))


def _about(kind: type[Connector]) -> str:
    facts = (
        f"Prisma Cloud's API knows it as `{kind.prisma}`. To the topic `{NORMALISERS[kind.name].topic}`;"
        f" `finding.source` is `{kind.source}`. A call may take {kind.seconds:g} s."
    )
    return f"{inspect.getdoc(kind)}\n\n{facts}"


def _of_sink(name: str) -> str:
    """Return the page of a destination."""
    return _with(name, about(SINKS[name]), settings(SINKS[name]))


def _with(name: str, said: str, table: list[str]) -> str:
    """Return an integration's page: written by hand, but for what stands between the marks."""
    path = FOLDER / f"{name}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {name}\n\n{_BEGIN}\n{_END}\n"
    before, _, rest = text.partition(_BEGIN)
    printed = "\n".join([_BEGIN, "", said, "", *table, "", _END])
    return before + printed + rest.partition(_END)[2]


_BEGIN = "<!-- printed by make docs -->"
_END = "<!-- written by hand again -->"

MORE: Mapping[str, Callable[[], str]] = {
    **{f"integrations/{name}.md": partial(_of_connector, name) for name in CONNECTORS},
    **{f"integrations/{name}.md": partial(_of_sink, name) for name in SINKS},
}
"""The files beside the page."""
