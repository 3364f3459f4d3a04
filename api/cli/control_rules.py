"""`tidegate rules`: who hears of which alerts."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE

if TYPE_CHECKING:
    from api.client import Client

Rule = Annotated[str, typer.Argument(metavar="RULE", help="Its id or its name.")]
Channel = Annotated[str, typer.Argument(metavar="INTEGRATION", help="The integration's id or name.")]
Template = Annotated[str, typer.Option("--template", help="A notification template's id; else its own form.")]


AllOpen = Annotated[
    bool | None, typer.Option("--all-open/--from-now", help="Whether it is told of alerts that are open already.")
]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(no_args_is_help=True, help="Say who hears of which alerts.", rich_markup_mode=None)
    group.command("list")(list_)
    group.command("add")(add_)
    group.command("test")(check)
    group.command("tell")(tell)
    group.command("enable")(enable)
    group.command("disable")(disable)
    group.command("delete")(delete)
    channel = typer.Typer(no_args_is_help=True, help="Add and remove a rule's channels.", rich_markup_mode=None)
    channel.command("add")(add_channel)
    channel.command("remove")(remove_channel)
    group.add_typer(channel, name="channel")
    app.add_typer(group, name="rules")


def list_(json: options.Json = False) -> None:
    """List the rules with their channels."""
    from api.client import Client

    found = Client(options.settings().data).get("/control/alert-rules")
    if json:
        output.json_out(found)
        return
    output.table(
        ["id", "name", "enabled", "covers", "channels"],
        [[each["id"], each["name"], each["object"]["enabled"], *_said(each["object"])] for each in found["objects"]],
    )


def add_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it; its id is made of it.")],
    severities: Annotated[
        list[str] | None, typer.Option("--severity", help="critical, high, ...; again for more.")
    ] = None,
    policies: Annotated[list[str] | None, typer.Option("--policy", help="A policy's id.")] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", help="A label of policies.")] = None,
    clouds: Annotated[list[str] | None, typer.Option("--cloud", help="aws, azure, gcp or alibaba.")] = None,
    accounts: Annotated[list[str] | None, typer.Option("--account", help="A cloud account.")] = None,
    regions: Annotated[list[str] | None, typer.Option("--region", help="A provider's region id.")] = None,
    channels: Annotated[
        list[str] | None, typer.Option("--channel", help="The id of an integration that hears.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Add a rule.

    What isn't chosen is covered whatever it is. Everything else of a rule is set with `tidegate edit` or `apply`.
    """
    from api.client import Client, safe
    from streams.control.apply import slug

    choices = {
        "severities": severities,
        "policies": policies,
        "labels": labels,
        "clouds": clouds,
        "accounts": accounts,
        "regions": regions,
        "channels": [{"integration": each} for each in channels or ()],
    }
    document = {"name": name, **{field: values for field, values in choices.items() if values}}
    client = Client(options.settings().data)
    _changed(client.change("PUT", f"/control/alert-rules/{safe(slug(name))}", document, 0), json=json)


def check(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id, such as P-7.")],
    json: options.Json = False,
) -> None:
    """Say which rules cover an alert, who hears of it, and why the others don't cover it."""
    from api.client import Client, safe

    found = Client(options.settings().data).get(f"/alerts/{safe(alert)}/rules")
    if json:
        output.json_out(found)
    else:
        rows = []
        for rule in found["rules"]:
            told = [each["integration"] for each in rule["channels"] if each["told"]]
            quiet = [
                f"{each['integration']}: hears of {', '.join(each['states'])}, it is {found['status']}"
                for each in rule["channels"]
                if rule["covers"] and not each["told"]
            ]
            rows.append([rule["id"], rule["covers"], ", ".join(told), "; ".join([*rule["why_not"], *quiet])])
        output.table(["rule", "covers", "told now", "why not"], rows)
    if not any(rule["covers"] for rule in found["rules"]):
        raise typer.Exit(NEGATIVE)


def enable(rule: Rule, json: options.Json = False) -> None:
    """Enable a rule."""
    _patch(rule, {"enabled": True}, json=json)


def disable(rule: Rule, json: options.Json = False) -> None:
    """Disable a rule: alerts that it alone covers are resolved."""
    _patch(rule, {"enabled": False}, json=json)


def delete(rule: Rule, json: options.Json = False) -> None:
    """Delete a rule: alerts that it alone covers are resolved."""
    from api.cli.control import delete as delete_object

    delete_object("alert-rule", [rule], json=json)


