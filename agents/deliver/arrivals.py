"""What was read of a partition: batches until everything in them is over or in the open table, and chains."""

from collections import deque
from collections.abc import Callable

from agents.deliver.entry import Chain, Entry


class Arrival:
    """One batch: acknowledged once each of its deliveries is over, or in the open table."""

    __slots__ = ("_done", "end", "entries", "left", "when")

    def __init__(self, end: int, when: float, done: Callable[[], object]) -> None:
        self.end = end
        """The offset behind it."""
        self.when = when
        self.entries: list[Entry] = []
        self.left = 1
        """How many of its deliveries are neither over nor in the table, and one for the reading."""
        self._done = done

    def add(self, entry: Entry) -> None:
        """Wait for *entry* too."""
        entry.arrival = self
        self.entries.append(entry)
        self.left += 1

    def less(self) -> None:
        """One of them is over, or safe."""
        self.left -= 1
        if self.left == 0:
            self.entries.clear()
            self._done()


class Part:
    """A partition of `deliveries` that is ours: read up to *next*; nothing is sent before it was read up to *goal*."""

    def __init__(self, number: int, start: int, goal: int, when: float) -> None:
        self.number = number
        self.next = start
        self.goal = goal
        self.heard = when
        """When it was assigned, or brought something last."""
        self.begun = False
        self.kept = start
        """The next offset as the open table has it."""
        self.chains: dict[bytes, Chain] = {}
        self.arrivals: deque[Arrival] = deque()

    def chain(self, key: bytes) -> Chain:
        """Return the chain of this key, new where there is none."""
        chain = self.chains.get(key)
        if chain is None:
            chain = self.chains[key] = Chain(key, self.number)
        return chain

    def settled(self, also: Callable[[Arrival], int]) -> int:
        """Return the offset before which everything is over or safe, were *also* so many of an arrival safe too."""
        end = self.kept if not self.arrivals else -1
        for arrival in self.arrivals:
            if arrival.left - also(arrival) > 0:
                break
            end = arrival.end
        return max(end, self.kept)

    def trim(self) -> None:
        """Forget the batches before the first that isn't settled."""
        while self.arrivals and self.arrivals[0].left <= 0:
            self.kept = max(self.kept, self.arrivals.popleft().end)
