"""Two APIs at one address: Tidegate's own below its root, and everywhere else the one that Palo Alto's clients know."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from api.version import ROOT

App: TypeAlias = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class Front:
    """Sends each request to *app* or to what *build* makes, in a thread, at the first request that needs it."""

    def __init__(self, app: App, build: Callable[[], App]) -> None:
        self._app = app
        self._build = build
        self._other: App | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(ROOT):
            await self._app(scope, receive, send)
            return
        if self._other is None:
            async with self._building:
                if self._other is None:
                    self._other = await asyncio.to_thread(self._build)
        await self._other(scope, receive, send)
