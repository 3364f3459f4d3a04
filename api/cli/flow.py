"""`tidegate send` and `tidegate normalise`: files to raw topics, or only to their records."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE

if TYPE_CHECKING:
    from agents.normalise._base import Normaliser
    from api.messages import Message

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="Whose files these are, such as guardduty or aws.")]
Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="JSON, JSON lines, XML or CSV, gzipped or not; `-` reads standard input."),
]


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(send)
    app.command()(normalise)


def send(source: Source, files: Files, json: options.Json = False) -> None:
    """Send files to the raw topic of their source.

    A JSON document is one message, a JSON array an item a message, JSON lines a line a message. XML and CSV of any size
    are cut to messages of whole records.
    """
    from api.sending import send_all

    normaliser = _normaliser(source)
    settings = options.connected()
    began = time.monotonic()
    with _Progress(files) as progress:
        done = asyncio.run(send_all(settings, normaliser.topic, _all(files), progress.advance))
    took = time.monotonic() - began
    if json:
        output.json_out(
            {
                "topic": done.topic,
                "messages": done.messages,
                "bytes": done.bytes,
                "too_large": done.too_large,
                "took_s": round(took, 3),
            }
        )
    else:
        output.line(f"{done.messages} messages, {output.size(done.bytes)} acknowledged by {done.topic} in {took:.1f} s")
    for place in done.too_large:
        output.error(f"{place}: larger than the topic takes, not sent; cut it into its items")
    if done.too_large:
        raise typer.Exit(NEGATIVE)


def normalise(
    source: Source,
    files: Files,
    json: Annotated[bool, typer.Option("--json", help="Also what is wrong as JSON lines, on standard error.")] = False,
) -> None:
    """Show what files become, without Kafka.

    Records go to standard output as JSON lines, bad items to standard error with their reason.
    """
    import orjson

    from agents.normalise._base import Bad
    from streams.identity import Place

    normaliser = _normaliser(source)
    now, bad = int(time.time() * 1000), 0
    for offset, message in enumerate(_all(files)):
        for made in normaliser.read(message.value, Place(normaliser.topic, 0, offset, now)):
            if not isinstance(made, Bad):
                output.line(orjson.dumps(made).decode())
                continue
            bad += 1
            place = f"{message.place}, {made.place}" if made.place else message.place
            if json:
                wrong = {"file": message.place, "place": made.place, "field": made.path, "reason": made.reason}
                output.note(orjson.dumps(wrong).decode())
            else:
                output.note(f"{place}: {made.path}: {made.reason}" if made.path else f"{place}: {made.reason}")
    if bad:
        if not json:
            output.note(f"{bad} bad item{'s' if bad > 1 else ''}")
        raise typer.Exit(NEGATIVE)


def _normaliser(source: str) -> "Normaliser":
    from agents.normalise import NORMALISERS

    if source not in NORMALISERS:
        from difflib import get_close_matches

        near = get_close_matches(source.lower(), NORMALISERS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise typer.BadParameter(
            f"there is no source {source!r}; {hint}Sources: {', '.join(sorted(NORMALISERS))}", param_hint="SOURCE"
        )
    return NORMALISERS[source]


def _all(files: list[str]) -> "Iterator[Message]":
    from api.messages import FileError, messages

    for name in files:  # a name that's wrong is told before anything is sent
        if name != "-" and not Path(name).is_file():
            raise FileError(f"{name}: no such file")
    for name in files:
        yield from messages(name)


class _Progress:
    """A progress bar on a terminal's standard error, nothing in a pipe."""

    def __init__(self, files: list[str]) -> None:
        self._files = files
        self._drawn: Any = None

    def __enter__(self) -> "_Progress":
        console = output.console(stderr=True)
        if console.is_terminal:
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._drawn = Progress(
                SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
            )
            self._task = self._drawn.add_task("connecting")
            self._drawn.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn is not None:
            self._drawn.stop()

    def advance(self, messages: int, size: int) -> None:
        """Show what is acknowledged so far."""
        if self._drawn is not None:
            self._drawn.update(self._task, description=f"{messages} messages, {output.size(size)} acknowledged")
