"""What a full inventory doesn't list, as it is then: a resource is deleted, a finding fixed."""

from typing import Any

Fields = dict[str, Any]

REASON = "not in the last full export"


def deleted(resource: Fields, version: str) -> Fields:
    """Return the record that takes the place of *resource*, as of the inventory's *version*."""
    return resource | {"deleted": True, "version": version, "config": None, "original": None}


def ended(finding: Fields, version: str) -> Fields:
    """Return the record that takes the place of *finding*, as of the inventory's *version*."""
    linked = dict(finding.get("linked") or {})
    if own := linked.get("own"):
        linked["own"] = {name: value for name, value in own.items() if name not in ("status", "status_reason")}
    return finding | {"status": "fixed", "status_reason": REASON, "version": version, "linked": linked}
