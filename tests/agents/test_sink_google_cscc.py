"""What Security Command Center promises beyond the contract: tokens of several kinds, findings that are there."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.sinks._google import METADATA, GoogleToken
from agents.sinks._outcome import Config, NotApplicable, Ok, Reply
from agents.sinks._talk import SettledError
from tests.contract.sinks import ALERT, NOW, Case, InProcess, delivery, in_process, sent
from tests.fakes.google_cscc import GoogleCscc, credentials
from tests.fakes.server import Call, Fake, json_reply

CASE = Case("google_cscc")


async def test_an_alert_of_another_cloud_is_not_for_it() -> None:
    client = in_process(fake := GoogleCscc())
    outcome = await sent(CASE.make(), delivery(), client)
    assert isinstance(outcome, NotApplicable) and "is for gcp" in outcome.words and fake.calls == []


async def test_a_finding_is_made_once_then_changed() -> None:
    client = in_process(fake := GoogleCscc())
    sink = CASE.make()
    opened = await sent(sink, CASE.delivery(), client)
    again = await sent(sink, CASE.delivery(), client)  # as if the ledger had lost it
    assert isinstance(opened, Ok) and isinstance(again, Ok) and opened.entry == again.entry
    assert isinstance(await sent(sink, CASE.delivery("resolved"), client, opened.entry), Ok)
    assert fake.holds(ALERT) == ["resolved"] and fake.wrong == []


async def test_what_was_never_opened_there_is_not_made_to_be_resolved() -> None:
    client = in_process(fake := GoogleCscc())
    assert await sent(CASE.make(), CASE.delivery("resolved"), client) == Ok("there is no finding to change")
    assert fake.findings == {}


async def test_a_finding_that_is_gone_is_made_again_for_an_open_alert() -> None:
    client = in_process(fake := GoogleCscc())
    entry = {"name": "a", "state": "INACTIVE"}
    assert isinstance(await sent(CASE.make(), CASE.delivery("open", seq=3), client, entry), Ok)
    assert fake.holds(ALERT) == ["open"]


async def test_a_token_is_kept_and_fetched_anew_when_it_is_refused() -> None:
    client = in_process(fake := GoogleCscc())
    sink = CASE.make()
    for number in range(3):
        assert isinstance(await sent(sink, CASE.delivery(id=f"P-{number}"), client), Ok)
    assert fake.tokens == 1
    fake.tokens = 7
    assert isinstance(await sent(sink, CASE.delivery(id="P-4"), client), Ok)
    assert fake.tokens == 8


@pytest.mark.parametrize(
    ("status", "name", "words"),
    [
        (400, "FAILED_PRECONDITION", "is not activated"),
        (403, "PERMISSION_DENIED", "HTTP 403"),
        (404, "NOT_FOUND", "is there such an organization and source?"),
    ],
)
async def test_what_google_answers_is_understood(status: int, name: str, words: str) -> None:
    client = in_process(fake := GoogleCscc())
    message = "Security Command Center is not activated"
    fake.always = json_reply(status, {"error": {"code": status, "message": message, "status": name}})
    outcome = await sent(CASE.make(), CASE.delivery(), client)
    assert isinstance(outcome, Config) and words in outcome.words


async def test_a_missing_permission_is_told() -> None:
    client = in_process(fake := GoogleCscc())
    fake.permitted = False
    outcome = await CASE.make().check(client)
    assert isinstance(outcome, Config) and "lacks securitycenter.findings.update" in outcome.words


async def test_a_key_that_is_none_is_told() -> None:
    account = json.loads(credentials()) | {"private_key": "nonsense"}
    outcome = await sent(CASE.make(credentials=json.dumps(account)), CASE.delivery(), in_process(GoogleCscc()))
    assert outcome == Config("credentials: private_key is no RSA key in PEM")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "its `type` is `service_account`"),
        ('{"type": "external_account"}', "its `type` is `service_account`"),
        ('{"type": "service_account", "client_email": "a"}', "the key has no private_key"),
    ],
)
def test_credentials_that_are_no_key_of_a_service_account_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CASE.make(credentials=text)


class _Near(Fake):
    """The metadata service of an instance, and Google's exchange of tokens."""

    cases = {}  # noqa: RUF012 (it is no destination)

    def answer(self, call: Call) -> Reply:
        if call.url == METADATA:
            self.must(call.headers["metadata-flavor"] == "Google", "flavor")
            return json_reply(200, {"access_token": "of-the-instance", "expires_in": 3599})
        if call.path == "/v1/token":
            self.must(b"subject_token=of-the-cluster" in call.body, "subject")
            return json_reply(200, {"access_token": "federated", "expires_in": 3600})
        self.must(call.headers["authorization"] == "Bearer federated", "token")
        return json_reply(200, {"accessToken": "impersonated", "expireTime": "2026-01-01T01:00:00Z"})

    def holds(self, alert: str) -> list[str]:
        return []


async def test_the_workers_own_identity_is_its_instances() -> None:
    client = in_process(fake := _Near())
    token = GoogleToken({})
    assert [await token.get(CASE.make(), client, "") for _ in "12"] == ["of-the-instance"] * 2
    assert len(fake.calls) == 1 and fake.wrong == [] and token.drop()


@pytest.mark.parametrize("field", ["", "id_token"])
async def test_the_workers_own_identity_is_federated(tmp_path: Path, field: str) -> None:
    (tmp_path / "token").write_text('{"id_token": "of-the-cluster"}' if field else "of-the-cluster\n")
    source: dict[str, Any] = {"file": str(tmp_path / "token")}
    source |= {"format": {"type": "json", "subject_token_field_name": field}} if field else {}
    own = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/a:generateAccessToken",
        "credential_source": source,
    }
    (tmp_path / "own.json").write_text(json.dumps(own))
    client = in_process(fake := _Near())
    token = GoogleToken({"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "own.json")})
    assert [await token.get(CASE.make(), client, "") for _ in "12"] == ["impersonated"] * 2
    assert len(fake.calls) == 2 and fake.wrong == []


async def test_without_any_credentials_it_says_so(tmp_path: Path) -> None:
    fake = _Near()
    fake.always = Reply(404, {})
    client: InProcess = in_process(fake)
    assert client.clock() == NOW
    with pytest.raises(SettledError, match="there are no credentials of Google"):
        await GoogleToken({}).get(CASE.make(), client, "")
    with pytest.raises(SettledError, match="can't be read"):
        await GoogleToken({"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none")}).get(CASE.make(), client, "")
