"""A call on one of aiohttp's pooled connections, without what a session adds to it: a third of the cost of each.

The connector (pool, TLS, resolver) and the parser are aiohttp's. Of its private side this uses the protocol of a
connection, as `ClientResponse.start` does: tests/agents/test_direct.py holds it.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

_FOREVER = aiohttp.ClientTimeout(total=None)
_BETWEEN = 101
_IDLE_S = 10.0
"""How long a connection is kept that nobody uses: many servers close theirs after 15 seconds."""
_MOST_IDLE = 100
"""The most of them for each destination."""


@lru_cache(1000)
def url_of(text: str) -> URL:
    """Return the address; the same ones come again and again."""
    return URL(text)


class Direct:
    """Calls through the session's connector. Redirects, cookies and proxies aren't known here.

    Connections that are idle are kept here: the connector's own pool costs as much as a tenth of a call.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._targets: dict[_Key, aiohttp.ClientRequest] = {}
        self._idle: dict[_Key, deque[tuple[aiohttp.connector.Connection, float]]] = {}

    def close(self) -> None:
        """Let every idle connection go."""
        for idle in self._idle.values():
            for connection, _ in idle:
                connection.close()
        self._idle.clear()

    async def call(
        self, method: str, url: URL, headers: dict[str, str], body: bytes, tls: ssl.SSLContext | bool, most: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers (names in any case) and at most *most* bytes of the body.

        Raises what a session would: aiohttp.ClientError, OSError, ValueError for a header that can't be sent.
        """
        connector = self._session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        head = _head(method, url, headers, len(body))
        key = (url.scheme, url.raw_authority, tls)
        connection = self._kept(key) or await connector.connect(self._target(key, url), [], _FOREVER)
        try:
            protocol, transport = connection.protocol, connection.transport
            if protocol is None or transport is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(skip_payload=method == "HEAD", read_until_eof=True)
            transport.write(head + body)
            message, payload = await protocol.read()
            while 100 <= message.code < 200 and message.code != _BETWEEN:
                message, payload = await protocol.read()
            got = bytearray()
            if not payload.at_eof():
                async for chunk in payload.iter_any():
                    got += chunk
                    if len(got) > most:
                        connection.close()  # the rest would only have to be read to be thrown away
                        break
        except HttpProcessingError as wrong:
            connection.close()
            raise aiohttp.ClientPayloadError(wrong.message) from wrong
        except BaseException:
            connection.close()
            raise
        self._keep(key, connection)
        return message.code, message.headers, bytes(got[:most])

    def _kept(self, key: "_Key") -> aiohttp.connector.Connection | None:
        """Return an idle connection that is still good, the one that was used last; close those that aren't."""
        idle, now = self._idle.get(key), time.monotonic()
        while idle:
            connection, since = idle.pop()
            if now - since < _IDLE_S and not connection.closed:
                return connection
            connection.close()
        return None

    def _keep(self, key: "_Key", connection: aiohttp.connector.Connection) -> None:
        protocol = connection.protocol
        if protocol is None or protocol.should_close or not protocol.is_connected():
            connection.close()
            return
        idle, now = self._idle.get(key), time.monotonic()
        if idle is None:
            if len(self._idle) >= 1000:
                self.close()
            idle = self._idle[key] = deque()
        idle.append((connection, now))
        if len(idle) > _MOST_IDLE or now - idle[0][1] >= _IDLE_S:
            idle.popleft()[0].close()

    def _target(self, key: "_Key", url: URL) -> aiohttp.ClientRequest:
        """Return what tells the connector where to connect to; no part of it is sent."""
        target = self._targets.get(key)
        if target is None:
            if len(self._targets) >= 1000:
                self._targets.clear()
            target = self._targets[key] = aiohttp.ClientRequest(
                "GET", url.origin(), loop=asyncio.get_running_loop(), session=self._session, ssl=key[2]
            )
        return target


_Key: TypeAlias = tuple[str, str, ssl.SSLContext | bool]
"""Scheme, host with port, and how TLS is done."""


def _head(method: str, url: URL, headers: dict[str, str], length: int) -> bytes:
    """Return the request line and the headers. Raises ValueError when one would end its line."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers) or "\0" in text:
        raise ValueError("a header holds a line break")
    end = f"Content-Length: {length}\r\n\r\n" if length or method in ("POST", "PUT", "PATCH") else "\r\n"
    return f"{_start(method, url)}{text}{end}".encode()


@lru_cache(1000)
def _start(method: str, url: URL) -> str:
    """Return what is the same in every call to this address."""
    start = f"{method} {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n"
    if start.count("\n") != 2 or start.count("\r") != 2 or "\0" in start:
        raise ValueError("the address holds a line break")
    return f"{start}User-Agent: Tidegate\r\nAccept: */*\r\n"
