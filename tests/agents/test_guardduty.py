"""GuardDuty: every form it comes in, every family of findings, and what real samples give."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import Place
from streams.records import Finding
from tests.agents.broken import broken_items, good_item

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "findings" / "guardduty"
PLACE = Place("raw.findings.guardduty", 0, 42, 1_772_442_000_000)
ACCOUNT = "111122223333"


def read(value: Any) -> list[Any]:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return NORMALISERS["guardduty"].read(raw, PLACE)


def finding(**changed: Any) -> dict[str, Any]:
    return good_item("guardduty", 1) | changed


def one(value: Any) -> Finding:
    [record] = read(value)
    assert isinstance(record, Finding), record
    return record


def bad(value: Any) -> Bad:
    [entry] = read(value)
    assert isinstance(entry, Bad), entry
    return entry


def pascal(value: Any) -> Any:
    """Return *value* spelt as boto3 does."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    return [pascal(inner) for inner in value] if isinstance(value, list) else value


def references(**resource: Any) -> list[tuple[str, str]]:
    return [(each.id, each.type) for each in one(finding(resource=resource)).references]


FORMS: dict[str, Callable[[Any], Any]] = {
    "alone": lambda item: item,
    "EventBridge": lambda item: {"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": item},
    "GetFindings": lambda item: {"Findings": [pascal(item)]},
    "list of findings": lambda item: [item],
    "list of boto3's findings": lambda item: [pascal(item)],
    "list of events": lambda item: [{"detail-type": "GuardDuty Finding", "detail": item}],
    "SNS": lambda item: {
        "Type": "Notification",
        "Message": orjson.dumps({"detail-type": "GuardDuty Finding", "detail": item}).decode(),
    },
    "line": lambda item: orjson.dumps(item) + b"\n",
    "export": lambda item: gzip.compress(orjson.dumps(item) + b"\n"),
    "with a byte order mark": lambda item: b"\xef\xbb\xbf" + orjson.dumps(item),
    "indented": lambda item: orjson.dumps(item, option=orjson.OPT_INDENT_2),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_finding(form: str) -> None:
    plain = orjson.loads(encode(one(finding())).value)
    formed = orjson.loads(encode(one(FORMS[form](finding()))).value)
    original = formed.pop("original")
    assert formed == {name: value for name, value in plain.items() if name != "original"}
    assert original in (finding(), pascal(finding()))


@pytest.mark.parametrize(
    ("kind", "resource_type", "wanted"),
    [
        ("Backdoor:EC2/C&CActivity.B!DNS", "Instance", "AWS GuardDuty Host"),
        ("Execution:EC2/MaliciousFile", "Instance", "AWS GuardDuty Host"),
        ("UnauthorizedAccess:IAMUser/TorIPCaller", "AccessKey", "AWS GuardDuty IAM"),
        ("Recon:IAM/TorIPCaller", "AccessKey", "AWS GuardDuty IAM"),
        ("Policy:S3/BucketBlockPublicAccessDisabled", "AccessKey", "AWS GuardDuty S3"),
        ("Execution:Kubernetes/ExecInKubeSystemPod", "KubernetesCluster", "AWS GuardDuty EKS"),
        ("Execution:Runtime/NewBinaryExecuted", "Instance", "AWS GuardDuty Host"),
        ("Execution:Runtime/NewBinaryExecuted", "EKSCluster", "AWS GuardDuty EKS"),
        ("Execution:Runtime/NewBinaryExecuted", "ECSCluster", "AWS GuardDuty ECS"),
        ("Execution:Container/MaliciousFile", "Container", "AWS GuardDuty Container"),
        ("Backdoor:Lambda/C&CActivity.B", "Lambda", "AWS GuardDuty Lambda"),
        ("CredentialAccess:RDS/AnomalousBehavior.FailedLogin", "RDSDBInstance", "AWS GuardDuty RDS"),
        ("Object:S3/MaliciousFile", "S3Object", "AWS GuardDuty Malware"),
        ("AttackSequence:S3/CompromisedData", "AttackSequence", "AWS GuardDuty Attack Sequence"),
        ("Something:New/Entirely", "Unheard", "AWS GuardDuty"),
    ],
)
def test_the_type_names_the_family(kind: str, resource_type: str, wanted: str) -> None:
    assert one(finding(type=kind, resource={"resourceType": resource_type})).type == wanted


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        (0, "low"),
        (1.0, "low"),
        (3.9, "low"),
        (4, "medium"),
        (6.9, "medium"),
        (7, "high"),
        (8.9, "high"),
        (9.0, "critical"),
    ],
)
def test_the_number_becomes_a_word_and_is_kept(score: float, severity: str) -> None:
    record = one(finding(severity=score))
    assert (record.severity, record.score, record.vendor_severity) == (severity, score, str(score))


