"""What every destination must do. A new one is tested by existing: one file, and a folder of golden requests."""

import asyncio
import base64
import ipaddress
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, get_args

import aiohttp
import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from agents.sinks import SINKS
from agents.sinks._base import secrets
from agents.sinks._client import Client, Request, open_client
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry
from agents.sinks._payload import MARK
from streams.alerts import AlertStatus
from tests.contract.sinks import NOW, POLICY, RESOURCE, STATES, delivery, example, golden, make, plain, sent

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
MEGABYTE = "x" * 1_000_000
NASTY = '"quoted" <b>&amp;</b>\nnext 🦊 \u202eright-to-left\u202c ${AlertId} \\u0000'

each_sink = pytest.mark.parametrize("name", SINKS)
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _receiver(answer: Answer) -> AsyncIterator[str]:
    """A real HTTP server: the address at which it gives *answer*."""
    server = web.Server(answer)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _sent(name: str, answer: Answer, **settings: Any) -> Outcome:
    async with _receiver(answer) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        return await sent(make(name, url=url, **settings), delivery(), client)


def _status(status: int, text: str = "", **headers: str) -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


@each_sink
def test_every_setting_is_described_and_has_an_example(name: str) -> None:
    for field, info in SINKS[name].model_fields.items():
        assert info.description, f"{name}.{field} has no description"
        for value in info.examples or pytest.fail(f"{name}.{field} has no example"):
            assert make(name, **{field: value})


@each_sink
def test_it_says_what_it_keeps_and_how_much_is_in_flight(name: str) -> None:
    sink = SINKS[name]
    assert sink.name == name and sink.__doc__
    assert sink.keeps in ("every event", "latest state") and sink.in_flight >= 1


@each_sink
def test_an_unknown_setting_is_refused_without_the_secrets(name: str) -> None:
    hidden = [text for text in secrets(make(name)) if text]
    assert hidden
    with pytest.raises(ValidationError, match="colour") as caught:
        make(name, colour="red")
    assert not any(text in str(caught.value) for text in hidden)


@each_sink
def test_a_wrong_secret_is_not_repeated(name: str) -> None:
    for field, info in SINKS[name].model_fields.items():
        if info.annotation is SecretStr:
            with pytest.raises(ValidationError) as caught:
                make(name, **{field: "wr0ng \n s3cret"})
            assert "wr0ng" not in str(caught.value) and field in str(caught.value)


@each_sink
def test_secrets_are_not_shown(name: str) -> None:
    sink = make(name)
    call = sink.request(delivery(), NOW)
    assert isinstance(call, Request)
    for text in filter(None, secrets(sink)):
        assert text not in repr(sink) + str(sink) + repr(call) + sink.model_dump_json()


@each_sink
@pytest.mark.parametrize("state", STATES)
def test_the_request_is_the_golden_one(name: str, state: AlertStatus) -> None:
    got = plain(make(name).request(delivery(state), NOW))
    assert got == json.loads(golden(name, state).read_bytes()), (
        "python -m tests.contract.sinks, and read the difference"
    )


@each_sink
@pytest.mark.parametrize("state", get_args(AlertStatus))
def test_the_same_delivery_gives_the_same_bytes(name: str, state: AlertStatus) -> None:
    assert make(name).request(delivery(state), NOW) == make(name).request(delivery(state), NOW)


@each_sink
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Ok), (202, Ok), (204, Ok), (302, Config), (307, Config), (400, Poison), (401, Config), (403, Config),
        (404, Config), (410, Config), (408, Retry), (413, Poison), (422, Poison), (429, Retry), (500, Retry),
        (502, Retry), (503, Retry),
    ],
)  # fmt: skip
async def test_the_status_of_a_real_answer_decides(name: str, status: int, kind: type[Outcome]) -> None:
    outcome = await _sent(name, _status(status, Location="http://127.0.0.1:1/"))
    assert type(outcome) is kind
    assert status < 300 or f"HTTP {status}" in outcome.words


