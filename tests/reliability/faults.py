"""What goes wrong with a destination: each fault decides, call by call, what strikes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from time import monotonic, time
from typing import ClassVar, Literal, TypeAlias

from aiohttp import web
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, Lost

Strike: TypeAlias = Reply | Literal["cut", "no http", "lost", "hangs", "garbled"] | None
"""An answer instead of the effect; no answer and no effect; bytes that are no HTTP, and no effect; the effect and then
no answer; the effect and an answer that never comes; the effect and an answer that makes no sense; nothing.
"""


class Fault:
    """A healthy destination, and what the others differ from. Times: seconds since the first call."""

    name: ClassVar[str] = "healthy"
    about: ClassVar[str] = "Nothing goes wrong."

    def __init__(self, outage: float, seed: int = 1) -> None:
        self.outage = outage
        self.random = Random(seed)
        self.repaired = False
        self.began: float | None = None

    def strike(self, at: float) -> Strike:
        """Return what strikes a call."""
        return None


class Errors(Fault):
    name = "errors"
    about = "One call in ten gets a 500 or 503, and for a time nothing answers at all."

    @override
    def strike(self, at: float) -> Strike:
        if 0.2 <= at < 0.2 + self.outage:
            return "cut"
        return Reply(self.random.choice([500, 503]), {}) if self.random.random() < 0.1 else None


class Late(Fault):
    name = "late"
    about = "One call in ten takes effect, and its answer is lost; one in a hundred takes effect and never answers."

    @override
    def strike(self, at: float) -> Strike:
        chance = self.random.random()
        return "hangs" if chance < 0.01 else "lost" if chance < 0.11 else None


class Throttled(Fault):
    name = "throttled"
    about = "Storms of 429 with `Retry-After: 1`, half of every second for a time."

    @override
    def strike(self, at: float) -> Strike:
        storm = at < self.outage * 2 and at % 1.0 < 0.5
        return Reply(429, {"retry-after": "1"}, b"slow down") if storm else None


class Revoked(Fault):
    name = "revoked"
    about = "The credentials are refused for a time; then they are right again, and the integration is saved."

    @override
    def strike(self, at: float) -> Strike:
        return None if at < 0.2 or self.repaired else Reply(401, {}, b"revoked")


class Malformed(Fault):
    name = "malformed"
    about = "One answer in ten makes no sense: a page after the effect, or bytes that are no HTTP and no effect."

    @override
    def strike(self, at: float) -> Strike:
        chance = self.random.random()
        return "garbled" if chance < 0.05 else "no http" if chance < 0.1 else None


class Killed(Fault):
    name = "killed"
    about = "The worker is killed (-9) in the middle, and another one is started on its data."


class Emptied(Fault):
    name = "emptied"
    about = "The worker is killed (-9) in the middle, and another one is started without its data."


class Moved(Fault):
    name = "moved"
    about = "Two workers: in the middle the partitions go from the first to the second, as in a rebalance."


SECONDS = 1.0
"""How long a call may take in these runs."""

FAULTS: tuple[type[Fault], ...] = (Fault, Errors, Late, Throttled, Revoked, Malformed, Killed, Emptied, Moved)


@asynccontextmanager
async def serving(fake: Fake, fault: Fault) -> AsyncIterator[str]:
    """Serve *fake* on the loopback, struck by *fault*: its address, without a slash at its end."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        fault.began = fault.began or monotonic()
        fake.now = time()
        strike = fault.strike(monotonic() - fault.began)
        assert request.transport is not None
        if isinstance(strike, Reply):
            return web.Response(status=strike.status, body=strike.body, headers=strike.headers)
        if strike in ("cut", "no http"):
            if strike == "no http":
                request.transport.write(b"\x16\x03\x01 no HTTP\r\n\r\n")
            request.transport.close()
            return web.Response()
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = fake.handle(Call(request.method, str(request.url), headers, body))
        if strike in ("lost", "hangs") or isinstance(reply, Lost):
            if strike == "hangs":
                await asyncio.sleep(3 * SECONDS)  # the caller gives up before
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if strike == "garbled" and 200 <= reply.status < 300:
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    runner = web.ServerRunner(web.Server(answer, auto_decompress=False), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
