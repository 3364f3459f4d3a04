"""Our package names are common words: prove that they are still ours, and that a clash is loud."""

import os
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

from streams.names import NAMES, check_names, owners

ROOT = Path(__file__).parents[2]
ASK = "from streams.names import check_names; check_names()"


@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_installs_a_package_of_this_name(name: str) -> None:
    assert owners(name) == set()
    origin = import_module(name).__file__
    assert origin is not None
    assert Path(origin).is_relative_to(ROOT)


def test_the_check_passes_here() -> None:
    check_names()


def test_another_package_in_front_of_ours_is_told_with_its_distribution(tmp_path: Path) -> None:
    _install(tmp_path, "openagents")
    said = _python(ASK, path=[tmp_path, ROOT], cwd=tmp_path)
    assert said.returncode == 1
    assert f"the package 'agents' is not Tidegate's: Python finds {tmp_path / 'agents'}" in said.stderr
    assert "openagents installs a package of that name too" in said.stderr


def test_a_package_that_overwrote_ours_is_told(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert _python(ASK, path=[tmp_path], cwd=tmp_path).returncode == 0
    _install(tmp_path, "openagents")
    said = _python(ASK, path=[tmp_path], cwd=tmp_path)
    assert said.returncode == 1
    assert f"{tmp_path / 'agents' / '__init__.py'} is not the file that Tidegate installed" in said.stderr
    assert "openagents installs a package of that name too" in said.stderr


def test_the_wheel_holds_the_four_packages_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(["git", "ls-files", *NAMES], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shipped >= set(tracked.split("\n")) - {""}
    assert {name.partition("/")[0] for name in shipped} == set(NAMES)


def test_the_wheel_brings_the_licence_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {Path(name).name: name for name in archive.namelist() if ".dist-info/" in name}
        assert "tidegate = api.cli:main" in archive.read(inside["entry_points.txt"]).decode()
        assert "Apache License" in archive.read(inside["LICENSE"]).decode()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from this checkout with the locked hatchling, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    hatchling = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(hatchling, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def _install(folder: Path, distribution: str) -> None:
    """Lay out another distribution that has a package `agents`, as pip would."""
    (folder / "agents").mkdir(exist_ok=True)
    (folder / "agents" / "__init__.py").write_text('"""Not ours."""\n')
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "RECORD").write_text("agents/__init__.py,,\n")


def _python(code: str, path: list[Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
