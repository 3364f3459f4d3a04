"""`tidegate alerts`: list and show alerts, dismiss, snooze and reopen them."""

import getpass
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from api.cli import options, output

Id = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it, such as P-7.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As the list shows them.")]
Note = Annotated[str, typer.Option("--note", help="Why; everybody who looks at the alert reads it.")]


def _among(*words: str) -> Callable[[list[str] | None], list[str] | None]:
    """Return the check of an option whose values are *words*."""

    def check(given: list[str] | None) -> list[str] | None:
        from queries.errors import nearest

        for value in given or ():
            if value not in words:
                hint = nearest(value, words) or f"there are {', '.join(words)}"
                raise typer.BadParameter(f"{value!r}: {hint}")
        return given

    return check


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(
        no_args_is_help=True, help="List and show alerts, dismiss, snooze and reopen them.", rich_markup_mode=None
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("dismiss")(dismiss)
    group.command("snooze")(snooze)
    group.command("reopen")(reopen)
    app.add_typer(group, name="alerts")


def list_(
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            callback=_among("open", "dismissed", "snoozed", "resolved"),
            help="open, dismissed, snoozed, resolved; again for more.",
        ),
    ] = None,
    severity: Annotated[
        list[str] | None,
        typer.Option(
            "--severity",
            callback=_among("critical", "high", "medium", "low", "informational"),
            help="critical, high, ...; again for more.",
        ),
    ] = None,
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


def snooze(
    ids: Ids,
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="When they open again, such as 2026-12-01T08:00+01:00.")
    ] = "",
    span: Annotated[str, typer.Option("--for", metavar="SPAN", help="For how long: 30m, 12h, 3d or 2w.")] = "",
    note: Note = "",
    json: options.Json = False,
) -> None:
    """Snooze alerts: they open again by themselves, at the time that is given."""
    if bool(until) == bool(span):
        raise typer.BadParameter("give one of --until TIME and --for SPAN", param_hint="--until")
    _command(ids, "snooze", note, json, until=_later(span) if span else _moment(until))


def reopen(ids: Ids, note: Note = "", json: options.Json = False) -> None:
    """Reopen dismissed and snoozed alerts; what was mended in the meantime resolves at once."""
    _command(ids, "reopen", note, json)


def _later(span: str) -> datetime:
    found = re.fullmatch(r"(\d{1,4})([mhdw])", span)
    if found is None:
        raise typer.BadParameter(f"{span!r}: wanted a number and one of m, h, d, w, such as 3d", param_hint="--for")
    unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return datetime.now(UTC) + timedelta(**{unit: int(found[1])})


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: wanted such as 2026-12-01T08:00+01:00", param_hint="--until") from None
    return moment.astimezone()  # without a zone: this machine's


def _command(ids: list[str], action: str, note: str, json: bool, until: datetime | None = None) -> None:
    from api.client import Client

    client = Client(options.settings().data)
    order: dict[str, object] = {"action": action, "by": getpass.getuser(), "note": note}
    if until is not None:
        order["until"] = until.isoformat()
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
        "snoozed until": _time(alert["snoozed_until"]) if alert["snoozed_until"] else "",
        "history": "; ".join(
            f"{_time(step['at'])} {step['status']} ({step['reason']})" + (f" by {step['by']}" if step["by"] else "")
            for step in alert["history"]
        ),
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
