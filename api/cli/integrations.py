"""`tidegate integrations`: which destinations and vendors there are, and those that you set up."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE

if TYPE_CHECKING:
    from agents.connectors._base import Connector
    from agents.sinks._base import Sink
    from api.client import Client

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its id or its name.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Set up where alerts are sent to, and which vendors are asked for findings.",
        rich_markup_mode=None,
    )
    group.command("types")(types)
    group.command("add")(add_)
    group.command("status")(status)
    group.command("test")(check)
    group.command("enable")(enable)
    group.command("disable")(disable)
    group.command("pull")(pull)
    group.command("delete")(delete)
    app.add_typer(group, name="integrations")


def types(
    type_: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", show_default=False, help="Show the settings of this one.")
    ] = None,
    json: options.Json = False,
) -> None:
    """List the types that there are, destinations and vendors, or the settings of one."""
    from agents.connectors import CONNECTORS
    from agents.sinks import SINKS

    if type_ is not None:
        _settings(_plugin(type_), json=json)
        return
    found = [
        {"type": name, "about": (kind.__doc__ or "").strip().partition("\n")[0], "direction": direction}
        for direction, kinds in (("in", CONNECTORS), ("out", SINKS))
        for name, kind in kinds.items()
    ]
    if json:
        output.json_out({"types": found})
    else:
        output.table(["type", "what it does", "direction"], [list(each.values()) for each in found])


def add_(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="Of the destination or vendor; `types` lists them.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it; its id is made of it.")],
    id: Annotated[str | None, typer.Option("--id", help="Its id.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting, such as url=env:HOOK_URL; may be repeated."),
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Nothing is sent or asked until it's enabled.")] = False,
    try_it: Annotated[bool, typer.Option("--test", help="Make one harmless call with it afterwards.")] = False,
    json: options.Json = False,
) -> None:
    """Set up a destination, or a vendor that is asked for findings.

    In a terminal you are asked for the settings that are needed. A secret on the command line is seen by others on this
    machine: let yourself be asked, or write `env:NAME` or `file:/path`, which the worker follows.
    """
    from agents.connectors import CONNECTORS
    from api.client import Client, safe
    from streams.control.apply import slug

    plugin = _plugin(type_)
    settings = _given(plugin, given or [])
    if sys.stdin.isatty() and sys.stderr.isatty():
        _ask(plugin, settings)
    client = Client(options.settings().data)
    document = {"name": name, "type": plugin.name, "enabled": not disabled, "settings": settings}
    kind = "inbound-integration" if plugin.name in CONNECTORS else "integration"
    made = client.change("PUT", f"/control/{kind}/{safe(id or slug(name))}", document, 0)
    said = client.post(_test_path(made)) if try_it else None
    if json:
        output.json_out(made | ({"test": said} if said else {}))
    else:
        output.line(f"integration {made['id']}: created")
        if said:
            _told(said)
    if said and not said["ok"]:
        raise typer.Exit(NEGATIVE)


def status(json: options.Json = False) -> None:
    """List the integrations: of destinations the rules that use each, of vendors how far each has pulled."""
    from api.cli.control import path
    from api.client import Client

    client = Client(options.settings().data)
    found = [client.get(path(each)) for each in client.get("/control/integrations")["objects"]]
    pulled = client.get("/connectors")["connectors"]
    if json:
        output.json_out({"integrations": found, "connectors": pulled})
        return
    if found or not pulled:
        output.table(
            ["id", "name", "type", "enabled", "used by"],
            [
                [one["id"], one["name"], one["object"]["type"], one["object"]["enabled"], ", ".join(one["used_by"])]
                for one in found
            ],
        )
    if pulled:
        connectors(pulled)


def connectors(pulled: list[dict[str, Any]]) -> None:
    """Print how far each vendor has been pulled."""
    output.table(
        ["id", "name", "type", "state", "items", "last complete", "next", "message"],
        [
            [one["id"], one["name"], one["type"], one["state"], one["total"]["items"],
             _when(one["ended"]), _when(one["next"]), one["message"]]
            for one in pulled
        ],
    )  # fmt: skip


def _when(ms: int | None) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else ""


def check(name: Name, json: options.Json = False) -> None:
    """Make one harmless call that shows whether the settings are right."""
    from api.client import Client

    client = Client(options.settings().data)
    said = client.post(_test_path(_found(client, name)))
    if json:
        output.json_out(said)
    else:
        _told(said)
    if not said["ok"]:
        raise typer.Exit(NEGATIVE)


def enable(name: Name, json: options.Json = False) -> None:
    """Enable one: what waited for it is sent; a vendor is asked from where it was left."""
    _switch(name, on=True, json=json)


def disable(name: Name, json: options.Json = False) -> None:
    """Disable one: what it would be sent waits; a vendor isn't asked, its findings and the place to go on at stay."""
    _switch(name, on=False, json=json)


