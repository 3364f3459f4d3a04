"""What the HTTP API needs of the process that it runs in: a store to ask, its settings, what it owns."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.settings import Settings


class Owner(Protocol):
    """A worker or a query node (agents.worker.Worker, agents.node.Node)."""

    @property
    def settings(self) -> Settings:
        """Its settings, with the broker's address."""

    @property
    def store(self) -> Any:
        """The store that it fills, a streams.store.Store or its thread."""

    def ownership(self) -> dict[str, Any]:
        """Return `owned` partitions, whether these are `all`, and `lag` by topic and partition."""


@dataclass(frozen=True, slots=True)
class Alone:
    """The Owner of a store that nobody fills: a test's, or one opened between two runs."""

    settings: Settings
    store: Any
    owns: dict[str, Any] = field(default_factory=lambda: {"owned": [], "all": True, "lag": {}})

    def ownership(self) -> dict[str, Any]:
        """Return what it was given."""
        return self.owns
