"""`tidegate rql` and `tidegate sql`: questions to what runs, or to a snapshot."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import options, output

Text = Annotated[str, typer.Argument(metavar="QUERY", help="The query; `-` reads it from standard input.")]
From = Annotated[
    Path | None,
    typer.Option("--snapshot", metavar="FOLDER", help="Ask this snapshot; needs no running Tidegate and no broker."),
]
Limit = Annotated[int, typer.Option("--limit", min=0, max=10_000, help="Most rows to answer.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(rql)
    app.command()(sql)


def rql(
    query: Text,
    snapshot: From = None,
    limit: Limit = 100,
    explain: Annotated[bool, typer.Option("--explain", help="Print tree, SQL and plan instead of rows.")] = False,
    json: options.Json = False,
) -> None:
    """Ask a question in RQL.

    What runs answers live; when nothing runs, the newest snapshot does.
    """
    _answer("rql", options.question(query), snapshot, {"limit": limit, "explain": explain}, json=json)


def sql(query: Text, snapshot: From = None, limit: Limit = 1000, json: options.Json = False) -> None:
    """Ask a question in SQL, read-only, on the newest snapshot."""
    _answer("sql", options.question(query), snapshot, {"limit": limit}, json=json)


def _answer(language: str, query: str, folder: Path | None, more: dict[str, Any], *, json: bool) -> None:
    from api import running

    if folder is not None:
        document = _from_snapshot(language, query, folder, more)
    else:
        settings = options.settings()
        if running.find(settings.data) is not None:
            from api.client import Client

            document = Client(settings.data).post(f"/{language}", {"query": query, **more})
        else:
            from streams.snapshot import newest

            found = newest(settings.snapshots)
            if found is None:
                raise running.NotRunning(f"{running.absent(settings.data)}; there is no snapshot to ask either")
            document = _from_snapshot(language, query, found.path, more)
            output.note(
                f"no Tidegate runs on {settings.data}: this is from snapshot {found.path.name},"
                f" {output.ago(document.get('age_s', 0))} old"
            )
    if json:
        output.json_out(document)
    elif "explain" in document:
        _explanation(document["explain"])
    else:
        _rows(document)


def _from_snapshot(language: str, query: str, folder: Path, more: dict[str, Any]) -> dict[str, Any]:
    from api import snapshots
    from streams import snapshot

    return snapshots.ask(language, query, snapshot.read(folder), datetime.now(UTC), **more)


def _rows(document: dict[str, Any]) -> None:
    output.table(document["columns"], document["rows"])
    shown, total = len(document["rows"]), document["total"]
    said = [f"{shown} of {total} rows" if total is not None and total > shown else f"{shown} rows"]
    said.append(f"{document['took_ms']:.0f} ms")
    if document["source"] == "snapshot":
        said.append(f"snapshot {document['snapshot']}, {output.ago(document['age_s'])} old")
    if not document["whole"]:
        said.append("not whole: this worker owns some partitions only, ask the query node")
    output.note(", ".join(said))
    for each in document["notes"]:
        output.note(each)


def _explanation(document: dict[str, Any]) -> None:
    for name, value in document.items():
        text = value if isinstance(value, str) else repr(value)
        output.line(f"{name}:")
        output.line("  " + text.replace("\n", "\n  "))
