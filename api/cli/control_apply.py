"""`tidegate apply` and `tidegate export`: what people set up, as files."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import options, output
from api.cli.control_notify import Notify, channels, tell_new


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(apply)
    app.command()(export)


def apply(
    places: Annotated[
        list[Path],
        typer.Option("-f", "--file", metavar="FILE", help="A file, a folder of them, or `-`; may be repeated."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what was applied before and isn't in the files any more.")
    ] = False,
    notify: Annotated[
        Notify | None,
        typer.Option(
            "--notify",
            help="What a new rule or channel hears of: from now on, or of all alerts that are open already, too. When "
            "absent you are asked, with the count; out of a terminal, `now`.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, in a terminal.")] = False,
    json: options.Json = False,
) -> None:
    """Make objects as YAML or JSON files say: shown first, then all or none.

    What refers to what is checked as if all were there already, so files may be in any order. Doing it again changes
    nothing.
    """
    from api.cli.control_files import read
    from api.client import Client

    client = Client(options.settings().data)
    objects: list[dict[str, Any]] = [
        {"kind": each.kind, "document": each.document, "source": each.source} for each in read(places)
    ]
    seen = client.post("/control", {"objects": objects, "prune": prune, "dry_run": True})
    differs = any(change["action"] != "unchanged" for change in seen["changes"])
    if not json:
        differences(seen["changes"])
    for change in seen["changes"]:
        for warning in change["warnings"]:
            output.note(f"{change['kind']} {change['id']}: {warning}")
    if not dry_run:
        if differs and not yes and not json and sys.stdin.isatty() and sys.stdout.isatty():
            typer.confirm("Apply this?", abort=True)
        shown = {f"{change['kind']} {change['id']}": change["version"] for change in seen["changes"]}
        before = channels(client, seen["changes"])
        seen = client.post("/control", {"objects": objects, "prune": prune, "seen": shown})
        after = channels(client, seen["changes"])
    if json:
        output.json_out(seen)
    else:
        count = Counter(change["action"] for change in seen["changes"])
        said = ", ".join(f"{count[action]} {action}" for action in _MARKS if count[action])
        output.line(f"{said or 'no objects'}{'; nothing was written' if dry_run and differs else ''}")
    if not dry_run:
        tell_new(client, before, after, notify, asks=not (yes or json) and sys.stdout.isatty())


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where to write `<kind>/<id>.yaml`; else all is printed.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
) -> None:
    """Write what was set up as files that `tidegate apply` reads.

    Secrets are masked: applied here they stay, elsewhere they have to be given. Access keys are left out.
    """
    from api.cli.control_files import as_yaml
    from api.client import Client

    client = Client(options.settings().data)
    wanted = kind or [each["plural"] for each in client.get("/control")["kinds"] if each["kind"] != "access-key"]
    written = 0
    for name in wanted:
        for each in client.get(f"/control/{name}", brief=True)["objects"]:
            if not each["version"]:
                continue  # as it comes with Tidegate
            written += 1
            text = as_yaml({"kind": each["kind"], **each["object"]})
            if folder is None:
                output.line(("---\n" if written > 1 else "") + text.rstrip("\n"))
            else:
                path = folder / name / f"{each['id']}.yaml"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    output.note(f"{written} objects{f' in {folder}' if folder else ''}")


def differences(changes: list[dict[str, Any]]) -> None:
    """Print what changes, in colour on a terminal."""
    for change in changes:
        if change["action"] == "unchanged":
            continue
        mark = _MARKS[change["action"]]
        name = "" if change["name"] == change["id"] else f" ({change['name']})"
        output.line(output.coloured(f"{mark} {change['kind']} {change['id']}{name}", mark))
        for each in change["differences"]:
            for side, sign in (("before", "-"), ("after", "+")):
                if side in each:
                    output.line(output.coloured(f"    {sign} {each['path']}: {output.flat(each[side])}", sign))


_MARKS = {"created": "+", "changed": "~", "deleted": "-", "unchanged": " "}
