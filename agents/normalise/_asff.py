"""AWS Security Finding Format: one finding of any product, as Security Hub and its partners write it.

GuardDuty and Inspector come by two routes. Their id, account, type and name are the same by both, so that it's one
finding; Security Hub's time of processing tells which of two equally old ones is newer.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise import _arn
from agents.normalise._asff_products import Product, product_of
from agents.normalise._asff_resources import references, resources
from agents.normalise._fields import account_of, identifier, optional_object, optional_text, optional_word
from agents.normalise._guardduty_resources import Home
from agents.normalise._guardduty_types import severity as severity_of_score
from agents.normalise._times import moment, optional_moment
from agents.normalise._vulnerability import (
    MAX_MANY,
    SEVERITIES,
    cves,
    cvss,
    decimal,
    distinct,
    line,
    objects,
    package,
    remedy,
    text,
    texts,
)
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Cvss, Finding, FindingStatus, Package, Severity


def is_asff(item: Mapping[str, Any]) -> bool:
    """Tell whether *item* is a finding in this format."""
    return "ProductArn" in item or "GeneratorId" in item


def finding(item: Mapping[str, Any], original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that *item* is. Raises BadRecord."""
    id = identifier(item, "Id")
    product = product_of(item)
    found = resources(item)
    account = account_of("aws", _account(item, id, found), "AwsAccountId")
    arn = _arn.parse(optional_text(item, "ProductArn"))
    region = optional_word(item, "Region") or (arn.region if arn else "") or _region(found)
    home = Home(account, region, arn.partition if arn else "aws")
    updated = moment(_needed(item, "UpdatedAt"), "UpdatedAt")
    first = optional_moment(item, "FirstObservedAt") or optional_moment(item, "CreatedAt")
    last = optional_moment(item, "LastObservedAt")
    vulnerabilities = list(objects(item.get("Vulnerabilities")))[:MAX_MANY]
    ids = cves(one.get("Id") for one in vulnerabilities)
    for one in vulnerabilities:
        ids += [id for id in cves(texts(one.get("RelatedVulnerabilities"))) if id not in ids]
    word, told, number = _severity(item, product)
    status, reason = _status(item, product)
    name = product.name(item, ids)
    recommendation = optional_object(
        optional_object(item, "Remediation"), "Recommendation", "Remediation.Recommendation"
    )
    return Finding(
        id=product.id(item, id),
        account=account,
        cloud="aws",
        region=region,
        source=product.source,
        type=product.type(item, found, vulnerabilities),
        name=name,
        cves=ids[:MAX_MANY],
        severity=word,
        vendor_severity=told,
        score=number,
        cvss=_cvss(vulnerabilities),
        packages=_packages(vulnerabilities),
        title=product.title(item, line(item.get("Title"), name)),
        description=text(item.get("Description")),
        remediation=remedy(recommendation.get("Text")),
        links=_links(item, recommendation, vulnerabilities),
        status=status,
        status_reason=reason,
        first_seen=updated if first is None else first,
        last_seen=updated if last is None else last,
        references=references(found, home),
        version=version(updated, _processed(item), place, index),
        original=original,
    )


def _needed(item: Mapping[str, Any], name: str) -> Any:
    if item.get(name) is None:
        raise BadRecord(name, "missing" if name not in item else "is null")
    return item[name]


def _account(item: Mapping[str, Any], id: str, found: list[Mapping[str, Any]]) -> Any:
    """Return the account; where a sender left it out, the one of the finding's own ARN or of its resources."""
    if item.get("AwsAccountId") is not None:
        return item["AwsAccountId"]
    for text_ in (id, *(one.get("Id") for one in found)):
        if type(text_) is str and (arn := _arn.parse(text_)) and arn.account:
            return arn.account
    raise BadRecord("AwsAccountId", "missing" if "AwsAccountId" not in item else "is null")


def _region(found: list[Mapping[str, Any]]) -> str:
    return optional_word(found[0], "Region", "Resources[0].Region") if found else ""


