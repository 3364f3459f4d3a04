"""What every destination must do. A new one is tested by existing: one file, a double, a folder of golden requests."""

import asyncio
import ipaddress
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any, get_args

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from agents.sinks import SINKS
from agents.sinks._base import Item, secrets
from agents.sinks._client import Client, Request, open_client
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison, Reply, Retry
from agents.sinks._payload import MARK
from streams.alerts import AlertStatus
from tests.contract.sinks import (
    ALERT,
    CASES,
    NOW,
    POLICY,
    STATES,
    Case,
    in_process,
    plain,
    requests,
    sent,
    told,
)
from tests.fakes.server import Fake, Lost, serving

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
MEGABYTE = "x" * 1_000_000
NASTY = (
    '"quoted" <b>&amp;</b> *bold* [a](https://a) <!channel> @all {code} 🦊 \u202eright-to-left\u202c ${AlertId} \\u0000'
)

each_sink = pytest.mark.parametrize("name", SINKS)
each_case = pytest.mark.parametrize("case", CASES, ids=str)
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
OUTCOMES = {each.__name__: each for each in (Ok, Retry, Config, Poison, NotApplicable)}


@asynccontextmanager
async def _receiver(answer: Answer) -> AsyncIterator[str]:
    """A real HTTP server: the address at which it gives *answer*."""
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _sent(case: Case, answer: Answer) -> Outcome:
    """Return what comes of a delivery to a server that gives *answer* to every call."""
    async with _receiver(answer) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        return await sent(case.make(url), case.delivery(), client)


@asynccontextmanager
async def _answering(case: Case) -> AsyncIterator[Callable[[Reply], Awaitable[Outcome]]]:
    """Give what delivers once more, by real HTTP, to a double that gives a reply to every decisive call."""
    fake = case.fake()
    fake.now = NOW
    async with serving(fake) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        sink = case.make(url)

        async def answered(reply: Reply) -> Outcome:
            fake.always = reply
            return await sent(sink, case.delivery(), client)

        yield answered


@each_sink
def test_every_setting_is_described_and_has_an_example(name: str) -> None:
    for field, info in SINKS[name].model_fields.items():
        assert info.description, f"{name}.{field} has no description"
        for value in info.examples or pytest.fail(f"{name}.{field} has no example"):
            assert any(_accepts(case, **{field: value}) for case in CASES if case.name == name), f"{name}.{field}"


def _accepts(case: Case, **given: Any) -> bool:
    try:
        case.make(**given)
    except ValidationError:
        return False
    return True


@each_sink
def test_it_says_what_it_keeps_and_how_much_is_in_flight(name: str) -> None:
    sink = SINKS[name]
    assert sink.name == name and sink.__doc__ and sink.prisma
    assert sink.keeps in ("every event", "latest state") and sink.in_flight >= 1 and sink.batch >= 1


@each_case
def test_an_unknown_setting_is_refused_without_the_secrets(case: Case) -> None:
    hidden = [text for text in secrets(case.make()) if text]
    assert hidden
    with pytest.raises(ValidationError, match="colour") as caught:
        case.make(colour="red")
    assert not any(text in str(caught.value) for text in hidden)


@each_case
def test_a_wrong_secret_is_not_repeated(case: Case) -> None:
    for field, info in SINKS[case.name].model_fields.items():
        if info.annotation is SecretStr:
            with pytest.raises(ValidationError) as caught:
                case.make(**{field: "wr0ng \n s3cret"})
            assert "wr0ng" not in str(caught.value) and field in str(caught.value)


@each_case
async def test_secrets_are_not_shown(case: Case) -> None:
    sink = case.make()
    for call in (call for calls in (await requests(case)).values() for call in calls):
        for text in filter(None, secrets(sink)):
            assert text not in repr(sink) + str(sink) + repr(call) + sink.model_dump_json()


@each_case
async def test_the_requests_of_an_alerts_life_are_the_golden_ones(case: Case) -> None:
    for state, calls in (await requests(case)).items():
        got = json.loads(json.dumps([plain(call) for call in calls]))
        assert got == json.loads(case.golden(state).read_bytes()), (
            f"{state}: python -m tests.contract.sinks, and read the difference"
        )


@each_case
async def test_the_same_deliveries_give_the_same_bytes(case: Case) -> None:
    assert await requests(case) == await requests(case)


@each_case
async def test_the_status_of_a_real_answer_decides(case: Case) -> None:
    means: dict[int, type[Outcome]] = {
        302: Config, 307: Config, 400: Poison, 401: Config, 403: Config, 404: Config, 410: Config, 408: Retry,
        422: Poison, 429: Retry, 500: Retry, 502: Retry, 503: Retry,
    }  # fmt: skip
    means |= {status: OUTCOMES[name] for status, name in case.fake().means.items()}
    async with _answering(case) as answered:
        for status, kind in means.items():
            outcome = await answered(Reply(status, {"Location": "http://127.0.0.1:1/"}))
            assert type(outcome) is kind and f"HTTP {status}" in outcome.words, (status, outcome)


