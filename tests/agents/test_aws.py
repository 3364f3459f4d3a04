"""AWS configurations: the shape that queries ask, who a resource is, every envelope, and what real samples give."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._aws_shape import document, field_name, shaped, tag_map
from agents.normalise._aws_types import TYPES, service_of
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import Place
from streams.records import Resource
from tests.agents.broken import broken_items

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "configs"
PLACE = Place("raw.configs.aws", 0, 42, 1_772_442_000_000)
ACCOUNT = "111122223333"


def read(value: Any) -> list[Any]:
    return NORMALISERS["aws"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


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
    return {"account": ACCOUNT, "region": "eu-central-1", "resource_type": type, "config": config} | more


def item(type: str, id: str, configuration: Any, **more: Any) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "awsRegion": "eu-central-1",
        "configurationItemCaptureTime": "2026-03-01T10:11:12.123Z",
        "configurationItemStatus": "OK",
        "configurationStateId": "1772359872123",
        "resourceType": type,
        "resourceId": id,
        "configuration": configuration,
    } | more


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("InstanceId", "instanceId"),
        ("ARN", "arn"),
        ("VPCId", "vpcid"),
        ("DBInstanceArn", "dbinstanceArn"),
        ("dBInstanceArn", "dbinstanceArn"),
        ("DNSName", "dnsname"),
        ("dNSName", "dnsname"),
        ("SSLCertificateId", "sslcertificateId"),
        ("SSEDescription", "ssedescription"),
        ("IAMDatabaseAuthenticationEnabled", "iamdatabaseAuthenticationEnabled"),
        ("MultiAZ", "multiAZ"),
        ("S3BucketName", "s3BucketName"),
        ("instanceId", "instanceId"),
        ("DbiResourceId", "dbiResourceId"),
        ("rds.force_ssl", "rds.force_ssl"),
        ("AWS_REGION", "AWS_REGION"),
        ("*/*", "*/*"),
        ("Ünicode", "Ünicode"),
        ("", ""),
    ],
)
def test_a_field_is_spelt_as_queries_spell_it(key: str, wanted: str) -> None:
    assert field_name(key) == wanted


def test_keys_that_are_data_stay_as_they_are() -> None:
    raw = {
        "Environment": {"Variables": {"TABLE_NAME": "x", "Stage": "y"}},
        "Tags": {"CostCentre": "42"},
        "Parameters": {"rds.force_ssl": "1", "MaxConnections": "5"},
        "LogPublishingOptions": {"INDEX_SLOW_LOGS": {"Enabled": True}},
        "MethodSettings": {"*/*": {"LoggingLevel": "INFO"}},
        "Rules": [{"ID": "r"}],
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Condition": {"StringEquals": {"AWS:SourceArn": 1}}}],
        },
    }
    assert shaped(raw) == {
        "environment": {"variables": {"TABLE_NAME": "x", "Stage": "y"}},
        "tags": {"CostCentre": "42"},
        "parameters": {"rds.force_ssl": "1", "MaxConnections": "5"},
        "logPublishingOptions": {"INDEX_SLOW_LOGS": {"enabled": True}},
        "methodSettings": {"*/*": {"loggingLevel": "INFO"}},
        "rules": [{"id": "r"}],
        "policyDocument": raw["PolicyDocument"],
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"Statement":[]}', {"Statement": []}),
        ('"{\\"Statement\\":[]}"', {"Statement": []}),
        ("%7B%22Statement%22%3A%5B%5D%7D", {"Statement": []}),
        (" [1]", [1]),
        ("no JSON", "no JSON"),
        ("{broken", "{broken"),
        ('{"n":18446744073709551616}', '{"n":18446744073709551616}'),
        ("[" * 300 + "]" * 300, "[" * 300 + "]" * 300),
        ("", ""),
    ],
)
def test_json_held_as_text_is_parsed_or_left_alone(text: str, wanted: Any) -> None:
    assert document(text) == wanted


@pytest.mark.parametrize(
    "tags",
    [
        {"team": "ops"},
        [{"Key": "team", "Value": "ops"}],
        [{"key": "team", "value": "ops"}],
        [{"TagKey": "team", "TagValue": "ops"}],
        [{"tagKey": "team", "tagValue": "ops"}, 5, {"Value": "x"}],
    ],
)
def test_tags_come_in_many_spellings(tags: Any) -> None:
    assert tag_map(tags) == {"team": "ops"}


def test_tags_stand_in_the_document_too() -> None:
    record = one(item("AWS::EC2::Volume", "vol-1", {"volumeId": "vol-1"}, tags={"team": "ops"}))
    assert record.tags == {"team": "ops"}
    assert config(record)["tags"] == [{"key": "team", "value": "ops"}]


def test_security_group_ranges_have_both_forms_whoever_tells_of_them() -> None:
    ranges = [{"CidrIp": "0.0.0.0/0", "Description": "all"}]
    from_row = one(row("AWS::EC2::SecurityGroup", {"GroupId": "sg-1", "IpPermissions": [{"IpRanges": ranges}]}))
    assert config(from_row)["ipPermissions"] == [
        {"ipRanges": ["0.0.0.0/0"], "ipv4Ranges": [{"cidrIp": "0.0.0.0/0", "description": "all"}]}
    ]
    old = item("AWS::EC2::SecurityGroup", "sg-1", {"groupId": "sg-1", "ipPermissions": [{"ipRanges": ["10.0.0.0/8"]}]})
    assert config(one(old))["ipPermissions"] == [{"ipRanges": ["10.0.0.0/8"], "ipv4Ranges": [{"cidrIp": "10.0.0.0/8"}]}]
    new = {"ipPermissions": [{"ipRanges": ["10.0.0.0/8"], "ipv4Ranges": [{"cidrIp": "10.0.0.0/8"}]}]}
    assert config(one(item("AWS::EC2::SecurityGroup", "sg-1", new)))["ipPermissions"] == new["ipPermissions"]


@pytest.mark.parametrize(("owner", "shared"), [(ACCOUNT, False), ("999988887777", True)])
def test_a_security_group_of_another_account_is_shared(owner: str, shared: bool) -> None:
    assert config(one(row("AWS::EC2::SecurityGroup", {"GroupId": "sg-1", "OwnerId": owner})))["isShared"] is shared


@pytest.mark.parametrize(
    ("grantee", "wanted"),
    [
        ({"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "AllUsers"),
        ({"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "LogDelivery"),
        ({"Type": "CanonicalUser", "ID": "aa"}, {"identifier": "aa", "typeIdentifier": "id"}),
    ],
)
def test_a_grantee_is_a_word_or_has_an_identifier(grantee: dict[str, str], wanted: Any) -> None:
    raw = {
        "Bucket": {"Name": "b"},
        "Acl": {"Owner": {"ID": "aa"}, "Grants": [{"Grantee": grantee, "Permission": "READ_ACP"}]},
    }
    acl = config(one(row("AWS::S3::Bucket", raw)))["acl"]
    assert acl["grants"] == acl["grantsAsList"] == [{"grantee": wanted, "permission": "ReadAcp"}]
    assert acl["owner"] == {"id": "aa"}


@pytest.mark.parametrize(
    ("type", "raw", "path", "wanted"),
    [
        ("AWS::EC2::Image", {"ImageId": "ami-1"}, "image.imageId", "ami-1"),
        ("AWS::EC2::Snapshot", {"SnapshotId": "s", "Encrypted": False}, "snapshot.encrypted", False),
        (
            "AWS::ElasticLoadBalancing::LoadBalancer",
            {"LoadBalancerName": "l", "Scheme": "x"},
            "description.scheme",
            "x",
        ),
        ("AWS::IAM::Role", {"Arn": "arn:a", "RoleName": "r"}, "role.roleName", "r"),
        ("AWS::KMS::Key", {"Arn": "arn:a", "KeyState": "Enabled"}, "keyMetadata.keyState", "Enabled"),
        ("AWS::Route53::HostedZone", {"Id": "z", "Name": "n."}, "hostedZone.name", "n."),
        ("AWS::SQS::Queue", {"QueueArn": "arn:q", "KmsMasterKeyId": "k"}, "attributes.KmsMasterKeyId", "k"),
        ("AWS::SNS::Topic", {"TopicArn": "arn:t", "Policy": '{"Statement":[]}'}, "Policy.Statement", []),
        ("AWS::IAM::AccountSummary", {"AccountMFAEnabled": 1}, "AccountMFAEnabled", 1),
        ("AWS::RDS::DBInstance", {"DBInstanceArn": "arn:d", "DBInstanceStatus": "a"}, "dbinstanceStatus", "a"),
        (
            "AWS::DynamoDB::Table",
            {"TableArn": "arn:t", "SSEDescription": {"SSEType": "KMS"}},
            "ssedescription.ssetype",
            "KMS",
        ),
    ],
)
def test_a_document_is_where_queries_look_for_it(type: str, raw: Any, path: str, wanted: Any) -> None:
    here = config(one(row(type, raw)))
    for name in path.split("."):
        here = here[name]
    assert here == wanted


def test_a_key_has_its_rotation_and_policy() -> None:
    more = {"KeyRotationStatus": "true", "Policy": '{"Statement":[{"Effect":"Allow"}]}'}
    raw = item("AWS::KMS::Key", "k", {"keyId": "k", "arn": "arn:k"}, supplementaryConfiguration=more)
    assert config(one(raw)) == {
        "keyMetadata": {"keyId": "k", "arn": "arn:k"},
        "rotation_status": {"keyRotationEnabled": True},
        "policies": {"default": {"Statement": [{"Effect": "Allow"}]}},
    }


def test_a_managed_policy_has_its_default_versions_document() -> None:
    versions = [
        {"versionId": "v1", "isDefaultVersion": False, "document": "%7B%22Statement%22%3A%5B%5D%7D"},
        {"versionId": "v2", "isDefaultVersion": True, "document": "%7B%22Statement%22%3A%5B1%5D%7D"},
    ]
    raw = {"arn": "arn:aws:iam::111122223333:policy/p", "attachmentCount": 2, "policyVersionList": versions}
    shape = config(one(item("AWS::IAM::Policy", "ANPA1", raw)))
    assert (shape["document"], shape["versionId"], shape["isAttached"]) == ({"Statement": [1]}, "v2", True)


def test_a_credential_report_gives_a_resource_a_user() -> None:
    head = "user,arn,mfa_active,access_key_1_last_rotated\n"
    lines = f"<root_account>,arn:aws:iam::{ACCOUNT}:root,false,N/A\nalice,arn:aws:iam::{ACCOUNT}:user/alice,true,N/A\n"
    root, alice = read(row("", {"Content": head + lines}, api_name="aws-iam-get-credential-report"))
    assert (root.id, root.name) == (f"arn:aws:iam::{ACCOUNT}:root", "<root_account>")
    assert config(root)["mfa_active"] is False and config(alice)["mfa_active"] is True
    assert config(alice)["access_key_1_last_rotated"] == "N/A"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "wanted CSV with a header and a line a user"),
        ("a,b\n1,2\n", "wanted CSV with a header and a line a user"),
        (5, "wanted text, got a number 5"),
        ('user,arn\n"a', "not CSV: unexpected end of data"),
    ],
)
def test_a_credential_report_that_is_none_is_told(content: Any, reason: str) -> None:
    entry = bad(row("", {"Content": content}, api_name="aws-iam-get-credential-report"))
    assert (entry.path, entry.reason) == ("config.Content", reason)


RDS_ARN = f"arn:aws:rds:eu-central-1:{ACCOUNT}:db:orders"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/staff/alice"


@pytest.mark.parametrize(
    ("from_row", "from_config", "keys"),
    [
        (
            row("AWS::RDS::DBInstance", {"DBInstanceArn": RDS_ARN, "DbiResourceId": "db-1"}, resource_id="orders"),
            item("AWS::RDS::DBInstance", "db-1", {"dBInstanceArn": RDS_ARN}, arn=RDS_ARN),
            {RDS_ARN, "db-1"},
        ),
        (
            row("AWS::IAM::User", {"Arn": USER_ARN, "UserId": "AIDA1", "UserName": "alice"}, resource_id=USER_ARN),
            item("AWS::IAM::User", "AIDA1", {"arn": USER_ARN, "userId": "AIDA1"}, awsRegion="global"),
            {USER_ARN, "AIDA1", f"arn:aws:iam::{ACCOUNT}:user/alice"},
        ),
        (
            row("AWS::EC2::Instance", {"InstanceId": "i-1"}, resource_id="i-1"),
            item("AWS::EC2::Instance", "i-1", {"instanceId": "i-1"}),
            {"i-1", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1"},
        ),
        (
            row("AWS::S3::Bucket", {"Bucket": {"Name": "b"}}, resource_id="b"),
            item("AWS::S3::Bucket", "b", '{"name":"b"}', arn="arn:aws:s3:::b"),
            {"b", "arn:aws:s3:::b"},
        ),
    ],
)
def test_a_resource_is_the_same_whichever_way_it_comes(from_row: Any, from_config: Any, keys: set[str]) -> None:
    one_way, other_way = one(from_row), one(from_config)
    assert one_way.rrn == other_way.rrn
    assert keys <= set(one_way.keys) and keys <= set(other_way.keys)


def test_a_deleted_item_is_a_version_of_the_same_resource() -> None:
    arn = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:volume/vol-1"
    live = one(item("AWS::EC2::Volume", "vol-1", {"volumeId": "vol-1"}))
    gone = one(
        item(
            "AWS::EC2::Volume",
            "vol-1",
            None,
            configurationItemStatus="ResourceDeleted",
            configurationStateId="1772359872124",
            arn=arn,
        )
    )
    assert gone.deleted and not live.deleted
    assert gone.rrn == live.rrn and gone.version > live.version
    assert config(gone) is None


def test_a_row_may_say_that_a_resource_is_gone() -> None:
    gone = one(row("AWS::EC2::Volume", None, resource_id="vol-1", deleted=True, time=1_772_442_001))
    assert gone.deleted and gone.id == "vol-1"
    assert gone.version > one(row("AWS::EC2::Volume", {"VolumeId": "vol-1"})).version  # of its message's time


@pytest.mark.parametrize("name", ["time", "updated"])
def test_a_row_is_as_old_as_it_says_or_as_its_message(name: str) -> None:
    assert one(row("AWS::EC2::Volume", {"VolumeId": "v"})).version.startswith(f"{PLACE.timestamp:015d}.")
    said = one(row("AWS::EC2::Volume", {"VolumeId": "v"}, **{name: "2026-01-01T00:00:00Z"}))
    assert said.version.startswith("001767225600000.")


@pytest.mark.parametrize(
    "config",
    [
        {"VolumeId": "v", "KmsKeyId": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/k"},
        {"VolumeId": "v", "OwnerId": ACCOUNT},
        {"VolumeId": "v", "Attachments": [{"Role": f"arn:aws:iam::{ACCOUNT}:role/r"}]},
    ],
)
def test_an_account_that_is_left_out_is_the_only_one_the_configuration_names(config: Any) -> None:
    assert one(row("AWS::EC2::Volume", config, account=None)).account == ACCOUNT


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"VolumeId": "v"}, "missing, and the configuration names no account: send it"),
        (
            {"VolumeId": "v", "OwnerId": ACCOUNT, "KmsKeyId": "arn:aws:kms:eu-central-1:999988887777:key/k"},
            "missing, and the configuration names several accounts (111122223333, 999988887777): send it",
        ),
        ({"VolumeId": "v", "OwnerId": "0123456789012"}, "wanted 12 digits, got '0123456789012'"),
    ],
)
def test_an_account_is_never_guessed(config: Any, reason: str) -> None:
    entry = bad(row("AWS::EC2::Volume", config, account=None))
    assert (entry.path, entry.reason) == ("account", reason)


def test_the_name_is_a_tag_or_the_types_own_or_the_id() -> None:
    assert one(row("AWS::EC2::Volume", {"VolumeId": "v", "Tags": [{"Key": "Name", "Value": "data"}]})).name == "data"
    assert one(row("AWS::EC2::SecurityGroup", {"GroupId": "sg-1", "GroupName": "web"})).name == "web"
    assert one(row("AWS::EC2::Volume", {"VolumeId": "v"})).name == "v"
    assert one(row("AWS::SQS::Queue", {"QueueArn": "arn:aws:sqs:eu-central-1:111122223333:jobs"})).name == "jobs"


def test_a_region_that_is_left_out_is_looked_up() -> None:
    volume = {"VolumeId": "v", "AvailabilityZone": "us-west-2b"}
    assert one(row("AWS::EC2::Volume", volume, region=None)).region == "us-west-2"
    instance = {"InstanceId": "i", "Placement": {"AvailabilityZone": "us-west-2b"}}
    assert one(row("AWS::EC2::Instance", instance, region=None)).region == "us-west-2"
    bucket = {"Bucket": {"Name": "b"}, "Location": {"LocationConstraint": None}}
    assert one(row("AWS::S3::Bucket", bucket, region=None)).region == "us-east-1"
    assert one(row("AWS::IAM::Group", {"Arn": "arn:g"}, region="us-east-1")).region == "global"


def test_an_arn_is_not_made_up_without_a_region() -> None:
    assert one(row("AWS::EC2::Volume", {"VolumeId": "v"}, region=None)).keys == ["v"]


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_an_arn_is_of_the_regions_partition(region: str) -> None:
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}[region]
    record = one(row("AWS::EC2::Volume", {"VolumeId": "v"}, region=region))
    assert record.keys == ["v", f"arn:{partition}:ec2:{region}:{ACCOUNT}:volume/v"]


CHANGED = item("AWS::EC2::Volume", "vol-1", '{"volumeId":"vol-1"}')
CHANGE = {"configurationItem": CHANGED, "messageType": "ConfigurationItemChangeNotification"}
EVENT = {"detail-type": "Config Configuration Item Change", "source": "aws.config", "detail": CHANGE}


@pytest.mark.parametrize(
    "message",
    [
        CHANGED,
        [CHANGED],
        CHANGE,
        EVENT,
        {"fileVersion": "1.0", "configurationItems": [CHANGED]},
        {"Type": "Notification", "Message": orjson.dumps(CHANGE).decode()},
        {"Type": "Notification", "Message": orjson.dumps(EVENT).decode()},
        {"invokingEvent": orjson.dumps(CHANGE).decode(), "ruleParameters": "{}"},
    ],
    ids=["alone", "list", "notification", "event", "snapshot", "SNS", "SNS of an event", "rule"],
)
def test_every_envelope_gives_the_same_resource(message: Any) -> None:
    assert encode(one(message)).value == encode(one(CHANGED)).value


SUMMARY = {"configurationItemSummary": {}, "s3DeliverySummary": {"s3BucketLocation": "b/x.gz"}}


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        (
            SUMMARY,
            "configurationItem",
            "too large for its notification: send the object that AWS Config put into S3 at b/x.gz",
        ),
        (
            {"detail-type": "Config Configuration Item Change", "detail": SUMMARY},
            "detail.configurationItem",
            "too large for its notification: send the object that AWS Config put into S3 at b/x.gz",
        ),
        (
            {"invokingEvent": '{"messageType":"ScheduledNotification"}'},
            "invokingEvent.configurationItem",
            "missing, as in every ScheduledNotification",
        ),
        (
            {"invokingEvent": "{"},
            "invokingEvent",
            "not JSON: it ends too early, or half of a surrogate pair stands alone",
        ),
        (
            {"detail-type": "GuardDuty Finding", "detail": {}},
            "detail-type",
            "wanted 'Config Configuration Item Change', got 'GuardDuty Finding'",
        ),
        ({"config": {}}, "api_name", "missing, and so is `resource_type`"),
        (row("AWS::EC2::Volume", {}), "resource_id", "missing, and the configuration has no id either"),
        (
            item("AWS::EC2::VPC", "vpc-1", None, configurationItemStatus="ResourceNotRecorded"),
            "configuration",
            "missing, and the item is no deletion but ResourceNotRecorded",
        ),
        (
            item("AWS::EC2::VPC", "v", {}, configurationStateId="x"),
            "configurationStateId",
            "wanted a whole number from 0 on, got text 'x'",
        ),
        (
            {"eventName": "RunInstances"},
            "",
            "neither a row, which has `config`, nor an AWS Config item, which has `configurationItemStatus`",
        ),
    ],
)
def test_what_can_not_be_used_is_told(message: Any, path: str, reason: str) -> None:
    assert (bad(message).path, bad(message).reason) == (path, reason)


def test_a_configuration_too_large_for_a_topic_is_refused() -> None:
    entry = bad(row("AWS::EC2::Volume", {"VolumeId": "v", "Blob": "x" * 9_000_000}))  # it's kept twice
    assert entry.reason.startswith("too large: 180000")


def test_the_original_is_what_the_provider_sent() -> None:
    raw = {"VolumeId": "v", "Tags": [{"Key": "a", "Value": "b"}]}
    assert orjson.loads(encode(one(row("AWS::EC2::Volume", raw))).value)["original"] == raw
    assert orjson.loads(encode(one(EVENT)).value)["original"] == CHANGED


def test_every_known_type_belongs_to_a_service() -> None:
    assert {type for type in TYPES if type.startswith("AWS::") and not service_of(type, "")} == set()


def test_every_broken_item_is_refused_with_its_reason_and_its_bytes() -> None:
    for broken in broken_items("aws", 1000):
        entry = bad(broken.item)
        assert broken.reason in entry.reason, broken.kind
        assert "defect" not in entry.reason, broken.kind
        assert entry.item == broken.item


TRAIL: dict[str, Any] = {
    "eventVersion": "1.08",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "TerminateInstances",
    "eventTime": "2026-03-01T10:11:12Z",
    "awsRegion": "eu-central-1",
    "recipientAccountId": ACCOUNT,
    "responseElements": {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}},
}


@pytest.mark.parametrize(
    "message",
    [
        TRAIL,
        {"Records": [TRAIL]},
        {"detail-type": "AWS API Call via CloudTrail", "account": ACCOUNT, "region": "x", "detail": TRAIL},
    ],
    ids=["alone", "log file", "EventBridge"],
)
def test_what_an_event_says_was_deleted_is_the_resource_that_was_there(message: Any) -> None:
    there = one(row("AWS::EC2::Instance", {"InstanceId": "i-1"}))
    gone = read(message)
    assert [(one.rrn == there.rrn, one.deleted) for one in gone] == [(True, True), (False, True)]
    assert gone[0].version > one(row("AWS::EC2::Instance", {"InstanceId": "i-1"}, time="2026-03-01T10:11:11Z")).version


@pytest.mark.parametrize(
    ("source", "name", "asked", "resource"),
    [
        ("s3", "DeleteBucket", {"bucketName": "orders"}, row("AWS::S3::Bucket", {"Name": "orders"})),
        ("iam", "DeleteUser", {"userName": "ann"}, row("AWS::IAM::User", {"Arn": f"arn:aws:iam::{ACCOUNT}:user/ann"})),
        (
            "lambda",
            "DeleteFunction20150331",
            {"functionName": "f"},
            row("AWS::Lambda::Function", {"FunctionArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:f"}),
        ),
    ],
)
def test_an_event_names_what_it_deleted_as_inventories_do(
    source: str, name: str, asked: dict[str, str], resource: Any
) -> None:
    event = TRAIL | {"eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": asked}
    assert (one(event).rrn, one(event).deleted) == (one(resource).rrn, True)


@pytest.mark.parametrize(
    "message",
    [
        TRAIL | {"errorCode": "Client.UnauthorizedOperation"},
        TRAIL | {"eventName": "AuthorizeSecurityGroupIngress"},
        {"detail-type": "EC2 Instance State-change Notification", "detail": {"state": "running", "instance-id": "i"}},
    ],
)
def test_a_hint_gives_no_record(message: Any) -> None:
    assert read(message) == []


def test_an_instance_that_is_terminated_is_gone() -> None:
    event = {
        "detail-type": "EC2 Instance State-change Notification",
        "account": ACCOUNT,
        "region": "eu-central-1",
        "time": "2026-03-01T10:11:12Z",
        "detail": {"state": "terminated", "instance-id": "i-1"},
    }
    assert (one(event).rrn, one(event).deleted) == (one(row("AWS::EC2::Instance", {"InstanceId": "i-1"})).rrn, True)


def test_an_answer_gives_a_resource_for_each_that_it_lists() -> None:
    reservation = {"OwnerId": ACCOUNT, "Instances": [{"InstanceId": "i-1", "Placement": {"AvailabilityZone": "x-1a"}}]}
    [instance] = read({"Reservations": [reservation], "ResponseMetadata": {}})
    assert (instance.account, instance.region, instance.id) == (ACCOUNT, "x-1", "i-1")
    volumes = read({"account": ACCOUNT, "region": "eu-central-1", "config": {"Volumes": [{"VolumeId": "v"}]}})
    assert [(one.api_name, one.region) for one in volumes] == [("aws-ec2-describe-volumes", "eu-central-1")]


def test_one_key_that_two_services_use_is_told_by_the_call() -> None:
    said = {"account": ACCOUNT, "region": "eu-central-1", "config": {"FileSystems": [{"FileSystemId": "fs-1"}]}}
    assert [one.resource_type for one in read(said)] == ["AWS::EFS::FileSystem"]
    assert [one.resource_type for one in read(said | {"api_call": "fsx:DescribeFileSystems"})] == [
        "AWS::FSx::FileSystem"
    ]


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("AWS::EC2::LaunchTemplate", "aws-ec2-launch-template"),
        ("aws:fsx:Backup", "aws-fsx-backup"),
        ("AWS::CodePipeline::Pipeline", "aws-code-pipeline-pipeline"),
    ],
)
def test_a_type_that_is_not_known_is_kept_under_a_name_of_its_own(type: str, name: str) -> None:
    record = one(row(type, {"Arn": f"arn:aws:x:eu-central-1:{ACCOUNT}:y/z"}))
    assert (record.api_name, record.resource_type) == (name, type)


def test_clusters_that_rds_lists_for_other_services_are_theirs() -> None:
    cluster = {"DBClusterArn": f"arn:aws:rds:eu-central-1:{ACCOUNT}:cluster:c", "DBClusterIdentifier": "c"}
    names = [one(row("AWS::RDS::DBCluster", cluster | {"Engine": engine})).api_name for engine in ("docdb", "neptune")]
    assert names == ["aws-docdb-db-cluster", "aws-neptune-db-cluster"]
    assert one(row("AWS::RDS::DBCluster", cluster | {"Engine": "aurora-mysql"})).api_name == "aws-rds-db-cluster"


def test_newer_apis_keep_the_names_of_aws() -> None:
    record = one(row("AWS::FSx::FileSystem", {"FileSystemId": "fs-1", "FileSystemType": "ONTAP"}))
    assert config(record) == {"FileSystemId": "fs-1", "FileSystemType": "ONTAP"}


def test_parts_that_a_sender_puts_beside_an_answer_stand_where_queries_ask_them() -> None:
    balancer = {
        "LoadBalancerArn": f"arn:aws:elasticloadbalancing:eu-central-1:{ACCOUNT}:loadbalancer/app/web/1",
        "Attributes": [{"Key": "access_logs.s3.enabled", "Value": "false"}],
        "Listeners": [{"Protocol": "HTTP"}],
    }
    shape = config(one(row("AWS::ElasticLoadBalancingV2::LoadBalancer", balancer)))
    assert shape["attributes"] == {"access_logs.s3.enabled": "false"}
    assert shape["listeners"] == [{"protocol": "HTTP"}]
    group = {
        "DBParameterGroupArn": f"arn:aws:rds:eu-central-1:{ACCOUNT}:pg:a",
        "Parameters": [{"ParameterName": "rds.force_ssl", "ParameterValue": "0"}],
    }
    shape = config(one(row("AWS::RDS::DBParameterGroup", group)))
    assert shape["parameters"] == {"rds.force_ssl": {"parameterName": "rds.force_ssl", "parameterValue": "0"}}


beside = pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of public samples isn't beside this checkout")


@beside
def test_public_rows_give_what_they_hold() -> None:
    entries = read((CORPUS / "aws.jsonl").read_bytes())
    refused = Counter(entry.path for entry in entries if isinstance(entry, Bad))
    assert len(entries) == 5618 - 9 + 64  # nine of the rows are credential reports, of 64 users
    assert refused == {
        "account": 1521,  # 1444 name no account, or several; 77 one that isn't of 12 digits
        "resource_id": 85,  # settings, limits and the like, which nothing in them names
    }
    assert not any("defect" in entry.reason for entry in entries if isinstance(entry, Bad))


@beside
def test_public_rows_with_an_account_are_kept_but_for_those_that_nothing_names() -> None:
    rows = [orjson.loads(line) for line in (CORPUS / "aws.jsonl").read_bytes().splitlines()]
    entries = read(b"\n".join(orjson.dumps(row | {"account": ACCOUNT}) for row in rows))
    assert Counter(entry.path for entry in entries if isinstance(entry, Bad)) == {"resource_id": 351}


@beside
def test_no_public_row_loses_a_field_on_its_way_into_the_document() -> None:
    """Wraps and composites move fields; every value that stood in a plain answer still stands in the document."""
    for entry in read((CORPUS / "aws.jsonl").read_bytes()):
        if isinstance(entry, Bad) or entry.api_name in ("aws-s3api-get-bucket-acl", "aws-iam-get-account-summary"):
            continue
        record = orjson.loads(encode(entry).value)
        missing = Counter(_leaves(record["original"])) - Counter(_leaves(record["config"]))
        assert not missing, (entry.rrn, missing)


ENVELOPES = {
    "aws_config__app-elb-config-event.json": (1, 0),
    "aws_config__app-elb.json": (1, 0),
    "aws_config__event-cloudsearch.json": (0, 0),  # a CloudTrail event: a hint
    "aws_config__kinesis-stream.json": (1, 0),
    "aws_config__pipeline.json": (1, 0),  # a type whose api.name is made
    "aws_config__poll-evaluation.json": (0, 1),  # a schedule
    "aws_config__rds-cluster.json": (1, 0),
    "aws_config__rds-from-rule.json": (1, 0),
    "aws_config__s3-from-rule-sans-accelerator.json": (1, 0),
    "aws_config__s3-from-rule.json": (1, 0),
    "aws_config__s3-lifecycle-and-predicate.json": (1, 0),
    "aws_config__s3-lifecycle-null-predicate.json": (1, 0),
    "aws_config__s3-lifecycle.json": (1, 0),
    "aws_config__s3-rep-and-notify.json": (1, 0),
    "aws_config__s3-website-redirect.json": (1, 0),
    "aws_config__s3-website.json": (1, 0),
    "aws_config__s3.json": (1, 0),
    "aws_config_items.jsonl": (12, 3),  # two volumes without account, one item without anything
}
"""Resources and refusals that each public sample of AWS Config holds."""


@beside
def test_public_samples_of_aws_config_give_what_they_hold() -> None:
    found = {}
    for path in sorted((CORPUS / "envelopes").glob("aws_config*")):
        entries = read(path.read_bytes())
        refused = [entry for entry in entries if isinstance(entry, Bad)]
        assert not any("defect" in entry.reason for entry in refused)
        found[path.name] = (len(entries) - len(refused), len(refused))
    assert found == ENVELOPES


def _leaves(value: Any) -> list[str]:
    """Return the scalars of a document, those in JSON held as text left out: they are parsed on the way."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", "%"):
        return []
    return [repr(value)]
