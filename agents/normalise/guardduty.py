"""AWS GuardDuty findings: EventBridge events, GetFindings answers, S3 export lines, ASFF, single findings."""

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from agents.normalise import _asff, _asff_events
from agents.normalise._base import Item, Items, Kind, Normaliser, fragment
from agents.normalise._fields import (
    account_of,
    identifier,
    number,
    optional_object,
    optional_text,
    optional_word,
    time_ms,
    wrong_type,
)
from agents.normalise._guardduty_resources import Home, references
from agents.normalise._guardduty_types import finding_type, severity
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Finding


class GuardDuty(Normaliser):
    """A detector sends the same id again when its count grows; `updatedAt` says which is newer.

    `finding.source` is `AWS GuardDuty`. `finding.type` is `AWS GuardDuty` and the family: `Host`, `IAM`, `S3`, `EKS`,
    `ECS`, `Container`, `Lambda`, `RDS`, `Malware` or `Attack Sequence`; `finding.name` is GuardDuty's own type.
    """

    kind: ClassVar[Kind] = "findings"
    forms: ClassVar[tuple[str, ...]] = (
        "EventBridge events with detail-type `GuardDuty Finding`, alone or in an SNS notification",
        'answers of GetFindings (`{"Findings": [...]}`), or a list of findings',
        "S3 export: JSON lines, gzip or not",
        "findings in ASFF, as Security Hub passes them on",
        "single findings, in the API's spelling (`accountId`) or boto3's (`AccountId`)",
    )

    @override
    def items(self, document: Item) -> Items:
        if "detail-type" in document:
            kind = document["detail-type"]
            if type(kind) is str and kind.startswith(_asff_events.PREFIX):
                return _asff_events.items(document)
            if kind != "GuardDuty Finding":
                raise BadRecord("detail-type", f"wanted 'GuardDuty Finding', got {kind!r:.80}")
            return [("detail", document.get("detail"))]
        if "Findings" in document or "findings" in document:
            name = "Findings" if "Findings" in document else "findings"
            if not isinstance(document[name], list):
                raise wrong_type(name, "a list", document[name])
            return [(f"{name}[{index}]", finding) for index, finding in enumerate(document[name])]
        for name in ("FindingIds", "DetectorIds"):
            if name in document:
                raise BadRecord(name, "an answer with ids only: send the answer of GetFindings")
        return [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Finding:
        original = fragment(item)
        if _asff.is_asff(item):
            return _asff.finding(item, original, place, index)
        if "id" in item or "Id" not in item:
            return _finding(item, original, place, index)
        try:
            return _finding(_folded(item, 0), original, place, index)
        except BadRecord as wrong:  # the path as its sender spells it
            path = ".".join(name[:1].upper() + name[1:] for name in wrong.path.split("."))
            raise BadRecord(path, wrong.reason) from None


def _finding(item: Item, original: orjson.Fragment, place: Place, index: int) -> Finding:
    kind = identifier(item, "type")
    arn = optional_text(item, "arn")
    service = optional_object(item, "service")
    resource = optional_object(item, "resource")
    account = account_of("aws", _account(item, arn), "accountId")
    region = optional_word(item, "region") or _part_of_arn(arn, 3)
    partition = optional_word(item, "partition") or _part_of_arn(arn, 1) or "aws"
    updated = time_ms(item["updatedAt"], "updatedAt") if "updatedAt" in item else _missing("updatedAt")
    last = service.get("eventLastSeen")
    score = number(item, "severity")
    title = optional_text(item, "title") or kind
    if _is_sample(service) and "[SAMPLE]" not in title:
        title = f"[SAMPLE] {title}"
    return Finding(
        id=identifier(item, "arn") if arn else _id(item, service, account, region),
        account=account,
        cloud="aws",
        region=region,
        source="AWS GuardDuty",
        type=finding_type(kind, optional_text(resource, "resourceType", "resource.resourceType")),
        name=kind,
        severity=severity(score),
        vendor_severity=str(item["severity"]),
        score=score,
        title=title,
        description=optional_text(item, "description"),
        status="suppressed" if (archived := _archived(item, service)) else "open",
        status_reason="ARCHIVED" if archived else "",
        first_seen=_first_seen(item, service, updated),
        last_seen=updated if last is None else time_ms(last, "service.eventLastSeen"),
        references=references(resource, service, Home(account, region, partition)),
        version=version(updated, _count(service), place, index),
        original=original,
    )


def _folded(value: Any, depth: int) -> Any:
    """Return *value* with boto3's names as the API spells them, first letter lowered, as deep as this module reads."""
    if depth == _READ_DEPTH:
        return value
    if type(value) is dict:
        return {name[:1].lower() + name[1:]: _folded(inner, depth + 1) for name, inner in value.items()}
    if type(value) is list:
        return [_folded(inner, depth + 1) for inner in value]
    return value


def _first_seen(item: Item, service: Mapping[str, Any], updated: int) -> int:
    if (first := service.get("eventFirstSeen")) is not None:
        return time_ms(first, "service.eventFirstSeen")
    if (created := item.get("createdAt")) is not None:
        return time_ms(created, "createdAt")
    return updated


def _account(item: Item, arn: str) -> object:
    """Return the account, from the finding's own ARN when a sender left the field out."""
    if "accountId" in item:
        return item["accountId"]
    return _part_of_arn(arn, 4) or _missing("accountId")


def _part_of_arn(arn: str, index: int) -> str:
    parts = arn.split(":", 5)
    return parts[index] if len(parts) == 6 and parts[0] == "arn" else ""


def _missing(path: str) -> Any:
    raise BadRecord(path, "missing")


def _id(item: Item, service: Mapping[str, Any], account: str, region: str) -> str:
    detector = optional_word(service, "detectorId", "service.detectorId") or optional_word(item, "detectorId")
    return f"{account}/{region}/{detector}/{identifier(item, 'id')}"


def _count(service: Mapping[str, Any]) -> int:
    count = service.get("count")
    if count is None:
        return 0
    if type(count) is not int or count < 0:
        raise wrong_type("service.count", "a whole number from 0 on", count)
    return count


def _archived(item: Item, service: Mapping[str, Any]) -> bool:
    archived = service.get("archived")
    if archived is None:
        archived = item.get("archived")
    if archived is None or type(archived) is bool:
        return bool(archived)
    raise wrong_type("service.archived", "a boolean", archived)


def _is_sample(service: Mapping[str, Any]) -> bool:
    """Tell whether GuardDuty made the finding up on request; the flag is in an object or in JSON held as text."""
    more = service.get("additionalInfo")
    if type(more) is not dict:
        return False
    if more.get("sample") is True:
        return True
    value = more.get("value")
    return type(value) is str and '"sample":true' in value.replace(" ", "")


_READ_DEPTH = 6
