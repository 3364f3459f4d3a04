"""How an integration is, in a colour and a reason: green only when it delivers and all its templates are right."""

from typing import Literal, NamedTuple

from agents.deliver.route import Route
from agents.deliver.sending import Templates
from agents.sinks._outcome import Config, Retry
from agents.sinks._payload import sample
from agents.templates import prepared

Colour = Literal["GREEN", "YELLOW", "RED", "OFF"]
"""It delivers; it does, or will, but somebody should look; nothing is delivered; it is disabled."""

AWAY_S = 600.0
"""How long a destination may be away until that is no hiccup."""


class Status(NamedTuple):
    """A colour, and why."""

    colour: Colour
    words: str


def status_of(route: Route, templates: Templates, now: float) -> Status:
    """Return how the integration of *route* is. *templates*: all there are; *now*: seconds of the monotonic clock."""
    if route.integration is not None and not route.integration.enabled:
        return Status("OFF", route.words)
    if route.words:
        return Status("RED", route.words)
    pause = route.channel.pause
    if pause is not None:
        long = pause.why == "config" or (pause.why == "away" and now - pause.since >= AWAY_S)
        return Status("RED" if long else "YELLOW", pause.words)
    check = route.check
    if isinstance(check, Config) and check.scope == "integration":
        return Status("RED", f"its check failed: {check.words}")
    wrong = [
        f"template {id.decode(errors='replace') or 'none'}: {p.words}" for id, p in route.channel.templates.items()
    ]
    wrong += faulty(route, templates)
    if isinstance(check, Config | Retry):
        wrong.append(f"its check failed: {check.words}")
    if route.warning:
        wrong.append(route.warning)
    return Status("YELLOW", "; ".join(dict.fromkeys(wrong))) if wrong else Status("GREEN", "")


def faulty(route: Route, templates: Templates) -> list[str]:
    """Return what is wrong with the templates of the integration, as far as a look at them tells."""
    sink = route.sink
    if sink is None or not sink.takes_templates:
        return []
    mine = [t for t in templates.values() if t.enabled and t.type == sink.prisma and t.integration in ("", route.id)]
    return [said for template in mine if (said := prepared(sink, template, sample(0))[1])]
