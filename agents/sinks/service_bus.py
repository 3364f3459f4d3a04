"""Azure Service Bus: every event of an alert as a message, many in a call, to a queue or a topic."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias
from urllib.parse import quote_plus

import orjson
from pydantic import Field
from typing_extensions import override

from agents.sinks._base import Item, Sink
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, outcome_of
from agents.sinks._payload import fit, payload, sample
from agents.sinks._settings import Host, Key

Message: TypeAlias = tuple[int, bytes]
"""The place of a delivery among its call's, and its message as JSON."""


class ServiceBus(Sink):
    """Sends each event of an alert to a queue or topic of Azure Service Bus, in Prisma Cloud's shape.

    The message's id is the event's, so that a queue with duplicate detection drops what comes twice; the session's is
    the alert's, so that one with sessions keeps the order of its events.
    """

    prisma: ClassVar[str] = "azure_service_bus_queue"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    batch: ClassVar[int] = 100
    in_flight: ClassVar[int] = 8

    queue_url: Annotated[Host, Field(pattern=r"^https?://[^/]+/.+$")] = Field(
        description="The address of the queue or topic.", examples=["https://acme.servicebus.windows.net/alerts"]
    )
    key_name: str = Field(
        min_length=1, description="The name of a shared access policy with the right Send.", examples=["send"]
    )
    key: Key = Field(min_length=1, description="Its key.", examples=["a2V5LW9mLXRoZS1wb2xpY3k="])
    sessions: bool = Field(
        default=False, description="Whether the queue has sessions: it refuses messages without one.", examples=[True]
    )
    most_bytes: int = Field(
        default=192 * 1024,
        ge=4096,
        le=900_000,
        description="The largest message: the standard tier takes 256 KB with all that belongs to it.",
        examples=[900_000],
    )

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        groups: list[list[Message]] = []
        size = self.most_bytes
        for place, item in enumerate(items):
            message = self._message(item)
            if message is None:
                outcomes[place] = Poison(f"too large: the ids alone are more than {self.most_bytes} bytes")
                continue
            size += len(message)
            if size > self.most_bytes:
                groups.append([])
                size = len(message)
            groups[-1].append((place, message))
        for group in groups:
            outcomes |= await self._sent(group, client)
        return [outcomes[place] for place in range(len(items))]

    @override
    async def check(self, client: Client) -> Outcome:
        item = Item(sample(int(client.clock() * 1000)), {})
        (outcome,) = await self.deliver([item], client)  # nothing less shows the right to send
        return Ok("a message about the alert P-0 was sent") if isinstance(outcome, Ok) else outcome

    async def _sent(self, messages: list[Message], client: Client) -> dict[int, Outcome]:
        """Send *messages*, in halves where one spoils a call: the outcome of each by its place."""
        body = b"[" + b",".join(message for _, message in messages) + b"]"
        headers = {"Content-Type": "application/vnd.microsoft.servicebus.json"}
        headers["Authorization"] = self._signature(int(client.clock()) + 600)
        answer = await self.reach(Request("POST", f"{self.queue_url}/messages", body, headers), client)
        if not isinstance(answer, Reply):
            return dict.fromkeys((place for place, _ in messages), answer)
        outcome = self.outcome(answer, client.clock())
        if isinstance(outcome, Poison) and len(messages) > 1:
            half = len(messages) // 2
            return await self._sent(messages[:half], client) | await self._sent(messages[half:], client)
        return dict.fromkeys((place for place, _ in messages), outcome)

    def outcome(self, reply: Reply, now: float) -> Outcome:
        """Return what an answer means. Pure. *now*: seconds since 1970 UTC."""
        if reply.status == 400 and b"session" in reply.body.lower():
            return Config(f"{reply.words}: the queue has sessions: set `sessions`")
        return outcome_of(reply, now)

    def _message(self, item: Item) -> bytes | None:
        event = item.delivery.event
        broker = {"MessageId": event.id, "Label": "alert"}
        broker |= {"SessionId": event.alert.id} if self.sessions else {}
        longest = self.most_bytes - 1024
        for _ in range(3):  # as a text within JSON it is longer than alone
            fitting = fit(payload(item.delivery), longest)
            if fitting is None:
                return None
            body = orjson.dumps(fitting).decode()
            message = orjson.dumps({"Body": body, "BrokerProperties": broker})
            if len(message) <= self.most_bytes:
                return message
            longest = longest * self.most_bytes // len(message) - 1024
        return None

    def _signature(self, until: int) -> str:
        """Return the proof that we hold the key, good until *until*, seconds since 1970 UTC."""
        where = quote_plus(self.queue_url)
        made = hmac.digest(self.key.get_secret_value().encode(), f"{where}\n{until}".encode(), hashlib.sha256)
        proof = quote_plus(base64.b64encode(made).decode())
        return f"SharedAccessSignature sr={where}&sig={proof}&se={until}&skn={quote_plus(self.key_name)}"
