"""What every request of either API passes before its route: a size, a type and a token that are right, and not too many
requests; and every answer after it.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
from fastapi.responses import Response
from starlette.routing import Match

from api.limits import Limits
from api.prisma.access import HOW, Access
from api.prisma.failures import Failure, response

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 8 * 1024 * 1024
"""The largest body that is taken."""

PATIENCE_S = 30.0
"""How long a body may take to come in, in seconds."""

DEEPEST = 100
"""The most levels of a body: what is kept of one is nested some levels deeper."""

OPEN = {"/login", "/healthz", "/readyz", "/docs", "/openapi.json"}
"""Paths of the product's API that need no token, and what lies under /docs/."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TYPES = frozenset({"*/*", "application/*", "application/json", "text/*", "text/csv", "text/html", "text/plain"})
_BODIES = ("POST", "PUT", "PATCH", "DELETE")
_SENT = "authorization, content-type, x-redlock-auth, if-match"
_JSON = "application/json"


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith("/docs/")


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What differs between the two APIs."""

    routes: Sequence[Any]
    """Every route, of Starlette."""
    access: Callable[[], Access]
    limits: Limits
    origins: tuple[str, ...] = ()
    """Web pages of these may ask (CORS), as `https://host`; `*`: of any."""
    is_open: Callable[[str], bool] = _is_open
    """Whether a path needs no token."""
    reads_itself: Callable[[str], bool] = _never
    """Whether the route of a path reads its body itself."""
    types: frozenset[str] = TYPES
    """What an Accept header may name."""
    answer: Callable[[Failure], Response] = response
    """What an error looks like."""


class Gate:
    """Wraps *app*, which has the routes of *way*."""

    def __init__(self, app: Any, way: Way) -> None:
        self._app = app
        self._way = way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": scope["path"].rstrip("/") or "/"}  # clients ask for /search/ as well
        headers = dict(scope["headers"])
        told = self._told(scope, headers)

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *told]}
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        session = None if scope["method"] == "OPTIONS" else self._way.access().session(scope["headers"])
        client = session.key or session.user if session else f"address {(scope.get('client') or ('',))[0]}"
        if session is not None:
            scope["session"] = session
            scope.get("told", {})["user"] = session.user
        wait = self._way.limits.begin(client)
        if wait > 0:
            seconds = str(math.ceil(wait))
            words = f"too many requests of one client: wait {seconds} s"
            await self._way.answer(Failure(429, "too_many_requests", words, {"retry-after": seconds}))(
                scope, receive, sent
            )
            return
        try:
            await self._let_in(scope, headers, receive, sent)
        finally:
            self._way.limits.end(client)

    async def _let_in(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        try:
            answer = self._early(scope, headers)
            if answer is None and scope["method"] in _BODIES and not self._way.reads_itself(scope["path"]):
                receive = await _taken(scope, headers, receive)
        except Failure as failure:
            answer = self._way.answer(failure)
        if answer is not None:
            await answer(scope, receive, send)
            return
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self._app(inner, receive, send)

    def _early(self, scope: Scope, headers: dict[bytes, bytes]) -> Response | None:
        """Return the answer that needs no route; None: go on. Raises Failure."""
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS":
            known = allowed(self._way.routes, scope)
            if not known:
                raise Failure(404, "not_found", f"there is no path {path!r:.200}")
            more = {"access-control-allow-methods": ", ".join(known), "access-control-allow-headers": _SENT}
            cors = more if self._allows(headers) else {}
            return Response(status_code=204, headers={"allow": ", ".join(known), **cors})
        if "session" not in scope and not self._way.is_open(path):
            raise Failure(401, "unauthorized", f"the token is missing, wrong or expired: {HOW}")
        accepted = headers.get(b"accept", b"").decode("latin-1").lower()
        if accepted and not any(each.partition(";")[0].strip() in self._way.types for each in accepted.split(",")):
            raise Failure(406, "not_acceptable", f"Accept: {accepted!r:.100}: there is application/json, or text/csv")
        return None

    def _told(self, scope: Scope, headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Return the headers of every answer."""
        told = [
            (b"x-redlock-request-id", scope.get("request_id", "").encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]
        if self._allows(headers):
            told += [
                (b"access-control-allow-origin", headers[b"origin"]),
                (b"access-control-expose-headers", b"x-redlock-status, x-redlock-request-id, x-request-id, etag"),
                (b"vary", b"origin"),
            ]
        return told

    def _allows(self, headers: dict[bytes, bytes]) -> bool:
        origin = headers.get(b"origin", b"").decode("latin-1")
        return bool(origin) and ("*" in self._way.origins or origin in self._way.origins)


def allowed(routes: Sequence[Any], scope: Scope) -> list[str]:
    """Return the methods that the path of *scope* knows, in their usual order; none: there is no such path."""
    found = {
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    if found:
        found |= {"OPTIONS", *({"HEAD"} if "GET" in found else ())}
    return [method for method in METHODS if method in found]


async def _taken(scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Receive:
    """Read the body, and return what gives it again. Raises Failure: too large, too slow, not JSON."""
    too_large = Failure(413, "too_large", f"the body is larger than {MOST_BYTES} bytes")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Failure(400, "bad_request", "the body ends too early")
                body += message.get("body", b"")
                if len(body) > MOST_BYTES:
                    raise too_large
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Failure(408, "too_slow", f"the body took longer than {PATIENCE_S:g} s") from None
    content = bytes(body)
    if body.strip():
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Failure(
                415, "unsupported_media_type", f"Content-Type: {kind!r:.80}: wanted application/json", {"accept": _JSON}
            )
        content = _read_again(bytes(body))
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": content, "more_body": False}

    return again


def _read_again(body: bytes) -> bytes:
    """Return *body* as one reader writes it, so that the next one can't read it otherwise. Raises Failure.

    Numbers that fit no 64 bits, texts that are no Unicode, levels without end: each would be an error later.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise Failure(400, "bad_request", f"the body isn't JSON: {wrong}") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST:
        deeper = document
        for _ in range(_WRITTEN - DEEPEST):
            deeper = [deeper]
        try:
            orjson.dumps(deeper)
        except TypeError:
            raise Failure(400, "bad_request", f"the body has more than {DEEPEST} levels") from None
    return orjson.dumps(document)


_WRITTEN = 254
"""The most levels that orjson writes."""
