"""Every destination has a page that says what to do at the vendor, what to type here, and what to know."""

import re
from pathlib import Path

import pytest

from agents.sinks import SINKS

PAGES = Path(__file__).parents[2] / "docs" / "integrations"


@pytest.mark.parametrize("name", SINKS)
def test_its_page_says_what_to_do_there_and_here_and_what_to_know(name: str) -> None:
    headings = re.findall(r"^## (.+)$", (PAGES / f"{name}.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0].startswith("At ") and headings[-2:] == ["Here", "What to know"]


@pytest.mark.parametrize("name", SINKS)
def test_what_to_type_names_its_settings_and_all_that_are_needed(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8").replace("\\\n", " ")
    typed = re.findall(rf"^tidegate integrations add {name} .+$", text, re.MULTILINE)
    assert typed
    for line in typed:
        keys = {key.partition(".")[0] for key in re.findall(r"--set '?([\w.]+)=", line)}
        needed = {key for key, field in SINKS[name].model_fields.items() if field.is_required()}
        assert needed <= keys <= SINKS[name].model_fields.keys()
