"""What single destinations promise beyond the contract: signatures, templates, PagerDuty's own form, addresses."""

import asyncio
import ipaddress
import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook as Verifier
from typing_extensions import override

from agents.sinks._client import ForbiddenAddress, Request, check_addresses, open_client
from agents.sinks._outcome import Config, Ok, Poison, Reply, Retry
from agents.sinks._payload import cut, fit, payload
from streams.alerts import AlertStatus, Delivery
from streams.records import Severity
from tests.contract.sinks import NOW, POLICY, Case, delivery, make, sent

ROOT = Path(__file__).parents[2]
SPEC = ROOT.parent / "shared" / "specs" / "pagerduty-events-v2-openapi.json"


def _body(name: str, sent: Delivery, **settings: Any) -> Any:
    call = make(name, **settings).request(sent, NOW)
    assert isinstance(call, Request)
    return orjson.loads(call.body)


def test_a_signature_is_what_another_library_verifies_with_the_new_and_the_former_secret() -> None:
    now = int(datetime.now(UTC).timestamp())
    call = make("webhook").request(delivery(), now)
    assert isinstance(call, Request)
    for secret in ("signing_secret", "former_signing_secret"):
        assert Verifier(Case("webhook").settings()[secret]).verify(call.body, call.headers) == orjson.loads(call.body)
    with pytest.raises(Exception, match="No matching signature"):
        Verifier(Case("webhook").settings()["signing_secret"]).verify(call.body + b" ", call.headers)


def test_a_later_attempt_has_the_same_id_and_another_time() -> None:
    first, second = (make("webhook").request(delivery(), NOW + later) for later in (0, 60))
    assert isinstance(first, Request) and isinstance(second, Request)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery().event.id
    assert first.body == second.body
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_a_template_is_filled_within_its_texts() -> None:
    template = '{"a": "${Severity}: $PolicyName", "b": ["${PolicyLabels}", 1, null], "cost": "$5 ${AlertTime}"}'
    policy_name = 'x", "injected": "${AlertId}'
    sent = delivery(policy=type(POLICY)(id="p", name=policy_name, severity="low", labels=["s3"]))
    assert _body("webhook", sent, custom_payload=template) == {
        "a": f"low: {policy_name}",
        "b": ['["s3"]', 1, None],
        "cost": "$5 1767225660000",
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"custom_payload": '{"a": ${AlertId}}'}, "a variable stands within quotes"),
        ({"custom_payload": '"${AlertId}"'}, "wanted a JSON object or array"),
        ({"custom_payload": '{"a": "${AlertIds}"}'}, r"no variable \${AlertIds}; did you mean \${AlertId}\?"),
        ({"headers": {"Content-Type": "text/plain"}}, "Content-Type is set by Tidegate"),
        ({"headers": {"a b": "x"}}, "'a b' is no name of a header"),
        ({"headers": {"a": "x\r\ny: z"}}, "the value of a isn't printable ASCII"),
        ({"signing_secret": "whsec_c2hvcnQ="}, "wanted whsec_ and 24 to 64 bytes"),
        ({"url": "ftp://example.com"}, "starts with http:// or https://"),
    ],
)
def test_a_wrong_setting_of_a_webhook_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make("webhook", **settings)


@pytest.mark.parametrize("state", ["open", "dismissed", "snoozed", "resolved"])
@pytest.mark.skipif(not SPEC.exists(), reason="PagerDuty's OpenAPI document lies beside the project, and isn't there")
def test_a_pagerduty_request_is_one_of_its_specification(state: AlertStatus) -> None:
    _valid("/enqueue", _body("pagerduty", delivery(state)))


@pytest.mark.parametrize(("first", "path"), [("A", "/change/enqueue"), ("R", "/enqueue")])
@pytest.mark.skipif(not SPEC.exists(), reason="PagerDuty's OpenAPI document lies beside the project, and isn't there")
def test_a_pagerduty_check_pages_nobody_and_is_one_of_its_specification(first: str, path: str) -> None:
    call = make("pagerduty", integration_key=first + "1" * 31).probe(NOW)
    assert isinstance(call, Request) and call.url == f"https://events.pagerduty.com/v2{path}"
    _valid(path, orjson.loads(call.body))
    assert b"trigger" not in call.body


def _valid(path: str, body: Any) -> None:
    document = json.loads(SPEC.read_text(encoding="utf-8"))
    schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(body)


@pytest.mark.parametrize(
    ("state", "action"),
    [("open", "trigger"), ("dismissed", "acknowledge"), ("snoozed", "acknowledge"), ("resolved", "resolve")],
)
def test_all_states_of_an_alert_have_one_dedup_key(state: AlertStatus, action: str) -> None:
    body = _body("pagerduty", delivery(state))
    assert (body["event_action"], body["dedup_key"]) == (action, "P-6982247015780403")


@pytest.mark.parametrize(
    ("severity", "theirs"),
    [("critical", "critical"), ("high", "error"), ("medium", "warning"), ("low", "info"), ("informational", "info")],
)
def test_a_severity_is_one_of_pagerduty(severity: Severity, theirs: str) -> None:
    sent = delivery(policy=type(POLICY)(id="p", name="n", severity=severity))
    assert _body("pagerduty", sent)["payload"]["severity"] == theirs


def test_the_service_region_names_the_host() -> None:
    call = make("pagerduty", region="eu", url="").request(delivery(), NOW)
    assert isinstance(call, Request) and call.url == "https://events.eu.pagerduty.com/v2/enqueue"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(202, {}, b'{"status":"success"}'), Ok()),
        (
            Reply(400, {}, b"Invalid routing key"),
            Config("HTTP 400: Invalid routing key: the integration key is refused"),
        ),
        (Reply(400, {}, b"'payload.source' is missing"), Poison("HTTP 400: 'payload.source' is missing")),
        (Reply(429, {}), Retry("HTTP 429", 30.0)),
        (Reply(429, {"retry-after": "3"}), Retry("HTTP 429", 3.0)),
    ],
)
def test_what_pagerduty_answers_is_understood(reply: Reply, outcome: object) -> None:
    assert make("pagerduty").outcome(reply, NOW) == outcome


def test_a_text_that_is_cut_shows_it() -> None:
    assert cut("x" * 10, 10) == "x" * 10
    assert cut("x" * 11, 10) == "xxx… [cut]"


def test_an_alert_whose_ids_alone_are_too_long_is_not_cut() -> None:
    assert fit(payload(delivery()), 200) is None


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104 (an address to refuse)
     "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
     "2002:7f00:1::"],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_unless_allowed(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="no public address; TIDEGATE_ALLOWED_NETWORKS can"):
        check_addresses("example.com", ["93.184.215.14", address], [])
    everything = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
    check_addresses("example.com", [address], everything)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_fine(address: str) -> None:
    check_addresses("example.com", [address], [])


class _Fixed(AbstractResolver):
    """A resolver that knows one address."""

    def __init__(self, address: str) -> None:
        self.address = address

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=self.address, port=port, family=family, proto=0, flags=0)]

    @override
    async def close(self) -> None:
        await asyncio.sleep(0)


async def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    async with open_client(resolver=_Fixed("169.254.169.254")) as client:
        outcome = await sent(make("webhook", url="http://metadata.example.com/"), delivery(), client)
    assert outcome == Config(
        "metadata.example.com is at 169.254.169.254, which is no public address;"
        " TIDEGATE_ALLOWED_NETWORKS can allow its network"
    )
