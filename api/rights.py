"""Who asks Tidegate's own API, and which roles a call takes."""

from fastapi import Request

from api.prisma.access import LOCAL, Session
from streams.control.access import Role

QUESTIONS = ("/rql", "/sql", "/rql/complete", "/rql/format", "/try", "/preview")
"""What is asked by POST and changes nothing: who may read may ask it."""


def needed(request: Request) -> tuple[Role, ...]:
    """Return the roles that may make this call: who changes nothing may be read-only."""
    asks = request.method in ("GET", "HEAD") or request.url.path.endswith(QUESTIONS)
    return ("admin", "read-only") if asks else ("admin",)


def who(request: Request) -> str:
    """Return the user that asks."""
    session: Session = request.state.session
    return session.user


def is_local(request: Request) -> bool:
    """Say whether the data folder's token was sent."""
    return bool(request.state.session is LOCAL)
