"""A whole Tidegate as its user runs it: `tidegate up` in a process of its own, and the commands beside it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.normalise import NORMALISERS
from api.cli import app
from streams.settings import Settings

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "tests" / "data" / "demo"
JOINED = (
    "config from cloud.resource where finding.severity IN ('critical', 'high')"
    " AND api.name = 'aws-ec2-describe-instances' AND json.rule = metadataOptions.httpTokens = 'optional'"
)


@dataclass
class Up:
    """A running one; `said` collects what every command printed."""

    data: Path
    env: dict[str, str]
    ready: dict[str, Any]
    child: "subprocess.Popen[str]"
    said: list[str]

    def run(self, *arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, list(arguments), prog_name="tidegate", env=self.env)
        self.said += [done.stdout, done.stderr]
        assert done.exit_code == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def wait_for(self, **rows: int) -> dict[str, Any]:
        until = time.monotonic() + 60
        while True:
            status = self.json("status")
            if all(status["rows"][table] == count for table, count in rows.items()):
                return dict(status)
            assert time.monotonic() < until, status
            time.sleep(0.2)


def test_what_is_sent_is_answered_and_what_is_broken_is_replayed_once(settings: Settings) -> None:
    with _up(settings) as up:
        refused = up.run("up", code=2)
        assert f"another Tidegate (pid {up.ready['pid']}) runs on {up.data}" in refused

        assert up.json("topics", "check") == {"ok": True, "wrong": []}
        sent = up.json("send", "aws", str(DEMO / "aws.jsonl"))
        assert (sent["messages"], sent["bytes"]) == (39, (DEMO / "aws.jsonl").stat().st_size - 39)
        assert "13 messages" in up.run("send", "guardduty", str(DEMO / "guardduty.jsonl"))
        status = up.wait_for(resources=39, findings=12, finding_resource=12)
        assert status["whole"] is True
        assert {each["topic"] for each in status["partitions"]} == {
            settings.topic_prefix + name
            for name in (*(one.topic for one in NORMALISERS.values()), "resources", "findings", "alerts")
        }
        assert status["rows"]["alerts"] > 0

        live = up.json("rql", JOINED)
        assert (live["source"], live["whole"]) == ("live", True)
        assert live["total"] > 0
        counted = up.json("sql", "select count(*) from findings")
        assert (counted["rows"], counted["source"]) == ([[12]], "snapshot")
        assert up.json("snapshot", "create")["rows"]["resources"] == 39

        (letter,) = up.json("dead-letters", "list")["dead_letters"]
        assert (letter["path"], letter["reason"]) == ("accountId", "wanted 12 digits, got 'shop'")
        assert up.json("dead-letters", "list", "--source", "aws") == {"dead_letters": []}
        item = json.loads(up.run("dead-letters", "show", letter["id"], "--item"))
        assert item["accountId"] == "shop"
        up.run("dead-letters", "replay", letter["id"])
        assert "sent again at" in up.run("dead-letters", "replay", letter["id"], code=1)
        up.run("dead-letters", "show", "0-999999", code=1)
        assert "not right" not in up.run("dead-letters", "show", letter["id"])
        _until(lambda: len(up.json("dead-letters", "list")["dead_letters"]) == 2)

        drawn = up.run("rql", "config from cloud.resource where cloud.tipe = 'aws'", code=2)
        assert "^^^^^^^^^^" in drawn

    token = (up.data / "token").read_text().strip()
    assert (up.data / "token").stat().st_mode & 0o777 == 0o600
    assert not any(token in text for text in [*up.said, (up.data / "err").read_text()])
    assert "no Tidegate runs on" in up.run("status", code=3)
    fallen_back = up.json("rql", JOINED)
    assert (fallen_back["source"], fallen_back["total"]) == ("snapshot", live["total"])


def test_it_stops_cleanly_and_starts_again_with_all_it_had(settings: Settings) -> None:
    with _up(settings) as up:
        up.run("send", "aws", str(DEMO / "aws.jsonl"))
        up.wait_for(resources=39)
    with _up(settings) as up:
        assert up.json("status")["rows"]["resources"] == 39


@pytest.mark.parametrize("kind", ["up", "node"])
def test_ctrl_c_before_it_is_ready_leaves_nothing_behind(settings: Settings, kind: str) -> None:
    env = _env(settings)
    child = subprocess.Popen(
        [sys.executable, "-m", "api.cli", kind], stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env
    )
    assert child.stderr is not None
    assert b"joining" in child.stderr.readline()
    child.send_signal(signal.SIGINT)
    out, said = child.communicate(timeout=60)

    assert child.returncode == 130
    assert out == b""
    assert b"stopping before it was ready" in said
    assert b"Traceback" not in said
    assert not (settings.data / "run.json").exists()


def test_a_query_node_answers_for_every_worker(settings: Settings) -> None:
    with _up(settings, "worker") as worker:
        worker.run("send", "aws", str(DEMO / "aws.jsonl"))
        with _up(settings.model_copy(update={"data": settings.data / "node"}), "node") as node:
            node.wait_for(resources=39)
            answer = node.json("rql", "config from cloud.resource where api.name = 'aws-ec2-describe-instances'")
            assert (answer["total"], answer["whole"]) == (24, True)


@contextlib.contextmanager
def _up(settings: Settings, kind: str = "up") -> Iterator[Up]:
    settings.data.mkdir(parents=True, exist_ok=True)
    env = _env(settings)
    with (settings.data / "err").open("w") as err:
        child = subprocess.Popen(
            [sys.executable, "-m", "api.cli", kind, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            cwd=ROOT,
            env=env,
        )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert line, (settings.data / "err").read_text()
        yield Up(settings.data, env, json.loads(line), child, [line])
        child.terminate()
        assert child.wait(30) == 0
        assert not (settings.data / "run.json").exists()
        assert "Traceback" not in (settings.data / "err").read_text()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _until(happened: Any) -> None:
    until = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.2)


def _env(settings: Settings) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")} | {
        "TIDEGATE_DATA": str(settings.data),
        "TIDEGATE_API_PORT": "0",
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TIDEGATE_TOPIC_PREFIX": settings.topic_prefix,
        "TIDEGATE_PARTITIONS": str(settings.partitions),
        "TIDEGATE_RAW_PARTITIONS": str(settings.raw_partitions),
    }
