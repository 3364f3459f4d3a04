"""What every request passes before its route: a size, a type and a token that are right; and every answer after it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from uuid import uuid4

import orjson
from fastapi import FastAPI
from fastapi.responses import Response
from starlette.routing import Match

from api.prisma.access import HOW, Access
from api.prisma.failures import Failure, response

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 8 * 1024 * 1024
"""The largest body that is taken."""

PATIENCE_S = 30.0
"""How long a body may take to come in, in seconds."""

OPEN = {"/login", "/healthz", "/readyz", "/docs", "/openapi.json"}
"""Paths that need no token, and what lies under /docs/."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_BODIES = ("POST", "PUT", "PATCH", "DELETE")
_KNOWN_TYPES = {"*/*", "application/*", "application/json", "text/*", "text/csv", "text/html", "text/plain"}
_SENT = "authorization, content-type, x-redlock-auth, if-match"


class Gate:
    """Wraps *app*, whose state has its `routes`. *origins*: web pages of these may ask (CORS), as `https://host`; `*`:
    of any.
    """

    def __init__(self, app: FastAPI, access: Access, origins: tuple[str, ...] = ()) -> None:
        self._app = app
        self._access = access
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope = {**scope, "path": scope["path"].rstrip("/") or "/"}  # clients ask for /search/ as well
        headers = dict(scope["headers"])
        told = self._told(headers)
        began = time.monotonic()

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *told]}
                self._app.state.requests.done(scope["method"], message["status"], time.monotonic() - began)
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            answer = await self._early(scope, headers)
            if answer is None and scope["method"] in _BODIES:
                receive = await _taken(scope, headers, receive)
        except Failure as failure:
            answer = response(failure)
        if answer is not None:
            await answer(scope, receive, sent)
            return
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self._app(inner, receive, sent)

    async def _early(self, scope: Scope, headers: dict[bytes, bytes]) -> Response | None:
        """Return the answer that needs no route; None: go on. Raises Failure."""
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS":
            known = allowed(self._app, scope)
            if not known:
                raise Failure(404, "not_found", f"there is no path {path!r:.200}")
            more = {"access-control-allow-methods": ", ".join(known), "access-control-allow-headers": _SENT}
            cors = more if self._allows(headers) else {}
            return Response(status_code=204, headers={"allow": ", ".join(known), **cors})
        if path not in OPEN and not path.startswith("/docs/"):
            session = self._access.session(scope["headers"])
            if session is None:
                raise Failure(401, "unauthorized", f"the token is missing, wrong or expired: {HOW}")
            scope["session"] = session
        accepted = headers.get(b"accept", b"").decode("latin-1").lower()
        if accepted and not any(each.partition(";")[0].strip() in _KNOWN_TYPES for each in accepted.split(",")):
            raise Failure(406, "not_acceptable", f"Accept: {accepted!r:.100}: there is application/json, or text/csv")
        return None

    def _told(self, headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Return the headers of every answer."""
        told = [
            (b"x-redlock-request-id", uuid4().hex.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]
        if self._allows(headers):
            told += [
                (b"access-control-allow-origin", headers[b"origin"]),
                (b"access-control-expose-headers", b"x-redlock-status, x-redlock-request-id"),
                (b"vary", b"origin"),
            ]
        return told

    def _allows(self, headers: dict[bytes, bytes]) -> bool:
        origin = headers.get(b"origin", b"").decode("latin-1")
        return bool(origin) and ("*" in self._origins or origin in self._origins)


def allowed(app: FastAPI, scope: Scope) -> list[str]:
    """Return the methods that the path of *scope* knows, in their usual order; none: there is no such path."""
    found: set[str] = set()
    for route in app.state.routes:
        if route.matches({**scope, "method": next(iter(route.methods))})[0] is Match.FULL:
            found |= route.methods
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
    if body.strip():
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Failure(
                415, "unsupported_media_type", f"Content-Type: {kind!r:.80}: wanted application/json", {"accept": _JSON}
            )
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as wrong:
            raise Failure(400, "bad_request", f"the body isn't JSON: {wrong}") from None
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return again


_JSON = "application/json"
