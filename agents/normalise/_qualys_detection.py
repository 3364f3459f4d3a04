"""One detection of Qualys: a check (QID) that found something on a host."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._fields import MAX_ID
from agents.normalise._qualys_hosts import SOURCE, asset_id, cloud_of
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import cves, cvss, distinct, line, remedy, score, text
from agents.normalise._xml import text_of
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Finding, FindingStatus, Severity

Fields = Mapping[str, Any]

SEVERITIES: dict[str, Severity] = {"5": "critical", "4": "high", "3": "medium", "2": "low", "1": "informational"}
"""Qualys's levels."""


def qid_of(fields: Fields, name: str, path: str) -> str:
    """Return the number of a check. Raises BadRecord."""
    value = fields.get(name)
    text_ = str(value) if type(value) is int else text_of(value)
    if not text_.isdecimal() or not text_.isascii() or len(text_) > 12:
        raise BadRecord(path, "missing" if name not in fields else f"wanted a QID, got {value!r:.80}")
    return text_


def severity_of(value: Any, path: str) -> Severity:
    """Return the word for a level of 1 to 5. Raises BadRecord."""
    told = str(value) if type(value) is int else text_of(value)
    if told not in SEVERITIES:
        raise BadRecord(path, "missing" if not told else f"wanted a level from 1 to 5, got {value!r:.80}")
    return SEVERITIES[told]


def finding(item: Fields, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that a DETECTION on its HOST is. Raises BadRecord."""
    host, told = item.get("HOST"), item.get("DETECTION")
    if type(host) is not dict or type(told) is not dict:
        raise BadRecord("HOST" if type(host) is not dict else "DETECTION", "wanted an object")
    qid = qid_of(told, "QID", "DETECTION.QID")
    where, cloud = asset_id(host), cloud_of(host)
    times = {name: optional_moment(told, name, f"DETECTION.{name}") for name in _TIMES}
    last = times["LAST_FOUND_DATETIME"]
    changed = max((time for time in times.values() if time is not None), default=place.timestamp)
    status, reason = _status(told)
    ids = cves([text_of(told.get("CVE_ID"))])
    informs = text_of(told.get("TYPE")).lower() in _INFORMATION
    title = line(text_of(told.get("TITLE")))
    return Finding(
        id=_id(where, qid, told),
        account=cloud.account,
        cloud=cloud.cloud,
        region=cloud.region,
        source=SOURCE,
        type="Information Gathered" if informs else "Host Vulnerability",
        name=ids[0] if len(ids) == 1 else f"QID-{qid}",
        cves=ids,
        severity="informational" if informs else severity_of(told.get("SEVERITY"), "DETECTION.SEVERITY"),
        vendor_severity=line(text_of(told.get("SEVERITY"))),
        score=_score(told),
        cvss=distinct([cvss("2", _base(told, "CVSS_BASE")), cvss("3.1", _base(told, "CVSS3_BASE"))]),
        title=title or f"QID {qid}",
        description=text(text_of(told.get("RESULTS"))),
        remediation=remedy(text_of(told.get("SOLUTION"))),
        status=status,
        status_reason=reason,
        reopened=times["LAST_REOPENED_DATETIME"],
        first_seen=times["FIRST_FOUND_DATETIME"],
        last_seen=last,
        references=list(cloud.references),
        asset=where,
        knowledge=f"qid:{qid}",
        version=version(changed, 0, place, index),
        original=original,
    )


def _id(where: str, qid: str, told: Fields) -> str:
    """Return Qualys's own id of the detection, or what makes it unique: the check, the host and the place on it."""
    if own := text_of(told.get("UNIQUE_VULN_ID")):
        id = f"qualys:{own}"
    else:
        parts = (text_of(told.get(name)) for name in ("PORT", "PROTOCOL", "FQDN", "SSL", "INSTANCE"))
        id = "/".join((f"qualys:{where}", qid, *parts)).rstrip("/")
    if len(id) > MAX_ID:
        raise BadRecord("DETECTION", f"its id has {len(id)} characters, the most is {MAX_ID}")
    return id


def _status(told: Fields) -> tuple[FindingStatus, str]:
    for name in ("IS_IGNORED", "IS_DISABLED"):
        if text_of(told.get(name)).lower() in ("1", "yes", "true"):
            return "suppressed", name
    word = text_of(told.get("STATUS"))
    known = word.lower().replace(" ", "-")
    if known not in _STATUS:
        raise BadRecord("DETECTION.STATUS", f"wanted New, Active, Fixed or Re-Opened, got {word!r:.80}")
    return _STATUS[known], word if known not in ("", "new", "active") else ""


def _score(told: Fields) -> float | None:
    """Return the CVSS base score. QDS, Qualys's own of 0 to 100, stays in the original."""
    newest = score(_base(told, "CVSS3_BASE"))
    return score(_base(told, "CVSS_BASE")) if newest is None else newest


def _base(told: Fields, name: str) -> str:
    """Return the number that a report may write with its vector: `9.8 (AV:N/AC:L/...)`."""
    return text_of(told.get(name)).partition(" ")[0]


_TIMES = (
    "FIRST_FOUND_DATETIME",
    "LAST_FOUND_DATETIME",
    "LAST_TEST_DATETIME",
    "LAST_UPDATE_DATETIME",
    "LAST_FIXED_DATETIME",
    "LAST_REOPENED_DATETIME",
    "LAST_PROCESSED_DATETIME",
)
_INFORMATION = {"info", "ig", "information gathered"}
_STATUS: Mapping[str, FindingStatus] = {
    "": "open",
    "new": "open",
    "active": "open",
    "re-opened": "open",
    "reopened": "open",
    "fixed": "fixed",
}
