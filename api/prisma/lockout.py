"""Growing delays after failed logins, by who tries from where: one that guesses gets slower, others notice nothing."""

import time
from collections import OrderedDict
from collections.abc import Callable

LONGEST_S = 300.0
"""The longest delay, in seconds."""

REMEMBERED = 10_000
"""How many pairs are remembered; the one that failed longest ago is forgotten first."""


class Lockout:
    """Counts failures by any hashable key. *free*: how many have no delay, as people mistype."""

    def __init__(self, free: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._failures: OrderedDict[object, tuple[int, float]] = OrderedDict()

    def wait(self, key: object) -> float:
        """Return for how many seconds *key* may not try yet; 0: now."""
        _, until = self._failures.get(key, (0, 0.0))
        return max(0.0, until - self._clock())

    def failed(self, key: object) -> None:
        """Note a failure of *key*: after the free ones its next try has to wait for 1, 2, 4 ... seconds."""
        count = self._failures.pop(key, (0, 0.0))[0] + 1
        over = min(count - self._free, 30)
        self._failures[key] = (count, self._clock() + (min(2.0 ** (over - 1), LONGEST_S) if over > 0 else 0.0))
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, key: object) -> None:
        """Forget the failures of *key*."""
        self._failures.pop(key, None)
