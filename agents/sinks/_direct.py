"""A call on one of aiohttp's pooled connections, without what a session adds to it: a third of the cost of each.

The connector (pool, TLS, resolver) and the parser are aiohttp's. Of its private side this uses the protocol of a
connection, as `ClientResponse.start` does: tests/agents/test_direct.py holds it.
"""

import asyncio
import ssl
from functools import lru_cache

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

_FOREVER = aiohttp.ClientTimeout(total=None)
_BETWEEN = 101


@lru_cache(1000)
def url_of(text: str) -> URL:
    """Return the address; the same ones come again and again."""
    return URL(text)


class Direct:
    """Calls through the session's connector. Redirects, cookies and proxies aren't known here."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._targets: dict[tuple[str, ssl.SSLContext | bool], aiohttp.ClientRequest] = {}

    async def call(
        self, method: str, url: URL, headers: dict[str, str], body: bytes, tls: ssl.SSLContext | bool, most: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (names in lower case) and at most *most* bytes of the body.

        Raises what a session would: aiohttp.ClientError, OSError, ValueError for a header that can't be sent.
        """
        connector = self._session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        head = _head(method, url, headers, len(body))
        connection = await connector.connect(self._target(url, tls), [], _FOREVER)
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
        connection.release()
        return message.code, {name.lower(): value for name, value in message.headers.items()}, bytes(got[:most])

    def _target(self, url: URL, tls: ssl.SSLContext | bool) -> aiohttp.ClientRequest:
        """Return what tells the connector where to connect to; no part of it is sent."""
        key = (f"{url.scheme}://{url.raw_authority}", tls)
        target = self._targets.get(key)
        if target is None:
            if len(self._targets) >= 1000:
                self._targets.clear()
            target = self._targets[key] = aiohttp.ClientRequest(
                "GET", url.origin(), loop=asyncio.get_running_loop(), session=self._session, ssl=tls
            )
        return target


def _head(method: str, url: URL, headers: dict[str, str], length: int) -> bytes:
    """Return the request line and the headers. Raises ValueError when one would end its line."""
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1", f"Host: {url.host_port_subcomponent}"]
    lines += ["User-Agent: Tidegate", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {length}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header holds a line break")
    return f"{text}\r\n\r\n".encode()