def test_an_instance_is_referred_to_by_id_and_by_arn() -> None:
    assert references(resourceType="Instance", instanceDetails={"instanceId": "i-1", "imageId": "ami-1"}) == [
        ("i-1", "Instance"),
        (f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1", "Instance"),
    ]


@pytest.mark.parametrize(
    ("details", "wanted"),
    [
        ({"userType": "IAMUser", "userName": "alice", "principalId": "AIDA1"}, ["user/alice", "AIDA1"]),
        ({"userType": "AssumedRole", "userName": "ci", "principalId": "AROA1:run"}, ["role/ci", "AROA1"]),
        ({"userType": "Root", "userName": "Root", "principalId": ACCOUNT}, ["root"]),
        ({"userType": "AWSAccount", "principalId": "999988887777"}, []),
        ({"userType": "GeneratedFindingUserType", "userName": "x"}, []),
        ({"accessKeyId": None, "userName": None, "userType": None}, []),
    ],
)
def test_a_key_is_referred_to_with_whose_it_is(details: dict[str, Any], wanted: list[str]) -> None:
    found = references(resourceType="AccessKey", accessKeyDetails={"accessKeyId": "AKIA1"} | details)
    keys = [] if "accessKeyId" in details else ["AKIA1"]
    assert [id.removeprefix(f"arn:aws:iam::{ACCOUNT}:") for id, _ in found] == keys + wanted


def test_a_federated_user_has_an_arn_of_sts() -> None:
    details = {"accessKeyId": "ASIA1", "userType": "FederatedUser", "userName": "carol", "principalId": "x:carol"}
    assert references(accessKeyDetails=details)[1] == (f"arn:aws:sts::{ACCOUNT}:federated-user/carol", "FederatedUser")


def test_every_bucket_is_referred_to() -> None:
    buckets = [{"arn": "arn:aws:s3:::a", "name": "a"}, {"name": "b"}, {"arn": "arn:aws:s3:::a"}]
    assert references(s3BucketDetails=buckets) == [("arn:aws:s3:::a", "S3Bucket"), ("arn:aws:s3:::b", "S3Bucket")]


@pytest.mark.parametrize(
    ("block", "details"),
    [
        ("eksClusterDetails", {"arn": "arn:x"}),
        ("ecsClusterDetails", {"arn": "arn:x"}),
        ("lambdaDetails", {"functionArn": "arn:x"}),
        ("rdsDbInstanceDetails", {"dbInstanceArn": "arn:x"}),
        ("rdsLimitlessDbDetails", {"dbShardGroupArn": "arn:x"}),
        ("ebsVolumeDetails", {"scannedVolumeDetails": [{"volumeArn": "arn:x"}]}),
        ("ebsSnapshotDetails", {"snapshotArn": "arn:x"}),
    ],
)
def test_a_resource_of_any_other_kind_is_referred_to_by_its_arn(block: str, details: dict[str, Any]) -> None:
    assert [id for id, _ in references(**{block: details})] == ["arn:x"]


def test_an_attack_sequence_refers_to_its_resources() -> None:
    arn = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1"
    resources = [{"uid": arn, "resourceType": "EC2_INSTANCE"}, {"uid": "AKIA1", "resourceType": "ACCESS_KEY"}]
    service = {"detection": {"sequence": {"uid": "s", "resources": resources}}}
    record = one(finding(type="AttackSequence:IAM/X", resource={"resourceType": "AttackSequence"}, service=service))
    assert [each.id for each in record.references] == [arn, "i-1", "AKIA1"]


def test_an_archived_finding_is_suppressed() -> None:
    assert one(finding(service={"archived": True})).status == "suppressed"
    assert one(finding(service={"archived": False})).status == "open"
    assert one(pascal(finding(service={}, archived=True))).status == "suppressed"


@pytest.mark.parametrize(
    "more", [{"sample": True}, {"value": '{"sample": true}'}, {"value": '{"a":1,"sample":true}', "type": "default"}]
)
def test_a_sample_says_so_in_its_title(more: dict[str, Any]) -> None:
    assert one(finding(service={"additionalInfo": more})).title == "[SAMPLE] A port is probed."
    marked = finding(service={"additionalInfo": more}, title="[SAMPLE] Already.")
    assert one(marked).title == "[SAMPLE] Already."


@pytest.mark.parametrize("more", [{"sample": False}, {"value": '{"sample": false}'}, {}, "text", None])
def test_a_real_finding_keeps_its_title(more: Any) -> None:
    assert one(finding(service={"additionalInfo": more})).title == "A port is probed."


def test_the_id_is_the_arn_or_else_made_of_what_is_unique() -> None:
    assert one(finding()).id == finding()["arn"]
    without = finding(service={"detectorId": "d1"})
    del without["arn"]
    assert one(without).id == f"{ACCOUNT}/eu-central-1/d1/{finding()['id']}"


def test_the_account_comes_from_the_arn_when_it_is_missing() -> None:
    item = pascal(finding())
    del item["AccountId"]
    assert one(item).account == ACCOUNT


def test_a_later_update_or_a_greater_count_is_newer() -> None:
    first = one(finding(service={"count": 1}))
    again = one(finding(service={"count": 2}))
    later = one(finding(updatedAt="2026-03-02T09:35:10.457Z", service={"count": 1}))
    assert first.version < again.version < later.version


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:35:10.456Z", "2026-03-02 10:35:10.456999+01:00", "2026-03-02T09:35:10.456", 1772444110.456]
)
def test_times_come_in_many_spellings(text: Any) -> None:
    assert one(finding(updatedAt=text)).last_seen == 1_772_444_110_456


