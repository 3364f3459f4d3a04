"""Splunk: every event of an alert to the HTTP Event Collector, many in a request, with or without acknowledgement."""

import asyncio
import gzip
import re
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import orjson
from pydantic import AfterValidator, Field
from typing_extensions import override

from agents.sinks._base import Item, Sink
from agents.sinks._client import Client, Request
from agents.sinks._format import FORMAT, Format, formed
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry, outcome_of, retry_after
from agents.sinks._payload import sample
from agents.sinks._settings import Host, Key
from streams.alerts import Delivery

Event: TypeAlias = tuple[int, bytes]
"""The place of a delivery among its call's, and its event."""


class Splunk(Sink):
    """Sends each event of an alert to a Splunk HTTP Event Collector, in Prisma Cloud's shape or OCSF.

    What is longer than `most_event_bytes` loses its configuration first, then tags and labels, then the ends of its
    texts; ids never. The field `event_id` is the event's id: `dedup event_id` where one came twice.
    """

    prisma: ClassVar[str] = "splunk"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    batch: ClassVar[int] = 1000
    in_flight: ClassVar[int] = 4

    url: Annotated[Host, AfterValidator(lambda url: re.sub(r"/services/collector(/event|/raw)?$", "", url))] = Field(
        description="Address of the collector, with or without `/services/collector`.",
        examples=["https://http-inputs-acme.splunkcloud.com:443/services/collector"],
    )
    auth_token: Key = Field(
        min_length=1, description="The collector's token.", examples=["00000000-0000-4000-8000-000000t0ken0"]
    )
    source_type: str = Field(
        default="_json",
        max_length=256,
        description="The source type: it overrides the token's.",
        examples=["prisma:alert"],
    )
    source: str = Field(default="Prisma Cloud", max_length=256, description="The source.", examples=["tidegate"])
    host: str = Field(
        default="", max_length=256, description="The host; empty: Splunk's choice.", examples=["tidegate-1"]
    )
    index: str = Field(
        default="",
        pattern=r"^[a-z0-9_-]*$",
        description="The index; empty: the token's default. The token must allow it.",
        examples=["security"],
    )
    acknowledge: bool = Field(
        default=False,
        description="Close a delivery only when Splunk has indexed it. The token must have indexer acknowledgement "
        "enabled; behind a load balancer it takes sticky sessions. Splunk Cloud has it for Firehose only.",
        examples=[True],
    )
    acknowledge_seconds: float = Field(
        default=60.0, gt=0, le=600, description="How long to wait for that; then it is sent again.", examples=[120.0]
    )
    compress: bool = Field(default=True, description="Send with gzip.", examples=[False])
    format: Format = FORMAT
    most_event_bytes: int = Field(
        default=10_000,
        ge=2000,
        le=900_000,
        description="The largest event: Splunk cuts at `TRUNCATE`, 10,000 bytes unless you raise it there.",
        examples=[100_000],
    )

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        events: list[Event] = []
        for place, item in enumerate(items):
            event = self._event(item.delivery)
            if event is None:
                words = f"too large: the ids alone are more than {self.most_event_bytes} bytes"
                outcomes[place] = Poison(words)
            else:
                events.append((place, event))
        channel = _channel(items[0].delivery.integration) if items else ""
        for group in _groups(events):
            outcomes |= await self._sent(group, channel, client)
        return [outcomes[place] for place in range(len(items))]

    @override
    async def check(self, client: Client) -> Outcome:
        headers = self._headers("")
        answer = await self.reach(Request("GET", f"{self.url}/services/collector/health/1.0", b"", headers), client)
        if not isinstance(answer, Reply):
            return answer
        if answer.status == 503:
            return Retry(f"the collector is there and takes nothing now, its queues are full: {answer.words}")
        if answer.status == 400:
            return Config(f"{answer.words}: the token is wrong")
        if answer.status != 200:
            return self.outcome(answer, client.clock())
        item = Item(sample(int(client.clock() * 1000)), {})
        (sent,) = await self.deliver([item], client)  # nothing less shows whether the index is right
        return Ok("an event of the alert P-0 was sent") if isinstance(sent, Ok) else sent

    def outcome(self, reply: Reply, now: float) -> Outcome:
        """Return what an answer means for all that was sent. Pure. *now*: seconds since 1970 UTC."""
        code = reply.fields.get("code")
        if isinstance(code, int) and code in _CONFIG:
            return Config(f"{reply.words}: {_CONFIG[code]}")
        if isinstance(code, int) and code in _LATER:
            return Retry(reply.words, retry_after(reply.headers.get("retry-after", ""), now))
        return outcome_of(reply, now)

    async def _sent(self, events: list[Event], channel: str, client: Client) -> dict[int, Outcome]:
        """Send *events* in as few requests as they take: the outcome of each by its place."""
        if not events:
            return {}
        answer = await self.reach(self._request(events, channel), client)
        if not isinstance(answer, Reply):
            return dict.fromkeys((place for place, _ in events), answer)
        if answer.status == 200:
            return dict.fromkeys((place for place, _ in events), await self._indexed(answer, channel, client))
        outcome = self.outcome(answer, client.clock())
        if not isinstance(outcome, Poison) or len(events) == 1:
            return dict.fromkeys((place for place, _ in events), outcome)
        wrong = answer.fields.get("invalid-event-number")
        if isinstance(wrong, int) and 0 <= wrong < len(events):
            before, after = events[:wrong], events[wrong + 1 :]  # Splunk has taken those before
            if self.acknowledge:
                before, after = [], before + after  # but nothing tells when they are indexed
            settled: dict[int, Outcome] = dict.fromkeys((place for place, _ in before), Ok())
            return settled | {events[wrong][0]: outcome} | await self._sent(after, channel, client)
        half = len(events) // 2
        return await self._sent(events[:half], channel, client) | await self._sent(events[half:], channel, client)

    async def _indexed(self, reply: Reply, channel: str, client: Client) -> Outcome:
        """Return what a success is worth: with acknowledgement, after waiting for it."""
        if reply.fields.get("code") != 0:
            return Retry(f"no answer of Splunk's: {reply.words}")
        if not self.acknowledge:
            return Ok()
        id = reply.fields.get("ackId")
        if not isinstance(id, int):
            return Config(f"{reply.words}: no ackId: enable indexer acknowledgement for the token, or don't ask for it")
        waited, pause = 0.0, 0.05
        while waited < self.acknowledge_seconds:
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 5.0)
            url = f"{self.url}/services/collector/ack?channel={channel}"
            asked = Request("POST", url, orjson.dumps({"acks": [id]}), self._headers(channel))
            answer = await self.reach(asked, client)
            if not isinstance(answer, Reply):
                return answer
            if answer.status != 200:
                return self.outcome(answer, client.clock())
            acks = answer.fields.get("acks")
            if not isinstance(acks, dict):
                return Retry(f"no acknowledgement of Splunk's: {answer.words}")
            if acks.get(str(id)) is True:
                return Ok()
        return Retry(f"Splunk took it, but didn't say within {self.acknowledge_seconds:g} s that it is indexed")

    def _event(self, delivery: Delivery) -> bytes | None:
        """Return the event as JSON; None: even its ids are too long."""
        envelope: dict[str, Any] = {"time": delivery.event.at / 1000, "source": self.source}
        envelope |= {"sourcetype": self.source_type} if self.source_type else {}
        envelope |= {"host": self.host} if self.host else {}
        envelope |= {"index": self.index} if self.index else {}
        fitting = formed(delivery, self.format, self.most_event_bytes)
        if fitting is None:
            return None
        return orjson.dumps(envelope | {"event": fitting, "fields": {"event_id": delivery.event.id}})

    def _request(self, events: Sequence[Event], channel: str) -> Request:
        body = b"\n".join(event for _, event in events)
        headers = self._headers(channel) | {"Content-Type": "application/json"}
        if self.compress:
            body = gzip.compress(body, 1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return Request("POST", f"{self.url}/services/collector/event", body, headers)

    def _headers(self, channel: str) -> dict[str, str]:
        headers = {"Authorization": f"Splunk {self.auth_token.get_secret_value()}"}
        return headers | {"X-Splunk-Request-Channel": channel} if channel and self.acknowledge else headers


MOST_BYTES = 1_000_000
"""The most of a request before compression: Splunk Cloud takes 1 MB."""


def _groups(events: Sequence[Event]) -> list[list[Event]]:
    """Return *events* in groups of at most MOST_BYTES."""
    groups: list[list[Event]] = []
    size = MOST_BYTES
    for place, event in events:
        size += len(event) + 1
        if size > MOST_BYTES:
            groups.append([])
            size = len(event)
        groups[-1].append((place, event))
    return groups


def _channel(integration: str) -> str:
    """Return the channel of an integration: the same from every worker and after every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"tidegate:{integration}"))


_CONFIG = {
    1: "the token is disabled",
    2: "no token arrived there",
    3: "the token is refused",
    4: "the token is wrong",
    7: "the token doesn't allow this index, or it doesn't exist",
    10: "the token has indexer acknowledgement enabled: set `acknowledge`",
    11: "the channel is refused",
    14: "indexer acknowledgement is disabled for this token: don't set `acknowledge`",
    16: "the token is refused",
}
_LATER = frozenset({8, 9, 18, 19, 20, 23, 26, 27})
