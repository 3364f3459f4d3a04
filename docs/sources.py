"""sources.md: what each source understands, where it comes in, and one of its messages."""

import inspect
import json
from pathlib import Path

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import Place
from streams.records import Record

CASES = Path(__file__).parents[1] / "tests" / "data" / "normalise"
PLACE = Place("raw", 0, 0, 1_767_225_600_000)
"""Where the examples' messages lie: at the beginning of a partition, on the first of January 2026."""


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Sources",
        "",
        "Printed from `agents/normalise/` and its test data by `make docs`; don't edit it here.",
        "",
        "A source's messages come in on its raw topic, from any producer, with or without key and headers, or by",
        "`tidegate send SOURCE FILE...`. What they become: `tidegate normalise SOURCE FILE...`, without Kafka.",
    ]
    for name, source in NORMALISERS.items():
        lines += ["", f"## {name}", "", f"Topic `{source.topic}`. {inspect.getdoc(source) or ''}", ""]
        lines += [f"- {form}" for form in source.forms]
        lines += ["", "One message:", "", "```json", as_json(json.loads(message(name))), "```"]
    return "\n".join([*lines, ""])


def message(source: str) -> bytes:
    """Return the plainest test case of *source* that gives a record: least JSON inside texts, then shortest."""
    cases = {path.name: path.read_bytes() for path in (CASES / source).glob("*.in.json")}
    for _, value in sorted(cases.items(), key=lambda case: (case[1].count(b'\\"'), len(case[1]), case[0])):
        if _read(source, value):
            return value
    raise FileNotFoundError(f"{CASES / source}: no *.in.json gives a record, so there's no example to print")


def records(source: str) -> list[Record]:
    """Return what that message becomes."""
    return _read(source, message(source))


def as_json(value: object) -> str:
    """Return *value* as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _read(source: str, value: bytes) -> list[Record]:
    read = NORMALISERS[source].read(value, PLACE._replace(topic=NORMALISERS[source].topic))
    return [record for record in read if not isinstance(record, Bad)]
