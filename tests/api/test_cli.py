"""The command line: help, what goes where, exit codes, and errors that tell the way out."""

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from api.cli import app

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "tests" / "data" / "demo"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with a data folder of its own."""
    for name in os.environ:
        if name.startswith("TIDEGATE_") and name != "TIDEGATE_CACHE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEGATE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIDEGATE_API_PORT", "0")
    return lambda *arguments, **more: CliRunner().invoke(app, list(arguments), prog_name="tidegate", **more)


def _walk(prefix: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    yield prefix, command
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _walk([*prefix, name], inner)


COMMANDS = list(_walk([], get_command(app)))


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_every_command_and_option_explains_itself(run: Run, words: list[str], command: Any) -> None:
    shown = run(*words, "--help")

    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: {' '.join(['tidegate', *words])}")
    assert command.help
    for parameter in command.params:
        assert parameter.help, parameter.name


def test_help_loads_nothing_heavy() -> None:
    heavy = {"aiokafka", "duckdb", "fastapi", "faust", "httpx", "pyarrow", "pydantic", "rich", "uvicorn"}
    code = f"""
import sys
from typer.testing import CliRunner
from api.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print(sorted({heavy} & set(sys.modules)))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert said.stdout == "[]\n"


def test_the_version_is_printed(run: Run) -> None:
    assert json.loads(run("version", "--json").output) == {"version": run("version").output.strip()}


def test_normalise_prints_records_and_tells_bad_items_apart(run: Run) -> None:
    said = run("normalise", "guardduty", str(DEMO / "guardduty.jsonl"))

    assert said.exit_code == 1
    assert len([json.loads(line) for line in said.stdout.splitlines()]) == 12
    assert "guardduty.jsonl:line 8: accountId: wanted 12 digits, got 'shop'" in said.stderr
    assert "1 bad item" in said.stderr


def test_normalise_with_json_prints_bad_items_as_json_too(run: Run) -> None:
    said = run("normalise", "guardduty", "-", "--json", input='{"Findings": [{"Id": "x"}, 3]}')

    assert said.exit_code == 1
    assert said.stdout == ""
    places = [json.loads(line)["place"] for line in said.stderr.splitlines()]
    assert places == ["Findings[0]", "Findings[1]"]


def test_normalise_of_good_files_succeeds(run: Run, tmp_path: Path) -> None:
    packed = tmp_path / "aws.json.gz"
    packed.write_bytes(gzip.compress((DEMO / "aws.jsonl").read_bytes()))

    said = run("normalise", "aws", str(packed), str(DEMO / "aws.jsonl"))

    assert said.exit_code == 0
    assert said.stderr == ""
    assert len(said.stdout.splitlines()) == 2 * 39


@pytest.mark.parametrize("command", ["send", "normalise"])
def test_a_wrong_source_is_told_with_the_nearest(run: Run, command: str) -> None:
    said = run(command, "guarduty", str(DEMO / "guardduty.jsonl"))

    assert said.exit_code == 2
    assert "there is no source 'guarduty'; did you mean guardduty?" in " ".join(said.stderr.split())
    assert "aws" in said.stderr


@pytest.mark.parametrize("command", ["send", "normalise"])
def test_a_file_that_is_missing_is_told_before_anything_is_done(run: Run, command: str, tmp_path: Path) -> None:
    said = run(command, "guardduty", str(DEMO / "guardduty.jsonl"), str(tmp_path / "none"))

    assert (said.exit_code, said.stdout) == (2 if command == "normalise" else 3, "")
    if command == "normalise":
        assert "none: no such file" in said.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("dead-letters", "list"),
        ("dead-letters", "show", "0-0"),
        ("dead-letters", "replay", "0-0"),
        ("rql", "config from cloud.resource where cloud.type = 'aws'"),
        ("sql", "select 1"),
        ("policies", "violations"),
        ("snapshot", "create"),
        ("send", "aws", str(DEMO / "aws.jsonl")),
        ("topics", "check"),
        ("topics", "create"),
    ],
)
def test_where_nothing_runs_the_way_out_is_told(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments)

    assert said.exit_code == 3
    assert said.stdout == ""
    assert "no Tidegate runs on" in said.stderr
    assert "tidegate up" in said.stderr


@pytest.mark.parametrize("arguments", [("worker",), ("node",)])
def test_a_worker_without_a_cluster_is_told_what_to_set(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments)

    assert said.exit_code == 2
    assert "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS is not set" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "name", "value", "said"),
    [
        (("status",), "TIDEGATE_PARTITIONS", "many", "TIDEGATE_PARTITIONS"),
        (("up",), "TIDEGATE_API_HOST", "192.0.2.1", "TIDEGATE_API_PORT: 192.0.2.1:0 can't be used"),
        (("up",), "TIDEGATE_DATA", "/dev/null/data", "TIDEGATE_DATA: /dev/null/data can't be used"),
    ],
)
def test_a_wrong_setting_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    shown = run(*arguments)

    assert shown.exit_code == 2
    assert said in shown.stderr


