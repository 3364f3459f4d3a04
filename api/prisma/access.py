"""Who asks: access keys turned into sessions of ten minutes, and what a role may do."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from api import token
from api.prisma.failures import Failure
from api.prisma.lockout import Lockout
from api.prisma.signing import Signer
from streams.control import Control
from streams.control.access import Role, user_of

LIFE_S = 600
"""How long a session token opens anything, in seconds."""

AT_ONCE = 2
"""How many secrets are checked at a time: each takes 19 MiB and a core for a while."""

HOW = "log in with POST /login, and send the token as header x-redlock-auth"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is let in. *key*: the access key; empty for the token of the data folder."""

    user: str
    name: str
    role: Role
    key: str = ""


LOCAL = Session("local token", "local token", "admin")
"""Who has the token of the data folder."""


class Access:
    """Decides who is let in. *secret*: the token of the data folder, which opens everything as well."""

    def __init__(self, control: Control | None, signer: Signer, secret: str) -> None:
        self._control = control
        self.signer = signer
        self._secret = secret
        self._pairs = Lockout(free=3)
        self._addresses = Lockout(free=100)  # many may be behind one, and a forgotten script mustn't lock them out
        self._checks = asyncio.Semaphore(AT_ONCE)

    async def log_in(self, key: str, secret: str, address: str) -> tuple[Session, str]:
        """Return the session of access key *key* and its token. Raises Failure: 401, or 429 after too many tries.

        An id that isn't there and a wrong secret give the same answer after the same time.
        """
        if self._control is None:
            raise Failure(503, "unavailable", "the control plane isn't started in this process")
        wait = max(self._pairs.wait((address, key)), self._addresses.wait(address))
        if wait > 0:
            raise _too_many(wait)
        async with self._checks:
            user = await user_of(self._control, key, secret)
        if user is None:
            self._pairs.failed((address, key))
            self._addresses.failed(address)
            raise Failure(401, "invalid_credentials", "the access key or its secret is wrong, or it has expired")
        self._pairs.succeeded((address, key))
        session = Session(user.id, user.name, user.role, key)
        return session, self.issue(session)

    async def enter(self, given: str, address: str) -> Session:
        """Return the session of who has the token of the data folder. Raises Failure, as `log_in`."""
        wait = self._addresses.wait(address)
        if wait > 0:
            raise _too_many(wait)
        if not token.same(given.strip(), self._secret):
            self._addresses.failed(address)
            raise Failure(401, "invalid_credentials", "that isn't what the file `token` of the data folder holds")
        return LOCAL

    def issue(self, session: Session) -> str:
        """Return a new token for *session*."""
        now = int(time.time())
        return self.signer.sign(
            "JWT", {"sub": session.user, "key": session.key, "iat": now, "exp": now + LIFE_S, "iss": "tidegate"}
        )

    def session(self, headers: Iterable[tuple[bytes, bytes]]) -> Session | None:
        """Return who sent these headers, as their user and key are now; None: nobody that we let in."""
        given = _given(headers)
        if not given:
            return None
        if token.same(given, self._secret):
            return LOCAL
        fields = self.signer.open("JWT", given)
        return None if fields is None else self.known(fields.get("sub"), fields.get("key"))

    def known(self, user_id: object, key_id: object) -> Session | None:
        """Return the session of a user and its access key, as both are now; None where one of them is out."""
        if self._control is None:
            return None
        key: Any = self._control.objects("access-key").get(str(key_id))
        if key is None or not key.enabled or (key.expires is not None and key.expires.timestamp() <= time.time()):
            return None
        user: Any = self._control.objects("user").get(key.user)
        if user is None or not user.enabled or user.id != user_id:
            return None
        return Session(user.id, user.name, user.role, key.id)


def session_of(request: Request) -> Session:
    """Return who asks, as the gate found out."""
    session: Session = request.scope["session"]
    return session


def may_read(request: Request) -> None:
    """Refuse who may only send records in. Raises Failure."""
    _need(request, ("admin", "read-only"))


def may_change(request: Request) -> None:
    """Refuse all but admins. Raises Failure."""
    _need(request, ("admin",))


def _need(request: Request, roles: tuple[Role, ...]) -> None:
    session = session_of(request)
    if session.role not in roles:
        raise Failure(403, "forbidden", f"{session.user} is {session.role}; this takes the role {' or '.join(roles)}")


def _too_many(wait: float) -> Failure:
    seconds = str(int(wait) + 1)
    return Failure(429, "too_many_failures", f"too many failed logins: wait {seconds} s", {"retry-after": seconds})


def _given(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"x-redlock-auth":
            return value.decode("latin-1").strip()
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].decode("latin-1").strip()
    return ""
