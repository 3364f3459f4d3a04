"""A bounded memory of what may be asked for again: the entry that was used longest ago is forgotten first."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """At most *most* entries by id. A restart forgets all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[str, T] = OrderedDict()

    def put(self, id: str, entry: T) -> T:
        """Remember *entry*, and return it."""
        self._entries.pop(id, None)
        self._entries[id] = entry
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
        return entry

    def get(self, id: str) -> T | None:
        """Return the entry, None where there is none any more."""
        if id in self._entries:
            self._entries.move_to_end(id)
        return self._entries.get(id)

    def drop(self, id: str) -> None:
        """Forget the entry."""
        self._entries.pop(id, None)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """Yield ids and entries, the one that was used last first."""
        return iter(list(reversed(self._entries.items())))
