"""`tidegate rql`: check and fmt without anything that runs, and questions as of a time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from streams import snapshot
from streams.store import Store
from tests.queries.test_corpus import QUERIES

GOOD = "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"
WRONG = "config from cloud.resource where api.names = 'x'"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["rql", *arguments], prog_name="tidegate", input=stdin)


def test_check_names_the_place_and_the_reason_of_each_that_fails(tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_text(f"# mine\n{GOOD}\n\n{WRONG}\n")
    said = run("check", str(file))
    assert said.exit_code == 1
    reason = "there is no attribute 'api.names' (line 1, column 34); did you mean api.name?"
    assert said.output == f"{file}:4: {reason}\n2 queries, 1 failed\n"


def test_check_reads_json_lines_and_answers_in_json() -> None:
    lines = [json.dumps({"query": GOOD, "name": "x"}), json.dumps({"query": WRONG}), '{"query": 7}', "{", '{"a": "b"}']
    said = run("check", "-", "--json", stdin="\n".join(lines))
    assert said.exit_code == 1
    told = json.loads(said.output)
    assert told["total"] == 5
    assert [each["query"] for each in told["failed"]] == [WRONG, *lines[2:]]
    assert told["failed"][1]["reason"] == 'wanted {"query": "..."} with a text'
    assert told["failed"][2]["reason"].startswith("this line is no JSON")


def test_check_is_content_with_good_queries_and_says_how_many() -> None:
    said = run("check", "-", stdin=f"{GOOD}\n{GOOD}\n")
    assert (said.exit_code, said.output) == (0, "2 queries, 0 failed\n")


def test_check_says_which_file_cant_be_read(tmp_path: Path) -> None:
    said = run("check", str(tmp_path / "gone"))
    assert said.exit_code == 2
    assert "gone can't be read" in said.output


@pytest.mark.skipif(not QUERIES.exists(), reason="the corpus of real queries isn't here")
def test_check_tells_real_queries_of_other_kinds_apart() -> None:
    told = json.loads(run("check", str(QUERIES), "--json").output)
    config = {json.loads(line)["query"] for line in QUERIES.read_text().splitlines() if '"kind": "config"' in line}
    assert told["total"] == 184
    others = [each for each in told["failed"] if each["query"] not in config]
    assert len(others) == 36
    assert all("answers config queries" in each["reason"] for each in others)


def test_fmt_prints_one_spelling() -> None:
    said = run("fmt", "config  where api.name='x'   AND json.rule = a == 1 as X; count( X ) < 1")
    wanted = "config from cloud.resource where api.name = 'x' and json.rule = a equals '1' as X; count(X) less than 1"
    assert (said.exit_code, said.output) == (0, f"{wanted}\n")


def test_fmt_draws_what_is_wrong() -> None:
    said = run("fmt", WRONG)
    assert said.exit_code == 2
    assert "^" in said.output


class TestAsOf:
    @pytest.fixture
    def taken(self, data: Path) -> list[snapshot.Snapshot]:
        data.mkdir()
        store = Store.open(data / "store.duckdb", memory="256MB", threads=1)
        start = datetime(2026, 5, 1, 12, tzinfo=UTC)
        found = [snapshot.create(store, data / "snapshots", 9, start + timedelta(hours=n)) for n in range(2)]
        store.close()
        return found

    @pytest.mark.parametrize(("asked", "number"), [("2026-05-01T12:30Z", 0), ("2026-05-02T00:00+02:00", 1)])
    def test_the_newest_snapshot_by_a_time_answers(
        self, taken: list[snapshot.Snapshot], asked: str, number: int
    ) -> None:
        said = run(GOOD, "--as-of", asked, "--json")
        assert json.loads(said.output)["snapshot"] == taken[number].path.name

    def test_a_snapshot_may_be_named(self, taken: list[snapshot.Snapshot]) -> None:
        said = run("ask", GOOD, "--as-of", taken[0].path.name, "--json")
        assert json.loads(said.output)["as_of"].startswith("2026-05-01T12:00:00")

    @pytest.mark.parametrize(
        ("asked", "told"),
        [("2026-04-01", "no snapshot was taken by 2026-04-01"), ("yesterday", "is no snapshot's name and no time")],
    )
    def test_what_isnt_there_is_said(self, taken: list[snapshot.Snapshot], asked: str, told: str) -> None:
        said = run(GOOD, "--as-of", asked)
        assert said.exit_code == 2
        assert told in " ".join(said.output.split())
