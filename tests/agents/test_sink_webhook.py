"""What a webhook promises beyond the contract: ways to prove who sends, TLS of both sides, an array or an object."""

import ipaddress
import ssl
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError

from agents.sinks._client import Request, open_client
from agents.sinks._outcome import Config, Ok
from tests.contract.sinks import NOW, Case, InProcess, delivery, in_process, sent
from tests.fakes.certificates import authority_pem, client_pem, signed
from tests.fakes.webhook import Webhook

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


async def test_a_token_is_kept_until_its_end_and_fetched_anew_when_it_is_refused() -> None:
    client = in_process(fake := Webhook("oauth"))
    sink = Case("webhook", "oauth").make()
    for seq in (1, 2, 3):
        assert await sent(sink, delivery(seq=seq), client) == Ok()
    assert fake.tokens == 1
    fake.tokens = 7
    assert await sent(sink, delivery(seq=4), client) == Ok() and fake.tokens == 8
    later = InProcess(client.session, clock=lambda: NOW + 550.0, fake=fake)
    assert await sent(sink, delivery(seq=5), later) == Ok() and fake.tokens == 9


async def test_a_wrong_client_is_told() -> None:
    sink = Case("webhook", "oauth").make(**{"client_secret": "another-s3cret"})
    outcome = await sent(sink, delivery(), in_process(Webhook("oauth")))
    assert outcome == Config("no token: HTTP 401: invalid_client")


async def test_an_alert_is_sent_alone_or_in_an_array() -> None:
    for body, kind in (("object", dict), ("array", list)):
        client = in_process(Webhook("mtls"))
        await sent(Case("webhook", "mtls").make(body=body), delivery(), client)
        assert isinstance(orjson.loads(client.requests[0].body), kind)


async def test_both_sides_show_a_certificate(tmp_path: Path) -> None:
    certificate, key = signed("receiver")
    (tmp_path / "pem").write_text(certificate + key)
    (tmp_path / "authority").write_text(authority_pem())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "authority"))
    context.load_cert_chain(tmp_path / "pem")
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response()

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        async with open_client(LOOPBACK, clock=lambda: float(NOW)) as client:
            right: dict[str, Any] = {"url": url, "authorities": authority_pem(), **client_pem()}
            assert await sent(Case("webhook", "mtls").make(**right), delivery(), client) == Ok()
            unknown = await sent(Case("webhook", "mtls").make(url=url), delivery(), client)
            assert isinstance(unknown, Config) and "no secure connection to 127.0.0.1" in unknown.words
            alone = right | {"client_certificate": "", "client_key": ""}
            refused = await sent(Case("webhook", "mtls").make(**alone), delivery(), client)
            assert not isinstance(refused, Ok)  # TLS 1.3 tells it so late that it looks like a broken connection
    finally:
        await runner.cleanup()


async def test_a_key_of_another_certificate_is_told() -> None:
    sink = Case("webhook", "mtls").make(client_key=signed("another")[1])
    outcome = await sent(sink, delivery(), in_process(Webhook("mtls")))
    assert isinstance(outcome, Config) and "no certificates and a key that fit: KEY_VALUES_MISMATCH" in outcome.words


@pytest.mark.parametrize(
    ("variant", "settings", "words"),
    [
        ("", {"login": "a", "password": "b"}, "wanted one of token, login and token_url"),
        ("basic", {"password": ""}, "login and password: wanted both or neither"),
        ("oauth", {"client_id": ""}, "token_url, client_id and client_secret: wanted all or none"),
        ("mtls", {"client_key": ""}, "client_certificate and client_key: wanted both or neither"),
        ("mtls", {"client_key": "k3y"}, "wanted a private key in PEM"),
    ],
)
def test_a_wrong_setting_is_told_in_words(variant: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Case("webhook", variant).make(**settings)


def test_a_request_shows_no_tls() -> None:
    assert "tls" not in repr(Request("POST", "https://a/"))
