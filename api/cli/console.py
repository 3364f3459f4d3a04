"""`tidegate console`: opens the web console in a browser of this machine, signed in."""

from typing import Annotated

import typer

from api.cli import options, output


def add(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(console)


def console(
    show: Annotated[bool, typer.Option("--show", help="Only print the address.")] = False,
    json: options.Json = False,
) -> None:
    """Open the web console, signed in.

    The address works once, for a minute.
    """
    import webbrowser

    from api import running
    from api.console.tickets import ticket

    settings = options.settings()
    found = running.need(settings.data)
    address = f"{found.https or found.api}/console/#ticket={ticket(settings.data)}"
    if json:
        output.json_out({"address": address})
    elif show or not webbrowser.open(address):
        output.line(address)
    else:
        output.note("the console opens in your browser")
