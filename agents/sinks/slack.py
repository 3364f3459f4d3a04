"""Slack: a message for every event by an incoming webhook, or one message an alert, kept current, by a bot."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator
from typing_extensions import override

from agents.sinks import _digest
from agents.sinks._base import Item
from agents.sinks._client import Client
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry, outcome_of, retry_after
from agents.sinks._payload import cut
from agents.sinks._settings import Host, Key, SecretAddress
from agents.sinks._talk import SettledError, Talk, TalkSink, json_request
from agents.sinks._text import clean, facts, happened, title
from streams.alerts import Delivery
from streams.records import Severity


class Slack(TalkSink):
    """Posts an alert to a Slack channel.

    With `webhook_url`, a message for every event. With `bot_token` and `channel`, one message an alert: when the alert
    changes, the message is updated and the change told in its thread. Text of an alert is never markup: it can't
    mention anyone. Slack has no ids of ours: where its answer is lost, a message may come twice.
    """

    prisma: ClassVar[str] = "slack"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    in_flight: ClassVar[int] = 1
    checks_quietly: ClassVar[bool] = True
    per_second: ClassVar[float | None] = 1.0  # a message a second for each channel

    webhook_url: SecretAddress = Field(
        default=SecretStr(""),
        description="Address of an incoming webhook. Leave it out with `bot_token`.",
        examples=["https://hooks.slack.com/services/T00000000/B00000000/s3cretOfTheWebhook"],
    )
    bot_token: Key = Field(
        default=SecretStr(""),
        description="Bot token with the scopes `chat:write` and `channels:read` (private: `groups:read`).",
        examples=["xoxb-0000-s3cretOfTheBot"],
    )
    channel: str = Field(
        default="", pattern=r"^([CGD][A-Z0-9]{6,})?$", description="The bot's channel, by id.", examples=["C0123456789"]
    )
    api_url: Host = Field(
        default="https://slack.com/api",
        description="Slack's API: GovSlack has another one.",
        examples=["https://slack-gov.com/api"],
    )

    @override
    async def settle(self, item: Item, talk: Talk) -> Outcome:
        delivery = item.delivery
        if self.webhook_url.get_secret_value():
            await talk.call(json_request("POST", self.webhook_url.get_secret_value(), message(delivery)))
            return Ok()
        channel, ts = item.entry.get("channel", self.channel), item.entry.get("ts", "")
        if ts:
            where = {"channel": channel, "ts": ts}
            answer = await self._asked(talk, "chat.update", where | message(delivery), fine=_GONE)
            if answer.get("error") in _GONE:
                ts = ""  # somebody deleted it: it is made again
        if not ts:
            answer = await self._asked(talk, "chat.postMessage", {"channel": self.channel} | message(delivery))
            if not isinstance(answer.get("ts"), str):
                return Retry("Slack's answer has no `ts`")
            return Ok(entry={"channel": answer.get("channel", self.channel), "ts": answer["ts"]})
        in_thread = {"channel": channel, "thread_ts": ts, "text": _escaped(happened(delivery)), "mrkdwn": False}
        await self._asked(talk, "chat.postMessage", in_thread)
        return Ok(entry={"channel": channel, "ts": ts})

    @property
    @override
    def digests(self) -> int:
        return 30

    @override
    async def digest(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        talk = Talk(self, client)

        async def send(some: Sequence[Item]) -> Outcome | None:
            body = digest(some)
            if sum(len(block["text"]["text"]) for block in body["blocks"]) > 11_000:
                return None
            try:
                if url := self.webhook_url.get_secret_value():
                    await talk.call(json_request("POST", url, body))
                else:
                    await self._asked(talk, "chat.postMessage", {"channel": self.channel} | body)
            except SettledError as known:
                return known.outcome
            return Ok(f"in a message of {len(some)}")

        return await _digest.in_one(self, items, client, send)

    @override
    async def test(self, talk: Talk) -> Outcome:
        if url := self.webhook_url.get_secret_value():
            reply = await talk.call(json_request("POST", url, {"text": ""}), fine=(400,))
            live = reply.status == 200 or any(
                word in reply.body for word in (b"no_text", b"missing_text", b"invalid_p")
            )
            return Ok("the webhook is live; nothing was posted") if live else self.outcome(reply, talk.now)
        who = await self._asked(talk, "auth.test", {})
        about = await self._asked(talk, f"conversations.info?channel={self.channel}", None)
        channel = about.get("channel")
        name = channel.get("name", "") if isinstance(channel, dict) else ""
        if isinstance(channel, dict) and channel.get("is_archived"):
            return Config(f"the channel #{name} is archived")
        if isinstance(channel, dict) and not channel.get("is_member", True):
            return Config(f"the bot is no member of #{name}: invite it there")
        return Ok(f"posts to #{name} as {who.get('user', 'the bot')}")

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        said = reply.body.decode(errors="replace").strip()
        if reply.status == 400 and said in ("no_active_hooks", "user_not_found", "invalid_token", "channel_not_found"):
            return Config(reply.words)
        return outcome_of(reply, now)

    async def _asked(self, talk: Talk, method: str, body: Any, fine: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return Slack's answer to a *method* of its API, which says in the body whether it is a success."""
        headers = {"Authorization": f"Bearer {self.bot_token.get_secret_value()}"}
        verb = "GET" if body is None else "POST"
        reply = await talk.call(json_request(verb, f"{self.api_url}/{method}", body, headers))
        answer = reply.fields
        error = answer.get("error", "")
        if answer.get("ok") is True or error in fine:
            return answer
        words = f"Slack says: {reply.said(error)}" if error else f"no answer of Slack's: {reply.words}"
        if not error or error in _LATER:
            raise SettledError(Retry(words, retry_after(reply.headers.get("retry-after", ""), talk.now)))
        raise SettledError(Poison(words) if error in _POISON else Config(words))

    @model_validator(mode="after")
    def _is_a_webhook_or_a_bot(self) -> Self:
        hook, bot = bool(self.webhook_url.get_secret_value()), bool(self.bot_token.get_secret_value())
        if hook == bot:
            raise ValueError("wanted either webhook_url, or bot_token with channel")
        if bot and not self.channel:
            raise ValueError("a bot_token needs a channel, by its id: it starts with C")
        return self


