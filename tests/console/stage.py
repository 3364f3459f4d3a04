"""A whole Tidegate with data, and a headless Chromium that looks at its console: for tests and for pictures."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from api.client import Client
from api.demo.alerting import Receiver
from tests.console.data import files

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass
class Up:
    """A running Tidegate. *keys*: id and secret of an access key, by role."""

    data: Path
    address: str
    keys: dict[str, tuple[str, str]]
    client: Client
    env: dict[str, str]
    receiver: Receiver

    def send(self, source: str, path: Path) -> None:
        """Send a file's records to a source's topic."""
        command = [sys.executable, "-m", "api.cli", "send", source, str(path)]
        subprocess.run(command, cwd=ROOT, env=self.env, check=True, capture_output=True)

    def fill(self, folder: Path, rows: int = 150) -> None:
        """Say who is told of alerts, send the data of tests, and wait until all is evaluated."""
        webhook = {"name": "What the SOC listens to", "type": "webhook", "settings": {"url": self.receiver.url}}
        self.client.change("PUT", "/control/integrations/soc", webhook)
        slack = {
            "name": "Ops channel",
            "type": "slack",
            "settings": {"webhook_url": "https://127.0.0.1:9/services/T0/B0/x"},
        }
        self.client.change("PUT", "/control/integrations/ops", slack)
        told = [{"integration": each, "states": ["open", "dismissed", "resolved"]} for each in ("soc", "ops")]
        serious = {"name": "Serious ones to the SOC", "severities": ["critical"], "channels": told}
        self.client.change("PUT", "/control/alert-rules/serious", serious)
        for source, path in files(folder):
            self.send(source, path)
            if path.name == "findings.jsonl":
                self.until(lambda status: status["rows"]["findings"] >= rows)
        self.until(lambda status: status["rows"]["alerts"] >= 8 and not status["lag"])

    def until(self, there: Any, patience_s: float = 90) -> None:
        """Wait until the status is as it should."""
        over = time.monotonic() + patience_s
        while not there(status := self.client.get("/status")):
            assert time.monotonic() < over, status
            time.sleep(0.3)

    def context(self, browser: Browser, role: str = "admin", **more: Any) -> BrowserContext:
        """Return a browser's context that is signed in."""
        context = browser.new_context(base_url=self.address, **more)
        context.set_default_timeout(8000)
        key, secret = self.keys[role]
        said = context.request.post("/console/session", data={"key": key, "secret": secret})
        assert said.ok, said.text()
        return context


@contextmanager
def running(folder: Path, bootstrap_servers: str = "") -> Iterator[Up]:
    """Run a Tidegate of its own in *folder*; without a broker's address it brings its own."""
    data = folder / "data"
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")} | {
        "TIDEGATE_DATA": str(data),
        "TIDEGATE_API_PORT": "0",
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "TIDEGATE_TOPIC_PREFIX": f"t{uuid4().hex[:12]}.",
        "TIDEGATE_PARTITIONS": "4",
        "TIDEGATE_RAW_PARTITIONS": "4",
        "TIDEGATE_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    with (folder / "err").open("w") as err:
        command = [sys.executable, "-m", "api.cli", "up", "--json"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, cwd=ROOT, env=env)
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert line, (folder / "err").read_text()
        client = Client(data)
        keys = {}
        for role in ("admin", "read-only"):
            name = "Ada Admin" if role == "admin" else "Rea Reader"
            client.change("PUT", f"/control/users/{role}@example.com", {"name": name, "role": role})
            made = client.post("/control/access-keys", {"user": f"{role}@example.com", "name": "console"})
            keys[role] = (made["id"], made["secret"])
        with Receiver() as receiver:
            yield Up(data, json.loads(line)["api"], keys, client, env, receiver)
        child.terminate()
        assert child.wait(30) == 0
        assert "Traceback" not in (folder / "err").read_text()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a window."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
