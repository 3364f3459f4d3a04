"""Alibaba Cloud configurations: lists out of wrappers, Prisma's forms, Cloud Config's items, and what samples give."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._alibaba_shape import spelt
from agents.normalise._alibaba_types import derived, type_of
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import Place
from streams.records import Resource

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "configs"
PLACE = Place("raw.configs.alibaba", 0, 42, 1_772_442_000_000)
ACCOUNT = "1234567890123456"


def read(value: Any) -> list[Any]:
    return NORMALISERS["alibaba"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


def one(value: Any) -> Resource:
    [record] = read(value)
    assert isinstance(record, Resource), record
    return record


def bad(value: Any) -> Bad:
    [entry] = read(value)
    assert isinstance(entry, Bad), entry
    return entry


def config(record: Resource) -> Any:
    return orjson.loads(encode(record).value)["config"]


def row(type: str, config: Any, **more: Any) -> dict[str, Any]:
    return {"account": ACCOUNT, "region": "cn-hangzhou", "resource_type": type, "config": config} | more


def item(type: str, id: str, configuration: Any, **more: Any) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "regionId": "cn-hangzhou",
        "captureTime": "1772359872000",
        "resourceType": type,
        "resourceId": id,
        "configuration": configuration if isinstance(configuration, str) else orjson.dumps(configuration).decode(),
    } | more


def test_a_list_comes_out_of_its_wrapper_and_keys_are_spelt_as_queries_spell_them() -> None:
    raw = {
        "InstanceId": "i-1",
        "VpcAttributes": {"PrivateIpAddress": {"IpAddress": ["192.168.0.2"]}},
        "SecurityGroupIds": {"SecurityGroupId": ["sg-1"]},
        "OperationLocks": {"LockReason": []},
        "TLSCipherPolicy": "tls_cipher_policy_1_0",
        "MFADevice": {"SerialNumber": "s"},
        "Policies": [{"PolicyName": "p"}],
        "PolicyDocument": '{"Version":"1","Statement":[{"Action":"*"}]}',
    }
    assert spelt(raw) == {
        "instanceId": "i-1",
        "vpcAttributes": {"privateIpAddress": ["192.168.0.2"]},
        "securityGroupIds": ["sg-1"],
        "operationLocks": [],
        "tlscipherPolicy": "tls_cipher_policy_1_0",
        "MFADevice": {"serialNumber": "s"},
        "Policies": [{"policyName": "p"}],
        "policyDocument": {"Version": "1", "Statement": [{"Action": "*"}]},
    }


@pytest.mark.parametrize(
    ("grant", "rule", "log", "canned", "algorithm", "logging"),
    [
        ("private", {"SSEAlgorithm": "AES256"}, "logs", "Private", "AES256", {"targetBucket": "logs"}),
        ("public-read-write", {"SSEAlgorithm": "None"}, "", "PublicReadWrite", "None", {}),
        ("public-read", None, "", "PublicRead", "None", {}),
    ],
)
def test_a_bucket_is_asked_by_its_canned_acl_its_encryption_and_where_it_logs(
    grant: str, rule: Any, log: str, canned: str, algorithm: str, logging: Any
) -> None:
    raw = {
        "Name": "orders",
        "AccessControlList": {"Grant": grant},
        "ServerSideEncryptionRule": rule,
        "BucketPolicy": {"LogBucket": log},
    }
    for document in (raw, {"BucketInfo": {"Bucket": raw}}, {"Bucket": raw}):
        shape = config(one(row("ACS::OSS::Bucket", document)))
        assert (shape["cannedACL"], shape["bucket"]["name"], shape["bucket"]["logging"]) == (canned, "orders", logging)
        encryption = shape["serverSideEncryptionConfiguration"]["applyServerSideEncryptionByDefault"]
        assert encryption == {"ssealgorithm": algorithm}


def test_a_resource_is_one_whatever_tells_of_it() -> None:
    disk = {"DiskId": "d-1", "Encrypted": False}
    answer = {"account": ACCOUNT, "region": "cn-hangzhou", "config": {"Disks": {"Disk": [disk]}, "TotalCount": 1}}
    detail = {
        "AccountId": int(ACCOUNT),
        "Region": "cn-hangzhou",
        "ResourceType": "ACS::ECS::Disk",
        "ResourceId": "d-1",
        "ResourceDeleted": 1,
        "Configuration": orjson.dumps(disk).decode(),
    }
    told = [
        row("ACS::ECS::Disk", disk),
        answer,
        item("ACS::ECS::Disk", "d-1", disk),
        {"configurationItems": [item("ACS::ECS::Disk", "d-1", disk)]},
        {"DiscoveredResourceDetail": detail},
    ]
    assert {(one(message).rrn, one(message).deleted) for message in told} == {(one(told[0]).rrn, False)}


@pytest.mark.parametrize("more", [{"resourceEventType": "REMOVE"}, {"ResourceDeleted": 0}])
def test_what_cloud_config_says_was_removed_is_gone(more: dict[str, Any]) -> None:
    gone = one(item("ACS::ECS::Disk", "d-1", "") | more)
    assert (gone.rrn, gone.deleted) == (one(row("ACS::ECS::Disk", {"DiskId": "d-1"})).rrn, True)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"Tag": [{"TagKey": "a", "TagValue": "1"}]}, {"a": "1"}),
        ({"Tag": []}, {}),
        ([{"Key": "a", "Value": "1"}], {"a": "1"}),
        ({"a": "1", "b": 2}, {"a": "1", "b": ""}),
        (None, {}),
    ],
)
def test_tags_are_read_in_all_their_forms(tags: Any, found: dict[str, str]) -> None:
    assert one(row("ACS::ECS::Disk", {"DiskId": "d-1", "Tags": tags})).tags == found


def test_an_account_that_was_not_told_is_that_of_the_resources_own_name() -> None:
    role = {"RoleName": "r", "Arn": f"acs:ram::{ACCOUNT}:role/r"}
    assert one(row("ACS::RAM::Role", role, account=None)).account == ACCOUNT


def test_a_type_that_is_not_known_is_kept_under_a_name_of_its_own() -> None:
    assert (type_of("ACS::CEN::CenInstance"), derived("ACS::CEN::CenInstance")) == (None, "alibaba-cloud-cen-cen-instance")  # noqa: E501 (a pair)  # fmt: skip
    assert one(row("aliyun:ess:ScalingGroup", {"ScalingGroupId": "asg-1"})).id == "asg-1"


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        (row("ACS::ECS::Disk", {"DiskId": "d"}, account=None), "account", "missing, and the configuration names no account: send it"),  # noqa: E501 (one row a case)
        (row("ACS::ECS::Disk", {"Encrypted": True}), "resource_id", "missing, and the configuration has no id either"),
        ({"type": "config:Config:NonCompliantNotification", "data": {}}, "type", "wanted 'config:Config:ConfigurationItemChangeNotification', got 'config:Config:NonCompliantNotification'"),  # noqa: E501 (one row a case)
        (item("ACS::ECS::Disk", "d", "[]"), "configuration", "wanted an object, got a list"),
        (item("ACS::ECS::Disk", "d", {}) | {"resourceType": None}, "resourceType", "is null"),
        ({"hello": 1}, "", "neither an item of Cloud Config, which has `configuration`, nor a row, which has `config`"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_told(message: Any, path: str, reason: str) -> None:
    assert (bad(message).path, bad(message).reason) == (path, reason)


beside = pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of public samples isn't beside this checkout")


@beside
def test_public_rows_give_what_they_hold() -> None:
    entries = read((CORPUS / "alibaba.jsonl").read_bytes())
    refused = Counter(entry.path for entry in entries if isinstance(entry, Bad))
    assert len(entries) == 273
    assert refused == {"account": 248, "resource_id": 3}  # the documents' examples name no account


@beside
def test_public_rows_with_an_account_are_kept_but_for_those_that_nothing_names() -> None:
    rows = [orjson.loads(line) for line in (CORPUS / "alibaba.jsonl").read_bytes().splitlines()]
    entries = read(b"\n".join(orjson.dumps(row | {"account": ACCOUNT}) for row in rows))
    refused = [entry for entry in entries if isinstance(entry, Bad)]
    assert {entry.path for entry in refused} == {"resource_id"}  # prices, usages, policies of an account: no resources
    assert len(refused) == 52
