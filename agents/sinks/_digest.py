"""Several alerts in one message: its words, and how it is halved where the destination doesn't take it whole."""

from collections.abc import Awaitable, Callable, Sequence

from agents.sinks._base import Item, Sink
from agents.sinks._client import Client
from agents.sinks._outcome import Outcome, Poison
from agents.sinks._payload import cut
from agents.sinks._text import clean, one_line, title
from streams.alerts import Delivery

Send = Callable[[Sequence[Item]], Awaitable[Outcome | None]]
"""Sends one message about all of them; None: it would be too large."""


async def in_one(sink: Sink, items: Sequence[Item], client: Client, send: Send) -> list[Outcome]:
    """Return an outcome for each of *items*, which *send* tells of in one message, or in halves down to a single one.

    One that the destination will never take spoils nothing but itself.
    """
    if len(items) == 1:
        return list(await sink.deliver(items, client))
    outcome = await send(items)
    if outcome is not None and not isinstance(outcome, Poison):
        return [outcome] * len(items)
    half = len(items) // 2
    first = await in_one(sink, items[:half], client, send)
    return first + await in_one(sink, items[half:], client, send)


def heading(items: Sequence[Item]) -> str:
    """Return the headline: how many alerts, by which rule."""
    rules = items[0].delivery.rules
    return f"{len(items)} alerts" + (f": {cut(one_line(rules[0].name), 200)}" if rules else "")


def line(delivery: Delivery, most: int = 220) -> str:
    """Return what is wrong where in a line; the ids are whole, the title has at most *most* characters."""
    alert = delivery.event.alert
    resource = alert.resource
    where = " ".join(filter(None, (resource.id, resource.account, resource.region)))
    return clean(f"{alert.status}, {alert.policy.severity}: {title(delivery, most)} ({alert.id}, {one_line(where)})")