@each_sink
@pytest.mark.parametrize(
    ("header", "after"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 2026 00:02:01 GMT", 60.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("99999999999999999999", 86_400.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_kept(name: str, status: int, header: str, after: float) -> None:
    outcome = await _sent(name, _status(status, "slow down", Retry_After=header))
    assert outcome == Retry(f"HTTP {status}: slow down", after)


@each_sink
@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "²", "Thu, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_no_error(name: str, header: str) -> None:
    outcome = make(name).outcome(Reply(503, {"retry-after": header}), NOW)
    assert outcome == Retry("HTTP 503")


@each_sink
@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("padding", [0, 270, 280, 290])  # so that the line's end would cut a secret into halves
async def test_a_secret_that_the_destination_repeats_is_not_told(name: str, status: int, padding: int) -> None:
    async def repeat(request: web.BaseRequest) -> web.StreamResponse:
        said = " ".join([request.path_qs, *request.headers.values(), (await request.read()).decode()])
        return web.Response(status=status, text="." * padding + said)

    async with _receiver(repeat) as url, open_client(LOOPBACK) as client:
        sink = make(name, url=f"{url}/in?key=s3cr3t-k3y")
        words = (await sent(sink, delivery(), client)).words
    hidden = [text[:9] for text in secrets(sink) if text and "://" not in text]
    if name == "webhook":
        hidden.append("s3cr3t")
    assert [text for text in hidden if text in words] == []


@each_sink
async def test_no_answer_in_time_is_tried_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    monkeypatch.setattr(SINKS[name], "seconds", 0.2)
    assert await _sent(name, hang) == Retry("no answer within 0.2 s")


@each_sink
async def test_a_connection_that_closes_is_tried_again(name: str) -> None:
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
        outcome = await _sent(name, answer)
        assert isinstance(outcome, Retry) and outcome.words.startswith("the connection broke")


@each_sink
async def test_nobody_listening_is_tried_again(name: str) -> None:
    async with _receiver(_status(200)) as url:
        pass
    async with open_client(LOOPBACK) as client:
        outcome = await sent(make(name, url=url), delivery(), client)
    assert isinstance(outcome, Retry) and "no connection to 127.0.0.1" in outcome.words


@each_sink
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "169.254.169.254", "[::ffff:10.0.0.1]", "10.0.0.1"]
)
async def test_a_private_address_is_refused_before_anything_is_sent(name: str, host: str) -> None:
    async with open_client() as client:
        outcome = await sent(make(name, url=f"http://{host}:1/"), delivery(), client)
    assert isinstance(outcome, Config) and "which is no public address" in outcome.words


@each_sink
async def test_an_endless_answer_is_not_read_to_its_end(name: str) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    outcome = await _sent(name, endless)
    assert isinstance(outcome, Retry) and len(outcome.words) < 400


@each_sink
async def test_cancelled_within_a_call_it_leaves_nothing_open(name: str) -> None:
    arrived = asyncio.Event()

    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await asyncio.sleep(30)
        return web.Response()

    async with _receiver(hang) as url, open_client(LOOPBACK) as client:
        task = asyncio.create_task(sent(make(name, url=url), delivery(), client))
        await asyncio.wait_for(arrived.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(client.session.connector, aiohttp.TCPConnector)
        assert not client.session.connector._acquired  # nothing public tells what is in use
    await client.session.close()  # twice is safe


@each_sink
async def test_a_check_makes_one_call_that_says_whether_the_settings_are_right(name: str) -> None:
    calls: list[bytes] = []

    async def note(request: web.BaseRequest) -> web.StreamResponse:
        calls.append(await request.read())
        return web.Response(status=202)

    async with _receiver(note) as url, open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
        assert await make(name, url=url).check(client) == Ok()
    [body] = calls
    assert b"trigger" not in body
    async with _receiver(_status(403)) as url, open_client(LOOPBACK) as client:
        assert isinstance(await make(name, url=url).check(client), Config)


@each_sink
@pytest.mark.parametrize("state", STATES)
def test_an_alert_of_megabytes_is_cut_and_its_ids_are_not(name: str, state: AlertStatus) -> None:
    policy = replace(POLICY, name=MEGABYTE, description=MEGABYTE, recommendation=MEGABYTE, labels=[MEGABYTE])
    resource = replace(RESOURCE, name=MEGABYTE, tags={"a": MEGABYTE}, service=MEGABYTE)
    large = delivery(state, policy=policy, resource=resource, config={"a": MEGABYTE}, dismissal_note=MEGABYTE)
    call = make(name).request(large, NOW)
    assert isinstance(call, Request) and len(call.body) <= 512 * 1024
    text = json.dumps(orjson.loads(call.body), ensure_ascii=False)
    assert large.event.alert.id in text
    if state == "open":
        assert MARK in text and RESOURCE.rrn in text and RESOURCE.id in text


@each_sink
def test_text_arrives_as_text(name: str) -> None:
    policy = replace(POLICY, name=NASTY, description=NASTY)
    call = make(name).request(delivery(policy=policy), NOW)
    assert isinstance(call, Request)

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict | list):
            return [text for each in (value.values() if isinstance(value, dict) else value) for text in texts(each)]
        return [value] if isinstance(value, str) else []

    assert NASTY in texts(orjson.loads(call.body))


async def test_one_session_is_enough_for_all_of_them() -> None:
    async with _receiver(_status(202)) as url, open_client(LOOPBACK) as client:
        outcomes = await asyncio.gather(
            *(sent(make(name, url=url), delivery(), client) for name in SINKS for _ in "123")
        )
    assert set(outcomes) == {Ok()}


def test_a_client_shows_no_secret() -> None:
    assert "k3y" not in repr(Request("POST", "https://a/?k3y", b"k3y", {"a": "k3y"}))
    assert example("webhook")["signing_secret"].startswith("whsec_")
    assert len(base64.b64decode(example("webhook")["signing_secret"][6:])) >= 24
    assert Client.__slots__
