"""`tidegate get`, `describe`, `edit`, `delete` and `schema`: one kind of object, or one of them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import options, output

if TYPE_CHECKING:
    from api.client import Client

KindName = Annotated[str, typer.Argument(metavar="KIND", help="Such as integrations or alert-rule; docs/kinds.md.")]
ObjectName = Annotated[str, typer.Argument(metavar="NAME", help="Its id or its name.")]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(get)
    app.command()(describe)
    app.command()(edit)
    app.command()(delete)
    app.command()(schema)


def get(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Which; all kinds when absent.")] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Its id or its name.")] = None,
    json: options.Json = False,
) -> None:
    """List objects of a kind, or print one as YAML.

    What is printed, `tidegate apply` reads.
    """
    from api.client import Client, safe

    client = Client(options.settings().data)
    if kind is None:
        _kinds(client, json=json)
    elif name is None:
        found = client.get(f"/control/{safe(kind)}")
        if json:
            output.json_out(found)
        else:
            table(found["objects"])
    else:
        one = find(client, kind, name)
        if json:
            output.json_out(client.get(path(one)))
        else:
            output.line(_yaml(client, one).rstrip("\n"))


def describe(kind: KindName, name: ObjectName, json: options.Json = False) -> None:
    """Show all there is to know of an object, and what refers to it."""
    from api.cli.control_files import as_yaml
    from api.client import Client

    client = Client(options.settings().data)
    one = client.get(path(find(client, kind, name)))
    if json:
        output.json_out(one)
        return
    facts = {name: one[name] for name in ("kind", "id", "name", "version", "origin")}
    facts |= {"changed": clock(one["changed_at"]), "by": one["changed_by"], "used by": ", ".join(one["used_by"])}
    output.fields(facts.items())
    output.line()
    output.line(as_yaml(one["object"]).rstrip("\n"))
    for warning in one["warnings"]:
        output.note(warning)


def edit(kind: KindName, name: ObjectName) -> None:
    """Change an object in your editor.

    VISUAL or EDITOR names it. A change that is refused is kept in a file, and the command to apply it is told.
    """
    import tempfile
    from pathlib import Path

    from api.cli.control_files import read
    from api.client import Client

    client = Client(options.settings().data)
    one = find(client, kind, name)
    before = _yaml(client, one)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False, encoding="utf-8") as file:  # its owner's alone
        file.write(before)
    text = Path(file.name)
    _editor(text)
    if text.read_text(encoding="utf-8") == before:
        text.unlink()
        output.note("nothing was changed")
        return
    try:
        (given,) = read([text])
        done = client.change("PUT", path(one), given.document, one["version"])
    except Exception:
        output.note(f"your text is in {text}; mend it and: tidegate apply -f {text}")
        raise
    text.unlink()
    output.line(f"{done['kind']} {done['id']}: changed, version {done['version']}")


def delete(
    kind: KindName,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Their ids or names.")],
    json: options.Json = False,
) -> None:
    """Delete objects that nothing refers to.

    A changed one that comes with Tidegate is again as it came.
    """
    from api.client import Client

    client = Client(options.settings().data)
    found = [find(client, kind, name) for name in names]
    done = [client.change("DELETE", path(one), version=one["version"]) for one in found]
    if json:
        output.json_out({"changes": done})
        return
    for each in done:
        output.line(f"{each['kind']} {each['id']}: deleted")


def schema(kind: KindName) -> None:
    """Print the JSON Schema of a kind's files, for your editor."""
    from agents import control, control_schema
    from streams.control.kinds import find_kind

    output.json_out(control_schema.schema(find_kind(control.kinds({}), kind)))


def find(client: "Client", kind: str, name: str) -> dict[str, Any]:
    """Return the object of *kind* that has *name* as its id, or as its name. Raises Refused."""
    from api.client import Refused, safe
    from queries.errors import nearest

    objects = client.get(f"/control/{safe(kind)}")["objects"]
    for by in ("id", "name"):
        found = [each for each in objects if each[by] == name]
        if len(found) == 1:
            return dict(found[0])
        if found:
            raise Refused(
                409,
                "conflict",
                f"{len(found)} have the name {name!r:.80}: give the id, one of"
                f" {', '.join(each['id'] for each in found)}",
            )
    hint = nearest(name, [each[by] for each in objects for by in ("id", "name")])
    raise Refused(
        404, "not-found", f"among the {kind} there is no {name!r:.80}; {hint or f'`tidegate get {kind}` lists them'}"
    )


def path(one: dict[str, Any]) -> str:
    """Return an object's path in the API."""
    from api.client import safe

    return f"/control/{one['kind']}/{safe(one['id'])}"


def table(objects: list[dict[str, Any]]) -> None:
    """Print objects as a table, with the fields that matter most for their kind."""
    columns = next((_COLUMNS.get(each["kind"], ()) for each in objects), ())
    output.table(
        ["id", "name", *columns, "origin", "changed", "by"],
        [
            [
                each["id"],
                each["name"],
                *(each["object"].get(column) for column in columns),
                each["origin"],
                clock(each["changed_at"]),
                each["changed_by"],
            ]
            for each in objects
        ],
    )


def clock(ms: int | None) -> str:
    """Return a time as people read it, UTC; empty for none."""
    import time

    return "" if ms is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms / 1000))


_COLUMNS = {
    "integration": ("type", "enabled"),
    "alert-rule": ("enabled", "severities"),
    "policy": ("severity", "cloud", "enabled"),
    "cloud-account": ("cloud", "enabled", "groups"),
    "notification-template": ("type", "enabled"),
    "user": ("role", "enabled"),
    "access-key": ("user", "expires", "enabled"),
}


def _kinds(client: "Client", *, json: bool) -> None:
    found = client.get("/control")
    if json:
        output.json_out(found)
        return
    output.table(
        ["kind", "objects", "what"], [[each["plural"], each["count"], each["about"]] for each in found["kinds"]]
    )
    for problem in found["problems"]:
        output.error(problem)


def _yaml(client: "Client", one: dict[str, Any]) -> str:
    from api.cli.control_files import as_yaml

    return as_yaml({"kind": one["kind"], **client.get(path(one), brief=True)["object"]})


def _editor(text: Any) -> None:
    import os
    import shlex
    import subprocess

    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        code = subprocess.run([*command, str(text)], check=False).returncode  # noqa: S603 # the user's own editor
    except OSError as error:
        text.unlink()
        raise typer.BadParameter(f"{command[0]}: {error.strerror}; set EDITOR to one that is there") from None
    if code:
        text.unlink()
        raise typer.BadParameter(f"{command[0]} ended with code {code}; nothing was changed")
