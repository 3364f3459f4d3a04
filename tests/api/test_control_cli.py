"""What people set up, by the command line, with a real broker and the API in a thread: files, an editor, keys."""

import asyncio
import json
import os
import pty
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from typer.testing import CliRunner, Result

from agents.control import kinds
from api import token
from api.app import create_app
from api.cli import app
from api.cli.control_files import FilesError, as_yaml, read
from api.running import Claim, Running
from api.state import Alone
from queries.policy import SHIPPED, load_all
from streams.admin import ensure_topics
from streams.control import Control, Keys
from streams.settings import Settings
from streams.topics import FINDINGS

ROOT = Path(__file__).parent.parent.parent
SSH = "aws-security-group-ssh-open"
HOOK = """
kind: integration
id: hook
name: Hook
type: webhook
settings:
  url: https://hooks.example/s3cret-url
"""
RULE = """
kind: alert-rule
name: Critical to the hook
severities: [critical]
channels:
  - integration: hook
"""
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command beside an API with a control plane."""
    for name in os.environ:
        if name.startswith("TIDEGATE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEGATE_DATA", str(settings.data))
    with Claim(settings.data) as claim:
        secret = token.ensure(settings.data)
        listener = socket.create_server(("127.0.0.1", 0))
        ready, stop = threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            keys = Keys.load("", None, settings.data / "secrets.key", create=True)
            control = Control(settings, kinds(load_all()), keys)
            await control.start()
            served = create_app(Alone(settings, None), secret, policies={}, control=control)
            server = uvicorn.Server(uvicorn.Config(served, log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            ready.set()
            await stop.wait()
            server.should_exit = True
            await serving
            await control.stop()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        assert ready.wait(60)
        port = listener.getsockname()[1]
        claim.announce(
            Running(
                kind="up",
                pid=os.getpid(),
                api=f"http://127.0.0.1:{port}",
                bootstrap_servers=settings.kafka_bootstrap_servers,
                topic_prefix=settings.topic_prefix,
                started=datetime.now(UTC).isoformat(),
            )
        )
        yield lambda *arguments, **more: CliRunner().invoke(app, list(arguments), prog_name="tidegate", **more)
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()
        listener.close()


@pytest.mark.kafka
def test_a_folder_is_applied_with_its_differences_first_twice_and_pruned(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "setup"
    (folder / "policies").mkdir(parents=True)
    (folder / "all.yaml").write_text(f"{HOOK}---{RULE}")
    (folder / "policies" / "no-owner.yaml").write_text(
        (SHIPPED / f"{SSH}.yaml").read_text().replace("name: ", "name: My ", 1)
    )
    (folder / "group.json").write_text(json.dumps([{"kind": "account-groups", "name": "Production"}]))

    dry = run("apply", "-f", str(folder), "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert "+ integration hook (Hook)" in dry.stdout
    assert "    + settings: " in dry.stdout and "s3cret" not in dry.stdout
    assert dry.stdout.endswith("4 created; nothing was written\n")
    assert run("apply", "-f", str(folder)).stdout.endswith("4 created\n")
    assert run("apply", "-f", str(folder), "--prune").stdout == "4 unchanged\n"

    (folder / "all.yaml").write_text(HOOK.replace("Hook", "Renamed").replace("s3cret-url", "s3cret-other"))
    again = run("apply", "-f", str(folder), "--prune")
    assert again.stdout.splitlines() == [
        "~ integration hook (Renamed)",
        "    - name: Hook",
        "    + name: Renamed",
        "    - settings.url: **********",
        "    + settings.url: ********** (another)",
        "- alert-rule critical-to-the-hook (Critical to the hook)",
        "    - id: critical-to-the-hook",
        "    - name: Critical to the hook",
        '    - severities: ["critical"]',
        '    - channels: [{"integration": "hook"}]',
        "1 changed, 1 deleted, 2 unchanged",
    ]
    assert json.loads(run("apply", "-f", str(folder), "--json").stdout)["dry_run"] is False


@pytest.mark.kafka
def test_what_is_wrong_in_files_is_told_with_the_file_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "setup"
    folder.mkdir()
    (folder / "a.yaml").write_text(HOOK.replace("hook\n", "hok\n", 1))
    (folder / "b.yaml").write_text(f"{RULE}---{RULE}severities: [critcal]".replace("severities: [critical]\n", "", 1))
    said = run("apply", "-f", str(folder))
    assert said.exit_code == 2
    assert f"{folder / 'b.yaml'}, object 2: not YAML" in said.stderr or "stands there twice" in said.stderr
    (folder / "b.yaml").write_text(RULE)
    said = run("apply", "-f", str(folder))
    assert f"{folder / 'b.yaml'}: alert-rule critical-to-the-hook: channels[0].integration" in said.stderr
    assert "there is no integration 'hook'; did you mean hok (Hook)?" in said.stderr.replace("\n", " ")
    assert json.loads(run("get", "integrations", "--json").stdout) == {"objects": []}


@pytest.mark.kafka
def test_objects_are_listed_shown_edited_exported_and_deleted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all.yaml").write_text(f"{HOOK}---{RULE}")
    run("apply", "-f", str(tmp_path / "all.yaml"))
    assert "alert-rules\t2\t" in run("get").stdout
    listed = [line.split("\t")[:4] for line in run("get", "integrations").stdout.splitlines()]
    assert listed == [["id", "name", "type", "enabled"], ["hook", "Hook", "webhook", "true"]]
    assert yaml.safe_load(run("get", "integration", "Hook").stdout) == {
        "kind": "integration",
        "id": "hook",
        "name": "Hook",
        "type": "webhook",
        "settings": {"url": "**********"},
    }
    assert (
        "used by\talert-rule critical-to-the-hook: channels[0].integration"
        in run("describe", "integration", "hook").stdout
    )

    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "$EDIT" "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDIT", "s/: Hook/: Mine/")
    assert run("edit", "integrations", "hook").stdout.startswith("integration hook: changed, version ")
    assert "nothing was changed" in run("edit", "integrations", "Mine").stderr
    monkeypatch.setenv("EDIT", "s/webhook/webhok/")
    said = run("edit", "integration", "hook")
    assert said.exit_code == 2
    assert "did you mean webhook?" in said.stderr and "your text is in " in said.stderr

    assert run("export", str(tmp_path / "out")).exit_code == 0
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.yaml")) == [
        "alert-rules/critical-to-the-hook.yaml",
        "integrations/hook.yaml",
    ]
    assert run("apply", "-f", str(tmp_path / "out")).stdout == "2 unchanged\n"
    assert len(list(yaml.safe_load_all(run("export", "--kind", "integrations").stdout))) == 1

    lines = [line.split("\t")[1:] for line in run("audit", "integrations").stdout.splitlines()]
    assert lines[1] == ["local token", "changed", "integration", "hook", "name: Hook -> Mine"]

    refused = run("delete", "integration", "hook")
    assert refused.exit_code == 1
    assert "alert-rule critical-to-the-hook (channels[0].integration) would name what isn't there" in refused.stderr
    assert run("delete", "alert-rules", "critical-to-the-hook").stdout == "alert-rule critical-to-the-hook: deleted\n"
    assert run("delete", "integrations", "hook", "--json").exit_code == 0
    said = run("delete", "integrations", "hook")
    assert (said.exit_code, "among the integrations there is no 'hook'" in said.stderr) == (1, True)


@pytest.mark.kafka
def test_integrations_and_keys_have_commands_of_their_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_URL", "https://127.0.0.1:9/hook")
    made = run(
        "integrations",
        "add",
        "webhook",
        "My hook",
        "--set",
        "url=env:HOOK_URL",
        "--set",
        "headers.X-Key=s3cret",
        "--set",
        "most_bytes=5000",
    )
    assert (made.exit_code, made.stdout) == (0, "integration my-hook: created\n"), made.stderr
    shown = yaml.safe_load(run("get", "integration", "my-hook").stdout)["settings"]
    assert shown == {"url": "env:HOOK_URL", "headers": {"X-Key": "**********"}, "most_bytes": 5000}
    said = run("integrations", "add", "webhook", "My hook", "--set", "url=env:HOOK_URL")
    assert (said.exit_code, "you changed version 0, and it is at version" in said.stderr) == (1, True)
    said = run("integrations", "test", "my-hook")
    assert (said.exit_code, "no public address" in said.stdout) == (1, True)
    assert run("integrations", "disable", "My hook").stdout == "integration my-hook: disabled\n"
    assert "my-hook\tMy hook\twebhook\tfalse\t" in run("integrations", "status").stdout
    assert run("integrations", "enable", "my-hook").exit_code == 0
    rotated = run("keys", "rotate")
    assert (rotated.stdout[:28], rotated.stderr) == ("1 objects sealed again; key ", "the old keys are gone\n")
    assert run("integrations", "delete", "my-hook").exit_code == 0

    assert "there is no user 'ann'" in run("access-keys", "add", "ann").stderr
    user = {"kind": "user", "id": "ann", "name": "Ann", "role": "read-only"}
    assert run("apply", "-f", "-", input=json.dumps(user)).stdout.endswith("1 created\n")
    key = json.loads(run("access-keys", "add", "ann", "--days", "30", "--json").stdout)
    assert key["secret"] not in run("describe", "access-key", key["id"]).stdout


@pytest.mark.kafka
def test_vendors_that_are_asked_have_the_same_commands(run: Run, settings: Settings) -> None:
    asyncio.run(ensure_topics(settings, [FINDINGS]))
    keys = ("--set", "access_key=a1b2c3d4", "--set", "secret_key=s3cret-of-tenable", "--set", "url=https://127.0.0.1:9")
    made = run("integrations", "add", "tenable", "Scanner", *keys)
    assert (made.exit_code, made.stdout) == (0, "integration scanner: created\n"), made.stderr
    said = run("integrations", "test", "Scanner")
    assert (said.exit_code, "no public address" in said.stdout) == (1, True)
    assert run("integrations", "disable", "scanner").stdout == "integration scanner: disabled\n"
    shown = run("integrations", "status")
    assert "scanner\tScanner\ttenable\tdisabled\t0\t" in shown.stdout
    assert "s3cret" not in shown.stdout + run("get", "inbound-integration", "scanner").stdout
    said = run("integrations", "delete", "scanner", "--close-findings", "--dry-run")
    assert said.stdout == "integration scanner: would be deleted\n", said.stderr
    assert "0 open findings of Tenable" in said.stderr
    assert run("integrations", "delete", "Scanner").stdout == "integration scanner: deleted\n"
    assert run("integrations", "pull", "scanner").exit_code == 1


@pytest.mark.kafka
def test_in_a_terminal_the_settings_that_are_needed_are_asked_for_and_secrets_not_echoed(run: Run) -> None:
    shown = _in_terminal(["integrations", "add", "webhook", "Asked"], "https://hooks.example/s3cret-typed\n")
    assert "url: Where to post" in shown and "integration asked: created" in shown
    assert "s3cret-typed" not in shown
    assert yaml.safe_load(run("get", "integration", "asked").stdout)["settings"] == {"url": "**********"}


@pytest.mark.kafka
def test_rules_have_commands_of_their_own(run: Run) -> None:
    run("integrations", "add", "pagerduty", "On call", "--set", f"integration_key={'a' * 32}")
    made = run("rules", "add", "Critical", "--severity", "critical", "--cloud", "aws")
    assert made.stdout.startswith("alert-rule critical: version "), made.stderr
    warned = run("rules", "channel", "add", "Critical", "On call")
    assert "channels[0]: on-call (pagerduty) opens what it will never close" in warned.stderr
    better = run("rules", "channel", "add", "critical", "on-call", "--state", "open", "--state", "resolved")
    assert (better.exit_code, better.stderr) == (0, "")
    listed = [line.split("\t") for line in run("rules", "list").stdout.splitlines()]
    assert listed[1:] == [
        ["critical", "Critical", "true", "severities: critical; clouds: aws", "on-call (open, resolved)"],
        ["default", "Default alert rule", "true", "everything", ""],
    ]
    assert run("rules", "disable", "Default alert rule").exit_code == 0
    assert run("rules", "channel", "remove", "critical", "on-call").exit_code == 0
    said = run("rules", "channel", "remove", "critical", "on-call")
    assert (said.exit_code, "has no channel on-call" in said.stderr) == (1, True)
    assert run("rules", "delete", "critical").stdout == "alert-rule critical: deleted\n"


def test_destinations_and_their_settings_are_listed_with_nothing_running() -> None:
    listed = CliRunner().invoke(app, ["integrations", "types"], prog_name="tidegate")
    assert "webhook\tPosts each event of an alert" in listed.stdout
    shown = CliRunner().invoke(app, ["integrations", "types", "webhook", "--json"], prog_name="tidegate")
    settings = {each["setting"]: each for each in json.loads(shown.stdout)["settings"]}
    assert (settings["url"]["needed"], settings["url"]["secret"], settings["most_bytes"]["secret"]) == (
        True,
        True,
        False,
    )
    said = CliRunner().invoke(app, ["integrations", "types", "webhok"], prog_name="tidegate")
    assert (said.exit_code, "did you mean webhook?" in said.stderr) == (2, True)


def test_a_key_is_printed_and_kept_nowhere() -> None:
    key = CliRunner().invoke(app, ["keys", "new"], prog_name="tidegate").stdout.strip()
    assert Keys([key]).open(Keys([key]).seal("x", "p"), "p") == "x"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "a: 1\na: 2", "line 2: not YAML: a: stands there twice"),
        ("a.yaml", "a: [1", "not YAML"),
        ("a.yaml", "- 1", "wanted an object"),
        ("a.yaml", "kind: 3\nname: x", "kind: wanted a text"),
        ("a.json", '{"a": }', "line 1: not JSON"),
        ("a.txt", "", "no file there ends in .yaml, .yml, .json"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FilesError) as told:
        read([tmp_path])
    assert said in str(told.value)


def test_in_a_folder_named_as_a_kind_the_kind_and_the_id_come_from_the_path(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.yaml").write_text("name: Mine")
    (tmp_path / "two.yaml").write_text("kind: user\nid: a\n---\nkind: user\nid: b")
    found = [(each.kind, each.document, each.source.removeprefix(str(tmp_path))) for each in read([tmp_path])]
    assert found == [
        ("policies", {"id": "mine", "name": "Mine"}, "/policies/mine.yaml"),
        ("user", {"id": "a"}, "/two.yaml, object 1"),
        ("user", {"id": "b"}, "/two.yaml, object 2"),
    ]


def test_what_is_written_as_yaml_reads_as_it_was() -> None:
    document: dict[str, Any] = {
        "kind": "policy",
        "rql": "config from\ncloud.resource",
        "name": "x: #y",
        "list": [],
        "on": "yes",
        "n": None,
    }
    assert yaml.safe_load(as_yaml(document)) == document


def _in_terminal(arguments: list[str], typed: str) -> str:
    """Return what a command shows in a terminal, where *typed* is entered once it asks."""
    master, slave = pty.openpty()
    code = "import sys; from api.cli import main; sys.argv[0] = 'tidegate'; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT
    )
    os.close(slave)
    shown, entered = "", False
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end has gone
            break
        if not part:
            break
        shown += part.decode(errors="replace")
        if not entered and shown.endswith(": ") and "Where to post" in shown:
            os.write(master, typed.encode())
            entered = True
    assert child.wait(60) == 0, shown
    os.close(master)
    return shown