def pull(
    name: Name,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Forget the place to go on at: everything comes again.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Ask a vendor now."""
    from api.cli.control import find
    from api.client import Client, safe

    client = Client(options.settings().data)
    one = find(client, INBOUND, name)
    said = client.post(f"/connectors/{safe(one['id'])}/pull{'?from_start=true' if from_start else ''}")
    if json:
        output.json_out(said)
    else:
        output.line(f"integration {said['id']}: it is asked; `tidegate integrations status` says how far it is")


def delete(
    name: Name,
    close_findings: Annotated[
        bool,
        typer.Option(
            "--close-findings",
            help="Of a vendor: close its open findings, so that the alerts that rest on them resolve.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of a vendor: only say what becomes of its findings.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Delete one: a destination that no rule uses, or a vendor.

    A vendor's findings stay as they are, and so do the alerts that rest on them, unless you say --close-findings.
    """
    from api.cli.control import delete as delete_object
    from api.client import Client, safe

    client = Client(options.settings().data)
    one = _found(client, name)
    if one["kind"] == OUTBOUND:
        if close_findings or dry_run:
            raise typer.BadParameter("it's a destination, which has no findings", param_hint="NAME")
        delete_object(OUTBOUND, [one["id"]], json=json)
        return
    fate = f"findings={'close' if close_findings else 'keep'}&dry_run={str(dry_run).lower()}"
    said = client.change("DELETE", f"/connectors/{safe(one['id'])}?{fate}")
    if json:
        output.json_out(said)
        return
    output.line(f"integration {said['id']}: {'deleted' if said['deleted'] else 'would be deleted'}")
    output.note(said["message"])


OUTBOUND, INBOUND = "integration", "inbound-integration"


def _found(client: "Client", name: str) -> dict[str, Any]:
    """Return the integration of either direction that has *name* as its id, or as its name. Raises Refused."""
    from api.cli.control import find

    there = [each for each in client.get(f"/control/{INBOUND}")["objects"] if name in (each["id"], each["name"])]
    return find(client, INBOUND if there else OUTBOUND, name)


def _test_path(one: dict[str, Any]) -> str:
    from api.client import safe

    return (
        f"/connectors/{safe(one['id'])}/test"
        if one["kind"] == INBOUND
        else f"/control/integrations/{safe(one['id'])}/test"
    )


def _switch(name: str, *, on: bool, json: bool) -> None:
    from api.cli.control import path
    from api.client import Client

    client = Client(options.settings().data)
    one = _found(client, name)
    done = client.change("PATCH", path(one), {"enabled": on})
    if json:
        output.json_out(done)
    else:
        output.line(f"integration {done['id']}: {'enabled' if on else 'disabled'}")


Plugin: TypeAlias = "type[Sink] | type[Connector]"


def _plugin(name: str) -> Plugin:
    from agents.connectors import CONNECTORS
    from agents.sinks import SINKS
    from queries.errors import nearest

    if name in CONNECTORS:
        return CONNECTORS[name]
    if name not in SINKS:
        known = (*CONNECTORS, *SINKS)
        hint = nearest(name, known) or f"there are {', '.join(known)}"
        raise typer.BadParameter(f"there is no type {name!r:.60}; {hint}", param_hint="TYPE")
    return SINKS[name]


def _settings(sink: Plugin, *, json: bool) -> None:
    from streams.control.secret_fields import may_hold_secrets

    rows = [
        [
            name,
            field.is_required(),
            may_hold_secrets(field.annotation),
            field.description or "",
            "" if may_hold_secrets(field.annotation) or not field.examples else str(field.examples[0]),
        ]
        for name, field in sink.model_fields.items()
    ]
    columns = ["setting", "needed", "secret", "what it is", "such as"]
    if json:
        output.json_out({"type": sink.name, "settings": [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        output.table(columns, rows)


def _given(sink: Plugin, given: list[str]) -> dict[str, Any]:
    """Return the settings of KEY=VALUE arguments; `headers.X-Key=...` goes into a mapping."""
    import yaml

    settings: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{key}: wanted KEY=VALUE", param_hint="--set")
        outer, _, inner = key.partition(".")
        field = sink.model_fields.get(outer)
        if inner:
            settings.setdefault(outer, {})[inner] = value
        elif field is None or _is_text(field.annotation):
            settings[outer] = value
        else:
            try:
                settings[outer] = yaml.safe_load(value)
            except yaml.YAMLError:
                raise typer.BadParameter(f"{key}: neither JSON nor YAML", param_hint="--set") from None
    return settings


def _ask(sink: Plugin, settings: dict[str, Any]) -> None:
    """Ask in the terminal for each setting that is needed and wasn't given."""
    from streams.control.secret_fields import may_hold_secrets

    for name, field in sink.model_fields.items():
        if field.is_required() and name not in settings:
            secret = may_hold_secrets(field.annotation)
            output.note(f"{name}: {field.description}")
            settings[name] = typer.prompt(name, hide_input=secret, err=True)


def _is_text(shape: Any) -> bool:
    from typing import get_args

    from pydantic import SecretStr

    return shape in (str, SecretStr) or any(_is_text(each) for each in get_args(shape) if isinstance(each, type))


def _told(said: dict[str, Any]) -> None:
    words = f": {said['message']}" if said["message"] else ""
    output.line(f"{'it works' if said['ok'] else said['outcome']}{words}")
