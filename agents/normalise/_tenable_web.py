"""Reports of Tenable's web application scans (WAS)."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._base import Item, Items
from agents.normalise._fields import MAX_ID
from agents.normalise._tenable_vulnerability import SOURCE, name_of, number_of, severity_of, word_of
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import cves, cvss, distinct, line, remedy, text, texts
from streams.errors import BadRecord
from streams.identity import UNLINKED, Place, version
from streams.records import Finding

Fields = Mapping[str, Any]


def items(report: Item) -> Items:
    """Return the findings of a scan's *report*, each with what the report says of the scan."""
    scan = {name: value for name, value in report.items() if name in ("scan", "config")}
    return [
        (f"findings[{index}]", {"web": scan, "finding": one} if type(one) is dict else one)
        for index, one in enumerate(report["findings"])
    ]


def finding(item: Fields, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that *item* is. Raises BadRecord."""
    told = item.get("finding")
    if type(told) is not dict:
        raise BadRecord("finding", "wanted an object")
    web = item["web"]
    scan = web.get("scan") if type(web) is dict else None
    scan = scan if type(scan) is dict else {}
    number = number_of(told.get("plugin_id"), "finding.plugin_id")
    uri = word_of(told.get("uri") or told.get("url") or scan.get("target"), "finding.uri")
    target = line(scan.get("target")) or uri
    seen = next(
        (time for name in _TIMES if (time := optional_moment(scan, name, f"web.scan.{name}")) is not None), None
    )
    ids = cves([*texts(told.get("cves")), *texts(told.get("cve"))])
    title = line(told.get("name"), f"plugin {number}")
    inputs = [line(told.get(name)) for name in ("input_type", "input_name")]
    scores = distinct([cvss("3.0", told.get("cvssv3")), cvss("2.0", told.get("cvss"))])
    return Finding(
        id="/".join((f"tenable:web:{uri}", number, *inputs))[:MAX_ID].rstrip("/"),
        account=UNLINKED,
        source=SOURCE,
        type="Web Application Vulnerability",
        name=name_of(ids, number),
        cves=ids,
        severity=severity_of(told.get("risk_factor", told.get("severity")), "finding.risk_factor"),
        vendor_severity=line(told.get("risk_factor")) or line(told.get("severity")),
        score=next((one["score"] for one in scores if "score" in one), None),
        cvss=scores,
        title=title,
        description="\n\n".join(filter(None, (text(told.get("synopsis")), text(told.get("description"))))),
        remediation=remedy(told.get("solution")),
        links=texts([uri, *texts(told.get("see_also"))]),
        first_seen=seen,
        last_seen=seen,
        asset=f"web:{target[:250]}",
        version=version(place.timestamp if seen is None else seen, 0, place, index),
        original=original,
    )


_TIMES = ("finalized_at", "completed_at", "updated_at", "started_at", "created_at")
