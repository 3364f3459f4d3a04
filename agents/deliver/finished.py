"""What ended recently, so that a record that comes once more isn't sent once more."""

MOST = 20_000


class Finished:
    """The keys of the last 20,000 to 40,000 ends, and how far each of their chains got."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._new: dict[bytes, None] = {}
        self._old: dict[bytes, None] = {}
        self._new_ends: dict[bytes, int] = {}
        self._old_ends: dict[bytes, int] = {}

    def add(self, key: bytes, chain: bytes, seq: int) -> None:
        """Remember that the delivery of this *key* is over: number *seq* of its *chain*."""
        self._new[key] = None
        if seq > self.last(chain):
            self._new_ends[chain] = seq
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}
            self._old_ends, self._new_ends = self._new_ends, {}

    def __contains__(self, key: object) -> bool:
        return key in self._new or key in self._old

    def last(self, chain: bytes) -> int:
        """Return the highest number of the chain that is over; -1: none that is remembered."""
        return max(self._new_ends.get(chain, -1), self._old_ends.get(chain, -1))
