"""Policies through the API and the command line, on the demo's records."""

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.models import Violations
from queries.policy import SHIPPED, load
from streams.settings import Settings

SSH = "aws-security-group-ssh-open"
OWN = """
name: Instances without an owner
severity: low
description: Nobody is told.
recommendation: Tag it.
rql: config from cloud.resource where api.name = 'aws-ec2-describe-instances' and tag('team') does not exist
"""


@pytest.fixture
def data(stored: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of the demo's records, named in the environment, with nothing running on it."""
    monkeypatch.setenv("TIDEGATE_DATA", str(stored.data))
    monkeypatch.delenv("TIDEGATE_POLICIES", raising=False)
    return stored.data


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policies", *arguments], prog_name="tidegate")


async def test_the_api_lists_policies_the_worst_first_and_shows_one(api: httpx.AsyncClient) -> None:
    listed = (await api.get("/policies")).json()["policies"]
    assert {each["id"] for each in listed} == set(load(SHIPPED))
    assert (listed[0]["severity"], listed[-1]["severity"]) == ("critical", "low")
    shown = (await api.get(f"/policies/{SSH}")).json()
    assert shown in listed
    assert shown["compliance"][0] == {"standard": "CIS AWS Foundations Benchmark 3.0.0", "requirement": "5.2"}


async def test_the_api_finds_what_violates_a_policy_and_says_how_far_to_rely_on_it(api: httpx.AsyncClient) -> None:
    said = Violations(**(await api.get(f"/policies/{SSH}/violations", params={"limit": 1})).json())
    assert (said.policy, said.severity, said.source, said.whole) == (SSH, "high", "live", True)
    assert len(said.rows) == 1
    assert said.total is not None and said.total > 1


def test_policies_are_listed_and_shown_with_nothing_running() -> None:
    listed = _run("list").stdout.splitlines()
    assert listed[0].split("\t") == ["policy", "severity", "cloud", "enabled", "name"]
    assert len(listed) == 1 + len(load(SHIPPED))
    shown = dict(line.split("\t", 1) for line in _run("show", SSH).stdout.splitlines())
    assert (shown["id"], shown["severity"], shown["labels"]) == (SSH, "high", "network, internet-exposed")
    assert json.loads(_run("show", SSH, "--json").stdout)["rql"] == shown["rql"]


@pytest.mark.usefixtures("data")
def test_violations_come_from_the_newest_snapshot_when_nothing_runs_and_fail_only_when_asked_to() -> None:
    made = json.loads(CliRunner().invoke(app, ["snapshot", "create", "--json"]).stdout)
    said = _run("violations", SSH)
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    assert (said.exit_code, rows[0]) == (0, ["severity", "policy", "account", "region", "id", "name"])
    assert {row[-1] for row in rows[1:]} == {"ssh-anywhere"}
    assert f"from snapshot {made['name']}" in said.stderr
    assert f"{len(rows) - 1} violations" in said.stderr

    failed = _run("violations", SSH, "--fail", "--json", "--limit", "1", "--snapshot", made["path"])
    found = json.loads(failed.stdout)
    assert (failed.exit_code, failed.stderr) == (1, "")
    assert (found["total"], len(found["violations"][0]["rows"])) == (len(rows) - 1, 1)
    assert found["violations"][0]["snapshot"] == made["name"]
    assert _run("violations", "aws-iam-root-without-mfa", "--fail").exit_code == 0

    everything = json.loads(_run("violations", "--json").stdout)["violations"]
    assert [each["policy"] for each in everything][:1] == ["aws-guardduty-critical"]
    assert {each["policy"] for each in everything} == set(load(SHIPPED))


@pytest.mark.usefixtures("data")
def test_a_folder_of_ones_own_adds_policies_and_replaces_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "no-owner.yaml").write_text(OWN)
    (own / f"{SSH}.yaml").write_text((SHIPPED / f"{SSH}.yaml").read_text() + "enabled: false\n")
    monkeypatch.setenv("TIDEGATE_POLICIES", str(own))
    CliRunner().invoke(app, ["snapshot", "create"])

    listed = {each["id"]: each["enabled"] for each in json.loads(_run("list", "--json").stdout)["policies"]}
    assert listed == dict.fromkeys([*load(SHIPPED), "no-owner"], True) | {SSH: False}
    asked = {each["policy"] for each in json.loads(_run("violations", "--json").stdout)["violations"]}
    assert "no-owner" in asked and SSH not in asked
    assert json.loads(_run("violations", SSH, "--json").stdout)["total"] > 0


def test_an_id_that_is_not_there_is_told_with_the_nearest() -> None:
    said = _run("show", "aws-security-group-ssh-opened")
    assert said.exit_code == 1
    assert f"did you mean {SSH}?" in said.stderr


def test_wrong_policies_and_a_wrong_folder_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no-owner.yaml").write_text(OWN.replace("severity: low", "severity: lwo"))
    monkeypatch.setenv("TIDEGATE_POLICIES", str(tmp_path))
    said = _run("list")
    assert (said.exit_code, said.stdout) == (2, "")
    assert f"{tmp_path / 'no-owner.yaml'}: severity: 'lwo': did you mean low?" in said.stderr
    monkeypatch.setenv("TIDEGATE_POLICIES", str(tmp_path / "none"))
    said = _run("list")
    assert said.exit_code == 2
    assert "TIDEGATE_POLICIES: Path does not point to a directory" in said.stderr
