"""`tidegate dead-letters`: list, show and replay what could not be used."""

import sys
import time
from typing import Annotated

import typer

from api.cli import options, output

Id = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it: <partition>-<offset>.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(no_args_is_help=True, help="List, show and replay dead letters.", rich_markup_mode=None)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replay)
    app.add_typer(group, name="dead-letters")


def list_(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most letters to list.")] = 50,
    source: Annotated[str | None, typer.Option("--source", help="Only this source's, such as guardduty.")] = None,
    json: options.Json = False,
) -> None:
    """List dead letters, newest first."""
    from api.client import Client

    found = Client(options.settings().data).get("/dead-letters", limit=limit, source=source)
    if json:
        output.json_out(found)
        return
    output.table(
        ["id", "failed", "source", "reason", "field", "place", "from", "bytes", "replayed"],
        [
            [
                each["id"],
                _clock(each["failed_at"]),
                each["source"],
                each["reason"],
                each["path"],
                each["place"],
                f"{each['topic']}[{each['partition']}]@{each['offset']}",
                each["size"],
                _clock(each["replayed_at"]),
            ]
            for each in found["dead_letters"]
        ],
    )


def show(
    id: Id,
    item: Annotated[bool, typer.Option("--item", help="Only the item's bytes, as they are.")] = False,
    json: options.Json = False,
) -> None:
    """Show one dead letter with its item."""
    from base64 import b64decode

    from api.client import Client

    found = Client(options.settings().data).get(f"/dead-letters/{_safe(id)}")
    if item:
        sys.stdout.flush()
        sys.stdout.buffer.write(b64decode(found["item"]))
        return
    if json:
        output.json_out(found)
        return
    output.fields(
        [
            ("id", found["id"]),
            ("source", found["source"]),
            ("reason", found["reason"]),
            ("field", found["path"]),
            ("place", found["place"]),
            ("topic", found["topic"]),
            ("partition", found["partition"]),
            ("offset", found["offset"]),
            ("sent", _clock(found["timestamp"])),
            ("failed", _clock(found["failed_at"])),
            ("replayed", _clock(found["replayed_at"])),
            ("bytes", found["size"]),
            ("item", found["text"] if found["text"] is not None else f"base64 {found['item']}"),
        ]
    )


def replay(
    id: Id,
    again: Annotated[bool, typer.Option("--again", help="Also when it was sent again before.")] = False,
    json: options.Json = False,
) -> None:
    """Send a dead letter's item to its topic again, once."""
    from api.client import Client

    sent = Client(options.settings().data).post(f"/dead-letters/{_safe(id)}/replay", {"again": again})
    if json:
        output.json_out(sent)
    else:
        output.line(f"{sent['bytes']} bytes sent to {sent['topic']}, partition {sent['partition']}")


def _clock(ms: int | None) -> str:
    return "" if ms is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms / 1000))


def _safe(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
