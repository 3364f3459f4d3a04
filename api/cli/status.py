"""`tidegate status`: what runs, what the store holds, how far it is behind."""

from datetime import UTC, datetime
from typing import Any

import typer

from api.cli import options, output


def add(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(status)


def status(json: options.Json = False) -> None:
    """Say what runs, what it holds, how far it is behind."""
    from api.cli.integrations import connectors
    from api.client import Client

    client = Client(options.settings().data)
    found = client.get("/status")
    links = client.get("/links")
    pulled = client.get("/connectors")["connectors"]
    if json:
        output.json_out(
            {**found, "connectors": pulled, "links": links, "pid": client.running.pid, "api": client.running.api}
        )
        return
    now, newest = datetime.now(UTC), found["snapshot"]
    age = (now - datetime.fromisoformat(newest["taken"])).total_seconds() if newest else 0
    output.fields(
        [
            ("tidegate", f"{found['version']}, {found['kind']}, pid {client.running.pid}"),
            ("data", found["data"]),
            ("api", client.running.api),
            ("broker", found["bootstrap_servers"]),
            ("owns", "every partition" if found["whole"] else "some partitions"),
            ("behind", f"{found['lag']} records"),
            ("snapshot", f"{newest['name']}, {output.ago(age)} old" if newest else "none yet"),
        ]
    )
    output.line()
    output.table(["table", "rows"], list(found["rows"].items()))
    if links["unlinked"]:
        output.line()
        counted = [("linked to a resource", links["linked"]), *links["unlinked"].items()]
        output.table(["open findings", "number"], counted)
    if pulled:
        output.line()
        connectors(pulled)
    output.line()
    output.table(["topic", "partitions", "next offsets", "lag"], _by_topic(found["partitions"]))


def _by_topic(partitions: list[dict[str, Any]]) -> list[list[Any]]:
    """Return a row a topic: how many partitions, the sum of their next offsets, and of their lags so far as known."""
    topics: dict[str, list[dict[str, Any]]] = {}
    for each in partitions:
        topics.setdefault(each["topic"], []).append(each)
    return [
        [topic, len(parts), sum(p["next_offset"] for p in parts), sum(p["lag"] or 0 for p in parts)]
        for topic, parts in topics.items()
    ]
