"""`tidegate templates`: notification templates, tried on an alert before anybody gets one."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(no_args_is_help=True, help="Try notification templates.", rich_markup_mode=None)
    group.command("preview")(preview)
    app.add_typer(group, name="templates")


def preview(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Its id or name, or a file with one.")],
    alert: Annotated[str, typer.Option("--alert", metavar="ID", help="The alert; a made-up one when absent.")] = "",
    json: options.Json = False,
) -> None:
    """Show each field as it would be sent for an alert, and what is wrong with it; nothing is sent."""
    from api.cli.control import find
    from api.cli.control_files import SUFFIXES, read
    from api.client import Client

    client = Client(options.settings().data)
    path = Path(template)
    if path.suffix in SUFFIXES and path.is_file():
        found_there = [each.document for each in read([path]) if each.kind.startswith("notification-template")]
        if len(found_there) != 1:
            raise typer.BadParameter(f"{path}: wanted one notification template, it has {len(found_there)}")
        order: dict[str, object] = {"document": found_there[0], "alert": alert}
    else:
        order = {"template": find(client, "notification-template", template)["id"], "alert": alert}
    found = client.post("/templates/preview", order)
    if json:
        output.json_out(found)
    else:
        rows = [
            [
                each["state"],
                each["field"],
                each["text"],
                f"line {each['line']}: {each['wrong']}" if each["wrong"] else "",
            ]
            for each in found["fields"]
        ]
        output.table(["state", "field", "text", "wrong"], rows)
        output.note(f"{found['alert']} is {found['status']}: basic and {found['status']} would be sent")
    if not found["works"]:
        raise typer.Exit(NEGATIVE)
