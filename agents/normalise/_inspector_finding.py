"""One finding of Inspector v2: a vulnerable package, vulnerable code, or a port that can be reached."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._asff_products import vulnerability_type
from agents.normalise._fields import identifier, optional_object, optional_text
from agents.normalise._inspector_resources import home_of, references, resources
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
    texts,
)
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Cvss, Finding, FindingStatus, Package, Severity

Item = Mapping[str, Any]


def finding(item: Item, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that *item* is. Raises BadRecord."""
    id = identifier(item, "findingArn")
    kind = identifier(item, "type")
    found = resources(item)
    home = home_of(item, id, found)
    first, last = optional_moment(item, "firstObservedAt"), optional_moment(item, "lastObservedAt")
    updated = optional_moment(item, "updatedAt") or last
    if updated is None:
        raise BadRecord("updatedAt", "missing, and so is lastObservedAt")
    details = optional_object(item, "packageVulnerabilityDetails")
    code = optional_object(item, "codeVulnerabilityDetails")
    advice = optional_object(optional_object(item, "remediation"), "recommendation", "remediation.recommendation")
    own = line(details.get("vulnerabilityId"))
    ids = cves([own, *texts(details.get("relatedVulnerabilities"))]) or cves([item.get("title")])
    title = line(item.get("title"))
    status, reason = _status(item)
    return Finding(
        id=id,
        account=home.account,
        cloud=home.cloud,
        region=home.region,
        source="AWS Inspector",
        type=_TYPES.get(kind) or vulnerability_type(line(found[0].get("type")) if found else ""),
        name=own or _detector(code) or (title if kind == "NETWORK_REACHABILITY" else "") or (ids[0] if ids else kind),
        cves=ids,
        severity=_severity(item),
        vendor_severity=optional_text(item, "severity"),
        score=score(item.get("inspectorScore")),
        cvss=_cvss(item, details),
        packages=_packages(details, code),
        title=title or own or kind,
        description=text(item.get("description")),
        remediation=_remediation(advice, details),
        links=_links(advice, details, code),
        status=status,
        status_reason=reason,
        first_seen=updated if first is None else first,
        last_seen=updated if last is None else last,
        references=references(found, home),
        version=version(updated, 1, place, index),
        original=original,
    )


def _status(item: Item) -> tuple[FindingStatus, str]:
    told = optional_text(item, "status") or "ACTIVE"
    if told not in _STATUS:
        raise BadRecord("status", f"wanted one of {', '.join(_STATUS)}, got {told!r:.80}")
    return _STATUS[told], told if told != "ACTIVE" else ""


def _severity(item: Item) -> Severity:
    """Return our word; what Inspector hasn't rated yet counts as its score says, or as medium: it may be anything."""
    told = identifier(item, "severity").lower()
    if told in SEVERITIES:
        return SEVERITIES[told]
    if told != "untriaged":
        raise BadRecord("severity", f"wanted one of Inspector's six severities, got {told!r:.80}")
    number = score(item.get("inspectorScore")) or max(
        (one.get("score", 0.0) for one in _cvss(item, optional_object(item, "packageVulnerabilityDetails"))),
        default=0.0,
    )
    return next((word for floor, word in _FLOORS if number >= floor), "medium")


def _cvss(item: Item, details: Item) -> list[Cvss]:
    adjusted = optional_object(optional_object(item, "inspectorScoreDetails"), "adjustedCvss")
    found = [
        cvss(one.get("version"), one.get("baseScore"), one.get("scoringVector"), one.get("source"))
        for one in objects(details.get("cvss"))
    ]
    if adjusted:
        vector, source = adjusted.get("scoringVector"), adjusted.get("scoreSource")
        found.append(cvss(adjusted.get("version"), adjusted.get("score"), vector, source))
    return distinct(found)


def _packages(details: Item, code: Item) -> list[Package]:
    path = optional_object(code, "filePath")
    return distinct(
        package(
            one.get("name"),
            _whole_version(one),
            one.get("fixedInVersion"),
            one.get("packageManager"),
            one.get("filePath") or one.get("sourceLayerHash"),
        )
        for one in objects(details.get("vulnerablePackages"))
    ) or distinct([package(path.get("fileName"), path=path.get("filePath"))])


def _whole_version(one: Item) -> str:
    """Return version and release, as package managers write them; the epoch 0 isn't written."""
    plain, release, epoch = line(one.get("version")), line(one.get("release")), one.get("epoch")
    before = f"{epoch}:" if type(epoch) is int and 0 < epoch < 1_000_000 else ""
    return f"{before}{plain}{f'-{release}' if release else ''}" if plain else ""


def _detector(code: Item) -> str:
    return line(code.get("detectorId")) or line(code.get("detectorName"))


def _remediation(advice: Item, details: Item) -> str:
    """Return the advice, or the commands that mend its packages where the advice says nothing."""
    if told := remedy(advice.get("text") or advice.get("Text")):
        return told
    packages = objects(details.get("vulnerablePackages"))
    commands = {command for one in packages if type(command := one.get("remediation")) is str}
    return text("\n".join(sorted(filter(None, map(remedy, commands)))))


def _links(advice: Item, details: Item, code: Item) -> list[str]:
    first = [details.get("sourceUrl"), advice.get("Url") or advice.get("url")]
    for fields in (details, code):
        listed = fields.get("referenceUrls")
        if type(listed) is list:
            first += listed
    return texts(first)


_TYPES = {"NETWORK_REACHABILITY": "Network Reachability", "CODE_VULNERABILITY": "Code Vulnerability"}
_STATUS: Mapping[str, FindingStatus] = {"ACTIVE": "open", "SUPPRESSED": "suppressed", "CLOSED": "fixed"}
_FLOORS: tuple[tuple[float, Severity], ...] = ((9, "critical"), (7, "high"), (4, "medium"), (0.1, "low"))
