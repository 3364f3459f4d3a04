"""Destinations that take several calls for a delivery: what one of them answers may settle it before the last."""

from abc import abstractmethod
from collections.abc import Coroutine, Sequence
from typing import Any

import orjson
from typing_extensions import override

from agents.sinks._base import Item, Sink
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Outcome, Reply, outcome_of


class SettledError(Exception):
    """The *outcome* is known: there is nothing more to call."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.words)
        self.outcome = outcome


class TalkSink(Sink):
    """A destination that is asked, and then told."""

    @abstractmethod
    async def settle(self, item: Item, talk: "Talk") -> Outcome:
        """Deliver *item*. May raise SettledError."""

    @abstractmethod
    async def test(self, talk: "Talk") -> Outcome:
        """Do what `check` does. May raise SettledError."""

    def outcome(self, reply: Reply, now: float) -> Outcome:
        """Return what an answer that is no success means. Pure. *now*: seconds since 1970 UTC."""
        return outcome_of(reply, now)

    async def prepared(self, request: Request, client: Client) -> Request:
        """Return *request* with its credentials. May raise SettledError."""
        return request

    async def refreshed(self, reply: Reply) -> bool:
        """Return whether *reply* says that a token is worn out, after forgetting it: the call is made once more."""
        return False

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        talk = Talk(self, client)
        return [await _settled(self.settle(item, talk)) for item in items]

    @override
    async def check(self, client: Client) -> Outcome:
        return await _settled(self.test(Talk(self, client)))


class Talk:
    """The calls of a delivery. One that doesn't succeed settles it, by SettledError."""

    def __init__(self, sink: TalkSink, client: Client) -> None:
        self.sink = sink
        self.client = client

    @property
    def now(self) -> float:
        """Seconds since 1970 UTC."""
        return self.client.clock()

    async def call(self, request: Request, fine: Sequence[int] = ()) -> Reply:
        """Return the answer: a success, or one of the statuses that are *fine* too."""
        answer = await self.sink.reach(await self.sink.prepared(request, self.client), self.client)
        if isinstance(answer, Reply) and await self.sink.refreshed(answer):
            answer = await self.sink.reach(await self.sink.prepared(request, self.client), self.client)
        if not isinstance(answer, Reply):
            raise SettledError(answer)
        if 200 <= answer.status < 300 or answer.status in fine:
            return answer
        raise SettledError(self.sink.outcome(answer, self.now))


async def _settled(conversation: Coroutine[Any, Any, Outcome]) -> Outcome:
    try:
        return await conversation
    except SettledError as known:
        return known.outcome


def json_request(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Request:
    """Return a call with the JSON text of *body*; None: it has none."""
    base = {"Accept": "application/json"}
    if body is None:
        return Request(method, url, headers=base | (headers or {}))
    return Request(method, url, orjson.dumps(body), base | {"Content-Type": "application/json"} | (headers or {}))
