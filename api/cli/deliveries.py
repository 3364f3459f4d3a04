"""`tidegate deliveries`: what is open, why it waits, and how others ended."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from api.cli import options, output


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(
        no_args_is_help=True, help="Deliveries to integrations: what is open, and why.", rich_markup_mode=None
    )
    group.command("list")(list_)
    app.add_typer(group, name="deliveries")


def list_(
    open: Annotated[bool, typer.Option("--open", help="List the open ones one by one, the oldest first.")] = False,
    integration: Annotated[str | None, typer.Option("--integration", metavar="ID", help="Only of this one.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most deliveries.")] = 100,
    json: options.Json = False,
) -> None:
    """Show each integration with its open deliveries, and how others have ended since the start."""
    from api.client import Client

    asked = {"open": "true" if open else "false", "limit": limit} | (
        {"integration": integration} if integration else {}
    )
    found = Client(options.settings().data).get("/deliveries", **asked)
    if json:
        output.json_out(found)
        return
    if open:
        now = datetime.now(UTC).timestamp()
        names = ("integration", "alert", "seq", "state")
        rows = [
            [*(each[name] for name in names), each["attempts"], output.ago(now - each["since"] / 1000), each["words"]]
            for each in found["deliveries"]
        ]
        output.table([*names, "attempts", "since", "why"], rows)
        output.note(f"{len(rows)} of {found['total']} open" if found["total"] > len(rows) else f"{found['total']} open")
    else:
        columns = ("integration", "status", "open", "sending", "state")
        output.table(
            [*columns, "why"],
            [[*(each[name] for name in columns), each["words"] or each["reason"]] for each in found["integrations"]],
        )
        ended = ", ".join(f"{count} {name}" for name, count in sorted(found["counts"].items()) if count)
        output.note(f"since the start: {ended or 'nothing'}")
    if not found["whole"]:
        output.note("not whole: this worker owns some partitions only, ask every worker")
