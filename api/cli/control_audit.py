"""`tidegate audit`: who changed what, and when."""

from typing import Annotated, Any

import typer

from api.cli import options, output


def add(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(audit)


def audit(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Only changes of this kind.")] = None,
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only of this object.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="USER", help="Only this user's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most changes to list.")] = 50,
    json: options.Json = False,
) -> None:
    """List who changed what was set up, the newest first; secrets are masked."""
    from api.cli.control import clock
    from api.client import Client

    found = Client(options.settings().data).get("/control/audit-log", kind=kind, id=id, by=by, limit=limit)
    if json:
        output.json_out(found)
        return
    output.table(
        ["when", "by", "what", "kind", "id", "changes"],
        [
            [clock(line["at"]), line["by"], line["action"], line["kind"], line["id"], _said(line["changes"])]
            for line in found["lines"]
        ],
    )


def _said(changes: list[dict[str, Any]]) -> str:
    """Return what changed in a line: values where they are short."""
    said = []
    for each in changes:
        sides = [output.flat(each[side]) for side in ("before", "after") if side in each]
        arrow = " -> ".join(sides) if len(sides) == 2 else sides[0] if sides else ""
        said.append(f"{each['path']}: {arrow}" if len(arrow) <= 60 else each["path"])
    return "; ".join(said)
