"""The demo's second half: alerts open, a receiver on this machine hears of them, a mended resource resolves its own."""

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from api.cli import output
from api.client import Client
from api.demo import stage
from api.demo.load import OWN

POLICY = "aws-ec2-instance-public-imdsv1"
SECONDS = 30


class Receiver:
    """An HTTP server on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
                got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()

    def of(self, alert: str, status: str) -> tuple[dict[str, str], Any] | None:
        """Return the first request that told of *alert* in *status*: headers and body."""
        return next(
            (r for r in list(self.got) if (r[1][0]["alertId"], r[1][0]["alertStatus"]) == (alert, status)), None
        )


def alerting(data: Path, receiver: Receiver) -> dict[str, str]:
    """Write the file that sends every alert to *receiver*, and return the variables that name it."""
    file = data / "alerting.yaml"
    rule = {
        "id": "everything",
        "name": "Everything, to the receiver",
        "channels": [{"integration": "receiver", "states": ["open", "resolved"]}],
    }
    webhook = {"id": "receiver", "type": "webhook", "settings": {"url": receiver.url}}
    file.write_text(json.dumps({"integrations": [webhook], "alert_rules": [rule]}, indent=2))  # JSON is YAML
    return {"TIDEGATE_ALERTING": str(file), "TIDEGATE_ALLOWED_NETWORKS": "127.0.0.0/8"}


def show_alerts(client: Client, receiver: Receiver) -> None:
    """Show an alert from its opening to its end."""
    stage.step("See the alerts that policies opened", "tidegate alerts list")
    found = client.get("/alerts", status="open", limit=10_000)
    stage.check(found["total"] > 0 and found["whole"], f"no alert is open: {found}")
    counts = Counter(each["severity"] for each in found["alerts"])
    stage.done(f"{found['total']} alerts are open: {', '.join(f'{n} {name}' for name, n in counts.items())}")
    row, name = _instance()
    alert = next((each for each in found["alerts"] if (each["policy"], each["resource"]) == (POLICY, name)), None)
    if alert is None:
        raise stage.Failed(f"{name} has no alert of {POLICY}")
    stage.step(f"See what the receiver got of {alert['id']}", "POST " + receiver.url)
    headers, body = _wait(receiver, alert["id"], "open")
    output.line(f"   webhook-id: {headers['webhook-id']}")
    for key in ("alertId", "alertStatus", "policyName", "severity", "resourceName", "accountId"):
        output.line(f"   {key}: {body[0].get(key)}")
    everything = _told(receiver, found["total"])
    stage.done(f"{everything} requests, one an alert")
    stage.step(f"Mend {name}: it demands IMDSv2 now", "tidegate send aws mended.json")
    row["config"]["MetadataOptions"]["HttpTokens"] = "required"
    mended = client.data / "mended.json"
    mended.write_text(json.dumps(row))
    began = time.monotonic()
    stage.tidegate(client, "send", "aws", str(mended), "--json")
    _wait(receiver, alert["id"], "resolved")
    took = time.monotonic() - began
    now = client.get(f"/alerts/{alert['id']}")
    stage.check(now["status"] == "resolved", f"the alert isn't resolved: {now}")
    stage.done(f"{alert['id']} is resolved ({now['reason']}), and the receiver knows, {took:.1f} s after it was sent")


def _instance() -> tuple[dict[str, Any], str]:
    """Return a row of the demo's own configurations that violates POLICY, and its name."""
    for line in (OWN / "aws.jsonl").read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        config = row["config"]
        if "PublicIpAddress" in config and config["MetadataOptions"]["HttpTokens"] == "optional":
            return row, next(tag["Value"] for tag in config["Tags"] if tag["Key"] == "Name")
    raise stage.Failed("no instance of the demo answers IMDSv1")


def _wait(receiver: Receiver, alert: str, status: str) -> tuple[dict[str, str], Any]:
    until = time.monotonic() + SECONDS
    while (request := receiver.of(alert, status)) is None:
        stage.check(time.monotonic() < until, f"the receiver didn't hear within {SECONDS} s that {alert} is {status}")
        time.sleep(0.05)
    return request


def _told(receiver: Receiver, alerts: int) -> int:
    """Wait until the receiver has heard of as many alerts, and return the number of requests."""
    until = time.monotonic() + SECONDS
    while len({body[0]["alertId"] for _, body in list(receiver.got)}) < alerts:
        stage.check(time.monotonic() < until, f"the receiver heard of too few alerts within {SECONDS} s")
        time.sleep(0.05)
    return len(receiver.got)
