"""What Qualys knows about a check: a row of its KnowledgeBase, or of the glossary of a report."""

import html
import re
from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._qualys_detection import qid_of, severity_of
from agents.normalise._qualys_hosts import SOURCE
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import MAX_MANY, cves, cvss, distinct, line, package, text, texts
from agents.normalise._xml import objects, text_of
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Knowledge

Fields = Mapping[str, Any]


def row(item: Fields, original: orjson.Fragment, place: Place, index: int) -> Knowledge:
    """Return what a VULN of the KnowledgeBase says. Raises BadRecord."""
    fields = item.get("VULN")
    if type(fields) is not dict:
        raise BadRecord("VULN", "wanted an object")
    qid = qid_of(fields, "QID", "VULN.QID")
    ids = cves(text_of(one.get("ID")) for one in objects(_within(fields, "CVE_LIST", "CVE")))
    scores = distinct(
        cvss(_plain(block, "CVSS3_VERSION") or number, _plain(block, "BASE"), _plain(block, "VECTOR_STRING"))
        for number, name in (("3.1", "CVSS_V3"), ("2", "CVSS"))
        if type(block := fields.get(name)) is dict
    )
    changed = optional_moment(fields, "LAST_SERVICE_MODIFICATION_DATETIME", "VULN.LAST_SERVICE_MODIFICATION_DATETIME")
    published = optional_moment(fields, "PUBLISHED_DATETIME", "VULN.PUBLISHED_DATETIME")
    software = objects(_within(fields, "SOFTWARE_LIST", "SOFTWARE"))
    patchable = text_of(fields.get("PATCHABLE"))
    return Knowledge(
        source=SOURCE,
        id=f"qid:{qid}",
        name=ids[0] if len(ids) == 1 else f"QID-{qid}",
        cves=ids,
        severity=severity_of(fields.get("SEVERITY_LEVEL"), "VULN.SEVERITY_LEVEL"),
        vendor_severity=line(text_of(fields.get("SEVERITY_LEVEL"))),
        score=next((one["score"] for one in scores if "score" in one), None),
        cvss=scores,
        packages=distinct(package(text_of(one.get("PRODUCT")), manager=text_of(one.get("VENDOR"))) for one in software),
        title=line(text_of(fields.get("TITLE")), f"QID {qid}"),
        description=text("\n\n".join(filter(None, (_read(fields, name) for name in ("DIAGNOSIS", "CONSEQUENCE"))))),
        remediation=text(_read(fields, "SOLUTION")),
        links=texts([text_of(one.get("URL")) for one in _references(fields)]),
        patchable={"1": True, "0": False}.get(patchable),
        published=published,
        changed=changed,
        version=version(place.timestamp if changed is None else changed, 0, place, index),
        original=original,
    )


def plain_text(value: str) -> str:
    """Return the text of a piece of HTML: Qualys writes its descriptions in it."""
    if "<" in value:
        lines = _TAG.sub("", _BREAK.sub("\n", value)).splitlines()
        value = "\n".join(line for each in lines if (line := each.strip()))
    return html.unescape(value).strip()


def _read(fields: Fields, name: str) -> str:
    return plain_text(text_of(fields.get(name))[:100_000])


def _references(fields: Fields) -> list[dict[str, Any]]:
    return [
        *objects(_within(fields, "VENDOR_REFERENCE_LIST", "VENDOR_REFERENCE")),
        *objects(_within(fields, "CVE_LIST", "CVE")),
    ][:MAX_MANY]


def _within(fields: Fields, outer: str, inner: str) -> Any:
    block = fields.get(outer)
    return block.get(inner) if type(block) is dict else None


def _plain(fields: Fields, name: str) -> str:
    return text_of(fields.get(name))


_BREAK = re.compile(r"<(?:br|p|/p|li|/tr|/h\d)[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]{0,1000}>", re.IGNORECASE)
