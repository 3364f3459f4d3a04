"""What happens, as server-sent events: the counts of alerts and the newest of them, and how far Tidegate is behind.

One watch looks for all who listen, every two seconds, and rests while nobody does.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from api.reader import Readers
from api.state import Owner
from streams.errors import TidegateError

routes = APIRouter()

EVERY_S = 2.0
"""How often is looked."""

KEPT = 450
"""How many samples are remembered: fifteen minutes."""

QUIET_S = 20.0
"""After how long without news a comment is sent, so that a dead connection is noticed."""

_COUNTS = "select status, count(*) from alerts group by 1"
_NEWEST = """
    select id, policy_name, severity, status, resource, rrn, account, epoch_ms(updated)::BIGINT from alerts
    where updated > make_timestamp(?::BIGINT * 1000) order by updated desc limit 20"""
_REACHED = "select kind, sum(next_offset)::BIGINT from partitions group by 1"


class Watch:
    """Looks at the store while somebody listens, and keeps the rates of the last minutes."""

    def __init__(self, owner: Owner, readers: Readers) -> None:
        self._owner = owner
        self._readers = readers
        self._listeners: set[asyncio.Queue[bytes]] = set()
        self._task: asyncio.Task[None] | None = None
        self._since = 0
        self._told: dict[str, bytes] = {}
        self.samples: deque[tuple[int, int, int]] = deque(maxlen=KEPT)
        """Moment in ms, records stored since the store began, records that wait."""

    @contextlib.contextmanager
    def listening(self) -> Any:
        """Give a queue of events, beginning with how things are."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        for event in self._told.values():
            queue.put_nowait(event)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._task:
                self._task.cancel()

    def close(self) -> None:
        """End the answers of all who listen."""
        for queue in self._listeners:
            queue.put_nowait(b"")

    async def sample(self) -> None:
        """Look once, and tell everybody what is new."""
        now = int(time.time() * 1000)
        since = self._since or now
        counts, newest, reached = await self._readers.run(lambda cursor: _seen(cursor, since))
        lag = self._owner.ownership().get("lag") or {}
        waiting = sum(int(each) for each in lag.values() if isinstance(each, int))
        self.samples.append((now, sum(reached.values()), waiting))
        if newest:
            self._since = max(each["updated"] for each in newest)
            self._tell("alerts", {"alerts": newest}, keep=False)
        elif not self._since:
            self._since = now
        self._tell("status", {"alerts": counts, "lag": waiting, "stored": reached, "rate": self.rate()})

    def rate(self) -> float:
        """Return records stored a second, over the last half minute."""
        if len(self.samples) < 2:
            return 0.0
        last = self.samples[-1]
        first = next(each for each in self.samples if last[0] - each[0] <= 30_000)
        passed = (last[0] - first[0]) / 1000
        return round((last[1] - first[1]) / passed, 1) if passed else 0.0

    async def _look(self) -> None:
        while self._listeners:
            with contextlib.suppress(TidegateError):  # a slow store is looked at again
                await self.sample()
            await asyncio.sleep(EVERY_S)

    def _tell(self, name: str, data: object, *, keep: bool = True) -> None:
        event = b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data, default=str) + b"\n\n"
        if keep and self._told.get(name) == event:
            return
        if keep:
            self._told[name] = event
        for queue in self._listeners:
            if queue.qsize() > 100:
                queue.get_nowait()  # who reads slowly misses the oldest, and counts come again
            queue.put_nowait(event)


def watch_of(request: Request) -> Watch:
    """Return the process's watch."""
    state = request.app.state
    if not hasattr(state, "watch"):
        state.watch = Watch(state.owner, state.readers)
        state.leaving.append(state.watch.close)
    found: Watch = state.watch
    return found


@routes.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def stream_events(request: Request) -> Response:
    """Tell what happens, as it happens: `alerts`, those that changed, and `status`, counts and lag."""
    watch = watch_of(request)

    async def told() -> AsyncIterator[bytes]:
        with watch.listening() as queue:
            yield b"retry: 3000\n\n"
            while not await request.is_disconnected():
                try:
                    event = await asyncio.wait_for(queue.get(), QUIET_S)
                except TimeoutError:
                    event = b": quiet\n\n"
                if not event:
                    return
                yield event

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(told(), headers=headers, media_type="text/event-stream")


def _seen(cursor: Any, since: int) -> tuple[dict[str, int], list[dict[str, Any]], dict[str, int]]:
    names = ("id", "policy_name", "severity", "status", "resource", "rrn", "account", "updated")
    counts = dict(cursor.execute(_COUNTS).fetchall())
    newest = [dict(zip(names, row, strict=True)) for row in cursor.execute(_NEWEST, [since]).fetchall()]
    return counts, newest, dict(cursor.execute(_REACHED).fetchall())
