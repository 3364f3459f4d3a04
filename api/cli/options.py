"""Options that several commands share."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def settings() -> "Settings":
    """Return the settings of the environment. Raises SettingsError."""
    from streams.settings import load

    return load()


def connected() -> "Settings":
    """Return the settings with a broker: the user's cluster, or that of what runs here. Raises NotRunning."""
    from api import running

    found = settings()
    if found.kafka_bootstrap_servers:
        return found
    ours = running.find(found.data)
    if ours is None:
        raise running.NotRunning(
            f"no broker: {running.absent(found.data)}, or name your cluster in TIDEGATE_KAFKA_BOOTSTRAP_SERVERS"
        )
    return found.model_copy(
        update={"kafka_bootstrap_servers": ours.bootstrap_servers, "topic_prefix": ours.topic_prefix}
    )


def question(text: str) -> str:
    """Return *text*, or what comes from standard input when it is `-`."""
    import sys

    if text == "-":
        text = sys.stdin.read()
    if not text.strip():
        raise typer.BadParameter("the query is empty", param_hint="QUERY")
    return text
