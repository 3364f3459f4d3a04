"""What Slack and Teams promise beyond the contract: threads, checks that post nothing, errors within successes."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry
from tests.contract.sinks import ALERT, NOW, POLICY, Case, delivery, in_process, make, sent
from tests.fakes.server import json_reply
from tests.fakes.slack import Slack


async def test_a_bot_keeps_one_message_current_and_tells_changes_in_its_thread() -> None:
    client = in_process(fake := Slack("bot"))
    sink = Case("slack", "bot").make()
    opened = await sent(sink, delivery(), client)
    assert isinstance(opened, Ok) and opened.entry == {"channel": "C0123456789", "ts": "1767225661.000000"}
    resolved = await sent(sink, delivery("resolved"), client, opened.entry)
    assert isinstance(resolved, Ok) and resolved.entry == opened.entry
    assert fake.holds(ALERT) == ["resolved"]
    assert fake.threads == {"1767225661.000000": [f"Alert {ALERT} was resolved (RESOURCE_UPDATED)"]}


async def test_a_message_that_somebody_deleted_is_posted_again() -> None:
    client = in_process(fake := Slack("bot"))
    entry = {"channel": "C0123456789", "ts": "1.1"}
    outcome = await sent(Case("slack", "bot").make(), delivery("resolved"), client, entry)
    assert isinstance(outcome, Ok) and outcome.entry != entry and fake.holds(ALERT) == ["resolved"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_auth", Config),
        ("not_in_channel", Config),
        ("what_slack_invents_next", Config),
        ("ratelimited", Retry),
        ("internal_error", Retry),
        ("invalid_blocks", Poison),
    ],
)
async def test_an_error_that_slack_calls_200_is_one(error: str, kind: type[Outcome]) -> None:
    client = in_process(fake := Slack("bot"))
    fake.always = json_reply(200, {"ok": False, "error": error})
    outcome = await sent(Case("slack", "bot").make(), delivery(), client)
    assert type(outcome) is kind and outcome.words == f"Slack says: {error}"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(400, {}, b"invalid_payload"), Poison),
        (Reply(400, {}, b"user_not_found"), Config),
        (Reply(403, {}, b"action_prohibited"), Config),
        (Reply(404, {}, b"no_service"), Config),
        (Reply(410, {}, b"channel_is_archived"), Config),
        (Reply(500, {}, b"rollup_error"), Retry),
    ],
)
async def test_what_a_webhook_of_slack_answers_is_understood(reply: Reply, kind: type[Outcome]) -> None:
    client = in_process(fake := Slack())
    fake.always = reply
    assert type(await sent(Case("slack").make(), delivery(), client)) is kind


async def test_a_check_of_a_webhook_of_slack_posts_nothing() -> None:
    client = in_process(fake := Slack())
    assert await Case("slack").make().check(client) == Ok("the webhook is live; nothing was posted")
    assert fake.messages == {}


async def test_a_check_of_a_bot_names_the_channel() -> None:
    assert await Case("slack", "bot").make().check(in_process(Slack("bot"))) == Ok("posts to #alerts as tidegate")
    other = Case("slack", "bot").make(channel="C9999999999")
    assert await other.check(in_process(Slack("bot"))) == Config("Slack says: channel_not_found")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"webhook_url": ""}, "either webhook_url, or bot_token with channel"),
        ({"bot_token": "xoxb-1"}, "either webhook_url, or bot_token with channel"),
        ({"bot_token": "xoxb-1", "webhook_url": ""}, "needs a channel"),
    ],
)
def test_a_wrong_setting_of_slack_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Case("slack").make(**settings)


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(202, {}), Ok, ""),
        (Reply(200, {}, b"1"), Ok, ""),
        (Reply(400, {}, b'{"error":{"code":"TriggerNotFound"}}'), Config, "the workflow is off, or gone"),
        (Reply(400, {}, b'{"error":{"code":"InvalidRequest"}}'), Poison, "HTTP 400"),
        (Reply(200, {}, b"Webhook message delivery failed with error: HTTP error 429"), Retry, "HTTP error 429"),
        (Reply(200, {"content-type": "text/html"}, b"<html>"), Config, "a page for people"),
    ],
)
def test_what_teams_answers_is_understood(reply: Reply, kind: type[Outcome], words: str) -> None:
    outcome = make("teams").outcome(reply, NOW)
    assert type(outcome) is kind and words in outcome.words


def test_a_card_whose_ids_alone_are_too_long_is_not_sent() -> None:
    huge = replace(delivery().event.alert.resource, id="arn:" + "x" * 30_000)
    assert isinstance(make("teams").request(delivery(policy=POLICY, resource=huge), NOW), Poison)