def add_channel(
    rule: Rule,
    integration: Channel,
    template: Template = "",
    states: Annotated[
        list[str] | None, typer.Option("--state", help="open, resolved, dismissed, snoozed; open when absent.")
    ] = None,
    digest: Annotated[
        str,
        typer.Option(
            "--digest", metavar="SCHEDULE", help="hourly, daily, weekly, monthly or an RRULE: one message then."
        ),
    ] = "",
    zone: Annotated[str, typer.Option("--zone", help="The time zone of the digest's hours.")] = "UTC",
    most: Annotated[
        int | None, typer.Option("--most-an-hour", min=1, help="Messages at once in an hour; the rest is one message.")
    ] = None,
    all_open: AllOpen = None,
    json: options.Json = False,
) -> None:
    """Let an integration hear of a rule's alerts; one that hears already gets what is given.

    It hears of what happens from now on. Of the alerts that are open already it is told with --all-open; without either
    flag, at a terminal, you are asked.
    """
    from api.cli.control import find
    from api.client import Client

    client = Client(options.settings().data)
    id = _known(client, integration)
    channel: dict[str, Any] = {"integration": id, "template": template, "states": states or ["open"]}
    channel |= {"digest": {"schedule": digest, "zone": zone}} if digest else {}
    channel |= {"most_an_hour": most} if most else {}
    _channels(client, rule, id, template, channel, json=json)
    _open_ones(client, find(client, "alert-rule", rule)["id"], {"integration": id, "template": template}, all_open)


def tell(
    rule: Rule,
    integration: Annotated[str, typer.Argument(metavar="[INTEGRATION]", help="Only this one of its channels.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    json: options.Json = False,
) -> None:
    """Tell a rule's channels of the alerts that are open already."""
    from api.cli.control import find
    from api.client import Client, safe

    client = Client(options.settings().data)
    order = {"integration": integration, "dry_run": dry_run}
    told = client.post(f"/alert-rules/{safe(find(client, 'alert-rule', rule)['id'])}/tell", order)
    if json:
        output.json_out(told)
    else:
        sent = "are on their way" if told["sent"] else "would be sent"
        output.line(f"{told['open_alerts']} open alerts; {told['messages']} messages {sent}")


def _known(client: "Client", integration: str) -> str:
    """Return the id of an integration, which may stand in the operator's file only."""
    from api.cli.control import find
    from api.client import Refused

    try:
        return str(find(client, "integration", integration)["id"])
    except Refused as refused:
        if refused.status != 404:
            raise
        return integration  # one of the operator's file, or the rule is refused with the near names


def _open_ones(client: "Client", rule: str, channel: dict[str, Any], all_open: bool | None) -> None:
    """Tell the new channel of what is open already, where that is wanted; say how many these are."""
    from api.client import Refused, safe

    path = f"/alert-rules/{safe(rule)}/tell"
    try:
        count = client.post(path, {**channel, "dry_run": True})["open_alerts"]
    except Refused:  # who answers has no alerts: nobody is told of these, as nobody asked for it
        if all_open:
            raise
        return
    if all_open is None and count and sys.stdin.isatty():
        all_open = typer.confirm(f"{count} alerts that it covers are open already: tell it of these, too?")
    if all_open and count:
        client.post(path, channel)
        output.note(f"{count} open alerts are on their way to it")
    elif count:
        output.note(f"from now on; {count} open alerts aren't told: `tidegate rules tell {rule}` does that")


def remove_channel(rule: Rule, integration: Channel, template: Template = "", json: options.Json = False) -> None:
    """Let an integration hear of a rule's alerts no more."""
    from api.cli.control import find
    from api.client import Client

    client = Client(options.settings().data)
    _channels(client, rule, find(client, "integration", integration)["id"], template, None, json=json)


def _channels(
    client: "Client", rule: str, integration: str, template: str, channel: dict[str, Any] | None, *, json: bool
) -> None:
    """Put *channel* in the place of the rule's one with this integration and template."""
    from api.cli.control import find, path
    from api.client import Refused

    one = find(client, "alert-rule", rule)
    before = one["object"]["channels"]
    others = [each for each in before if (each["integration"], each["template"]) != (integration, template)]
    if channel is None and len(others) == len(before):
        raise Refused(404, "not-found", f"alert-rule {one['id']} has no channel {integration} {template}".rstrip())
    patch = {"channels": [*others, *([channel] if channel else ())]}
    _changed(client.change("PATCH", path(one), patch, one["version"]), json=json)


def _patch(rule: str, patch: dict[str, Any], *, json: bool) -> None:
    from api.cli.control import find, path
    from api.client import Client

    client = Client(options.settings().data)
    _changed(client.change("PATCH", path(find(client, "alert-rule", rule)), patch), json=json)


def _changed(done: dict[str, Any], *, json: bool) -> None:
    if json:
        output.json_out(done)
        return
    output.line(f"alert-rule {done['id']}: version {done['version']}")
    for warning in done["warnings"]:
        output.note(warning)


def _said(rule: dict[str, Any]) -> tuple[str, str]:
    """Return what a rule covers and who hears of it, in a line each."""
    chosen = [
        f"{field}: {', '.join(values if isinstance(values, list) else (f'{k}={v}' for k, v in values.items()))}"
        for field, values in rule.items()
        if isinstance(values, list | dict) and values and field != "channels"
    ]
    channels = [f"{each['integration']} ({', '.join(each['states'])})" for each in rule["channels"]]
    return "; ".join(chosen) or "everything", ", ".join(channels)
