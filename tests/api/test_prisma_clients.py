"""Palo Alto's own clients, unchanged, against a whole Tidegate: each does its calls, and finds what is there."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.client import Client
from streams.embedded import Broker

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "tests" / "data" / "demo"
CLIENTS = Path(__file__).parent / "clients"
RESOURCES = 39


@dataclass
class Up:
    """A running Tidegate with the demo's records, and an access key of an admin."""

    data: Path
    ready: dict[str, Any]
    key: str
    secret: str


@pytest.fixture(scope="module")
def up(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    data = tmp_path_factory.mktemp("clients") / "data"
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")} | {
        "TIDEGATE_DATA": str(data),
        "TIDEGATE_API_PORT": "0",
        "TIDEGATE_API_HTTPS_PORT": "0",
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "TIDEGATE_TOPIC_PREFIX": f"t{uuid4().hex[:12]}.",
        "TIDEGATE_PARTITIONS": "4",
        "TIDEGATE_RAW_PARTITIONS": "4",
    }
    with (data.parent / "err").open("w") as err:
        child = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "up", "--json"], stdout=subprocess.PIPE, stderr=err, cwd=ROOT, env=env
        )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert line, (data.parent / "err").read_text()
        for source in ("aws", "guardduty"):
            _run(sys.executable, "-m", "api.cli", "send", source, str(DEMO / f"{source}.jsonl"), env=env)
        client = Client(data)
        until = time.monotonic() + 90
        while client.get("/status")["rows"]["alerts"] < 8 or client.get("/status")["lag"]:
            assert time.monotonic() < until, client.get("/status")
            time.sleep(0.3)
        client.change("PUT", "/control/users/admin", {"name": "Admin", "role": "admin"})
        made = client.post("/control/access-keys", {"user": "admin", "name": "clients"})
        yield Up(data, json.loads(line), made["id"], made["secret"])
        child.terminate()
        assert child.wait(30) == 0
        assert "Traceback" not in (data.parent / "err").read_text()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.skipif(importlib.util.find_spec("prismacloud") is None, reason="prismacloud-api is not installed")
def test_prismacloud_api_does_its_calls_by_https(up: Up, tmp_path: Path) -> None:
    address = up.ready["https"].removeprefix("https://")
    script = CLIENTS / "python_api.py"
    authority = up.data / "tls" / "ca.pem"
    said = _run(sys.executable, str(script), address, up.key, up.secret, str(authority), cwd=tmp_path)
    told = json.loads(said.splitlines()[-1])
    assert told["me"] == "admin"
    assert told["saved"] == []
    assert len(set(told["rrns"])) == len(told["rrns"]) == RESOURCES == told["scanned"]
    assert told["documents"] is True
    listed = Client(up.data).get("/alerts", limit=1000)["alerts"]
    assert set(told["alerts"]) <= {alert["id"] for alert in listed}
    assert (
        len(set(told["alerts"])) == len(told["alerts"]) == told["table"] >= 8
    )  # one is dismissed, and a head is there
    assert told["resource"]
    assert told["policies"] > 20
    assert told["policy"] == ["Py", "low", False, "custom"]
    assert (told["custom"], told["exported"]) == (["Py"], True)
    assert told["rule"] == ["Py", "new", ["webhook"]]
    assert told["rules"] == ["Default alert rule", "Py"]
    assert told["integrations"] == ["Py"]
    assert told["suggested"] is True
    assert (told["dismissed"], told["job"]) == ("dismissed", "READY_TO_DOWNLOAD")


@pytest.mark.skipif(importlib.util.find_spec("pcpi") is None, reason="pcpi is not installed")
def test_pcpi_pages_to_the_end_of_a_search(up: Up, tmp_path: Path) -> None:
    script = CLIENTS / "python_session.py"
    told = json.loads(_run(sys.executable, str(script), up.ready["api"], up.key, up.secret, cwd=tmp_path))
    assert len(set(told["rows"])) == len(told["rows"]) == RESOURCES
    assert (told["policies"], told["missing"]) == (200, 404)


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_the_go_client_of_the_terraform_provider_does_its_calls(up: Up, tmp_path: Path) -> None:
    folder = shutil.copytree(CLIENTS, tmp_path / "clients")
    built = subprocess.run(["go", "build", "-o", "drive", "."], cwd=folder, capture_output=True, text=True, timeout=170)
    if built.returncode and "cannot find module" in built.stderr + built.stdout:
        pytest.skip("the Go client can't be fetched here")
    assert built.returncode == 0, built.stderr
    env = {
        **os.environ,
        "TIDEGATE_PORT": up.ready["api"].rpartition(":")[2],
        "TIDEGATE_KEY": up.key,
        "TIDEGATE_SECRET": up.secret,
    }
    said = _run(str(folder / "drive"), env=env)
    assert "FAILED" not in said
    assert said.splitlines()[-1] == "done"


PROVIDER = os.environ.get("TIDEGATE_TERRAFORM_PROVIDER", "")
"""The binary of PaloAltoNetworks/prismacloud, `terraform-provider-prismacloud`."""


@pytest.mark.skipif(
    not PROVIDER or shutil.which("terraform") is None,
    reason="TIDEGATE_TERRAFORM_PROVIDER names no binary of the provider, or terraform is not installed",
)
def test_terraform_applies_plans_nothing_more_and_destroys(up: Up, tmp_path: Path) -> None:
    shutil.copy(CLIENTS / "main.tf", tmp_path)
    provider = Path(PROVIDER).resolve().parent
    settings = tmp_path / "terraform.rc"
    settings.write_text(
        f'provider_installation {{ dev_overrides {{ "PaloAltoNetworks/prismacloud" = "{provider}" }}\n direct {{}} }}'
    )
    env = {
        **os.environ,
        "TF_CLI_CONFIG_FILE": str(settings),
        "PRISMACLOUD_URL": "127.0.0.1",
        "PRISMACLOUD_PORT": up.ready["api"].rpartition(":")[2],
        "PRISMACLOUD_PROTOCOL": "http",
        "PRISMACLOUD_USERNAME": up.key,
        "PRISMACLOUD_PASSWORD": up.secret,
    }
    empty = ("plan", "-detailed-exitcode", "-input=false")  # 2, which is an error here: there is something to do
    for command in (("apply", "-auto-approve"), empty, ("apply", "-auto-approve", "-var=note=second")):
        _run("terraform", *command, cwd=tmp_path, env=env)
    _run("terraform", *empty, "-var=note=second", cwd=tmp_path, env=env)
    _run("terraform", "destroy", "-auto-approve", cwd=tmp_path, env=env)
    listed = Client(up.data).get("/control/integrations")["objects"]
    assert not [each for each in listed if each["object"]["name"].startswith("TF ")]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_the_page_logs_in_and_shows_what_a_search_finds(up: Up, tmp_path: Path) -> None:
    said = _run(sys.executable, str(CLIENTS / "page.py"), up.ready["api"], up.key, up.secret, cwd=tmp_path)
    login, search = json.loads(said)
    assert login.startswith("200")
    assert search.startswith("200")
    assert "rrn:aws:" in search


def _run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **({"cwd": ROOT} | more))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
