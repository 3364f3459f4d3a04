"""How much one client may ask: so many requests a second, so many at a time."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 4.0
"""So many seconds' requests may come at once after a pause."""

REMEMBERED = 10_000
"""Clients that are remembered; who asked longest ago is forgotten first, unless a request of theirs is under way."""


@dataclass(slots=True)
class _Client:
    left: float
    seen: float
    under_way: int = 0


class Limits:
    """Counts the requests of clients, by a key of their own: an access key, or an address."""

    def __init__(
        self,
        per_second: float,
        at_once: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst = max(1.0, per_second * BURST_S)
        self._at_once = at_once
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()

    def begin(self, key: str) -> float:
        """Let a request of *key* in and return 0; or return for how many seconds it should wait. `end` must follow."""
        now = self._clock()
        client = self._clients.pop(key, None) or _Client(self._burst, now)
        self._clients[key] = client
        client.left = min(self._burst, client.left + (now - client.seen) * self._per_second)
        client.seen = now
        self._forget()
        if client.under_way >= self._at_once:
            return 1.0
        if client.left < 1:
            return (1 - client.left) / self._per_second
        client.left -= 1
        client.under_way += 1
        return 0.0

    def end(self, key: str) -> None:
        """Note that a request that was let in is over."""
        if key in self._clients:
            self._clients[key].under_way -= 1

    def _forget(self) -> None:
        for _ in range(len(self._clients) - REMEMBERED):
            key, client = next(iter(self._clients.items()))
            if client.under_way:
                self._clients.move_to_end(key)
            else:
                del self._clients[key]
