"""Tickets: what who can read the data folder signs in with once, so that no token is typed or kept in a browser."""

import secrets
import time
from pathlib import Path

from api.prisma.signing import Signer

LIFE_S = 60
"""How long a ticket is good for, in seconds."""


def ticket(data: Path) -> str:
    """Return a new ticket for the Tidegate of the folder *data*."""
    fields = {"id": secrets.token_urlsafe(12), "exp": int(time.time()) + LIFE_S}
    return Signer(data).sign("ticket", fields)


class Tickets:
    """Takes tickets, each once."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._taken: dict[str, float] = {}

    def take(self, given: str) -> bool:
        """Say whether *given* is a ticket that is good, and wasn't taken before."""
        fields = self._signer.open("ticket", given)
        now = time.time()
        self._taken = {id: until for id, until in self._taken.items() if until > now}
        if fields is None or str(fields.get("id")) in self._taken:
            return False
        self._taken[str(fields["id"])] = now + 2 * LIFE_S
        return True