@each_case
async def test_a_success_that_makes_no_sense_is_no_error_and_nothing_is_dropped(case: Case) -> None:
    async with _answering(case) as answered:
        for body in ("", "<html>Sign in</html>", "[]", "{}", '{"result": 7, "id": null}', '"\\ud800"'):
            outcome = await answered(Reply(200, {"Content-Type": "application/json"}, body.encode()))
            assert isinstance(outcome, Ok | Retry | Config), (body, outcome)


@each_case
async def test_retry_after_is_kept(case: Case) -> None:
    asked = {
        "7": 7.0,
        "Thu, 01 Jan 2026 00:02:01 GMT": 60.0,
        "Wed, 31 Dec 2025 00:00:00 GMT": 0.0,
        "99999999999999999999": 86_400.0,
    }
    async with _answering(case) as answered:
        for status, (header, after) in itertools.product([429, 503], asked.items()):
            outcome = await answered(Reply(status, {"Retry-After": header}, b"slow down"))
            assert isinstance(outcome, Retry) and outcome.after == after, (header, outcome)
            assert f"HTTP {status}: slow down" in outcome.words


@each_case
async def test_a_retry_after_that_says_nothing_is_no_error(case: Case) -> None:
    client = in_process(fake := case.fake())
    for header in ("", "soon", "-5", "1.5", "²", "Thu, 99 Foo 2026"):
        fake.always = Reply(503, {"retry-after": header})
        outcome = await sent(case.make(), case.delivery(), client)
        assert isinstance(outcome, Retry) and outcome.after is None and "HTTP 503" in outcome.words, header


@each_case
async def test_a_secret_that_the_destination_repeats_is_not_told(case: Case) -> None:
    answers = itertools.product((200, 400, 401, 429, 500), (0, 270, 280, 290))  # the line's end would halve a secret
    status, padding = next(answers)

    async def repeat(request: web.BaseRequest) -> web.StreamResponse:
        said = " ".join([request.path_qs, *request.headers.values(), (await request.read()).decode(errors="replace")])
        return web.Response(status=status, text="." * padding + said)

    async with _receiver(repeat) as url, open_client(LOOPBACK) as client:
        sink = case.make(url)
        hidden = [text.rpartition("/")[2][-9:] for text in secrets(sink) if text]
        while status:
            words = (await sent(sink, case.delivery(), client)).words
            assert [text for text in hidden if text in words] == [], (status, padding)
            status, padding = next(answers, (0, 0))


@each_case
async def test_no_answer_in_time_is_tried_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    monkeypatch.setattr(SINKS[case.name], "seconds", 0.2)
    outcome = await _sent(case, hang)
    assert isinstance(outcome, Retry) and "no answer within 0.2 s" in outcome.words


