"""Imports run one way, plug-ins never know each other, and both checks can tell when it isn't so."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"
PLUGINS = ("agents.normalise", "agents.sinks")


def test_imports_run_one_way() -> None:
    said = _lint(ROOT)
    assert said.returncode == 0, said.stdout + said.stderr


def test_an_import_against_the_current_is_found(tmp_path: Path) -> None:
    for name in ("queries", "streams", "agents", "api"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("import api\n" if name == "queries" else "")
    said = _lint(tmp_path)
    assert said.returncode == 1, said.stdout + said.stderr
    assert "queries is not allowed to import api" in said.stdout


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_is_imported_by_no_module_beside_it(package: str) -> None:
    for path in (ROOT / package.replace(".", "/")).glob("*.py"):
        assert _plugins_imported(path.read_text(encoding="utf-8"), package) == set(), path.name


def test_a_plugin_that_is_imported_is_found() -> None:
    text = "from agents.normalise import aws\nfrom agents.normalise.qualys import Qualys\nimport agents.normalise.wiz"
    assert _plugins_imported(text, "agents.normalise") == {"aws", "qualys", "wiz"}
    assert _plugins_imported("from agents.normalise._base import Normaliser", "agents.normalise") == set()


def _plugins_imported(text: str, package: str) -> set[str]:
    """Return the public modules of *package* that *text* imports; those with an underscore are for sharing."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == package:
            named |= {f"{package}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named.add(node.module)
    inner = {name.removeprefix(f"{package}.") for name in named if name.startswith(f"{package}.")}
    return {name for name in inner if not name.startswith("_")}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--no-cache", str(ROOT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
