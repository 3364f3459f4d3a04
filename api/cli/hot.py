"""`tidegate hot`: the paths of documents that are held in columns, so that queries about them are fast."""

from typing import Annotated

import typer

from api.cli import options, output

ApiName = Annotated[str, typer.Argument(metavar="API", help="The api.name, such as `aws-ec2-describe-instances`.")]
Path = Annotated[
    str, typer.Argument(metavar="PATH", help="Such as `state.name`, `tags[*].value`, `rules[?].port` for brackets.")
]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Hot paths: held in columns, so that queries are fast. Policies and frequent queries add theirs.",
    )
    group.command("list")(list_)
    group.command("add")(add_)
    group.command("drop")(drop)
    app.add_typer(group, name="hot")


def list_(json: options.Json = False) -> None:
    """Show each hot path, who wants it, and whether it is copied yet."""
    from api.client import Client

    found = Client(options.settings().data).get("/hot")
    if json:
        output.json_out(found)
        return
    names = ["api_name", "path", "origin", "state"]
    output.table(names, [[each[name] for name in names] for each in found["hot"]])
    if found["pending"]:
        output.note(f"{found['pending']} changed resources wait to be copied; queries read their documents")


def add_(api_name: ApiName, path: Path, json: options.Json = False) -> None:
    """Make a path hot. It is copied while everything goes on; `hot list` shows when that is done."""
    from api.client import Client

    done = Client(options.settings().data).post("/hot", {"api_name": api_name, "path": path})
    if json:
        output.json_out(done)
    else:
        output.line(f"{done['path']} of {done['api_name']} is being copied")


def drop(api_name: ApiName, path: Path, json: options.Json = False) -> None:
    """Let a path be cold, whoever wants it. Answers stay the same; `hot add` takes it back."""
    from urllib.parse import urlencode

    from api.client import Client

    asked = urlencode({"api_name": api_name, "path": path})
    done = Client(options.settings().data).change("DELETE", f"/hot?{asked}")
    if json:
        output.json_out(done)
    else:
        output.line(f"{done['path']} of {done['api_name']} is cold")
