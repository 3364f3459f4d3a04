"""Reports of Tenable's container security: what is wrong with an image."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._base import Item, Items
from agents.normalise._tenable_vulnerability import SOURCE, word_of
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import cves, cvss, distinct, line, objects, package, remedy, score, text, texts
from streams.errors import BadRecord
from streams.identity import UNLINKED, Place, version
from streams.records import Finding, Reference, Severity

Fields = Mapping[str, Any]


def items(report: Item) -> Items:
    """Return the vulnerabilities and the malware of an image's *report*, each with the rest of the report."""
    lists = ("findings", "malware", "potentially_unwanted_programs", "installed_packages")
    image = {name: value for name, value in report.items() if name not in lists}
    found: list[tuple[str, Any]] = []
    for name in lists[:3]:
        listed = report.get(name)
        for index, one in enumerate(listed if type(listed) is list else []):
            found.append((f"{name}[{index}]", {"image": image, name: one}))
    return found


def finding(item: Fields, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that *item* is. Raises BadRecord."""
    image = item["image"]
    if type(image) is not dict:
        raise BadRecord("image", "wanted an object")
    digest = word_of(image.get("digest") or image.get("sha256"), "image.digest").removeprefix("sha256:")
    changed = optional_moment(image, "updated_at", "image.updated_at")
    found = _vulnerability(item["findings"]) if type(item.get("findings")) is dict else _malware(item)
    found.id = f"tenable:image:{digest}/{found.id}"
    found.references = [Reference(id=f"sha256:{digest}", type="ContainerImage")]
    found.asset = f"image:{digest}"
    found.first_seen = optional_moment(image, "created_at", "image.created_at")
    found.last_seen = changed
    found.version = version(place.timestamp if changed is None else changed, 0, place, index)
    found.original = original
    return found


def _vulnerability(told: Fields) -> Finding:
    nvd = told.get("nvdFinding")
    if type(nvd) is not dict:
        raise BadRecord("findings.nvdFinding", "missing" if "nvdFinding" not in told else "wanted an object")
    ids = cves(texts(nvd.get("cve")))
    name = word_of(ids[0] if ids else nvd.get("snyk_id") or nvd.get("cve"), "findings.nvdFinding.cve")
    number = score(nvd.get("cvss_score"))
    listed = [
        package(one.get("name"), one.get("version"), manager=one.get("type")) for one in objects(told.get("packages"))
    ]
    packages = distinct(listed)
    title = f"{name} - {', '.join(one['name'] for one in packages[:5])}" if packages else name
    return Finding(
        id=name,
        account=UNLINKED,
        source=SOURCE,
        type="Package Vulnerability",
        name=name,
        cves=ids,
        severity=next((word for floor, word in _FLOORS if (number or 0) >= floor), "informational"),
        vendor_severity=line(nvd.get("cvss_score")),
        score=number,
        cvss=distinct([cvss("2.0", number, nvd.get("cvss_vector"))]),
        packages=packages,
        title=line(title),
        description=text(nvd.get("description")),
        remediation=remedy(nvd.get("remediation")),
        links=texts(nvd.get("references")),
        version="",
    )


def _malware(item: Fields) -> Finding:
    for kind in ("malware", "potentially_unwanted_programs"):
        if type(told := item.get(kind)) is dict:
            path = word_of(told.get("file"), f"{kind}.file")
            return Finding(
                id=path,
                account=UNLINKED,
                source=SOURCE,
                type="Malware",
                name=line(told.get("type"), kind),
                severity="high" if kind == "malware" else "medium",
                packages=distinct([package(path.rpartition("/")[2], path=path)]),
                title=f"{'Malware' if kind == 'malware' else 'An unwanted program'} in {line(path)}",
                version="",
            )
    raise BadRecord("findings", "wanted a vulnerability or malware of the image")


_FLOORS: tuple[tuple[float, Severity], ...] = ((9, "critical"), (7, "high"), (4, "medium"), (0.1, "low"))
