"""Benchmarks keep one form, tell a missed goal by their exit code, and measure two contestants by turns."""

import json
import math
from pathlib import Path

import pytest

import bench.__main__ as program
from bench.figures import Figure, Pairs, interleaved

FORM = {"key", "what", "value", "unit", "goal", "ok"}


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "ok", "goal"),
    [
        (0.75, 0.75, None, True, ">= 0.75"),
        (0.74, 0.75, None, False, ">= 0.75"),
        (600, None, 600, True, "<= 600"),
        (601, None, 600, False, "<= 600"),
        (math.nan, 0.75, None, False, ">= 0.75"),
        (math.nan, None, 600, False, "<= 600"),
        (1, None, None, True, None),
    ],
)
def test_a_figure_is_ok_when_it_reaches_its_goal(
    value: float, at_least: float | None, at_most: float | None, ok: bool, goal: str | None
) -> None:
    figure = Figure("key", "what", value, "x", at_least=at_least, at_most=at_most)
    assert (figure.ok, figure.goal) == (ok, goal)
    assert set(figure.json()) == FORM


def test_contestants_run_by_turns_and_who_begins_changes() -> None:
    turns: list[str] = []

    def run(name: str, value: float) -> float:
        turns.append(name)
        return value

    pairs = interleaved(lambda: run("a", 3), lambda: run("b", 2), rounds=3)
    assert "".join(turns) == "abbaab"
    assert pairs.ratios == [1.5, 1.5, 1.5]


def test_a_ratio_is_the_median_of_its_pairs_and_tells_their_spread() -> None:
    figure = Pairs([10, 30, 20], [10, 10, 10]).figure("k", "ours over theirs", at_least=2)
    assert (figure.value, figure.unit, figure.ok) == (2, "x", True)
    assert figure.what == "ours over theirs (median of 3 pairs, 1 to 3)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of two benchmarks, in the place of bench/."""
    head = "from bench.figures import Figure\n"
    (tmp_path / "fine.py").write_text(
        f'"""A fine one."""\n{head}def run(quick): return [Figure("a", "b", 1, "x", at_least=1)]'
    )
    (tmp_path / "slow.py").write_text(
        f'"""A slow one."""\n{head}def run(quick): return [Figure("a", "b", 0.5, "x", at_least=1)]'
    )
    (tmp_path / "shared.py").write_text('"""No benchmark."""\n')
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    monkeypatch.setattr("bench.__path__", [str(tmp_path)])
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_without_a_name_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["fine  A fine one.", "slow  A slow one."]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("name", "code"), [("fine", 0), ("slow", 1), ("none", 2)])
def test_the_exit_code_tells_a_missed_goal_and_an_unknown_name(name: str, code: int) -> None:
    assert program.main([name]) == code


@pytest.mark.usefixtures("folder")
def test_json_is_one_object_of_the_known_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["slow", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"bench", "machine", "figures"}
    assert all(set(figure) == FORM for figure in told["figures"])


def test_every_benchmark_of_the_project_says_what_it_is() -> None:
    assert all(about.endswith(".") for about in program.benchmarks().values())
