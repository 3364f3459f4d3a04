"""Findings of public collections name their resources as these name themselves: at least 95 of 100 are linked."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from streams.identity import UNLINKED, Place
from streams.records import Finding, Resource

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus" / "findings"
SOURCES = {
    "guardduty": "guardduty",
    "guardduty_asff": "securityhub",
    "inspector2": "inspector",
    "inspector2_asff": "securityhub",
    "inspector_classic": "inspector",
    "securityhub_asff": "securityhub",
    "qualys": "qualys",
    "tenable": "tenable",
}
"""The folders of the collection, and by which source each is read."""

APIS = {
    "ec2:instance": ("aws-ec2-describe-instances", "InstanceId"),
    "ec2:network-acl": ("aws-ec2-describe-network-acls", "NetworkAclId"),
    "ec2:security-group": ("aws-ec2-describe-security-groups", "GroupId"),
    "ec2:vpc": ("aws-ec2-describe-vpcs", "VpcId"),
    "cloudtrail:trail": ("aws-cloudtrail-describe-trails", "TrailARN"),
    "ecr:repository": ("aws-ecr-get-repository-policy", "RepositoryArn"),
    "eks:cluster": ("aws-eks-describe-cluster", "Arn"),
    "iam:group": ("aws-iam-list-groups", "Arn"),
    "iam:policy": ("aws-iam-get-policy-version", "Arn"),
    "iam:role": ("aws-iam-list-roles", "Arn"),
    "iam:user": ("aws-iam-list-users", "Arn"),
    "lambda:function": ("aws-lambda-list-functions", "FunctionArn"),
    "logs:log-group": ("aws-logs-describe-log-groups", "Arn"),
    "rds:db": ("aws-rds-describe-db-instances", "DBInstanceArn"),
    "s3": ("aws-s3api-get-bucket-acl", "Name"),
    "key": ("aws-iam-list-access-keys", "AccessKeyId"),
}
"""What lists each kind of resource, and the field by which it names it."""


def findings() -> list[Finding]:
    found = []
    for folder, source in SOURCES.items():
        for file in sorted((CORPUS / folder).rglob("*")):
            if file.is_file():
                read = NORMALISERS[source].read(file.read_bytes(), Place("raw", 0, 0, 1_772_442_000_000))
                found += [one for one in read if isinstance(one, Finding) and one.account != UNLINKED]
    return found


def kind_and_id(id: str) -> tuple[str, str]:
    """Return which resource *id* is, as its own API names it; an empty kind where it names none."""
    if re.fullmatch(r"i-[0-9a-zA-Z]+", id):
        return "ec2:instance", id
    if re.fullmatch(r"vpc-[0-9a-f]+", id):
        return "ec2:vpc", id
    if re.fullmatch(r"(AKIA|ASIA)[0-9A-Z]+|GeneratedFindingAccessKeyId", id):
        return "key", id
    parts = id.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return "", ""
    service, rest = parts[2], parts[5]
    if service == "s3":
        return "s3", rest.partition("/")[0]
    kind = re.split("[:/]", rest)[0]
    name = rest[len(kind) + 1 :]
    if service == "ecr":
        return "ecr:repository", id.rpartition("/sha256:")[0] or id
    if service == "ec2":
        return f"ec2:{kind}", name
    if service == "lambda":
        return "lambda:function", ":".join(id.split(":")[:7])
    return f"{service}:{kind}", id


def resource(finding: Finding, id: str) -> Resource | None:
    """Return the resource that *id* of *finding* names, made of its API's answer; None where it names none."""
    kind, name = kind_and_id(id)
    if kind not in APIS:
        return None
    api_name, field = APIS[kind]
    parts = id.split(":", 5)
    region = parts[3] if len(parts) == 6 else finding.region
    row: dict[str, Any] = {"account": finding.account, "region": region or "us-east-1", "api_name": api_name}
    row |= {"resource_id": name, "config": {field: name}}
    (made,) = NORMALISERS["aws"].read(orjson.dumps(row), Place("raw", 0, 0, 0))
    assert isinstance(made, Resource), made
    return made


@pytest.mark.skipif(not CORPUS.exists(), reason="the public collection of findings isn't here")
def test_findings_link_to_the_resources_that_they_name() -> None:
    told: Counter[str] = Counter()
    missed = []
    for finding in findings():
        made = [one for each in finding.references if (one := resource(finding, each.id)) is not None]
        if not made:
            told["names no resource"] += 1
            continue
        names = {each.id.lower() for each in finding.references}
        linked = any(names & {key.lower() for key in one.keys} for one in made if one.account == finding.account)
        told["linked" if linked else "not linked"] += 1
        if not linked:
            missed.append((finding.source, finding.references))
    assert told["linked"] >= 0.95 * (told["linked"] + told["not linked"]), missed[:5]
    assert told["linked"] > 500
    assert told["names no resource"] < 250, told  # accounts, and what Prowler makes up for services as a whole
