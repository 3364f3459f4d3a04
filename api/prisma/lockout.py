"""Growing delays after failed logins, by who tries from where: one that guesses gets slower, others notice nothing."""

import time
from collections import OrderedDict
from collections.abc import Callable

FREE = 3
"""Failures without a delay: people mistype."""

LONGEST_S = 300.0
"""The longest delay, in seconds."""

REMEMBERED = 10_000
"""How many pairs are remembered; the one that failed longest ago is forgotten first."""


class Lockout:
    """Counts failures by any hashable key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[object, tuple[int, float]] = OrderedDict()

    def wait(self, key: object) -> float:
        """Return for how many seconds *key* may not try yet; 0: now."""
        _, until = self._failures.get(key, (0, 0.0))
        return max(0.0, until - self._clock())

    def failed(self, key: object) -> None:
        """Note a failure of *key*: from the fourth on its next try has to wait for 1, 2, 4 ... seconds."""
        count = self._failures.pop(key, (0, 0.0))[0] + 1
        delay = min(2.0 ** (count - FREE - 1), LONGEST_S) if count > FREE else 0.0
        self._failures[key] = (min(count, 60), self._clock() + delay)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, key: object) -> None:
        """Forget the failures of *key*."""
        self._failures.pop(key, None)
