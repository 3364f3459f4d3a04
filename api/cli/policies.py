"""`tidegate policies`: list and show policies, and find what violates them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE

Id = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(
        no_args_is_help=True, help="List and show policies, find what violates them.", rich_markup_mode=None
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("violations")(violations)
    app.add_typer(group, name="policies")


def list_(json: options.Json = False) -> None:
    """List the policies, the worst severity first.

    Those of what runs; when nothing runs, those that would.
    """
    found = _policies()
    if json:
        output.json_out({"policies": found})
        return
    output.table(
        ["policy", "severity", "cloud", "enabled", "name"],
        [[each["id"], each["severity"], each["cloud"], each["enabled"], each["name"]] for each in found],
    )


def show(id: Id, json: options.Json = False) -> None:
    """Show one policy: what it finds, why that matters, how to mend it."""
    found = _one(id)
    if json:
        output.json_out(found)
        return
    checks = "; ".join(f"{each['standard']}: {each['requirement']}" for each in found["compliance"])
    output.fields((found | {"labels": ", ".join(found["labels"]), "compliance": checks}).items())


def violations(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Policies to ask; all that are enabled when absent.")
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(
            "--snapshot", metavar="FOLDER", help="Ask this snapshot; needs no running Tidegate and no broker."
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, max=10_000, help="Most rows of each policy.")] = 100,
    fail: Annotated[bool, typer.Option("--fail", help="End with code 1 when there are violations.")] = False,
    json: options.Json = False,
) -> None:
    """Find the resources that violate policies.

    What runs answers live; when nothing runs, the newest snapshot does.
    """
    found = _violations(list(dict.fromkeys(ids or [])), snapshot, limit)
    total = sum(each["total"] for each in found)
    if json:
        output.json_out({"violations": found, "total": total})
    else:
        _table(found, total, named=bool(ids))
    if fail and total:
        raise typer.Exit(NEGATIVE)


def _policies() -> list[dict[str, Any]]:
    from api import running

    settings = options.settings()
    if running.find(settings.data) is not None:
        from api.client import Client

        return list(Client(settings.data).get("/policies")["policies"])
    from api.policies import describe
    from queries.policy import load_all

    return describe(load_all(settings.policies))


def _one(id: str) -> dict[str, Any]:
    from api import running

    settings = options.settings()
    if running.find(settings.data) is not None:
        from api.client import Client

        return dict(Client(settings.data).get(f"/policies/{_safe(id)}"))
    from api.policies import find
    from queries.policy import load_all

    return find(load_all(settings.policies), id).model_dump(mode="json")


def _violations(ids: list[str], folder: Path | None, limit: int) -> list[dict[str, Any]]:
    """Return what each policy's violations are, the worst policy first where all are asked."""
    from api import running

    settings = options.settings()
    if folder is None and running.find(settings.data) is not None:
        from api.client import Client

        client = Client(settings.data)
        asked = ids or [each["id"] for each in client.get("/policies")["policies"] if each["enabled"]]
        return [client.get(f"/policies/{_safe(id)}/violations", limit=limit) for id in asked]
    from api import policies
    from queries.policy import by_severity, load_all
    from streams import snapshot

    known = load_all(settings.policies)
    chosen = [policies.find(known, id) for id in ids] or [each for each in by_severity(known) if each.enabled]
    now = datetime.now(UTC)
    if folder is not None:
        return policies.ask(chosen, snapshot.read(folder), now, limit=limit)
    newest = snapshot.newest(settings.snapshots)
    if newest is None:
        raise running.NotRunning(f"{running.absent(settings.data)}; there is no snapshot to ask either")
    output.note(
        f"no Tidegate runs on {settings.data}: this is from snapshot {newest.path.name},"
        f" {output.ago((now - newest.taken).total_seconds())} old"
    )
    return policies.ask(chosen, newest, now, limit=limit)


def _table(found: list[dict[str, Any]], total: int, *, named: bool) -> None:
    rows = [
        [each["severity"], each["policy"], *(row[each["columns"].index(name)] for name in _COLUMNS)]
        for each in found
        for row in each["rows"]
    ]
    output.table(["severity", "policy", *_COLUMNS], rows)
    output.note(f"{len(rows)} of {total} violations" if total > len(rows) else f"{total} violations")
    if any(not each["whole"] for each in found):
        output.note("not whole: this worker owns some partitions only, ask the query node")
    for each in found if named else []:
        for note in each["notes"]:
            output.note(f"{each['policy']}: {note}")


_COLUMNS = ("account", "region", "id", "name")


def _safe(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
