"""`tidegate topics`: create and check the topics of a cluster."""

import asyncio
from typing import TYPE_CHECKING

import typer

from api.cli import options, output
from api.cli.exits import NEGATIVE

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.topics import Topic


def add(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    group = typer.Typer(no_args_is_help=True, help="Create and check the topics.", rich_markup_mode=None)
    group.command("check")(check)
    group.command("create")(create)
    app.add_typer(group, name="topics")


def create(json: options.Json = False) -> None:
    """Create missing topics; those there must have the right shape."""
    from streams.admin import ensure_topics

    settings, topics = options.connected(), _every()
    created = set(asyncio.run(ensure_topics(settings, topics)))
    names = [settings.topic_prefix + topic.name for topic in topics]
    if json:
        output.json_out({"created": [name for name in names if name in created], "topics": names})
    else:
        output.table(["topic", "state"], [[name, "created" if name in created else "was there"] for name in names])


def check(json: options.Json = False) -> None:
    """Check that every topic is there, in the right shape; changes nothing."""
    wrong = asyncio.run(_wrong(options.connected()))
    if json:
        output.json_out({"ok": not wrong, "wrong": wrong})
    else:
        for each in wrong:
            output.error(each)
        output.line("the topics are not as they must be" if wrong else "the topics are as they must be")
    if wrong:
        raise typer.Exit(NEGATIVE)


async def _wrong(settings: "Settings") -> list[str]:
    from streams.admin import ensure_topics, watermarks
    from streams.errors import TopicError

    names = [settings.topic_prefix + topic.name for topic in _every()]
    there = {name for name, _ in await watermarks(settings, names)}
    if missing := [name for name in names if name not in there]:
        return [f"topic {name}: missing; create it with `tidegate topics create`" for name in missing]
    try:
        await ensure_topics(settings, _every())
    except TopicError as error:
        return str(error).splitlines()
    return []


def _every() -> "list[Topic]":
    from agents import control
    from agents.normalise import NORMALISERS
    from streams.topics import TOPICS, raw_topic

    return [*TOPICS, *control.topics(), *(raw_topic(normaliser.topic) for normaliser in NORMALISERS.values())]
