"""docs/rql.md is printed from the code, and what it shows as an example is answered."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from queries import explain
from queries.docs import PATHS, page

PAGE = Path(__file__).parents[2] / "docs" / "rql.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m queries --docs > docs/rql.md"


def test_the_first_example_is_answered() -> None:
    blocks = re.findall(r"```\n(.*?)```", page(), re.DOTALL)
    assert blocks
    for block in blocks:
        explain(block, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("path", [form for forms, _ in PATHS for form in forms])
def test_every_path_that_is_shown_can_be_asked(path: str) -> None:
    explain(f"config where json.rule = {path} exists", datetime(2026, 1, 1, tzinfo=UTC))
