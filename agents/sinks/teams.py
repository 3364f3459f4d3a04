"""Microsoft Teams: a card for every event, through a workflow's webhook."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field
from typing_extensions import override

from agents.sinks import _digest
from agents.sinks._base import HttpSink, Item
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry, outcome_of
from agents.sinks._payload import cut, sample
from agents.sinks._settings import SecretAddress
from agents.sinks._text import clean, facts, happened, title
from streams.alerts import Delivery
from streams.records import Severity


class Teams(HttpSink):
    """Posts each event of an alert to a Microsoft Teams channel or chat: an Adaptive Card.

    The address is that of a workflow with the trigger "When a Teams webhook request is received". The workflow says
    that it has taken the card, not that it posted it: look at its runs when a card is missing. There are no ids of
    ours: where its answer is lost, a card may come twice. Text of an alert is never markup: it can't mention anyone.
    """

    prisma: ClassVar[str] = "microsoft_teams"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    in_flight: ClassVar[int] = 1
    per_second: ClassVar[float | None] = 1.0

    url: SecretAddress = Field(
        min_length=1,
        description="Address of the workflow. It holds a key.",
        examples=["https://acme.api.powerplatform.com/powerautomate/automations/direct/workflows/1/triggers/manual/paths/"
                  "invoke?api-version=1&sig=s1gnature-0f-the-workflow"],
    )  # fmt: skip

    @override
    def request(self, delivery: Delivery, now: int) -> Request | Poison:
        for longest in (4000, 1500, 500, 100):
            body = orjson.dumps(_message(delivery, longest))
            if len(body) <= MOST_BYTES:
                headers = {"Content-Type": "application/json"}
                return Request("POST", self.url.get_secret_value(), body, headers)
        return Poison(f"too large: the ids alone are more than {MOST_BYTES} bytes")

    @property
    @override
    def digests(self) -> int:
        return 30

    @override
    async def digest(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        async def send(some: Sequence[Item]) -> Outcome | None:
            body = orjson.dumps(
                _card([_rich(_run(_digest.heading(some), size="Large", weight="Bolder")), *_lines(some)])
            )
            if len(body) > MOST_BYTES:
                return None
            headers = {"Content-Type": "application/json"}
            outcome = await self._made(Request("POST", self.url.get_secret_value(), body, headers), client)
            return Ok(f"in a card of {len(some)}") if isinstance(outcome, Ok) else outcome

        return await _digest.in_one(self, items, client, send)

    @override
    def probe(self, now: int) -> Request | Poison:
        return self.request(sample(now * 1000), now)

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        said = reply.body.decode(errors="replace")
        if reply.status == 400 and any(word in said for word in _SWITCHED_OFF):
            return Config(f"{reply.words}: the workflow is off, or gone")
        if 200 <= reply.status < 300 and "delivery failed with error" in said:  # as the old connectors say it
            return Poison(reply.words) if "error 413" in said else Retry(reply.words)
        if 200 <= reply.status < 300 and "text/html" in reply.headers.get("content-type", ""):
            return Config(f"{reply.words}: a page for people; is it the workflow's address?")
        return outcome_of(reply, now)


MOST_BYTES = 20_000
"""The most of a message: Teams takes 28 KB, but counts more than what is sent, and doesn't say when it is too much."""


def _message(delivery: Delivery, longest: int) -> dict[str, Any]:
    """Return the card about *delivery*. *longest*: of each text, in characters."""
    policy = delivery.event.alert.policy
    head = _run(title(delivery, min(longest, 300)), size="Large", weight="Bolder", color=_COLOURS[policy.severity])
    body = [_rich(head), _rich(_run(happened(delivery)))]
    body += [
        _rich(_run(f"{label}: ", weight="Bolder"), _run(value)) for label, value in facts(delivery, min(longest, 200))
    ]
    for label, text in (("Description", policy.description), ("Recommendation", policy.recommendation)):
        if text:
            body.append(_rich(_run(f"{label}: ", weight="Bolder"), _run(cut(clean(text), longest))))
    actions = [{"type": "Action.OpenUrl", "title": "Open", "url": delivery.link}] if delivery.link else []
    return _card(body, actions)


def _lines(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return a paragraph for each alert of a digest, which leads to its page."""
    rows = []
    for delivery in (item.delivery for item in items):
        run = _run(_digest.line(delivery), color=_COLOURS[delivery.event.alert.policy.severity])
        link = {"selectAction": {"type": "Action.OpenUrl", "url": delivery.link}} if delivery.link else {}
        rows.append(_rich(run | link))
    return rows


def _card(body: list[dict[str, Any]], actions: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the message with a card of these paragraphs."""
    card: dict[str, Any] = {"type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json"}
    card |= {"version": "1.4", "body": body, "msteams": {"width": "Full"}}
    if actions:
        card["actions"] = list(actions)
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(*runs: dict[str, Any]) -> dict[str, Any]:
    """Return a paragraph: its runs, unlike the text of a TextBlock, are no Markdown."""
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


_COLOURS: dict[Severity, str] = {
    "critical": "Attention",
    "high": "Attention",
    "medium": "Warning",
    "low": "Accent",
    "informational": "Default",
}
_SWITCHED_OFF = (
    "TriggerNotFound",
    "WorkflowNotFound",
    "WorkflowDisabled",
    "WorkflowTriggerIsNotEnabled",
    "FlowSuspended",
)
