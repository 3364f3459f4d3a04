"""`tidegate keys`: those that seal secrets; `tidegate access-keys`: those that people and programs log in with."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from api.cli import options, output


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    keys = typer.Typer(no_args_is_help=True, help="Make and replace the keys that seal secrets.", rich_markup_mode=None)
    keys.command("new")(new)
    keys.command("rotate")(rotate)
    app.add_typer(keys, name="keys")
    access = typer.Typer(no_args_is_help=True, help="Make access keys for users.", rich_markup_mode=None)
    access.command("add")(add_access_key)
    app.add_typer(access, name="access-keys")


def new(json: options.Json = False) -> None:
    """Print a new key for TIDEGATE_SECRETS_KEY.

    It is kept nowhere: a lost key means that every secret has to be given again.
    """
    from streams.control.seal import new_key

    key = new_key()
    if json:
        output.json_out({"key": key})
    else:
        output.line(key)


def rotate(json: options.Json = False) -> None:
    """Seal every secret with a new key.

    A key that Tidegate made is replaced. With keys of your own, put the new one first in TIDEGATE_SECRETS_KEY,
    restart, and run this; then the old one can go.
    """
    from api.client import Client

    done = Client(options.settings().data).post("/control/keys/rotate")
    if json:
        output.json_out(done)
        return
    output.line(f"{done['resealed']} objects sealed again; key {done['key']} seals now")
    output.note("the old keys are gone" if done["replaced"] else "the old keys still open what they sealed")
    for problem in done["problems"]:
        output.error(f"not sealed again: {problem}")


def add_access_key(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user's id.")],
    name: Annotated[str, typer.Option("--name", help="What you call it, such as the program that uses it.")] = "key",
    days: Annotated[int | None, typer.Option("--days", min=1, max=3650, help="For how long; else for ever.")] = None,
    json: options.Json = False,
) -> None:
    """Make an access key for a user.

    Its secret is printed once and kept as a hash only.
    """
    from api.client import Client

    expires = None if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    body = {"user": user, "name": name, "expires": expires}
    made = Client(options.settings().data).post("/control/access-keys", body)
    if json:
        output.json_out(made)
    else:
        output.fields([("access key", made["id"]), ("secret", made["secret"])])
        output.note("the secret can't be shown again")
