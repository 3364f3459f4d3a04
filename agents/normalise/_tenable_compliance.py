"""One check of an audit by Tenable: of the export of compliance."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._tenable_vulnerability import SOURCE, word_of
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import line, remedy, text, texts
from streams.errors import BadRecord
from streams.identity import UNLINKED, Place, version
from streams.records import Finding, FindingStatus, Severity

Fields = Mapping[str, Any]

RESULTS: Mapping[str, tuple[Severity, FindingStatus]] = {
    "FAILED": ("high", "open"),
    "WARNING": ("medium", "open"),
    "PASSED": ("informational", "fixed"),
    "ERROR": ("informational", "suppressed"),
    "SKIPPED": ("informational", "suppressed"),
    "UNKNOWN": ("informational", "suppressed"),
}
"""How severe a result is, as Nessus counts them, and what it says: where a check couldn't look, nobody knows."""


def finding(item: Fields, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that a check's result is. Raises BadRecord."""
    inner = item.get("asset")
    uuid = item.get("asset_uuid") or (inner.get("id") or inner.get("uuid") if type(inner) is dict else None)
    asset = word_of(uuid, "asset_uuid")
    name = line(item.get("check_name"))
    if not name:
        raise BadRecord("check_name", "missing")
    check = line(item.get("check_id")) or digest(line(item.get("audit_file")), name)
    severity, status, told = result(item.get("status"), "status")
    if line(item.get("state")).upper() == "FIXED":
        status, told = "fixed", "FIXED"
    first, last = optional_moment(item, "first_seen"), optional_moment(item, "last_seen")
    changed = optional_moment(item, "indexed_at") or last or first
    return Finding(
        id=f"tenable:{asset}/{word_of(check, 'check_id')}",
        account=UNLINKED,
        source=SOURCE,
        type="Compliance",
        name=name,
        severity=severity,
        vendor_severity=told,
        title=name,
        description=text(item.get("check_info")),
        remediation=remedy(item.get("solution")),
        links=texts(item.get("see_also")),
        status=status,
        status_reason=told,
        first_seen=first,
        last_seen=last,
        asset=f"asset:{asset}",
        version=version(place.timestamp if changed is None else changed, 0, place, index),
        original=original,
    )


def result(value: Any, path: str) -> tuple[Severity, FindingStatus, str]:
    """Return severity, status and the word of a check's result. Raises BadRecord."""
    told = line(value).upper()
    if told not in RESULTS:
        raise BadRecord(path, f"wanted one of {', '.join(RESULTS)}, got {value!r:.80}")
    return *RESULTS[told], told


def digest(*parts: str) -> str:
    """Return a name for what has no id but its words."""
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()
