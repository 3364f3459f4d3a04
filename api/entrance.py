"""Where each request comes in: it gets an id, which its answer and every line of the log name, and is timed."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from uuid import uuid4

from api.log import REQUEST
from api.metrics import Requests

log = logging.getLogger("api.requests")

Scope: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[[Scope, Any, Any], Awaitable[None]]

GONE = 499
"""What is counted where the client left before there was an answer."""


class Entrance:
    """Stands before *app*, all of it; *requests* counts."""

    def __init__(self, app: App, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request. `scope["told"]`: what those behind it may say of it: `user`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id, told, began = uuid4().hex, dict[str, str](), time.monotonic()
        REQUEST.set(id)
        status, endless = 0, False

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal status, endless
            if message["type"] == "http.response.start":
                status = message["status"]
                endless = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
                message = {**message, "headers": [*message["headers"], (b"x-request-id", id.encode())]}
            await send(message)

        try:
            await self._app({**scope, "request_id": id, "told": told}, receive, sent)
        except Exception:
            status = status or 500
            raise
        finally:
            seconds = time.monotonic() - began
            if not endless:  # what lasts as long as somebody looks says nothing of how long answers take
                self._requests.done(scope["path"], scope["method"], status or GONE, seconds)
            client = scope["client"][0] if scope.get("client") else ""
            fields = {"method": scope["method"], "path": scope["path"][:500], "status": status or GONE}
            log.info(
                "%s %s",
                scope["method"],
                scope["path"][:500],
                extra={"fields": {**fields, "ms": round(seconds * 1000, 1), "client": client, **told}},
            )
