"""A call on a pooled connection: sent as it is told, read to its end, and the connection is used again or not."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from yarl import URL

from agents.sinks._direct import Direct

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server of bytes: it reads a request of a given body, and answers what it is told."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.connections = 0
        self.heads: list[bytes] = []

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = URL(f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/a%20b?c=d")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.split(b"\r\n") if x.startswith(b"Content-Length:")), 0)
                self.heads.append(head + await reader.readexactly(length))
                answer = self._answers.pop(0)
                writer.write(answer)
                await writer.drain()
                if b"close" in answer or not answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def calls(server: Server, count: int, most: int = 1000, **headers: str) -> list[Any]:
    async with aiohttp.ClientSession() as session:
        direct = Direct(session)
        try:
            return [await direct.call("POST", server.url, headers, b"body", True, most) for _ in range(count)]
        finally:
            direct.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"


async def test_what_is_sent_is_what_was_told() -> None:
    async with Server(OK) as server:
        ((status, headers, body),) = await calls(server, 1, X="é")
    assert (status, headers["x-a"], body) == (200, "b", b"ok")
    host = f"127.0.0.1:{server.url.port}"
    told = f"POST /a%20b?c=d HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Tidegate\r\nAccept: */*\r\nX: é\r\n"
    assert server.heads == [f"{told}Content-Length: 4\r\n\r\nbody".encode()]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
            % (len(gzip.compress(b"zipped", mtime=0)), gzip.compress(b"zipped", mtime=0)),
            b"zipped",
        ),
    ],
)
async def test_an_answer_is_read_to_its_end_and_the_connection_used_again(answer: bytes, body: bytes) -> None:
    async with Server(answer, answer, answer) as server:
        assert [each[2] for each in await calls(server, 3)] == [body] * 3
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
        b"HTTP/1.0 200 OK\r\nX: close\r\n\r\nto the end",
    ],
)
async def test_a_connection_that_ends_with_its_answer_is_not_used_again(answer: bytes) -> None:
    async with Server(answer, answer) as server:
        assert [each[2] for each in await calls(server, 2)] == [b"to the end"] * 2
    assert server.connections == 2


async def test_no_more_is_read_than_is_wanted() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    async with Server(large, OK) as server:
        first, second = await calls(server, 2, most=10)
    assert (first[2], second[2], server.connections) == (b"x" * 10, b"ok", 2)


@pytest.mark.parametrize(
    "answer", [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nclose"]
)
async def test_an_answer_that_is_none_or_breaks_off_is_an_error_of_the_client(answer: bytes) -> None:
    async with Server(answer) as server:
        with pytest.raises(aiohttp.ClientError):
            await calls(server, 1)


async def test_a_call_that_is_cancelled_leaves_no_connection_behind() -> None:
    async with (
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") as server,
        aiohttp.ClientSession() as session,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await Direct(session).call("POST", server.url, {}, b"", True, 1000)
        assert isinstance(session.connector, aiohttp.TCPConnector)
        assert not session.connector._acquired and not session.connector._conns


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0b"])
async def test_a_header_that_would_end_its_line_is_not_sent(value: str) -> None:
    async with Server(OK) as server:
        with pytest.raises(ValueError, match="a header holds a line break"):
            await calls(server, 1, X=value)
    assert server.connections == 0
