"""What Security Hub promises beyond the contract: whose alerts, which region, results one by one."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from pydantic import ValidationError

from agents.sinks import _asff
from agents.sinks._base import Item
from agents.sinks._outcome import Config, NotApplicable, Ok, Poison, Retry
from streams.alerts import AlertResource
from tests.contract.sinks import ALERT, RESOURCE, Case, delivery, in_process, sent
from tests.fakes.security_hub import SecurityHub
from tests.fakes.server import json_reply


def _items(count: int, **given: Any) -> list[Item]:
    return [Item(delivery(id=f"P-{number}", **given), {}) for number in range(count)]


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (replace(RESOURCE, cloud="gcp"), "Security Hub is for aws"),
        (replace(RESOURCE, account="999999999999"), "an alert of the account 999999999999, not of 111122223333"),
        (replace(RESOURCE, region="eu-north-1"), "an alert in eu-north-1, which isn't among the regions"),
    ],
)
async def test_an_alert_of_somewhere_else_is_not_for_it(resource: AlertResource, words: str) -> None:
    client = in_process(fake := SecurityHub())
    outcome = await sent(Case("security_hub").make(), delivery(resource=resource), client)
    assert isinstance(outcome, NotApplicable) and words in outcome.words and fake.calls == []


async def test_each_region_has_a_call_of_its_own_and_global_resources_go_to_the_default_one() -> None:
    client = in_process(fake := SecurityHub())
    regions = ["us-east-1", "global", "", "eu-west-1"]
    items = [
        Item(delivery(id=f"P-{number}", resource=replace(RESOURCE, region=region)), {})
        for number, region in enumerate(regions)
    ]
    sink = Case("security_hub").make(default_region="us-east-1")
    assert set(await sink.deliver(items, client)) == {Ok()} and fake.wrong == []
    imports = [call for call in fake.calls if call.path == "/findings/import"]
    assert [len(call.json["Findings"]) for call in imports] == [3, 1]
    assert {each["Resources"][0]["Region"] for each in imports[0].json["Findings"]} == {"us-east-1"}


async def test_a_finding_that_fails_alone_is_settled_alone() -> None:
    client = in_process(fake := SecurityHub())
    fake.sick = {"tidegate/P-1": "InvalidInput", "tidegate/P-2": "InternalFailure", "tidegate/P-3": "AccessDenied"}
    outcomes = await Case("security_hub").make().deliver(_items(5), client)
    assert [type(each) for each in outcomes] == [Ok, Poison, Retry, Config, Ok]
    assert outcomes[1].words == "InvalidInput: no"


async def test_a_finding_that_spoils_the_whole_call_is_found_by_halves() -> None:
    client = in_process(fake := SecurityHub())
    fake.invalid = {"tidegate/P-70"}
    outcomes = await Case("security_hub").make().deliver(_items(100), client)
    assert [number for number, each in enumerate(outcomes) if not isinstance(each, Ok)] == [70]
    assert isinstance(outcomes[70], Poison) and len(fake.findings) == 99


async def test_an_answer_that_counts_fewer_than_were_sent_is_tried_again() -> None:
    client = in_process(fake := SecurityHub())
    fake.always = json_reply(200, {"SuccessCount": 1, "FailedCount": 0, "FailedFindings": []})
    assert {type(each) for each in await Case("security_hub").make().deliver(_items(2), client)} == {Retry}


async def test_a_finding_is_updated_not_made_again() -> None:
    client = in_process(fake := SecurityHub())
    sink = Case("security_hub").make()
    for state in ("open", "dismissed", "open", "resolved"):
        assert isinstance(await sent(sink, delivery(state), client), Ok)
    assert fake.holds(ALERT) == ["resolved"] and fake.wrong == []


async def test_a_resource_id_that_is_too_long_is_not_cut() -> None:
    client = in_process(fake := SecurityHub())
    outcome = await sent(Case("security_hub").make(), delivery(resource=replace(RESOURCE, id="a" * 513)), client)
    assert isinstance(outcome, Poison) and fake.calls == []


async def test_security_hub_that_is_off_is_told_with_its_region() -> None:
    client = in_process(fake := SecurityHub())
    fake.faults.append(json_reply(401, {"Code": "InvalidAccessException", "Message": "not subscribed"}))
    outcome = await Case("security_hub").make().check(client)
    assert isinstance(outcome, Config) and outcome.words.startswith("eu-west-1: ")
    assert "isn't enabled in this account and region" in outcome.words


async def test_another_accounts_credentials_are_told() -> None:
    client = in_process(fake := SecurityHub())
    fake.account = "444455556666"
    outcome = await Case("security_hub").make().check(client)
    assert outcome == Config("the credentials are of the account 444455556666, not of 111122223333")


def test_every_type_of_a_resource_is_one_that_security_hub_knows() -> None:
    details = ServiceModel(Loader().load_service_model("securityhub", "service-2")).shape_for("ResourceDetails")
    assert set(_asff._TYPES.values()) <= set(details.members)
    assert _asff._TYPES["awss3bucket"] == "AwsS3Bucket" and _asff._TYPES["awsec2securitygroup"] == "AwsEc2SecurityGroup"


def test_a_default_region_is_one_of_the_regions() -> None:
    with pytest.raises(ValidationError, match="default_region: eu-north-1 isn't among the regions"):
        Case("security_hub").make(default_region="eu-north-1")
