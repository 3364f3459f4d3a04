"""The console's door: its page and files, signing in and out, and a cookie turned into a token of the APIs."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import orjson
from fastapi.responses import RedirectResponse, Response

from api.console.assets import HEADERS, PLACE, assets
from api.console.sessions import COOKIE, RENEW_S, Sessions, cookie, told
from api.console.tickets import Tickets
from api.prisma.access import LOCAL, Access
from api.prisma.failures import Failure

App: TypeAlias = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
Scope: TypeAlias = MutableMapping[str, Any]

SESSION = "/console/session"
SAFE = ("GET", "HEAD", "OPTIONS")
MOST_BYTES = 8192
"""The largest body of a login."""
PATIENCE_S = 10.0


class Door:
    """Stands before *app*. *access* is asked for when the first browser comes; *secret*: the data folder's token."""

    def __init__(self, app: App, access: Callable[[], Access], secret: str) -> None:
        self._app = app
        self._access = access
        self._secret = secret
        self._opened: Sessions | None = None
        self._ticketed: Tickets | None = None

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request, or let it through to the APIs."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        path: str = scope["path"]
        if path == SESSION:
            await (await self._session(scope, headers, receive))(scope, receive, send)
        elif path == "/console" or path.startswith("/console/"):
            await _served(scope, headers)(scope, receive, send)
        elif path == "/" and b"text/html" in headers.get(b"accept", b""):
            await RedirectResponse("/console/", 302)(scope, receive, send)
        elif COOKIE.encode() not in headers.get(b"cookie", b"") or _named(headers):
            await self._app(scope, receive, send)
        else:
            await self._enter(scope, headers, receive, send)

    @property
    def _sessions(self) -> Sessions:
        if self._opened is None:
            self._opened = Sessions(self._access())
        return self._opened

    @property
    def _tickets(self) -> Tickets:
        if self._ticketed is None:
            self._ticketed = Tickets(self._access().signer)
        return self._ticketed

    async def _enter(self, scope: Scope, headers: dict[bytes, bytes], receive: Any, send: Any) -> None:
        """Give a browser's request the token that its cookie stands for."""
        sitting = self._sessions.read(scope["headers"])
        if sitting is None:
            await self._app(scope, receive, send)  # which says that it needs a token
            return
        if scope["method"] not in SAFE and not self._sessions.trusts(sitting, headers):
            await _failed(403, "forged", "the request doesn't come from the console's page: load it again")(
                scope, receive, send
            )
            return
        given = self._secret if sitting.session is LOCAL else self._access().issue(sitting.session)
        kept = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        scope = {**scope, "headers": [*kept, (b"authorization", b"Bearer " + given.encode())]}
        await self._app(scope, receive, send)

    async def _session(self, scope: Scope, headers: dict[bytes, bytes], receive: Any) -> Response:
        secure = scope.get("scheme") == "https"
        sitting = self._sessions.read(scope["headers"])
        match scope["method"]:
            case "POST":
                return await self._sign_in(scope, headers, receive, secure=secure)
            case "GET":
                if sitting is None:
                    return _json({"user": None})
                answer = _json(told(sitting))
                if sitting.age > RENEW_S:
                    answer.headers["set-cookie"] = cookie(
                        self._sessions.open(sitting.session, sitting.id)[0], secure=secure
                    )
                return answer
            case "DELETE":
                if sitting is not None:
                    if not self._sessions.trusts(sitting, headers):
                        return _failed(403, "forged", "the request doesn't come from the console's page")
                    self._sessions.end(sitting)
                answer = _json({"user": None})
                answer.headers["set-cookie"] = cookie("", secure=secure)
                return answer
        return _failed(405, "method-not-allowed", "a session is read, opened and ended: GET, POST, DELETE")

    async def _sign_in(self, scope: Scope, headers: dict[bytes, bytes], receive: Any, *, secure: bool) -> Response:
        """Take `{"key", "secret"}`, the data folder's `{"token"}`, or a `{"ticket"}`; answer with the cookie."""
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            return _failed(403, "forged", "sign in on the console's own page")
        if not headers.get(b"content-type", b"").startswith(b"application/json"):
            return _failed(415, "unsupported", "Content-Type: wanted application/json")
        body = await _body(receive)
        if body is None:
            return _failed(422, "invalid", 'wanted {"key": ..., "secret": ...} or {"token": ...} as JSON')
        address = scope["client"][0] if scope.get("client") else ""
        try:
            if body.get("ticket"):
                if not self._tickets.take(body["ticket"]):
                    raise Failure(401, "invalid_credentials", "this address was used, or is older than a minute")
                session = LOCAL
            elif body.get("token"):
                session = await self._access().enter(body["token"], address)
            else:
                session, _ = await self._access().log_in(body.get("key", ""), body.get("secret", ""), address)
        except Failure as failure:
            answer = _failed(failure.status, failure.key.replace("_", "-"), str(failure))
            answer.headers.update(failure.headers)
            return answer
        value, sitting = self._sessions.open(session)
        answer = _json(told(sitting))
        answer.headers["set-cookie"] = cookie(value, secure=secure)
        return answer


def _named(headers: dict[bytes, bytes]) -> bool:
    """Say whether the request brings a token of its own, which then counts."""
    return b"authorization" in headers or b"x-redlock-auth" in headers


def _served(scope: Scope, headers: dict[bytes, bytes]) -> Response:
    if scope["method"] not in ("GET", "HEAD"):
        return _failed(405, "method-not-allowed", "the console's files can only be read")
    found, path, kept = assets(), scope["path"], "no-cache"
    if path.startswith(PLACE):
        version, _, name = path.removeprefix(PLACE).partition("/")
        file = found.files.get(name)
        if file is None or name == "index.html" or version != found.version:
            return _failed(404, "not-found", "there is no such file: load the page again")
        kept = "public, max-age=31536000, immutable"
    else:
        file = found.page
    more = {**HEADERS, "content-type": file.type, "cache-control": kept, "vary": "accept-encoding"}
    if b"gzip" in headers.get(b"accept-encoding", b""):
        return Response(file.packed, headers={**more, "content-encoding": "gzip"})
    return Response(file.content, headers=more)


async def _body(receive: Any) -> dict[str, str] | None:
    """Return a small JSON object of texts; None for anything else."""
    raw = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await receive()
                raw += message.get("body", b"")
                if len(raw) > MOST_BYTES or message["type"] == "http.disconnect":
                    return None
                if not message.get("more_body"):
                    break
        body = orjson.loads(raw)
    except (TimeoutError, orjson.JSONDecodeError):
        return None
    if not isinstance(body, dict) or not all(isinstance(each, str) and len(each) <= 1000 for each in body.values()):
        return None
    return body


def _json(document: object, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(orjson.dumps(document), status, headers, "application/json")


def _failed(status: int, code: str, message: str) -> Response:
    return _json({"error": {"code": code, "message": message}}, status)
