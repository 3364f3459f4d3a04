"""What is open, as the operator sees it: each delivery, and each integration with why its deliveries wait."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.deliver.entry import Chain
from agents.deliver.route import Route
from agents.deliver.sending import Templates
from agents.deliver.status import Colour, status_of


@dataclass(frozen=True, slots=True)
class Open:
    """An open delivery. Times: ms since 1970 UTC; 0: never."""

    integration: str
    template: str
    alert: str
    seq: int
    state: str
    """`sending`, `waiting` for its turn, `held` until its time, `behind` an earlier event, `retrying`, `paused`,
    `reading` (not begun).
    """
    since: int
    attempts: int
    first: int
    last: int
    words: str
    """What the destination said last, or why nothing is sent."""


@dataclass(frozen=True, slots=True)
class Path:
    """The way to one integration."""

    integration: str
    open: int
    sending: int
    state: str
    """`open`; `paused` by wrong settings; `away`; `asked` to wait; `missing`; `disabled`; `broken` settings."""
    words: str
    next_try: float | None
    """Seconds until the next attempt, where it is paused."""
    status: Colour
    reason: str
    """Why it isn't green."""


def listed(chain: Chain, route: Route) -> Iterator[Open]:
    """Yield what is open in *chain*."""
    template, alert = chain.template.decode(errors="replace"), chain.alert
    state, words = _STATES[chain.place], route.words
    if route.words or (chain.place != "sending" and route.channel.pause is not None):
        state = "paused"
        words = words or (route.channel.pause.words if route.channel.pause else "")
    for entry in chain:
        shown = state if entry is chain.head else "behind"
        yield Open(
            chain.integration,
            template,
            alert,
            entry.seq,
            shown,
            entry.at,
            entry.attempts,
            entry.first,
            entry.last,
            entry.words or words,
        )


def paths(routes: Iterable[Route], chains: Iterable[Chain], templates: Templates) -> list[Path]:
    """Return the way to each integration, by its id."""
    now, count = time.monotonic(), Counter[str]()
    for chain in chains:
        count[chain.integration] += sum(1 for _ in chain)
    found = []
    for route in routes:
        pause = route.channel.pause
        if route.words:
            state = "missing" if route.integration is None else "broken" if route.integration.enabled else "disabled"
        elif pause is not None:
            state = "paused" if pause.why == "config" else pause.why
        else:
            state = "paused" if route.channel.templates else "open"
        words = route.words or (pause.words if pause else next((p.words for p in route.channel.templates.values()), ""))
        wait = max(pause.until - now, 0.0) if pause else None
        status = status_of(route, templates, now)
        found.append(Path(route.id, count[route.id], route.channel.calls, state, words, wait, *status))
    return sorted(found, key=lambda path: path.integration)


_STATES = {
    "idle": "reading",
    "ready": "waiting",
    "held": "held",
    "later": "retrying",
    "parked": "paused",
    "sending": "sending",
    "gone": "paused",
}