def _severity(item: Mapping[str, Any], product: Product) -> tuple[Severity, str, float | None]:
    """Return our word, the vendor's, and its number of 0 to 10. `Severity` may be changed by a user: it goes first."""
    given = optional_object(item, "Severity")
    provided = optional_object(
        optional_object(item, "FindingProviderFields"), "Severity", "FindingProviderFields.Severity"
    )
    number = product.score(item, given, provided)
    told = next((one for one in (given.get("Original"), provided.get("Original"), given.get("Label")) if one), "")
    told = f"{number:g}" if product.scored and number is not None else line(told)
    for label in (given.get("Label"), provided.get("Label")):
        if type(label) is str:
            if (word := SEVERITIES.get(label.lower())) is None:
                raise BadRecord("Severity.Label", f"wanted one of ASFF's five labels, got {label!r:.80}")
            return word, told, number
    if product.scored and number is not None:
        return severity_of_score(number), told, number
    normalized = decimal(given.get("Normalized"))
    if normalized is None:
        raise BadRecord("Severity", "wanted a Label or a Normalized number")
    for floor, word in _NORMALIZED:
        if normalized >= floor:
            return word, told or f"{normalized:g}", number
    return "informational", told or f"{normalized:g}", number


def _status(item: Mapping[str, Any], product: Product) -> tuple[FindingStatus, str]:
    workflow = line(optional_object(item, "Workflow").get("Status")) or line(item.get("WorkflowState"))
    if workflow == "SUPPRESSED":
        return "suppressed", workflow
    if (own := product.status(item)) is not None:
        return own
    if workflow == "RESOLVED":
        return "fixed", workflow
    if line(item.get("RecordState")) == "ARCHIVED":
        return product.archived, "ARCHIVED"
    checked = line(optional_object(item, "Compliance").get("Status"))
    return _CHECKED.get(checked, "open"), checked


def _processed(item: Mapping[str, Any]) -> int:
    """Return when Security Hub took it in, or its count where an older one doesn't tell."""
    if (processed := optional_moment(item, "ProcessedAt")) is not None:
        return processed
    count = decimal(optional_object(item, "ProductFields").get("aws/guardduty/service/count"))
    return int(count) if count is not None and 0 <= count < 1e15 else 0


def _cvss(vulnerabilities: list[dict[str, Any]]) -> list[Cvss]:
    found = [
        cvss(one.get("Version"), one.get("BaseScore"), one.get("BaseVector"), one.get("Source"))
        for vulnerability in vulnerabilities
        for one in objects(vulnerability.get("Cvss"))
    ]
    return distinct(found)


def _packages(vulnerabilities: list[dict[str, Any]]) -> list[Package]:
    found = [
        package(
            one.get("Name"),
            _whole_version(one),
            one.get("FixedInVersion"),
            one.get("PackageManager"),
            one.get("FilePath") or one.get("SourceLayerHash"),
        )
        for vulnerability in vulnerabilities
        for one in objects(vulnerability.get("VulnerablePackages"))
    ]
    return distinct(found)


def _whole_version(one: Mapping[str, Any]) -> str:
    """Return version and release, as package managers write them; the epoch 0 isn't written."""
    epoch, release = line(one.get("Epoch")), line(one.get("Release"))
    plain = line(one.get("Version"))
    return f"{f'{epoch}:' if epoch not in ('', '0') else ''}{plain}{f'-{release}' if release else ''}" if plain else ""


def _links(
    item: Mapping[str, Any], recommendation: Mapping[str, Any], vulnerabilities: list[dict[str, Any]]
) -> list[str]:
    found = [recommendation.get("Url"), item.get("SourceUrl")]
    for one in vulnerabilities:
        vendor = one.get("Vendor")
        found += [vendor.get("Url") if type(vendor) is dict else None, *texts(one.get("ReferenceUrls"))]
    return texts(found)


_NORMALIZED: tuple[tuple[float, Severity], ...] = ((90, "critical"), (70, "high"), (40, "medium"), (1, "low"))
_CHECKED: Mapping[str, FindingStatus] = {"PASSED": "fixed", "NOT_AVAILABLE": "suppressed", "INFOED": "suppressed"}
"""What a check found. Nothing is wrong where it passed; where it couldn't look, nobody knows."""
