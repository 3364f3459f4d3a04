"""ASFF: the same finding by two routes, what each product's fields mean, and what real samples give."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import Place
from streams.records import Finding

SAMPLES = Path(__file__).parents[3] / "shared" / "corpus" / "findings"
CASES = Path(__file__).parents[1] / "data" / "normalise"


def read(value: Any, source: str = "securityhub") -> list[Any]:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return NORMALISERS[source].read(raw, Place(f"raw.findings.{source}", 0, 42, 1_772_442_000_000))


def one(value: Any, source: str = "securityhub") -> Finding:
    [record] = read(value, source)
    assert isinstance(record, Finding), record
    return record


def control(**changed: Any) -> dict[str, Any]:
    event = orjson.loads((CASES / "securityhub" / "eventbridge-control.in.json").read_bytes())
    found: dict[str, Any] = event["detail"]["findings"][0]
    return found | changed


def case(source: str, name: str) -> Any:
    return orjson.loads((CASES / source / f"{name}.in.json").read_bytes())


def said(record: Finding) -> dict[str, Any]:
    """Return what both routes must agree on."""
    names = {each.id for each in record.references}
    return {
        "key": (record.account, record.id),
        "what": (record.source, record.type, record.name, record.cves, record.severity, record.score, record.status),
        "instance": [name for name in names if name.startswith("i-")],
    }


def test_guardduty_by_two_routes_is_one_finding() -> None:
    passed_on = case("securityhub", "guardduty")
    native = {
        "accountId": "111122223333",
        "region": "eu-central-1",
        "partition": "aws",
        "id": f"{1:032x}",
        "arn": passed_on["Id"],
        "type": "Recon:EC2/PortProbeUnprotectedPort",
        "severity": 5,
        "updatedAt": passed_on["UpdatedAt"],
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1b2c3d4e5f60718"}},
    }
    assert said(one(native, "guardduty")) == said(one(passed_on)) == said(one(passed_on, "guardduty"))


def test_inspector_by_two_routes_is_one_finding() -> None:
    native = case("inspector", "eventbridge-instance")
    assert said(one(native, "inspector")) == said(one(case("securityhub", "inspector")[0]))
    assert one(native, "inspector").packages == one(case("securityhub", "inspector")[0]).packages


def test_of_two_equally_old_ones_the_later_processed_is_newer() -> None:
    first = one(control(ProcessedAt="2026-03-02T09:36:00Z", Workflow={"Status": "SUPPRESSED"}))
    again = one(control(ProcessedAt="2026-03-02T09:37:00Z"))
    assert first.version < again.version
    assert (first.status, again.status) == ("suppressed", "open")


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"Compliance": {"Status": "FAILED"}}, "open", "FAILED"),
        ({"Compliance": {"Status": "WARNING"}}, "open", "WARNING"),
        ({"Compliance": {"Status": "PASSED"}}, "fixed", "PASSED"),
        ({"Compliance": {"Status": "NOT_AVAILABLE"}}, "suppressed", "NOT_AVAILABLE"),
        ({"RecordState": "ARCHIVED"}, "fixed", "ARCHIVED"),
        ({"Workflow": {"Status": "RESOLVED"}}, "fixed", "RESOLVED"),
        ({"Workflow": None, "WorkflowState": "RESOLVED"}, "fixed", "RESOLVED"),
        ({"Workflow": {"Status": "SUPPRESSED"}, "RecordState": "ARCHIVED"}, "suppressed", "SUPPRESSED"),
    ],
)
def test_a_findings_life_is_told_with_its_reason(changed: dict[str, Any], status: str, reason: str) -> None:
    record = one(control(**changed))
    assert (record.status, record.status_reason) == (status, reason)


@pytest.mark.parametrize(
    ("severity", "wanted"),
    [
        ({"Label": "HIGH", "Normalized": 1}, "high"),
        ({"Normalized": 0}, "informational"),
        ({"Normalized": 1}, "low"),
        ({"Normalized": 39}, "low"),
        ({"Normalized": 40}, "medium"),
        ({"Normalized": 70}, "high"),
        ({"Normalized": 90}, "critical"),
    ],
)
def test_the_label_wins_over_the_number(severity: dict[str, Any], wanted: str) -> None:
    assert one(control(Severity=severity)).severity == wanted


def test_the_account_comes_from_the_findings_own_name_where_it_is_missing() -> None:
    assert one(control(AwsAccountId=None)).account == "111122223333"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"detail-type": "Security Hub Insight Results", "detail": {}}, "detail-type"),
        ({"detail-type": "Security Hub Findings - Imported", "detail": {"findings": {}}}, "detail.findings"),
        ({"type": "no ASFF"}, "ProductArn"),
        (control(UpdatedAt=None), "UpdatedAt"),
        (control(Severity={}), "Severity"),
        (control(Severity={"Label": "FATAL"}), "Severity.Label"),
        (control(Resources=[5]), "Resources[0]"),
    ],
)
def test_an_error_names_the_field(value: Any, path: str) -> None:
    [entry] = read(value)
    assert isinstance(entry, Bad)
    assert entry.path == path


COUNTS = {
    "c7n_event-securityhub-insight-2.json": (0, 1),  # names no findings
    "c7n_test_ecr_image_modify_policy_securityhub.GetFindings_1.json": (20, 0),
    "c7n_test_larger_batch_securityhub.GetFindings_1.json": (2, 0),
    "c7n_test_security_hub_mode_action_insight_securityhub.GetFindings_1.json": (5, 0),
    "dd_asff_many_vulns.json": (5, 0),
    "dd_asff_prowler-output.asff.json": (731, 0),
    "dd_awssecurityhub_config_many_findings.json": (3, 0),
    "dd_awssecurityhub_config_multiple_resources.json": (2, 0),
    "dd_awssecurityhub_config_repeated_findings.json": (2, 0),
    "dd_awssecurityhub_guardduty.json": (4, 0),
    "dd_awssecurityhub_inspector_ec2_cve.json": (1, 4),  # four accounts are masked
    "dd_awssecurityhub_inspector_ec2_cve_no_vulnerabilities.json": (0, 1),  # its account is masked
    "dd_awssecurityhub_inspector_ecr.json": (7, 0),
    "dd_awssecurityhub_issue_10956.json": (0, 1),  # an account of 7 digits
    "dd_awssecurityhub_missing_account_id.json": (0, 1),  # and one in the ARN
    "ocsf_Okta_v1.3.0_System_Logs_Detection_Finding_detection_finding.raw": (0, 1),  # another product's format
}
"""Findings and refusals that each public sample holds, where it isn't one finding."""


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_public_samples_give_what_they_hold() -> None:
    paths = [
        path
        for kind in ("securityhub_asff", "guardduty_asff", "inspector2_asff")
        for path in (SAMPLES / kind).iterdir()
    ]
    paths += (SAMPLES / "ocsf_examples").glob("*.raw")
    assert {path.name for path in paths} >= set(COUNTS)
    for path in sorted(paths):
        entries = read(path.read_bytes())
        refused = [entry for entry in entries if isinstance(entry, Bad)]
        assert not [bad for bad in refused if "defect" in bad.reason]
        assert (len(entries) - len(refused), len(refused)) == COUNTS.get(path.name, (1, 0)), path.name
