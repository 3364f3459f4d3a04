"""What the code imports is declared, what is declared is used, and what is used is locked."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = ("queries", "streams", "agents", "api")
BESIDE = ("bench", "docs", "tests")
COMES_WITH = {"starlette": "fastapi", "pydantic-core": "pydantic", "yarl": "aiohttp"}
"""Packages that another one brings in just the version that it needs, and shows as its own."""


def test_what_is_shipped_imports_only_declared_dependencies() -> None:
    assert _imported(SHIPPED) - _declared("dependencies") == set()


def test_what_lies_beside_imports_only_declared_dependencies() -> None:
    assert _imported(BESIDE) - _declared("dependencies") - _declared("dev") == set()


def test_every_declared_dependency_is_imported() -> None:
    assert _declared("dependencies") - _imported(SHIPPED) == set()


@pytest.mark.parametrize("group", ["dependencies", "dev"])
def test_every_declared_dependency_is_locked_in_a_version_that_fits(group: str) -> None:
    from packaging.requirements import Requirement

    lock = dict(re.findall(r"^([a-z0-9._-]+)==([^ ]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    for line in _requirements(group):
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[_canonical(wanted.name)]), f"{line}: run `make lock`"


def _declared(group: str) -> set[str]:
    return {_canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in _requirements(group)}


def _requirements(group: str) -> list[str]:
    lines: list[str] = PROJECT["project"][group] if group == "dependencies" else PROJECT["dependency-groups"][group]
    return lines


def _imported(packages: tuple[str, ...]) -> set[str]:
    """Return the distributions whose modules are imported in *packages*, at the top or within functions."""
    owners = packages_distributions()
    named: set[str] = set()
    for path in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                named.add(node.module.partition(".")[0])
    foreign = named - set(sys.stdlib_module_names) - set(SHIPPED) - set(BESIDE)
    found = {_canonical(owner) for name in foreign for owner in owners.get(name, [name])}
    return {COMES_WITH.get(name, name) for name in found}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
