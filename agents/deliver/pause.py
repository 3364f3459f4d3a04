"""How long to wait: after a failure, while a destination is away or refuses us, and between two calls."""

from collections.abc import Sequence
from typing import Literal

Why = Literal["away", "asked", "config"]
"""The destination fails whatever it gets; it asked to be left alone; its settings are refused."""

RETRY_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between attempts at a delivery, or at a destination that is away."""
CONFIG_S = (15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between attempts at a destination that refuses our settings: a change of them is tried at once."""


def delay(schedule: Sequence[float], tries: int, random: float) -> float:
    """Return the seconds to wait after *tries* failures, spread by *random* (from 0 to 1) over the last quarter."""
    return schedule[min(max(tries, 1), len(schedule)) - 1] * (0.75 + 0.25 * random)


class Pause:
    """No calls until a time; then one, the probe, decides whether it ends or goes on, for longer."""

    __slots__ = ("probe", "since", "tries", "until", "why", "words")

    def __init__(self, why: Why, words: str, now: float, until: float) -> None:
        self.why: Why = why
        self.words = words
        self.since = now
        self.until = until
        self.tries = 1
        self.probe: object = None
        """The chain that is tried, while it is under way."""

    def longer(self, why: Why, words: str, now: float, after: float | None, random: float) -> None:
        """Go on for longer: the probe failed. *after*: seconds that the destination asked for."""
        self.tries = self.tries + 1 if why == self.why else 1
        self.why, self.words, self.probe = why, words, None
        self.until = now + until_next(why, self.tries, after, random)


def until_next(why: Why, tries: int, after: float | None, random: float) -> float:
    """Return the seconds until a paused destination is tried again."""
    own = delay(CONFIG_S if why == "config" else RETRY_S, tries, random)
    return own if after is None else max(after * (1 + 0.1 * random), own if tries > 1 else 0.0)


class Pace:
    """At most so many calls a second, with a fifth of a second's worth at once."""

    __slots__ = ("_left", "_most", "_rate", "_when")

    def __init__(self, per_second: float | None) -> None:
        self._rate = per_second
        self._most = max(1.0, (per_second or 0.0) / 5)
        self._left = self._most
        self._when = 0.0

    def ready(self, now: float) -> float:
        """Return when the next call may be made: *now*, or later."""
        if self._rate is None:
            return now
        self._left = min(self._most, self._left + max(now - self._when, 0.0) * self._rate)
        self._when = now
        return now if self._left >= 1 - 1e-9 else now + (1 - self._left) / self._rate

    def spend(self) -> None:
        """Count a call."""
        self._left -= 1
