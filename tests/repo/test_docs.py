"""The reference pages are printed from the code, so they can't be out of date; links in the prose lead somewhere."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agents.normalise import NORMALISERS
from agents.sinks import SINKS
from docs import __main__ as program
from streams.topics import TOPICS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROSE = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("name", program.PAGES)
def test_a_printed_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == program.PAGES[name](), "run: make docs"


def test_a_page_that_is_not_current_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    assert program.main(["--check"]) == 1
    assert "docs/topics.md is not what the code says. Run: make docs" in capsys.readouterr().err
    assert program.main([]) == 0
    assert program.main(["--check"]) == 0


def test_the_topics_page_has_every_topic() -> None:
    page = (DOCS / "topics.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    assert rows == {topic.name for topic in TOPICS} | {source.topic for source in NORMALISERS.values()}


TOPICS_OF = {
    "configs": {"resources", "resource-parts", "inventories"},
    "findings": {"findings", "vendor.assets", "vendor.knowledge", "inventories"},
}


def test_every_source_has_an_example_record_that_its_printed_schema_accepts() -> None:
    checked: set[str] = set()
    for name, schema, examples in _records((DOCS / "topics.md").read_text(encoding="utf-8")):
        for source, example in examples.items():
            Draft202012Validator(schema).validate(example)
            assert name in TOPICS_OF[NORMALISERS[source].kind]
            checked.add(source)
    assert checked == set(NORMALISERS)


def test_every_source_shows_a_message_and_says_what_it_understands() -> None:
    page = (DOCS / "sources.md").read_text(encoding="utf-8")
    for name, source in NORMALISERS.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert source.forms
        assert all(f"- {form}\n" in section for form in source.forms)
        assert json.loads(_blocks(section)[0])


def test_every_destination_shows_all_its_settings_and_a_request() -> None:
    page = (DOCS / "destinations.md").read_text(encoding="utf-8")
    for name, sink in SINKS.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(sink.model_fields)
        assert json.loads(_blocks(section)[0])


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_within_the_repository_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_is_named_exists(path: Path) -> None:
    named = re.findall(
        r"`((?:streams|agents|queries|api|bench|docs|tests)/[\w./-]+)`", path.read_text(encoding="utf-8")
    )
    example = re.compile(r"acme|agents/sinks")  # what a reader would add
    assert [name for name in named if not example.search(name) and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.name)
def test_a_decision_says_in_its_title_what_was_chosen(path: Path) -> None:
    number, title = f"{int(path.name[:4])}", path.read_text(encoding="utf-8").partition("\n")[0]
    assert re.fullmatch(rf"# ({number}\. )?[A-Z].{{10,}}", title)


def _records(page: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return topic, schema, and example by source of each record on the page."""
    found = []
    for section in page.split("\n## ")[1:]:
        schema, *examples = map(json.loads, _blocks(section))
        found.append(
            (
                section.partition("\n")[0],
                schema,
                dict(zip(re.findall(r"One from `(\w+)`", section), examples, strict=True)),
            )
        )
    return found


def _blocks(section: str) -> list[str]:
    return re.findall(r"```json\n(.*?)\n```", section, re.DOTALL)
