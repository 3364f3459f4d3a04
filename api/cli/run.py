"""`tidegate up`, `worker` and `node`: the commands that stay."""

import asyncio
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from api.cli import options, output
from api.cli.exits import INTERRUPTED

if TYPE_CHECKING:
    from api.running import Kind, Running


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(up)
    app.command()(worker)
    app.command()(node)


def up(json: options.Json = False) -> None:
    """Run everything here: broker, worker and API.

    With TIDEGATE_KAFKA_BOOTSTRAP_SERVERS set, your cluster takes the place of the broker.
    """
    _stay("up", json=json)


def worker(json: options.Json = False) -> None:
    """Run one worker on your cluster.

    As many workers as there are partitions share the work.
    """
    _stay("worker", json=json)


def node(json: options.Json = False) -> None:
    """Run a query node on your cluster.

    It follows every partition and answers the API on the whole.
    """
    _stay("node", json=json)


def _stay(kind: "Kind", *, json: bool) -> None:
    from api.service import Service

    settings = options.settings()
    began = time.monotonic()

    def tell(step: str) -> None:
        output.note(f"{time.monotonic() - began:5.1f} s  {step}")

    service = Service(settings, kind, tell)

    def ready(running: "Running", seconds: float) -> None:
        facts = {**asdict(running), "data": str(settings.data), "ready_s": round(seconds, 1)}
        if json:
            output.json_out(facts)
        else:
            output.fields((name.replace("_", " "), value) for name, value in facts.items())
            output.note(_WAYS_ON[kind])
        sys.stdout.flush()

    if not asyncio.run(service.run(ready)):
        raise typer.Exit(INTERRUPTED)


_WAYS_ON = {
    "up": """
Ready. In another terminal:
  tidegate console                 look at it in a browser
  tidegate send guardduty FILE     put findings in
  tidegate send aws FILE           put configurations in
  tidegate rql "config from cloud.resource where cloud.type = 'aws'"
  tidegate status
Ctrl-C stops.""",
    "worker": "Ready. Ctrl-C stops.",
    "node": "Ready. Ctrl-C stops.",
}