@each_case
async def test_a_connection_that_closes_is_tried_again(case: Case) -> None:
    async def close(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def close_within(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    for answer in (close, close_within):
        outcome = await _sent(case, answer)
        assert isinstance(outcome, Retry) and "the connection broke" in outcome.words


@each_case
async def test_nobody_listening_is_tried_again(case: Case) -> None:
    async with _receiver(_never) as url:
        pass
    async with open_client(LOOPBACK) as client:
        outcome = await sent(case.make(url), case.delivery(), client)
    assert isinstance(outcome, Retry) and "no connection to 127.0.0.1" in outcome.words


async def _never(_: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError


@each_case
async def test_a_private_address_is_refused_before_anything_is_sent(case: Case) -> None:
    async with open_client() as client:
        for host in ("127.0.0.1", "[::1]", "localhost", "169.254.169.254", "[::ffff:10.0.0.1]", "10.0.0.1"):
            outcome = await sent(case.make(f"http://{host}:1"), case.delivery(), client)
            assert isinstance(outcome, Config) and "which is no public address" in outcome.words, host


@each_case
async def test_an_endless_answer_is_not_read_to_its_end(case: Case) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    outcome = await _sent(case, endless)
    assert isinstance(outcome, Retry) and len(outcome.words) < 450


@each_case
async def test_cancelled_within_a_call_it_leaves_nothing_open(case: Case) -> None:
    arrived = asyncio.Event()

    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await asyncio.sleep(30)
        return web.Response()

    async with _receiver(hang) as url, open_client(LOOPBACK) as client:
        task = asyncio.create_task(sent(case.make(url), case.delivery(), client))
        await asyncio.wait_for(arrived.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(client.session.connector, aiohttp.TCPConnector)
        assert not client.session.connector._acquired  # nothing public tells what is in use
    await client.session.close()  # twice is safe


@each_case
async def test_a_check_shows_whether_the_settings_are_right_and_makes_no_alert(case: Case) -> None:
    fake = case.fake()
    fake.now = NOW
    async with serving(fake) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        assert type(await case.make(url).check(client)) is Ok
        assert fake.wrong == [] and fake.calls
        assert fake.holds(ALERT) == []
        fake.always = Reply(403, {}, b"not yours")
        assert isinstance(await case.make(url).check(client), Config)


@each_case
@pytest.mark.parametrize("state", STATES)
async def test_an_alert_of_megabytes_is_cut_and_its_ids_are_not(case: Case, state: AlertStatus) -> None:
    client = in_process(fake := case.fake())
    sink, small = case.make(), case.delivery().event.alert.resource
    policy = replace(POLICY, name=MEGABYTE, description=MEGABYTE, recommendation=MEGABYTE, labels=[MEGABYTE])
    resource = replace(small, name=MEGABYTE, tags={"a": MEGABYTE}, service=MEGABYTE)
    large = [
        case.delivery(each, seq=seq, policy=policy, resource=resource, config={"a": MEGABYTE}, dismissal_note=MEGABYTE)
        for seq, each in enumerate(STATES[: STATES.index(state) + 1], 1)
    ]
    assert isinstance(await told(sink, large, client), Ok)
    assert fake.wrong == []
    said = [*fake.shown()]
    assert any(ALERT in text for text in said)
    if state == "open" and case.name != "pagerduty":
        assert any(MARK in text for text in said)
    assert any(small.rrn in text for text in said) and any(small.id in text for text in said)


@each_case
async def test_text_arrives_as_text(case: Case) -> None:
    client = in_process(fake := case.fake())
    policy = replace(POLICY, name=NASTY, description=f"{NASTY}\r\nand \x00 more")
    assert isinstance(await sent(case.make(), case.delivery(policy=policy), client), Ok)
    assert fake.wrong == []
    assert any(NASTY in text for text in fake.shown())


@each_case
async def test_what_it_holds_at_the_end_is_the_alerts_last_state(case: Case) -> None:
    fake = case.fake()
    fake.now = NOW
    life: list[AlertStatus] = ["open", "snoozed", "open", "resolved", "open", "resolved"]
    deliveries = [case.delivery(state, seq=seq) for seq, state in enumerate(life, 1)]
    async with serving(fake) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        assert isinstance(await told(case.make(url), deliveries, client), Ok)
    assert fake.wrong == []
    assert fake.holds(ALERT)[-1] == "resolved"
    if SINKS[case.name].keeps == "every event":
        assert fake.holds(ALERT) == life or len(fake.holds(ALERT)) == 1


@each_case
async def test_an_answer_that_is_lost_makes_no_second_one_where_that_can_be_told(case: Case) -> None:
    fake = case.fake()
    fake.now = NOW
    fake.faults.extend([Lost()] * 2)
    async with serving(fake) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        assert isinstance(await told(case.make(url), [case.delivery()], client), Ok)
    assert fake.wrong == []
    assert len(fake.holds(ALERT)) == 1 or (fake.doubles and len(fake.holds(ALERT)) <= 3)


@each_case
async def test_whatever_fails_in_between_the_last_state_is_there_in_the_end(case: Case) -> None:
    for seed in range(2 if "ack" in str(case) else 8):
        sink = case.make()
        client = in_process(fake := case.fake())
        fake.chance = Random(seed)
        life: list[AlertStatus] = ["open", *fake.chance.choices(get_args(AlertStatus), k=3), "open", "resolved"]
        told_last = await told(
            sink, [case.delivery(each, seq=seq) for seq, each in enumerate(life, 1)], client, tries=60
        )
        assert isinstance(told_last, Ok) and fake.wrong == [], (seed, told_last, fake.wrong)
        held = fake.holds(ALERT)
        assert held[-1] == "resolved" and (fake.doubles or len(held) <= len(life)), (seed, life, held)
        if SINKS[case.name].keeps == "latest state" and case.name != "pagerduty":
            assert len(held) == 1, (seed, life, held)


@each_case
async def test_several_deliveries_in_one_call_are_settled_one_by_one(case: Case) -> None:
    client = in_process(fake := case.fake())
    sink = case.make()
    ids = [f"P-{number}" for number in range(min(sink.batch, 30))]
    outcomes = await sink.deliver([Item(case.delivery(id=id), {}) for id in ids], client)
    assert len(outcomes) == len(ids) and {type(each) for each in outcomes} == {Ok}
    assert fake.wrong == []
    assert [fake.holds(id) for id in ids] == [fake.holds(ids[0])] * len(ids) and len(fake.holds(ids[0])) == 1


async def test_one_session_is_enough_for_all_of_them() -> None:
    async def one(case: Case, client: Client) -> Outcome:
        fake: Fake = case.fake()
        fake.now = NOW
        async with serving(fake) as url:
            return await sent(case.make(url), case.delivery(), client)

    async with open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        outcomes = await asyncio.gather(*(one(case, client) for case in CASES for _ in "12"))
    assert {type(each) for each in outcomes} == {Ok}


def test_a_client_shows_no_secret() -> None:
    assert "k3y" not in repr(Request("POST", "https://a/?k3y", b"k3y", {"a": "k3y"}))
    assert all(get_args(AlertStatus)) and Client.__slots__
