"""One finding of Inspector Classic, which AWS has retired: its files can still be read."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise import _arn
from agents.normalise._fields import MAX_ID, account_of, identifier, optional_object, optional_text
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import (
    SEVERITIES,
    cves,
    cvss,
    distinct,
    line,
    objects,
    package,
    remedy,
    score,
    text,
)
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Finding, Reference, Severity

Item = Mapping[str, Any]


def finding(item: Item, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that *item* is: it belongs to one assessment run and has no end. Raises BadRecord."""
    id = identifier(item, "arn")
    arn = _arn.parse(id)
    if arn is None:
        raise BadRecord("arn", f"wanted the finding's ARN, got {id!r:.80}")
    account = account_of("aws", arn.account, "arn")
    told = {line(one.get("key")): line(one.get("value")) for one in objects(item.get("attributes"))}
    rule = line(item.get("id"))
    ids = cves([rule, told.get("CVE_ID"), told.get("CVE-ID")]) or cves([item.get("title")])
    title = line(item.get("title"), rule or "Inspector finding")
    created = optional_moment(item, "createdAt")
    updated = optional_moment(item, "updatedAt") or created
    if updated is None:
        raise BadRecord("updatedAt", "missing, and so is createdAt")
    scores = [(number, told.get(f"CVSS{number}_SCORE"), told.get(f"CVSS{number}_VECTOR")) for number in ("2", "3")]
    return Finding(
        id=id,
        account=account,
        cloud="aws",
        region=arn.region,
        source="AWS Inspector",
        type=_type(ids, rule, title, told),
        name=(ids[0] if ids else rule) or title,
        cves=ids,
        severity=_severity(item),
        vendor_severity=optional_text(item, "severity"),
        score=score(item.get("numericSeverity")),
        cvss=distinct(cvss(number, base, vector) for number, base, vector in scores),
        packages=distinct([package(told.get("package_name"), told.get("package_version"))]),
        title=title,
        description=text(item.get("description")),
        remediation=remedy(item.get("recommendation")),
        first_seen=updated if created is None else created,
        last_seen=updated,
        references=_references(item, told, arn, account),
        version=version(updated, 0, place, index),
        original=original,
    )


def _severity(item: Item) -> Severity:
    told = identifier(item, "severity").lower()
    if told in SEVERITIES:
        return SEVERITIES[told]
    if told != "undefined":
        raise BadRecord("severity", f"wanted one of Low, Medium, High, Informational, Undefined, got {told!r:.80}")
    return "informational"


def _type(ids: list[str], rule: str, title: str, told: Mapping[str, str]) -> str:
    """Return finding.type, by the words: the ARN of the rules package, which also tells it, differs by region."""
    words = f"{rule} {title}".lower()
    if ids:
        return "Host Vulnerability"
    if "BENCHMARK_ID" in told or "CIS_BENCHMARK_PROFILE" in told or "cis " in words or "benchmark" in words:
        return "Compliance"
    if "reachable" in words or "PORT" in told:
        return "Network Reachability"
    if any(word in words for word in _BEHAVIOUR):
        return "AWS Inspector Runtime Behavior Analysis"
    return "AWS Inspector Security Best Practices"


def _references(item: Item, told: Mapping[str, str], arn: _arn.Arn, account: str) -> list[Reference]:
    assets = optional_object(item, "assetAttributes")
    id = line(assets.get("agentId")) or told.get("INSTANCE_ID", "")
    if not id.startswith("i-") or len(id) > MAX_ID:
        return []
    names = (id, _arn.instance(id, arn.partition, arn.region, account))
    return [Reference(id=name, type=optional_text(item, "assetType") or "ec2-instance") for name in names]


_BEHAVIOUR = (
    "insecure client protocol",
    "insecure server protocol",
    "unused listening",
    "software without dep",
    "insecure permissions",
)