@pytest.mark.parametrize("arguments", [("send", "aws", str(DEMO / "aws.jsonl")), ("topics", "check"), ("worker",)])
def test_a_cluster_that_does_not_answer_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")

    said = run(*arguments)

    assert said.exit_code == 3
    assert "127.0.0.1:9" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("rql",), ("rql", "x", "--limit", "-1"), ("snapshot",)])
def test_wrong_usage_is_told(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_an_empty_query_is_told(run: Run) -> None:
    said = run("rql", "-", input=" \n")

    assert said.exit_code == 2
    assert "the query is empty" in said.stderr


@pytest.mark.usefixtures("stored")
def test_snapshots_are_taken_asked_checked_and_pruned_with_nothing_running(run: Run) -> None:
    first, second = (json.loads(run("snapshot", "create", "--json").output) for _ in range(2))

    assert second["rows"]["resources"] == 39
    listed = json.loads(run("snapshot", "list", "--json").output)["snapshots"]
    assert [each["name"] for each in listed] == [second["name"], first["name"]]
    assert run("snapshot", "list").output.splitlines()[1].startswith(second["name"] + "\t")
    assert run("snapshot", "verify").exit_code == 0

    asked = run("sql", "select count(*) from resources")
    assert (asked.exit_code, asked.stdout.splitlines()[1]) == (0, "39")
    assert "no Tidegate runs on" in asked.stderr
    assert f"from snapshot {second['name']}" in asked.stderr

    rql = run("rql", "-", "--snapshot", first["path"], "--json", input=RQL)
    assert json.loads(rql.stdout)["total"] == 24
    assert json.loads(rql.stdout)["snapshot"] == first["name"]
    assert rql.stderr == ""

    assert json.loads(run("snapshot", "prune", "--keep", "1", "--json").output) == {"removed": [first["name"]]}


@pytest.mark.usefixtures("stored")
def test_a_snapshot_that_was_damaged_is_found_out(run: Run) -> None:
    made = json.loads(run("snapshot", "create", "--json").output)
    victim = next(Path(made["path"]).rglob("resources*.parquet"))
    victim.parent.chmod(0o755)
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:100])

    said = run("snapshot", "verify", made["path"])

    assert said.exit_code == 1
    assert "parquet" in said.stderr
    assert "damaged" in said.stdout


def test_a_folder_that_is_no_snapshot_is_told(run: Run, tmp_path: Path) -> None:
    for command in ("rql", "sql"):
        said = run(command, "x", "--snapshot", str(tmp_path))
        assert said.exit_code == 2
        assert str(tmp_path) in said.stderr


@pytest.mark.usefixtures("stored")
def test_a_wrong_query_is_drawn_with_a_caret(run: Run) -> None:
    run("snapshot", "create")

    said = run("rql", "config from cloud.resource where cloud.tipe = 'aws'")

    assert said.exit_code == 2
    assert "    config from cloud.resource where cloud.tipe = 'aws'\n" in said.stderr
    assert "^^^^^^^^^^" in said.stderr
    assert run("sql", "selec 1").exit_code == 2


@pytest.mark.usefixtures("stored")
def test_a_table_in_a_pipe_is_tab_separated_and_one_row_is_one_line(run: Run) -> None:
    run("snapshot", "create")

    said = run("sql", "select 1 as a, 'x' || chr(9) || 'y' || chr(10) || chr(27) as b, null as c, [1, 2] as d")

    assert said.stdout == "a\tb\tc\td\n1\tx\\ty\\n\N{REPLACEMENT CHARACTER}\t\t[1, 2]\n"


@pytest.mark.usefixtures("stored")
def test_explain_prints_the_stages(run: Run) -> None:
    run("snapshot", "create")

    said = run("rql", RQL, "--explain")

    assert said.exit_code == 0
    assert [line for line in said.stdout.splitlines() if line and not line.startswith(" ")] == [
        f"{name}:" for name in ("query", "hot", "tree", "sql", "values", "plan")
    ]


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m api.cli normalise aws {DEMO / 'aws.jsonl'} {DEMO / 'aws.jsonl'} | head -1"
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)

    assert said.stdout.count("\n") == 1
    assert said.stderr == ""


def test_an_interrupted_command_ends_with_130() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "normalise", "aws", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write((DEMO / "aws.jsonl").read_bytes())
    child.stdin.flush()
    assert child.stdout.read(1)  # it is at work
    child.send_signal(signal.SIGINT)
    _, said = child.communicate()

    assert child.returncode == 130
    assert said == b"\ninterrupted\n"


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_has_colour_unless_it_is_not_wanted(tmp_path: Path, run: Run, no_color: str, coloured: bool) -> None:
    run("snapshot", "create")
    env = os.environ | {"TIDEGATE_DATA": str(tmp_path / "data"), "TERM": "xterm-256color", "NO_COLOR": no_color}

    shown = _in_terminal(["rql", RQL, "--limit", "3"], env)

    assert ("\x1b[" in shown) is coloured
    assert "account" in shown


def _in_terminal(arguments: list[str], env: dict[str, str]) -> str:
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=env
    )
    os.close(slave)
    shown = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert child.wait(10) == 0, shown.decode()
    return shown.decode()


RQL = "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"
