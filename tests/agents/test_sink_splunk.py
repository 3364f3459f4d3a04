"""What Splunk promises beyond the contract: batches, single bad events, acknowledgements, its own words for errors."""

from typing import Any

import pytest

from agents.sinks._base import Item
from agents.sinks._outcome import Config, Ok, Poison, Reply, Retry
from agents.sinks.splunk import Splunk
from tests.contract.sinks import Case, delivery, in_process, sent
from tests.fakes.server import json_reply
from tests.fakes.splunk import Splunk as Collector


def _items(count: int, **given: Any) -> list[Item]:
    return [Item(delivery(id=f"P-{number}", **given), {}) for number in range(count)]


@pytest.mark.parametrize(
    "path", ["", "/", "/services/collector", "/services/collector/event", "/services/collector/raw"]
)
def test_the_address_is_taken_with_or_without_its_path(path: str) -> None:
    sink = Case("splunk").make(url=f"https://splunk.example.com:8088{path}")
    assert isinstance(sink, Splunk) and sink.url == "https://splunk.example.com:8088"


async def test_a_thousand_events_go_in_requests_of_a_megabyte() -> None:
    client = in_process(fake := Collector())
    outcomes = await Case("splunk").make(most_event_bytes=100_000).deliver(_items(40, config="x" * 90_000), client)
    assert set(outcomes) == {Ok()} and fake.wrong == []
    assert len(fake.calls) == 4 and len(fake.events) == 40


@pytest.mark.parametrize(("variant", "twice"), [("", 0), ("ack", 2)])
async def test_a_bad_event_is_dead_alone_and_what_was_taken_before_it_is_not_sent_again(
    variant: str, twice: int
) -> None:
    client = in_process(fake := Collector(variant))
    fake.poison = {"P-2-1", "P-5-1"}
    outcomes = await Case("splunk", variant).make().deliver(_items(7), client)
    assert [type(each) for each in outcomes] == [Ok, Ok, Poison, Ok, Ok, Poison, Ok]
    ids = [each["fields"]["event_id"] for each in fake.events]
    assert len(ids) - len(set(ids)) >= twice and len(set(ids)) == 5
    assert variant or len(ids) == 5


async def test_what_is_too_much_for_it_is_sent_in_halves() -> None:
    client = in_process(fake := Collector())
    fake.most_content = 6000
    outcomes = await Case("splunk").make().deliver(_items(9), client)
    assert set(outcomes) == {Ok()} and len(fake.events) == 9
    fake.most_content = 100
    (alone,) = await Case("splunk").make().deliver(_items(1), client)
    assert isinstance(alone, Poison) and "HTTP 413" in alone.words


async def test_what_is_not_acknowledged_in_time_is_sent_again() -> None:
    client = in_process(fake := Collector("ack"))
    sink = Case("splunk", "ack").make(acknowledge_seconds=0.04)
    outcome = await sent(sink, delivery(), client)
    assert isinstance(outcome, Retry) and "didn't say within 0.04 s that it is indexed" in outcome.words
    assert len(fake.events) == 1


async def test_an_ack_call_that_fails_is_no_acknowledgement() -> None:
    client = in_process(fake := Collector("ack"))
    fake.faults.extend([json_reply(200, {"text": "Success", "code": 0, "ackId": 9}), Reply(404, {}, b"what?")])
    assert isinstance(await sent(Case("splunk", "ack").make(), delivery(), client), Config)


@pytest.mark.parametrize(
    ("status", "code", "outcome", "words"),
    [
        (403, 1, Config, "the token is disabled"),
        (401, 2, Config, "no token arrived"),
        (403, 4, Config, "the token is wrong"),
        (400, 7, Config, "doesn't allow this index"),
        (400, 10, Config, "set `acknowledge`"),
        (400, 14, Config, "don't set `acknowledge`"),
        (400, 6, Poison, "HTTP 400"),
        (503, 9, Retry, "HTTP 503"),
        (500, 8, Retry, "HTTP 500"),
    ],
)
async def test_what_splunk_answers_is_understood(status: int, code: int, outcome: type, words: str) -> None:
    client = in_process(fake := Collector())
    fake.always = json_reply(status, {"text": "what Splunk says", "code": code})
    got = await sent(Case("splunk").make(), delivery(), client)
    assert type(got) is outcome and words in got.words


@pytest.mark.parametrize(
    ("reply", "outcome", "words"),
    [
        (json_reply(400, {"text": "Invalid token", "code": 4}), Config, "the token is wrong"),
        (json_reply(503, {"text": "HEC is unhealthy, queues are full", "code": 18}), Retry, "its queues are full"),
    ],
)
async def test_its_health_is_told_apart_from_its_token(reply: Reply, outcome: type, words: str) -> None:
    client = in_process(fake := Collector())
    fake.always = reply
    got = await Case("splunk").make().check(client)
    assert type(got) is outcome and words in got.words


async def test_a_wrong_index_is_found_by_the_check() -> None:
    got = await Case("splunk").make(index="nowhere").check(in_process(Collector()))
    assert isinstance(got, Config) and "doesn't allow this index" in got.words
