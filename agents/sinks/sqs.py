"""Amazon SQS: every event of an alert as a message, ten in a call, to a standard or a FIFO queue."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import orjson
from pydantic import Field, PrivateAttr, model_validator
from typing_extensions import override

from agents.sinks._aws import AwsSink, aws_outcome, code_of
from agents.sinks._base import Item
from agents.sinks._client import Client, Request
from agents.sinks._format import FORMAT, Format, formed
from agents.sinks._outcome import Ok, Outcome, Poison, Reply, Retry
from agents.sinks._payload import sample
from streams.alerts import Delivery

Message: TypeAlias = tuple[int, dict[str, str]]
"""The place of a delivery among its call's, and its entry of the batch."""


class Sqs(AwsSink):
    """Sends each event of an alert to an Amazon SQS queue, in Prisma Cloud's shape or OCSF.

    In a FIFO queue the events of one alert keep their order, and none comes twice: the group is the alert's id, the
    deduplication id the event's. The largest message is what the queue says; longer alerts are cut where one sees it.
    """

    prisma: ClassVar[str] = "amazon_sqs"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    batch: ClassVar[int] = 10
    in_flight: ClassVar[int] = 10

    queue_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+/\S+$")] = Field(
        description="The queue's address.", examples=["https://sqs.eu-west-1.amazonaws.com/111122223333/alerts"]
    )
    region: str = Field(
        default="",
        pattern=r"^([a-z]{2}(-[a-z]+)+-\d)?$",
        description="The queue's region, where its address doesn't say it.",
        examples=["eu-west-1"],
    )
    format: Format = FORMAT

    _most: tuple[float, int] = PrivateAttr(default=(0.0, 0))

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        most = await self._largest(client)
        if not isinstance(most, int):
            return [most] * len(items)
        outcomes: dict[int, Outcome] = {}
        messages: list[Message] = []
        for place, item in enumerate(items):
            entry = self._entry(place, item.delivery, most)
            if entry is None:
                outcomes[place] = Poison(f"too large: the ids alone are more than the queue's {most} bytes")
            else:
                messages.append((place, entry))
        outcomes |= await self._sent(messages, client)
        return [outcomes[place] for place in range(len(items))]

    @override
    async def check(self, client: Client) -> Outcome:
        item = Item(sample(int(client.clock() * 1000)), {})
        (outcome,) = await self.deliver([item], client)  # nothing less shows the permission to send
        return Ok("a message about the alert P-0 was sent") if isinstance(outcome, Ok) else outcome

    async def _largest(self, client: Client) -> int | Outcome:
        """Return the bytes of the queue's largest message, asked once an hour."""
        until, most = self._most
        if client.clock() < until:
            return most
        answer = await self._call("GetQueueAttributes", {"AttributeNames": ["MaximumMessageSize"]}, client)
        if not isinstance(answer, Reply):
            return answer
        outcome = aws_outcome(answer, client.clock())
        if isinstance(outcome, Retry):
            return outcome
        said = answer.fields.get("Attributes")
        text = said.get("MaximumMessageSize") if isinstance(said, dict) else None
        most = int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else SAFE
        self._most = (client.clock() + 3600, most)  # where it may not be asked: what every queue takes by default
        return most

    def _entry(self, place: int, delivery: Delivery, most: int) -> dict[str, str] | None:
        fitting = formed(delivery, self.format, most)
        if fitting is None:
            return None
        body = orjson.dumps(fitting).decode().translate(_REFUSED)
        entry = {"Id": str(place), "MessageBody": body}
        if self.queue_url.endswith(".fifo"):
            entry |= {"MessageGroupId": delivery.event.alert.id, "MessageDeduplicationId": delivery.event.id}
        return entry

    async def _sent(self, messages: list[Message], client: Client) -> dict[int, Outcome]:
        """Send *messages* in as few calls as they take: the outcome of each by its place."""
        if not messages:
            return {}
        if len(messages) > 1 and sum(len(entry["MessageBody"].encode()) for _, entry in messages) > MOST_IN_ALL:
            return await self._in_halves(messages, client)
        answer = await self._call("SendMessageBatch", {"Entries": [entry for _, entry in messages]}, client)
        if not isinstance(answer, Reply):
            return dict.fromkeys((place for place, _ in messages), answer)
        if answer.status == 200:
            return _settled(answer, messages)
        outcome = aws_outcome(answer, client.clock())
        if len(messages) > 1 and (isinstance(outcome, Poison) or code_of(answer) == "BatchRequestTooLong"):
            return await self._in_halves(messages, client)
        return dict.fromkeys((place for place, _ in messages), outcome)

    async def _in_halves(self, messages: list[Message], client: Client) -> dict[int, Outcome]:
        half = len(messages) // 2
        return await self._sent(messages[:half], client) | await self._sent(messages[half:], client)

    async def _call(self, action: str, body: dict[str, Any], client: Client) -> Reply | Outcome:
        origin = re.sub(r"(?<=[^/:])/.*", "/", self.queue_url)
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
        whole = orjson.dumps({"QueueUrl": self.queue_url} | body)
        return await self.asked(Request("POST", origin, whole, headers), self._region, "sqs", client)

    @property
    def _region(self) -> str:
        found = re.search(r"[/.]sqs\.([a-z0-9-]+)\.|//([a-z0-9-]+)\.queue\.amazonaws", self.queue_url)
        return self.region or (found[1] or found[2] if found else "")

    @model_validator(mode="after")
    def _has_a_region(self) -> Self:
        if not self._region:
            raise ValueError("region: wanted, since the address of the queue doesn't say it")
        return self


SAFE = 256 * 1024
"""The largest message where the queue may not be asked, in bytes."""

MOST_IN_ALL = 1024 * 1024
"""The most of all the messages of a call, in bytes."""

_REFUSED = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
"""What SQS takes in no message, and JSON doesn't write as an escape."""


def _settled(reply: Reply, messages: list[Message]) -> dict[int, Outcome]:
    """Return what the answer says of each message."""
    outcomes: dict[int, Outcome] = {}
    listed = {str(each.get("Id")): each for each in _objects(reply, "Failed")}
    taken = {str(each.get("Id")) for each in _objects(reply, "Successful")}
    for place, entry in messages:
        if entry["Id"] in taken:
            outcomes[place] = Ok()
        elif failed := listed.get(entry["Id"]):
            words = reply.said(f"{failed.get('Code')}: {failed.get('Message')}")
            inner = Reply(400 if failed.get("SenderFault") else 500, {"x-amzn-errortype": str(failed.get("Code"))})
            outcomes[place] = _named(aws_outcome(inner, 0), words)
        else:
            outcomes[place] = Retry(f"SQS doesn't say what became of it: {reply.words}")
    return outcomes


def _named(outcome: Outcome, words: str) -> Outcome:
    return type(outcome)(words)


def _objects(reply: Reply, name: str) -> list[dict[str, Any]]:
    found = reply.fields.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
