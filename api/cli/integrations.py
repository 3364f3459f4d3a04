"""`tidegate integrations`: which destinations there are, and those that you set up."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE

if TYPE_CHECKING:
    from agents.sinks._base import Sink

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its id or its name.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(no_args_is_help=True, help="Set up where alerts are sent to.", rich_markup_mode=None)
    group.command("types")(types)
    group.command("add")(add_)
    group.command("status")(status)
    group.command("test")(check)
    group.command("enable")(enable)
    group.command("disable")(disable)
    group.command("delete")(delete)
    app.add_typer(group, name="integrations")


def types(
    destination: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Show the settings of this one.")] = None,
    json: options.Json = False,
) -> None:
    """List the destinations that there are, or the settings of one."""
    from agents.sinks import SINKS

    if destination is not None:
        _settings(_sink(destination), json=json)
        return
    found = {name: (sink.__doc__ or "").strip().partition("\n")[0] for name, sink in SINKS.items()}
    if json:
        output.json_out({"types": [{"type": name, "about": about} for name, about in found.items()]})
    else:
        output.table(["type", "what it does"], list(found.items()))


def add_(
    destination: Annotated[str, typer.Argument(metavar="TYPE", help="Of the destination; `types` lists them.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it; its id is made of it.")],
    id: Annotated[str | None, typer.Option("--id", help="Its id.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting, such as url=env:HOOK_URL; may be repeated."),
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Its deliveries wait until it's enabled.")] = False,
    try_it: Annotated[bool, typer.Option("--test", help="Make one harmless call with it afterwards.")] = False,
    json: options.Json = False,
) -> None:
    """Set up a destination.

    In a terminal you are asked for the settings that are needed. A secret on the command line is seen by others on this
    machine: let yourself be asked, or write `env:NAME` or `file:/path`, which the worker follows.
    """
    from api.client import Client, safe
    from streams.control.apply import slug

    sink = _sink(destination)
    settings = _given(sink, given or [])
    if sys.stdin.isatty() and sys.stderr.isatty():
        _ask(sink, settings)
    client = Client(options.settings().data)
    document = {"name": name, "type": sink.name, "enabled": not disabled, "settings": settings}
    made = client.change("PUT", f"/control/integration/{safe(id or slug(name))}", document, 0)
    said = client.post(f"/control/integrations/{safe(made['id'])}/test") if try_it else None
    if json:
        output.json_out(made | ({"test": said} if said else {}))
    else:
        output.line(f"integration {made['id']}: created")
        if said:
            _told(said)
    if said and not said["ok"]:
        raise typer.Exit(NEGATIVE)


def status(json: options.Json = False) -> None:
    """List the integrations, and the rules that use each."""
    from api.cli.control import path
    from api.client import Client

    client = Client(options.settings().data)
    found = [client.get(path(each)) for each in client.get("/control/integrations")["objects"]]
    if json:
        output.json_out({"integrations": found})
        return
    output.table(
        ["id", "name", "type", "enabled", "used by"],
        [
            [each["id"], each["name"], each["object"]["type"], each["object"]["enabled"], ", ".join(each["used_by"])]
            for each in found
        ],
    )


def check(name: Name, json: options.Json = False) -> None:
    """Make one harmless call that shows whether the settings are right."""
    from api.cli.control import find, path
    from api.client import Client

    client = Client(options.settings().data)
    one = find(client, "integration", name)
    said = client.post(path(one).replace("/integration/", "/integrations/", 1) + "/test")
    if json:
        output.json_out(said)
    else:
        _told(said)
    if not said["ok"]:
        raise typer.Exit(NEGATIVE)


def enable(name: Name, json: options.Json = False) -> None:
    """Enable one: what waited for it is sent."""
    _switch(name, on=True, json=json)


def disable(name: Name, json: options.Json = False) -> None:
    """Disable one: what it would be sent waits."""
    _switch(name, on=False, json=json)


def delete(name: Name, json: options.Json = False) -> None:
    """Delete one that no rule uses."""
    from api.cli.control import delete as delete_object

    delete_object("integration", [name], json=json)


def _switch(name: str, *, on: bool, json: bool) -> None:
    from api.cli.control import find, path
    from api.client import Client

    client = Client(options.settings().data)
    one = find(client, "integration", name)
    done = client.change("PATCH", path(one), {"enabled": on})
    if json:
        output.json_out(done)
    else:
        output.line(f"integration {done['id']}: {'enabled' if on else 'disabled'}")


def _sink(name: str) -> "type[Sink]":
    from agents.sinks import SINKS
    from queries.errors import nearest

    if name not in SINKS:
        hint = nearest(name, SINKS) or f"there are {', '.join(SINKS)}"
        raise typer.BadParameter(f"there is no destination {name!r:.60}; {hint}", param_hint="TYPE")
    return SINKS[name]


def _settings(sink: "type[Sink]", *, json: bool) -> None:
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


def _given(sink: "type[Sink]", given: list[str]) -> dict[str, Any]:
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


def _ask(sink: "type[Sink]", settings: dict[str, Any]) -> None:
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