def test_an_error_names_the_field_as_its_sender_spells_it() -> None:
    assert bad(finding(severity="8")) == Bad(
        "severity", "wanted a number, got text '8'", "", orjson.dumps(finding(severity="8"))
    )
    entry = bad({"Findings": [pascal(finding(service={"count": -1}))]})
    assert (entry.path, entry.place) == ("Service.Count", "Findings[0]")


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        ({"FindingIds": ["a"]}, "FindingIds", "an answer with ids only: send the answer of GetFindings"),
        ({"DetectorIds": []}, "DetectorIds", "an answer with ids only: send the answer of GetFindings"),
        (
            {"detail-type": "EC2 Instance State-change Notification", "detail": {}},
            "detail-type",
            "wanted 'GuardDuty Finding', got 'EC2 Instance State-change Notification'",
        ),
        ({"Findings": {}}, "Findings", "wanted a list, got an object"),
        ({"detail-type": "GuardDuty Finding"}, "", "wanted an object, got null"),
    ],
)
def test_what_is_no_finding_is_told(message: Any, path: str, reason: str) -> None:
    assert (bad(message).path, bad(message).reason) == (path, reason)


def test_an_answer_without_findings_gives_nothing() -> None:
    assert read({"Findings": []}) == []


def test_one_bad_item_spoils_no_other() -> None:
    entries = read({"Findings": [finding(), 5, finding(severity=99), good_item("guardduty", 2)]})
    assert [type(entry) for entry in entries] == [Finding, Bad, Bad, Finding]
    assert [entry.place for entry in entries[1:3]] == ["Findings[1]", "Findings[2]"]
    assert orjson.loads(entries[2].item) == finding(severity=99)


def test_every_broken_item_is_refused_with_its_reason_and_its_bytes() -> None:
    for broken in broken_items("guardduty", 1000):
        entry = bad(broken.item)
        assert broken.reason in entry.reason, broken.kind
        assert "defect" not in entry.reason, broken.kind
        assert entry.item == broken.item


COUNTS = {
    "OluOlus_fixtures_guardduty_network-eventbridge.json": (1, 0),
    "OluOlus_fixtures_guardduty_network-finding.json": (1, 0),
    "aws-samples_events_guardduty_ec2_event.json": (1, 0),
    "aws-samples_events_guardduty_iam_event.json": (1, 0),
    "aws-samples_events_guardduty_s3_event.json": (1, 0),
    "c7n_ec2-duty-event.json": (1, 0),
    "c7n_iam-duty-event.json": (1, 0),
    "cartography_expected_transform_results.json": (0, 5),  # another tool's own spelling
    "cartography_get_aws_api_call_findings.json": (2, 0),
    "cartography_get_aws_api_call_findings_no_remote_account_node.json": (1, 0),
    "cartography_get_detector_details.json": (0, 2),
    "cartography_get_findings.json": (5, 0),
    "cartography_get_sample_findings.json": (2, 0),
    "cartography_list_detectors.json": (0, 1),
    "cartography_list_findings.json": (0, 1),
    "cartography_sample_findings.json": (0, 3),  # without updatedAt
    "fix_get-findings__foo_foo.json": (0, 1),  # account `test`
    "oluolus_data_sample-guardduty-finding.json": (1, 0),
    "oluolus_ec2-findings_backdoor-cc-activity.json": (1, 0),
    "oluolus_ec2-findings_cryptocurrency-mining.json": (1, 0),
    "oluolus_ec2-findings_trojan-dns-exfiltration.json": (1, 0),
    "oluolus_edge-cases_maximum-severity.json": (1, 0),
    "oluolus_edge-cases_minimal-finding.json": (1, 0),
    "oluolus_edge-cases_unicode-content.json": (1, 0),
    "oluolus_iam-findings_cloudtrail-logging-disabled.json": (1, 0),
    "oluolus_kubernetes-findings_exec-in-kube-system.json": (1, 0),
    "oluolus_malformed_invalid-data-types.json": (0, 1),
    "oluolus_malformed_invalid-json-syntax.txt": (0, 1),
    "oluolus_malformed_missing-required-fields.json": (0, 1),
    "oluolus_malware-findings_runtime-new-binary.json": (1, 0),
    "oluolus_s3-findings_bucket-public-access-disabled.json": (1, 0),
    "oluolus_sample-data_guardduty_findings.jsonl": (6, 1),  # one account of 9 digits
}
"""Findings and refusals that each public sample holds."""


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_public_samples_give_what_they_hold() -> None:
    found = {}
    for path in sorted(CORPUS.iterdir()):
        entries = read(path.read_bytes())
        for entry in entries:
            assert not isinstance(entry, Bad) or "defect" not in entry.reason
        refused = sum(isinstance(entry, Bad) for entry in entries)
        found[path.name] = (len(entries) - refused, refused)
    assert found == COUNTS
