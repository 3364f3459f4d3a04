"""Small files, one idea each, and each introduces itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(p for d in ("streams", "agents", "queries", "api") for p in (ROOT / d).rglob("*.py"))
BESIDE = sorted(p for d in ("bench", "docs", "tests") for p in (ROOT / d).rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "misc"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*SHIPPED, *BESIDE], ids=_name)
def test_a_module_starts_with_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{_name(path)} doesn't say what it is"


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_a_shipped_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_a_shipped_module_has_a_name_that_says_something(path: Path) -> None:
    assert not {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts} & VAGUE
