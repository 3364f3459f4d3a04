"""Slack: incoming webhooks and the few methods of its API that a bot needs, blocks checked by Slack's own library."""

from collections.abc import Iterator
from html import unescape
from typing import Any, ClassVar

from slack_sdk.models.blocks import Block
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply

HOOK = "/services/T00000000/B00000000/s3cretOfTheWebhook"
TOKEN = "xoxb-0000-s3cretOfTheBot"
CHANNEL = "C0123456789"


class Slack(Fake):
    """Holds messages in their order, threads, and which were updated."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"webhook_url": f"https://hooks.slack.com{HOOK}"},
        "bot": {"bot_token": TOKEN, "channel": CHANNEL, "api_url": "https://slack.com/api"},
    }
    most_bytes = 64 * 1024
    doubles = True

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.messages: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, list[str]] = {}

    @override
    def answer(self, call: Call) -> Reply:
        if call.path == HOOK:
            if not call.json.get("text") and not call.json.get("blocks"):
                return Reply(400, {}, b"no_text")
            self._check(call.json)
            self._post(call.json)
            return Reply(200, {}, b"ok")
        self.must(call.path.startswith("/api/"), "no_service", 404)
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return json_reply(200, {"ok": False, "error": "invalid_auth"})
        return json_reply(200, {"ok": True} | getattr(self, f"_{call.path[5:].replace('.', '_')}")(call))

    def _auth_test(self, call: Call) -> dict[str, Any]:
        return {"user": "tidegate", "team": "T00000000"}

    def _conversations_info(self, call: Call) -> dict[str, Any]:
        if call.query["channel"] != CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        return {"channel": {"id": CHANNEL, "name": "alerts", "is_member": True, "is_archived": False}}

    def _chat_postMessage(self, call: Call) -> dict[str, Any]:
        body = call.json
        if body["channel"] != CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        self._check(body)
        if root := body.get("thread_ts"):
            self.must(root in self.messages, "thread_not_found")
            self.threads[root].append(body["text"])
            return {"channel": CHANNEL, "ts": "1.1"}
        return {"channel": CHANNEL, "ts": self._post(body)}

    def _chat_update(self, call: Call) -> dict[str, Any]:
        self._check(call.json)
        if call.json["ts"] not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        self.messages[call.json["ts"]] = call.json
        return {"channel": CHANNEL, "ts": call.json["ts"]}

    def _post(self, body: dict[str, Any]) -> str:
        ts = f"1767225661.{len(self.messages):06}"
        self.messages[ts], self.threads[ts] = body, []
        return ts

    def _check(self, body: dict[str, Any]) -> None:
        text = body["text"]
        self.must(0 < len(text) <= 40_000 and "<" not in text and ">" not in text, "markup in the text")
        blocks = body.get("blocks", [])
        self.must(len(blocks) <= 50, "too many blocks")
        for block in Block.parse_all(blocks):
            block.to_dict()  # raises what Slack's library finds wrong
        long = [len(each["text"]["text"]) for each in blocks if each["type"] == "section"]
        self.must(max(long, default=0) <= 3000 and sum(long) <= 12_000, "msg_blocks_too_long")
        kinds = [each["text"]["type"] for each in blocks if each["type"] == "section"]
        self.must(set(kinds) <= {"plain_text"}, "text of an alert would be markup")

    @override
    def shown(self) -> Iterator[str]:
        for body in self.messages.values():
            yield unescape(body["text"])
            yield "".join(each["text"]["text"] for each in body["blocks"] if each["type"] == "section")

    @override
    def holds(self, alert: str) -> list[str]:
        found = []
        for body in self.messages.values():
            shown = [each["text"]["text"] for each in body["blocks"] if "text" in each]
            if f"Alert: {alert}\n" in "".join(shown):
                found.append(body["text"])
            found += [text for text in shown[1:] if f"({alert}, " in text]  # of a digest
        return [text.split()[1].rstrip(",") for text in found]
