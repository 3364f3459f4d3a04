"""Sessions of browsers: an access key turned into a cookie that scripts can't read, and a word against forged requests.

The cookie says who; what they may is looked up at each request, so a key that is revoked is out at once.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from api.prisma.access import LOCAL, Access, Session

COOKIE = "tidegate_session"
HEADER = b"x-tidegate-csrf"
"""What each request that changes something must bring besides the cookie."""

LIFE_S = 8 * 3600
"""How long a browser may be quiet before it has to sign in again, in seconds."""

RENEW_S = 900
"""The age at which a session that is used gets a new cookie, in seconds."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One browser that is signed in. *word*: what its requests bring against forgery; *age*: seconds."""

    session: Session
    id: str
    word: str
    age: float


class Sessions:
    """Opens, reads and ends the sessions of browsers, for those whom *access* lets in."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._ended: dict[str, float] = {}

    def open(self, session: Session, id: str = "") -> tuple[str, Sitting]:
        """Return a cookie's value for *session*, and the session that it is; with an *id*, one that goes on."""
        id, now = id or secrets.token_urlsafe(18), int(time.time())
        fields = {"sub": session.user, "key": session.key, "id": id, "iat": now, "exp": now + LIFE_S}
        return self._access.signer.sign("console", fields), Sitting(session, id, self._word(id), 0.0)

    def read(self, headers: Iterable[tuple[bytes, bytes]]) -> Sitting | None:
        """Return the session that these headers bring; None: none that is valid."""
        given = _cookie(headers)
        fields = self._access.signer.open("console", given) if given else None
        if fields is None or str(fields.get("id")) in self._ended:
            return None
        local = fields.get("sub") == LOCAL.user and not fields.get("key")
        session = LOCAL if local else self._access.known(fields.get("sub"), fields.get("key"))
        if session is None:
            return None
        id = str(fields["id"])
        return Sitting(session, id, self._word(id), time.time() - float(fields["iat"]))

    def end(self, sitting: Sitting) -> None:
        """Let nobody in with this session's cookie again."""
        now = time.time()
        self._ended = {id: until for id, until in self._ended.items() if until > now}
        self._ended[sitting.id] = now + LIFE_S

    def trusts(self, sitting: Sitting, headers: dict[bytes, bytes]) -> bool:
        """Say whether a request of *sitting* that changes something comes from the console's own page."""
        if headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
            return False
        return secrets.compare_digest(headers.get(HEADER, b""), sitting.word.encode())

    def _word(self, id: str) -> str:
        return self._access.signer.sign("csrf", {"id": id}).rpartition(".")[2]


def cookie(value: str, *, secure: bool) -> str:
    """Return the header Set-Cookie; an empty *value* removes the cookie."""
    life = LIFE_S if value else 0
    return f"{COOKIE}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"


def told(sitting: Sitting) -> dict[str, Any]:
    """Return what a browser is told of its session."""
    session = sitting.session
    return {"user": session.user, "name": session.name, "role": session.role, "csrf": sitting.word, "life_s": LIFE_S}


def _cookie(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"cookie" and COOKIE.encode() in value:
            try:
                found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                return ""
            return found.value if found else ""
    return ""
