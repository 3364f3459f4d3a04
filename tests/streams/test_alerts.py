"""Alerts, events, commands and deliveries as bytes and back; ids that stay; large configurations are cut visibly."""

import json
from dataclasses import MISSING, fields
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from streams.alerts import (
    Alert,
    AlertCommand,
    AlertEvent,
    AlertPolicy,
    AlertResource,
    AnyShape,
    Delivery,
    RuleName,
    account_of,
    alert_id,
    capped,
    key_of,
    read,
    write,
)
from streams.errors import BadRecord
from streams.topics import TOPICS

ALERT = Alert(
    id="P-7",
    policy=AlertPolicy(id="p", name="Bucket is public", severity="high", labels=["s3"]),
    resource=AlertResource(rrn="rrn:x", id="x", account="111122223333", cloud="aws", tags={"team": "ops"}),
    status="open",
    reason="NEW_ALERT",
    first_seen=1,
    last_seen=2,
    opened=1,
    updated=2,
    seq=3,
)
EVENT = AlertEvent(id="P-7-3", seq=3, kind="updated", at=2, alert=ALERT, config={"name": "x"})
COMMAND = AlertCommand(id="c", alert="P-7", account="111122223333", action="dismiss", by="ann", at=4)
DELIVERY = Delivery(integration="hook", template="t", event=EVENT, rules=[RuleName(id="r", name="All")])
RECORDS: list[AnyShape] = [ALERT, EVENT, COMMAND, DELIVERY]
each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)


@pytest.mark.parametrize(
    ("policy", "subject", "id"),
    [
        ("p", "s", "P-6982247015780403"),
        ("", "", "P-3877433990182511"),
        ("aws-s3-public", "rrn:aws:aws-s3:eu-west-1:111122223333:0a1b2c3d4e:logs", "P-8418801360822010"),
        ("röt", "111122223333|eu-west-1", "P-873129911204491"),
    ],
)
def test_an_alert_id_is_the_same_for_ever(policy: str, subject: str, id: str) -> None:
    assert alert_id(policy, subject) == id


def test_an_alert_id_is_exact_where_numbers_are_doubles() -> None:
    numbers = [int(alert_id("p", str(subject)).removeprefix("P-")) for subject in range(2000)]
    assert all(int(float(number)) == number and 0 <= number < 2**53 for number in numbers)
    assert max(numbers) > 2**52
    assert len(set(numbers)) == len(numbers)


def test_policy_and_subject_do_not_run_into_each_other() -> None:
    assert alert_id("ab", "c") != alert_id("a", "bc")


@pytest.mark.parametrize(
    ("resource", "subject"),
    [
        (AlertResource(rrn="rrn:x", id="x", account="1", cloud="aws", region="r"), "rrn:x"),
        (AlertResource(id="1", account="1", cloud="aws"), "1"),
        (AlertResource(id="1", account="1", cloud="aws", region="eu-west-1"), "1|eu-west-1"),
    ],
)
def test_an_alert_is_about_a_resource_or_an_account_or_a_region_of_it(resource: AlertResource, subject: str) -> None:
    assert resource.subject == subject


@each_record
def test_a_record_survives_bytes_and_back(record: AnyShape) -> None:
    assert read(type(record), write(record)) == (record, {})
    assert b"\n" not in write(record)


@each_record
def test_fields_of_another_version_are_kept(record: AnyShape) -> None:
    newer = orjson.loads(write(record)) | {"zone": None, "owner": {"team": [1, "ops"]}}
    again, unknown = read(type(record), orjson.dumps(newer))
    assert (again, unknown) == (record, {"zone": None, "owner": {"team": [1, "ops"]}})
    assert orjson.loads(write(again, unknown)) == newer


@each_record
def test_missing_fields_take_their_default(record: AnyShape) -> None:
    needed = {each.name for each in fields(record) if each.default is each.default_factory is MISSING}
    least = {name: value for name, value in orjson.loads(write(record)).items() if name in needed}
    again, _ = read(type(record), orjson.dumps(least))
    for each in fields(record):
        if each.default is not MISSING:
            assert getattr(again, each.name) == each.default


@each_record
def test_the_schema_is_valid_and_accepts_the_record_and_later_fields(record: AnyShape) -> None:
    schema: dict[str, Any] = TypeAdapter(type(record)).json_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(orjson.loads(write(record)) | {"later": 1})
    assert set(schema["properties"]) == {each.name for each in fields(record)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not JSON: Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "Object missing required field `integration`"),
        (b'{"integration":1}', "integration: Expected `str`, got `int`"),
        (
            write(DELIVERY).replace(b'"high"', b'"loud"'),
            "event.alert.policy.severity: Invalid enum value 'loud'",
        ),
    ],
)
def test_what_is_no_delivery_is_refused_with_the_path(value: bytes, reason: str) -> None:
    with pytest.raises(BadRecord) as caught:
        read(Delivery, value)
    assert str(caught.value) == reason


def test_keys_and_accounts_are_as_the_topics_say() -> None:
    assert [key_of(record) for record in RECORDS] == [b"P-7", b"P-7", b"P-7", b"hook|t|P-7|3"]
    assert {account_of(record) for record in RECORDS} == {"111122223333"}


def test_topics_are_named_once_and_the_records_of_the_way_out_are_known() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert {Alert, AlertEvent, AlertCommand, Delivery} < {topic.record for topic in TOPICS}


def test_a_small_configuration_goes_as_it_is() -> None:
    assert orjson.dumps(capped(b'{"a": [1]}')) == b'{"a": [1]}'
    assert capped(None) is None


def test_of_a_large_configuration_the_largest_members_give_way_to_a_mark() -> None:
    config = json.dumps({"name": "x", "policy": "p" * 5000, "list": ["q"] * 30, "big": "b" * 9000}).encode()
    assert capped(config, 6000) == {
        "name": "x",
        "policy": "p" * 5000,
        "list": ["q"] * 30,
        "big": "[left out: 9002 bytes]",
    }
    assert capped(config, 1000)["policy"] == "[left out: 5002 bytes]"
    assert len(orjson.dumps(capped(config, 1000))) <= 1000


@pytest.mark.parametrize("config", [b'"' + b"x" * 99 + b'"', json.dumps({str(i): i for i in range(99)}).encode()])
def test_a_configuration_that_no_cut_helps_is_left_out_as_a_whole(config: bytes) -> None:
    assert capped(config, 50) == f"[left out: {len(config)} bytes]"
