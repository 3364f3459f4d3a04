"""sources.md: what each source understands, where it comes in, and one of its messages."""

import inspect
import json
from pathlib import Path

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import Place
from streams.records import Finding, Record, Resource

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
    """Return the plainest test case of *source* that gives a resource or a finding, and nothing else."""
    for value in _cases(source):
        made = _read(source, value)
        if made and all(isinstance(record, Resource | Finding) for record in made):
            return value
    raise FileNotFoundError(f"{CASES / source}: no *.in.json gives only records, so there's no example to print")


def example(source: str, shape: type) -> Record | None:
    """Return a record of *shape* that *source* gives: of that message, or else of its plainest case that has one."""
    for value in (message(source), *_cases(source)):
        for record in _read(source, value):
            if isinstance(record, shape):
                return record
    return None


def as_json(value: object) -> str:
    """Return *value* as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cases(source: str) -> list[bytes]:
    """Return the test cases of *source* in JSON, the plainest first: least JSON inside texts, then shortest."""
    cases = {path.name: path.read_bytes() for path in (CASES / source).glob("*.in.json")}
    return [
        value for _, value in sorted(cases.items(), key=lambda case: (case[1].count(b'\\"'), len(case[1]), case[0]))
    ]


def _read(source: str, value: bytes) -> list[Record]:
    read = NORMALISERS[source].read(value, PLACE._replace(topic=NORMALISERS[source].topic))
    return [record for record in read if not isinstance(record, Bad)]
