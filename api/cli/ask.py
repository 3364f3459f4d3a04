"""`tidegate rql` and `tidegate sql`: questions to what runs, or to a snapshot."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import options, output
from api.cli import rql as queries_of_files

if TYPE_CHECKING:
    from streams.snapshot import Snapshot

Text = Annotated[str, typer.Argument(metavar="QUERY", help="The query; `-` reads it from standard input.")]
From = Annotated[
    Path | None,
    typer.Option("--snapshot", metavar="FOLDER", help="Ask this snapshot; needs no running Tidegate and no broker."),
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="TIME|SNAPSHOT",
        help="Ask the newest snapshot taken by this time, such as `2026-05-01T12:00Z`, or the one of this name.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=0, max=10_000, help="Most rows to answer.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = queries_of_files.group()
    group.command("ask")(rql)
    app.add_typer(group)
    app.command()(sql)


def rql(
    query: Text,
    snapshot: From = None,
    as_of: AsOf = "",
    limit: Limit = 100,
    explain: Annotated[bool, typer.Option("--explain", help="Print tree, SQL and plan instead of rows.")] = False,
    json: options.Json = False,
) -> None:
    """Ask a question in RQL.

    What runs answers live; when nothing runs, the newest snapshot does.
    """
    _answer("rql", options.question(query), _asked(snapshot, as_of), {"limit": limit, "explain": explain}, json=json)


def sql(query: Text, snapshot: From = None, as_of: AsOf = "", limit: Limit = 1000, json: options.Json = False) -> None:
    """Ask a question in SQL, read-only, on a snapshot: the newest, if you name none."""
    _answer("sql", options.question(query), _asked(snapshot, as_of), {"limit": limit}, json=json)


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


def _asked(snapshot: Path | None, as_of: str) -> Path | None:
    """Return the folder of the snapshot that the options mean; None: whatever is newest."""
    if not as_of:
        return snapshot
    if snapshot is not None:
        raise typer.BadParameter("give --snapshot or --as-of, not both", param_hint="--as-of")
    return _taken_by(as_of).path


def _taken_by(text: str) -> "Snapshot":
    """Return the snapshot that `--as-of` means."""
    from streams import snapshot

    found = snapshot.list(options.settings().snapshots)
    named = next((each for each in found if each.path.name == text), None)
    if named is not None:
        return named
    known = f"; there are {len(found)}, from {found[0].path.name} to {found[-1].path.name}" if found else ""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no snapshot's name and no time such as 2026-05-01T12:00Z{known}", param_hint="--as-of"
        ) from None
    time = time if time.tzinfo else time.astimezone()
    before = [each for each in found if each.taken <= time]
    if not before:
        raise typer.BadParameter(f"no snapshot was taken by {text}{known or '; there is none'}", param_hint="--as-of")
    return before[-1]


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
        if name == "hot":
            _paths(value)
            continue
        text = value if isinstance(value, str) else repr(value)
        output.line(f"{name}:")
        output.line("  " + text.replace("\n", "\n  "))


def _paths(hot: dict[str, dict[str, bool]]) -> None:
    """Say which paths are read from columns; a clause whose paths aren't all hot reads documents."""
    output.line("hot:")
    for api_name, paths in hot.items():
        for path, is_hot in paths.items():
            output.line(f"  {'hot ' if is_hot else 'cold'}  {api_name}  {path}")
    if not hot:
        output.line("  no path of one api.name is asked")
