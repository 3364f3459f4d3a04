"""Inspector: each form it comes in, each kind of finding, its life, and what real samples give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import UNLINKED, Place
from streams.records import Finding

SAMPLES = Path(__file__).parents[3] / "shared" / "corpus" / "findings"
CASES = Path(__file__).parents[1] / "data" / "normalise" / "inspector"
PLACE = Place("raw.findings.inspector", 0, 42, 1_772_442_000_000)


def read(value: Any) -> list[Any]:
    return NORMALISERS["inspector"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


def one(value: Any) -> Finding:
    [record] = read(value)
    assert isinstance(record, Finding), record
    return record


def finding(**changed: Any) -> dict[str, Any]:
    event = orjson.loads((CASES / "eventbridge-instance.in.json").read_bytes())
    found: dict[str, Any] = event["detail"]
    return found | changed


FORMS: dict[str, Callable[[Any], Any]] = {
    "EventBridge": lambda item: {"detail-type": "Inspector2 Finding", "detail": item},
    "ListFindings": lambda item: {"findings": [item]},
    "list": lambda item: [item],
    "line": lambda item: orjson.dumps(item) + b"\n",
    "boto3": lambda item: {"Findings": [{name[:1].upper() + name[1:]: value for name, value in item.items()}]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_finding(form: str) -> None:
    plain, formed = one(finding()), one(FORMS[form](finding()))
    plain.original = formed.original = None
    assert formed == plain


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, "Host Vulnerability"),
        ({"resources": [{"type": "AWS_ECR_CONTAINER_IMAGE", "id": "x"}]}, "Package Vulnerability"),
        ({"resources": [{"type": "AWS_LAMBDA_FUNCTION", "id": "x"}]}, "Serverless Vulnerability"),
        ({"type": "CODE_VULNERABILITY"}, "Code Vulnerability"),
        ({"type": "NETWORK_REACHABILITY"}, "Network Reachability"),
    ],
)
def test_the_type_tells_what_is_vulnerable(changed: dict[str, Any], wanted: str) -> None:
    assert one(finding(**changed)).type == wanted


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [("ACTIVE", "open", ""), ("SUPPRESSED", "suppressed", "SUPPRESSED"), ("CLOSED", "fixed", "CLOSED")],
)
def test_a_closed_finding_is_fixed(told: str, status: str, reason: str) -> None:
    record = one(finding(status=told))
    assert (record.status, record.status_reason) == (status, reason)


@pytest.mark.parametrize(("number", "wanted"), [(9.8, "critical"), (7.5, "high"), (4.0, "medium"), (2.0, "low")])
def test_what_is_not_rated_yet_is_as_severe_as_its_score(number: float, wanted: str) -> None:
    assert one(finding(severity="UNTRIAGED", inspectorScore=number)).severity == wanted


def test_what_has_neither_rating_nor_score_is_medium() -> None:
    untold = finding(severity="UNTRIAGED", inspectorScore=None, packageVulnerabilityDetails=None)
    assert one(untold).severity == "medium"


@pytest.mark.parametrize(
    "told",
    [
        "2026-01-19T22:46:15Z",
        "2026-01-19 22:46:15.000000+00:00",
        "2026-01-19T23:46:15.000000+01:00",
        "Jan 19, 2026, 10:46:15 PM",
        1768862775.0,
        "1768862775.0",
    ],
)
def test_times_come_in_many_spellings(told: Any) -> None:
    assert one(finding(firstObservedAt=told)).first_seen == 1_768_862_775_000


def test_what_is_in_another_cloud_has_the_account_there_or_none_yet() -> None:
    machine = {"type": "Microsoft.Compute/virtualMachines", "id": "web", "region": "westeurope"}
    record = one(finding(resources=[machine]))
    assert (record.cloud, record.account) == ("azure", UNLINKED)


def test_the_account_comes_from_the_findings_arn_where_it_is_missing() -> None:
    assert one(finding(awsAccountId=None)).account == "111122223333"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"detail-type": "Inspector2 Scan", "detail": {}}, "detail-type"),
        ({"findingArns": ["arn:x"]}, "findingArns"),
        (finding(severity="SEVERE"), "severity"),
        (finding(status="OPEN"), "status"),
        (finding(updatedAt=None, lastObservedAt=None), "updatedAt"),
        (finding(firstObservedAt="yesterday"), "firstObservedAt"),
        (finding(resources={}), "resources"),
    ],
)
def test_an_error_names_the_field(value: Any, path: str) -> None:
    [entry] = read(value)
    assert isinstance(entry, Bad)
    assert entry.path == path


COUNTS = {
    "c7n_test_inspector2_finding_inspector2.ListFindings_1.json": (6, 0),
    "c7n_test_inspector2_finding_query_filter_inspector2.ListFindings_1.json": (4, 0),
    "dd_aws_inspector2_many_vul.json": (8, 0),
    "dd_aws_inspector2_one_vul.json": (1, 0),
    "dd_aws_inspector2_package_vuln_metadata.json": (28, 0),
    "dd_aws_inspector2_package_vuln_metadata_multi_cwe_fabricated.json": (3, 0),
    "dd_aws_inspector2_zero_vul.json": (0, 0),
    "dd_empty_with_error.json": (0, 1),  # an empty object
    "botocore_DescribeFindings_describte-findings-14810647718.json": (1, 0),
    "botocore_ListFindings_list-findings-1481066840611.json": (0, 1),  # names only
}
"""Findings and refusals that each public sample holds."""


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_public_samples_give_what_they_hold() -> None:
    found = {}
    for path in (path for kind in ("inspector2", "inspector_classic") for path in (SAMPLES / kind).iterdir()):
        entries = read(path.read_bytes())
        refused = [entry for entry in entries if isinstance(entry, Bad)]
        assert not [bad for bad in refused if "defect" in bad.reason]
        found[path.name] = (len(entries) - len(refused), len(refused))
    assert found == COUNTS
