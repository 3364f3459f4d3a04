"""`tidegate alerts`: list and show alerts, dismiss and reopen them."""

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from api.cli import options, output

Id = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it, such as P-7.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As the list shows them.")]
Note = Annotated[str, typer.Option("--note", help="Why; everybody who looks at the alert reads it.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(
        no_args_is_help=True, help="List and show alerts, dismiss and reopen them.", rich_markup_mode=None
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("dismiss")(dismiss)
    group.command("reopen")(reopen)
    app.add_typer(group, name="alerts")


def list_(
    status: Annotated[
        list[str] | None, typer.Option("--status", help="open, dismissed, snoozed or resolved; again for more.")
    ] = None,
    severity: Annotated[list[str] | None, typer.Option("--severity", help="critical, high, ...")] = None,
    policy: Annotated[list[str] | None, typer.Option("--policy", help="A policy's id.")] = None,
    account: Annotated[list[str] | None, typer.Option("--account", help="A cloud account.")] = None,
    rrn: Annotated[list[str] | None, typer.Option("--rrn", help="A resource.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most alerts.")] = 100,
    json: options.Json = False,
) -> None:
    """List alerts, the one that changed last first."""
    from api.client import Client

    found = Client(options.settings().data).get(
        "/alerts", status=status, severity=severity, policy=policy, account=account, rrn=rrn, limit=limit
    )
    if json:
        output.json_out(found)
        return
    now = datetime.now(UTC)
    rows = [
        [
            each["id"],
            each["status"],
            each["severity"],
            each["policy_name"],
            each["resource"],
            each["account"],
            _ago(each, now),
        ]
        for each in found["alerts"]
    ]
    output.table(["alert", "status", "severity", "policy", "resource", "account", "changed"], rows)
    total = found["total"]
    output.note(f"{len(rows)} of {total} alerts" if total > len(rows) else f"{total} alerts")
    if not found["whole"]:
        output.note("not whole: this worker owns some partitions only, ask the query node")


def show(id: Id, json: options.Json = False) -> None:
    """Show one alert."""
    from api.client import Client

    _shown(Client(options.settings().data).get(f"/alerts/{_safe(id)}"), json)


def dismiss(ids: Ids, note: Note = "", json: options.Json = False) -> None:
    """Dismiss alerts: they stay dismissed, whatever evaluations find, until somebody reopens them."""
    _command(ids, "dismiss", note, json)


def reopen(ids: Ids, note: Note = "", json: options.Json = False) -> None:
    """Reopen dismissed alerts; what was mended in the meantime resolves at once."""
    _command(ids, "reopen", note, json)


def _command(ids: list[str], action: str, note: str, json: bool) -> None:
    from api.client import Client

    client = Client(options.settings().data)
    order = {"action": action, "by": getpass.getuser(), "note": note}
    done = [client.post(f"/alerts/{_safe(id)}/commands", order) for id in ids]
    if json:
        output.json_out({"alerts": done})
        return
    output.table(["alert", "status", "policy", "resource"], [[*_line(each)] for each in done])


def _line(alert: dict[str, Any]) -> tuple[Any, ...]:
    resource = alert["resource"]
    return alert["id"], alert["status"], alert["policy"]["name"], resource["name"] or resource["id"]


def _shown(alert: dict[str, Any], json: bool) -> None:
    if json:
        output.json_out(alert)
        return
    policy, resource = alert["policy"], alert["resource"]
    shown = {
        "alert": alert["id"],
        "status": f"{alert['status']} ({alert['reason']})",
        "severity": policy["severity"],
        "policy": f"{policy['name']} ({policy['id']})",
        "resource": resource["name"] or resource["id"],
        "id": resource["id"],
        "rrn": resource["rrn"],
        "account": f"{resource['account']} ({resource['cloud']}), {resource['region'] or 'all regions'}",
        "findings": ", ".join(alert["findings"]),
        "opened": _time(alert["opened"]),
        "updated": f"{_time(alert['updated'])}, event {alert['seq']}",
        "dismissed by": " ".join(filter(None, (alert["dismissed_by"], alert["dismissal_note"]))),
        "why": policy["description"],
        "what to do": policy["recommendation"],
    }
    output.fields([(name, value) for name, value in shown.items() if value])


def _ago(alert: dict[str, Any], now: datetime) -> str:
    return output.ago((now - datetime.fromisoformat(alert["updated"])).total_seconds())


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _safe(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
