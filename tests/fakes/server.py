"""What all doubles of destinations have in common: scripted faults, what was wrong with requests, and a real server."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import orjson
from aiohttp import web

from agents.sinks._outcome import Reply
from streams.alerts import AlertResource


@dataclass(frozen=True)
class Call:
    """A request as the destination sees it: header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def path(self) -> str:
        return urlsplit(self.url).path

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Lost:
    """A fault: the effect happens, and the connection closes before the answer."""


class WrongError(Exception):
    """The vendor would refuse the request: *reply*."""

    def __init__(self, why: str, reply: Reply) -> None:
        super().__init__(why)
        self.reply = reply


class Fake(ABC):
    """A destination's double. What it refuses is in `wrong`: no request of ours may ever be there."""

    cases: ClassVar[dict[str, dict[str, Any]]]
    """Settings that work with it, by a name; empty: the one that the documentation shows."""
    resource: ClassVar[AlertResource | None] = None
    """What its alerts are about, where an AWS bucket would not do."""
    most_bytes: ClassVar[int] = 1024 * 1024
    means: ClassVar[dict[int, str]] = {}
    """What a bare status means where that isn't what it means elsewhere: the outcome's name."""

    doubles: bool = False
    """Whether an answer that is lost may make a second message: it has neither ids of ours nor a look-up."""

    def __init__(self, case: str = "") -> None:
        self.case = case
        self.calls: list[Call] = []
        self.wrong: list[str] = []
        self.faults: deque[Reply | Lost] = deque()
        self.always: Reply | None = None
        """What every decisive call gets."""
        self.now = 0.0
        self.chance: Random | None = None
        """Strikes any call, decisive or not, one time in four."""

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """Do what the destination does. May raise WrongError."""

    @abstractmethod
    def holds(self, alert: str) -> list[str]:
        """Return what it has of an alert: for each object or message there, its state."""

    def decisive(self, call: Call) -> bool:
        """Whether scripted faults strike this call: not one for a token, or for a list of choices."""
        return True

    def golden(self, call: Call) -> bool:
        """Whether a golden file shows this call: not one that differs from run to run."""
        return True

    def shown(self) -> Iterator[str]:
        """Yield the texts that a person would read there, as they'd be shown."""
        for call in self.calls:
            yield from texts(call.json) if "json" in call.headers.get("content-type", "") else ()

    def handle(self, call: Call) -> Reply | Lost:
        self.calls.append(call)
        if len(call.body) > self.most_bytes:
            self.wrong.append(f"{len(call.body)} bytes")
        fault: Reply | Lost | None = None
        if self.chance and self.chance.random() < 0.25:
            faults: list[Reply | Lost] = [Lost(), Reply(503, {}), Reply(429, {"retry-after": "1"}), Reply(500, {})]
            fault = self.chance.choice(faults)
        elif self.decisive(call):
            fault = self.always or (self.faults.popleft() if self.faults else None)
        if isinstance(fault, Reply):
            return fault
        try:
            reply = self.answer(call)
        except WrongError as wrong:
            self.wrong.append(f"{call.method} {call.path}: {wrong}")
            reply = wrong.reply
        return fault or reply

    def must(self, fine: object, why: str, status: int = 400, body: Any = None) -> None:
        """Refuse the request, and remember why, unless it is *fine*."""
        if not fine:
            raise WrongError(why, json_reply(status, {"error": why} if body is None else body))


def json_reply(status: int, body: Any = None, **headers: str) -> Reply:
    """Return an answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"content-type": "application/json"} | named, b"" if body is None else orjson.dumps(body))


def texts(value: Any) -> Iterator[str]:
    """Yield every text within a JSON value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


@asynccontextmanager
async def serving(fake: Fake) -> AsyncIterator[str]:
    """Serve *fake* on the loopback: its address, without a slash at its end."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = fake.handle(Call(request.method, str(request.url), headers, await request.read()))
        if isinstance(reply, Lost):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    runner = web.ServerRunner(web.Server(answer, auto_decompress=False), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
