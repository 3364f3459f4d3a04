"""`tidegate snapshot`: take, list, prune and verify snapshots."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(no_args_is_help=True, help="Take, list, prune and verify snapshots.", rich_markup_mode=None)
    group.command("create")(create)
    group.command("list")(list_)
    group.command("prune")(prune)
    group.command("verify")(verify)
    app.add_typer(group, name="snapshot")


def create(json: options.Json = False) -> None:
    """Take a snapshot now.

    Of what runs; when nothing runs, of the store that lies in the data folder.
    """
    from api import running, snapshots

    settings = options.settings()
    if running.find(settings.data) is not None:
        from api.client import Client

        made = Client(settings.data).post("/snapshots")
    else:
        made = snapshots.describe(snapshots.take_alone(settings))
    if json:
        output.json_out(made)
    else:
        output.fields([("snapshot", made["name"]), ("path", made["path"]), *_figures(made)])


def list_(json: options.Json = False) -> None:
    """List the snapshots, newest first."""
    from api import snapshots

    found = [snapshots.describe(each) for each in snapshots.newest_first(options.settings().snapshots)]
    if json:
        output.json_out({"snapshots": found})
        return
    now = datetime.now(UTC)
    tables = sorted({table for each in found for table in each["rows"]})
    output.table(
        ["snapshot", "age", *tables, "size", "path"],
        [
            [
                each["name"],
                output.ago((now - datetime.fromisoformat(each["taken"])).total_seconds()),
                *(each["rows"].get(table) for table in tables),
                output.size(each["bytes"]),
                each["path"],
            ]
            for each in found
        ],
    )


def prune(
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="How many to keep; else the setting.")] = None,
    json: options.Json = False,
) -> None:
    """Remove all snapshots but the newest ones."""
    from streams import snapshot

    settings = options.settings()
    removed = snapshot.prune(settings.snapshots, keep or settings.snapshot_keep)
    if json:
        output.json_out({"removed": removed})
    else:
        for name in removed:
            output.line(name)
        output.note(f"{len(removed)} removed")


def verify(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The snapshot; the newest one when absent.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Check that a snapshot is whole.

    Manifest, database and Parquet must hold the same rows.
    """
    from api import running
    from streams import snapshot
    from streams.errors import SnapshotError

    if folder is None:
        settings = options.settings()
        newest = snapshot.newest(settings.snapshots)
        if newest is None:
            raise running.NotRunning(f"no snapshot in {settings.snapshots}; take one with `tidegate snapshot create`")
        folder = newest.path
    try:
        wrong = snapshot.verify(snapshot.read(folder))
    except SnapshotError as error:
        wrong = [str(error)]
    if json:
        output.json_out({"path": str(folder), "ok": not wrong, "wrong": wrong})
    else:
        for each in wrong:
            output.error(each)
        output.line(f"{folder}: {'damaged' if wrong else 'whole'}")
    if wrong:
        raise typer.Exit(NEGATIVE)


def _figures(made: dict[str, Any]) -> list[tuple[str, Any]]:
    return [*made["rows"].items(), ("size", output.size(made["bytes"]))]