def message(delivery: Delivery) -> dict[str, Any]:
    """Return the message about the alert as it is now, within Slack's limits and 12,000 characters in all."""
    alert = delivery.event.alert
    head = f"{_ICONS[alert.policy.severity]} {alert.status}, {alert.policy.severity}: {title(delivery, 500)}"
    rows = "\n".join(f"{label}: {cut(value, 1000)}" for label, value in facts(delivery, 300))
    texts = [alert.policy.description and f"Description: {alert.policy.description}"]
    texts.append(alert.policy.recommendation and f"Recommendation: {alert.policy.recommendation}")
    blocks = [_section(head), *(_section(rows[at : at + 2900]) for at in range(0, min(len(rows), 5800), 2900))]
    blocks += [_section(cut(clean(text), 1500)) for text in texts if text]
    if delivery.link and len(delivery.link) <= 3000:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": delivery.link}
        blocks.append({"type": "actions", "elements": [button | {"action_id": "open"}]})
    return {"text": _escaped(head), "mrkdwn": False, "unfurl_links": False, "blocks": blocks}


def digest(items: Sequence[Item]) -> dict[str, Any]:
    """Return the message about several alerts, a section for each."""
    head = _digest.heading(items)
    blocks = [_section(head)]
    for delivery in (item.delivery for item in items):
        icon, link = _ICONS[delivery.event.alert.policy.severity], delivery.link
        linked = f"\n{link}" if link and len(link) <= 500 else ""
        blocks.append(_section(cut(f"{icon} {_digest.line(delivery)}", 2000) + linked))
    return {"text": _escaped(head), "mrkdwn": False, "unfurl_links": False, "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _escaped(text: str) -> str:
    """Return *text* as Slack wants it where it reads markup: what would be a mention or a link is none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_ICONS: dict[Severity, str] = {"critical": "🟣", "high": "🔴", "medium": "🟠", "low": "🟡", "informational": "🔵"}
_GONE = ("message_not_found", "cant_update_message")
_LATER = {
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "team_added_to_org", "accesslimited",
}  # fmt: skip
_POISON = {
    "msg_too_long",
    "msg_blocks_too_long",
    "invalid_blocks",
    "invalid_blocks_format",
    "no_text",
    "too_many_attachments",
}
