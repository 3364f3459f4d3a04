"""What SQS promises beyond the contract: single failures of a batch, the queue's own limits, whose credentials."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.sinks._aws_credentials import Chain, Role
from agents.sinks._base import Item, Sink
from agents.sinks._client import Request
from agents.sinks._outcome import Config, Ok, Poison, Reply, Retry
from agents.sinks._sigv4 import Credentials, signed
from tests.contract.sinks import ALERT, NOW, Case, delivery, in_process, sent
from tests.fakes.aws import KEYS, ROLE, Signer
from tests.fakes.server import Call, Fake, json_reply
from tests.fakes.sqs import Sqs


def _items(count: int, **given: Any) -> list[Item]:
    return [Item(delivery(id=f"P-{number}", **given), {}) for number in range(count)]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", "https://securityhub.eu-west-1.amazonaws.com/accounts", b""),
        ("POST", "https://sqs.eu-west-1.amazonaws.com/", b"{}"),
        ("GET", "http://localhost:4566/a%20b/c?a=%2Fx&z=1", b""),
    ],
)
def test_a_signature_is_the_one_that_awss_own_library_makes(method: str, url: str, body: bytes) -> None:
    credentials = Credentials(KEYS["access_key"], KEYS["secret_key"])
    made = signed(Request(method, url, body, {"X-Amz-Target": "a  b"}), credentials, "eu-west-1", "sqs", NOW)
    call = Call(method, url, {name.lower(): value for name, value in made.headers.items()}, body)
    assert Signer().wrong(call, "eu-west-1", "sqs") == ""
    assert Signer().wrong(call, "eu-west-2", "sqs") == "SignatureDoesNotMatch"


async def test_a_message_that_fails_alone_is_settled_alone() -> None:
    client = in_process(fake := Sqs())
    fake.sick = {
        "P-3-1": (True, "InvalidMessageContents"),
        "P-5-1": (False, "InternalError"),
        "P-6-1": (True, "KmsDisabled"),
    }
    fake.sick = {f'"{id}"': why for id, why in zip(("P-3", "P-5", "P-6"), fake.sick.values(), strict=True)}
    outcomes = await Case("sqs").make().deliver(_items(8), client)
    assert [type(each) for each in outcomes] == [Ok, Ok, Ok, Poison, Ok, Retry, Config, Ok]
    assert outcomes[3].words == "InvalidMessageContents: no"


async def test_the_largest_message_is_what_the_queue_says_asked_once_an_hour() -> None:
    client = in_process(fake := Sqs())
    fake.largest = 2500
    sink = Case("sqs").make()
    for seq in (1, 2):
        assert isinstance(await sent(sink, delivery(config="x" * 5000, seq=seq), client), Ok)
    assert fake.wrong == [] and fake.messages[0]["resource"]["data"] == "[left out: 5002 bytes]"
    assert [call.headers["x-amz-target"][10:] for call in fake.calls].count("GetQueueAttributes") == 1


async def test_where_the_queue_may_not_be_asked_the_default_holds() -> None:
    client = in_process(fake := Sqs())
    fake.faults.append(json_reply(403, {"__type": "com.amazonaws.sqs#AccessDenied"}))
    assert isinstance(await sent(Case("sqs").make(), delivery(), client), Ok)


async def test_a_batch_that_is_too_long_is_sent_in_halves() -> None:
    client = in_process(fake := Sqs())
    fake.in_all = 100_000
    outcomes = await Case("sqs").make().deliver(_items(10, config="x" * 30_000), client)
    assert set(outcomes) == {Ok()} and len(fake.messages) == 10
    fake.largest, fake.in_all = 1024 * 1024, 1024 * 1024
    outcomes = await Case("sqs").make().deliver(_items(10, config="x" * 300_000), client)
    assert set(outcomes) == {Ok()} and fake.wrong == []


async def test_a_fifo_queue_drops_what_comes_twice() -> None:
    client = in_process(fake := Sqs("fifo"))
    sink = Case("sqs", "fifo").make()
    for _ in "123":
        assert isinstance(await sent(sink, delivery(), client), Ok)
    assert fake.holds(ALERT) == ["open"]


async def test_a_queue_that_is_gone_is_told() -> None:
    sink = Case("sqs").make(queue_url="https://sqs.eu-west-1.amazonaws.com/1/gone")
    outcome = await sent(sink, delivery(), in_process(Sqs()))
    assert isinstance(outcome, Config) and "there is no such queue" in outcome.words


async def test_a_role_is_assumed_once_and_again_when_its_session_ends() -> None:
    client = in_process(fake := Sqs("role"))
    sink = Case("sqs", "role").make()
    for number in range(3):
        assert isinstance(await sent(sink, delivery(id=f"P-{number}"), client), Ok)
    assert fake.signer.sessions == 1
    fake.signer.revoke()
    assert isinstance(await sent(sink, delivery(id="P-4"), client), Ok)
    assert fake.signer.sessions == 2


async def test_a_role_that_may_not_be_assumed_is_told() -> None:
    sink = Case("sqs", "role").make(external_id="another-id")
    outcome = await sent(sink, delivery(), in_process(Sqs("role")))
    assert outcome == Config(
        f"the role can't be assumed: HTTP 403: not authorized to perform sts:AssumeRole on {ROLE['role_arn']}"
    )


class _Instance(Fake):
    """The metadata service of an instance or a container."""

    cases = {}  # noqa: RUF012 (it is no destination)

    def answer(self, call: Call) -> Reply:
        if call.path == "/latest/api/token":
            return Reply(200, {}, b"t0ken") if call.method == "PUT" else Reply(405, {})
        if call.path == "/latest/meta-data/iam/security-credentials/":
            return Reply(200, {}, b"worker")
        self.must(call.headers.get("x-aws-ec2-metadata-token", call.headers.get("authorization")) == "t0ken", "token")
        until = "2026-01-01T06:00:00Z"
        return json_reply(200, {"AccessKeyId": "ASIA1", "SecretAccessKey": "s", "Token": "t", "Expiration": until})

    def holds(self, alert: str) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("environment", "key", "first"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s"}, "AKIA1", ""),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/role"}, "ASIA1", "http://169.254.170.2/role"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1"}, "ASIA1", "http://169.254.170.23/v1"),
        ({}, "ASIA1", "http://169.254.169.254/latest/api/token"),
    ],
)
async def test_the_workers_own_credentials_are_found_where_awss_libraries_look(
    environment: dict[str, str], key: str, first: str
) -> None:
    client = in_process(fake := _Instance())
    chain = Chain(environment | {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "t0ken"})
    sink: Sink = Case("sqs").make()
    found = await chain.get(sink, client, ("", ""), Role("", "", ""), "eu-west-1")
    assert isinstance(found, Credentials) and found.access_key == key
    assert (fake.calls[0].url if fake.calls else "") == first
    assert fake.wrong == []


async def test_a_web_identity_is_changed_into_a_role(tmp_path: Path) -> None:
    class Sts(_Instance):
        def answer(self, call: Call) -> Reply:
            self.must(b"Action=AssumeRoleWithWebIdentity" in call.body and b"WebIdentityToken=jwt" in call.body, "form")
            xml = "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            return Reply(200, {}, f"{xml}<Expiration>2026-01-01T06:00:00Z</Expiration>".encode())

    (tmp_path / "token").write_text("jwt\n")
    environment = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/a"}
    client = in_process(fake := Sts())
    found = await Chain(environment).get(Case("sqs").make(), client, ("", ""), Role("", "", ""), "cn-north-1")
    assert isinstance(found, Credentials) and found.session_token == "t" and fake.wrong == []
    assert fake.calls[0].url == "https://sts.cn-north-1.amazonaws.com.cn/"


async def test_without_any_credentials_it_says_so() -> None:
    client = in_process(fake := _Instance())
    fake.always = Reply(404, {})
    found = await Chain({}).get(Case("sqs").make(), client, ("", ""), Role("", "", ""), "eu-west-1")
    assert isinstance(found, Config) and "there are no AWS credentials" in found.words
    assert ipaddress.ip_network("169.254.169.254/32") not in client.allowed


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secret_key": ""}, "access_key and secret_key: wanted both or neither"),
        ({"external_id": "abc"}, "there is no role_arn"),
        ({"queue_url": "https://queue.example.com/1/a", "region": ""}, "region: wanted"),
        ({"queue_url": "alerts"}, "queue_url"),
    ],
)
def test_a_wrong_setting_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Case("sqs").make(**settings)


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com/1/a",
        "https://eu-west-1.queue.amazonaws.com/1/a",
        "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/a",
    ],
)
def test_the_region_is_in_the_address(url: str) -> None:
    assert Case("sqs").make(queue_url=url, region="")
