"""`tidegate resource RRN`: one resource, with findings, alerts and all that happened to it."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from api.cli import options, output

SHOWN = 20
"""Differences of one change that are printed; --json has all."""


def add(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(resource)


def resource(
    rrn: Annotated[str, typer.Argument(metavar="RRN", help="The resource's name, as `tidegate rql ask` answers it.")],
    history: Annotated[
        int, typer.Option("--history", min=0, max=10_000, help="About how much of its trail; 0: none.")
    ] = 500,
    json: options.Json = False,
) -> None:
    """Show one resource: configuration, findings, alerts, and what happened to it."""
    from api.client import Client, safe

    found = Client(options.settings().data).get(f"/resources/{safe(rrn)}", history=history)
    if json:
        output.json_out(found)
        return
    _configuration(rrn, found["resource"])
    if found["findings"]:
        output.line()
        names = ["source", "type", "severity", "status", "name", "title"]
        output.table(names, [[each[name] for name in names] for each in found["findings"]])
    if found["alerts"]:
        output.line()
        rows = [[each["id"], each["status"], each["severity"], each["policy_name"]] for each in found["alerts"]]
        output.table(["alert", "status", "severity", "policy"], rows)
    if found["trail"]:
        output.line()
        output.table(["time", "what", "by", "about"], [row for line in found["trail"] for row in _happened(line)])
    output.note(f"{found['findings_total']} findings, {len(found['alerts'])} alerts")
    if found["trail_missing"]:
        output.note(f"what happened to it can't be read: {found['trail_missing']}")
    elif not found["trail_whole"]:
        output.note(f"what happened before {_time(found['trail_since'])} isn't shown")
    if not found["whole"]:
        output.note("not whole: this worker owns some partitions only, ask the query node")


def _configuration(rrn: str, shown: dict[str, Any] | None) -> None:
    if shown is None:
        output.line(f"{rrn} isn't there any more")
        return
    names = ("rrn", "id", "name", "account", "cloud", "region", "service", "api_name", "resource_type", "tags")
    pairs = [(name.replace("_", "."), shown[name]) for name in names if shown[name]]
    output.fields([*pairs, ("seen", shown["seen"]), *((("deleted", True),) if shown["deleted"] else ())])
    output.line()
    import json

    output.line(json.dumps(shown["config"], indent=2, ensure_ascii=False))


def _happened(line: dict[str, Any]) -> list[list[Any]]:
    """Return the rows of one thing that happened: itself, and under it what changed."""
    detail = line["detail"]
    match line["kind"]:
        case "finding":
            words = [detail.get("source"), detail.get("severity"), detail.get("title")]
            about = ", ".join(str(each) for each in (*words, *detail.get("cves", ())) if each)
        case "alert":
            about = f"{detail.get('id')}: {detail.get('policy', {}).get('name')} ({detail.get('reason')})"
        case _:
            about = ""
    rows = [[_time(line["at"]), f"{line['kind']} {line['change']}", line["by"], about]]
    if line["kind"] == "alert":
        return rows
    for change in line["changes"][:SHOWN]:
        before, after = (_value(change[side]) if side in change else "" for side in ("before", "after"))
        sign = "~" if before and after else "-" if before else "+"
        rows.append(["", "", "", f"{sign} {change['path']}: {' -> '.join(filter(None, (before, after)))}"])
    if len(line["changes"]) > SHOWN:
        rows.append(["", "", "", f"and {len(line['changes']) - SHOWN} more; --json has them"])
    return rows


def _value(value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:79] + "…"


def _time(ms: int | None) -> str:
    return datetime.fromtimestamp((ms or 0) / 1000, UTC).isoformat(timespec="seconds")
