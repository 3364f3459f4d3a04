"""A workflow of Microsoft Teams: it takes cards by Microsoft's schema, and never shows one that counts too much."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from jsonschema import Draft6Validator
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, texts

SCHEMA = Path(__file__).parents[2].parent / "shared" / "specs" / "adaptive-card-1.4.schema.json"
PATH = "/powerautomate/automations/direct/workflows/1/triggers/manual/paths/invoke"


class Teams(Fake):
    """Holds the cards that it posted."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"url": f"https://acme.api.powerplatform.com{PATH}?api-version=1&sig=s1gnature-0f-the-workflow"}
    }
    most_bytes = 24_000
    doubles = True

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.cards: list[dict[str, Any]] = []

    @override
    def answer(self, call: Call) -> Reply:
        self.must(call.path == PATH and call.query["sig"] == "s1gnature-0f-the-workflow", "AuthorizationFailed", 401)
        body = call.json
        self.must(body["type"] == "message" and len(body["attachments"]) == 1, "no message")
        (attachment,) = body["attachments"]
        self.must(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "no card")
        card = attachment["content"]
        self.must(card.pop("msteams") == {"width": "Full"}, "msteams")  # Teams' own addition to the schema
        self.must(not (wrong := _wrong(json.dumps(card))), f"card: {wrong}")
        self.must({each["type"] for each in card["body"]} == {"RichTextBlock"}, "text of an alert would be markup")
        self.cards.append(card)
        return Reply(202, {})

    @override
    def shown(self) -> Iterator[str]:
        for card in self.cards:
            yield from texts(card)

    @override
    def holds(self, alert: str) -> list[str]:
        rows = [
            {each["inlines"][0]["text"]: each["inlines"][-1]["text"] for each in card["body"]} for card in self.cards
        ]
        alone = [row["Status: "] for row in rows if row.get("Alert: ") == alert]
        return alone + [text.partition(",")[0] for row in rows for text in row if f"({alert}, " in text]


@cache
def _wrong(text: str) -> str:
    """Return the first thing that Microsoft's schema finds wrong; nothing where it isn't there."""
    validator = _validator()
    return next((each.message for each in validator.iter_errors(json.loads(text))), "") if validator else ""


@cache
def _validator() -> Draft6Validator | None:
    return Draft6Validator(json.loads(SCHEMA.read_bytes())) if SCHEMA.exists() else None
