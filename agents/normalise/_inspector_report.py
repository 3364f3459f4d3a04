"""A row of Inspector's report in CSV, as its API says the same."""

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, TypeAlias

import orjson

from agents.normalise import _csv
from agents.normalise._unpack import Document
from streams.errors import BadRecord
from streams.identity import Place
from streams.records import Finding

Reader: TypeAlias = Callable[[Mapping[str, Any], orjson.Fragment, Place, int], Finding]

_COLUMN = "Finding ARN"


def looks_like_report(text: bytes) -> bool:
    """Tell whether *text* is a report in CSV."""
    return _csv.looks_like_csv(text, _COLUMN)


def documents(text: bytes) -> Iterator[Document]:
    """Yield each row as `{"report": {...}}`, by the names of its columns."""
    return _csv.documents(text, _COLUMN, lambda cells: {"report": dict(cells)})


def read(cells: Any, finding: Reader, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return what *finding* makes of a row, once it's the API's. Raises BadRecord with the name of the column."""
    try:
        return finding(_as_item(cells), original, place, index)
    except BadRecord as wrong:
        columns = {field: column for column, field in _FIELDS.items()}
        raise BadRecord(
            f"report.{columns[wrong.path]}" if wrong.path in columns else wrong.path, wrong.reason
        ) from None


def _as_item(cells: Any) -> Mapping[str, Any]:
    if type(cells) is not dict:
        raise BadRecord("report", "wanted an object")
    row = {name: value for name, value in cells.items() if type(value) is str}
    found: dict[str, Any] = {field: row[column] for column, field in _FIELDS.items() if column in row}
    kind = row.get("Resource Type", "")
    found["resources"] = [{"id": row.get("Resource ID", ""), "type": kind, "region": row.get("Region", "")}]
    found["remediation"] = {"recommendation": {"text": row.get("Remediation", "")}}
    names, versions, fixed, paths = (
        _many(row, column)
        for column in ("Affected Packages", "Package Installed Version", "Fixed in Version", "File Path")
    )
    found["packageVulnerabilityDetails"] = {
        "vulnerabilityId": row.get("Vulnerability Id", ""),
        "referenceUrls": [row.get("Vendor Advisory", ""), *_many(row, "Reference Urls")],
        "cvss": [
            {
                "version": version,
                "baseScore": row[f"{who} {name} Score"],
                "scoringVector": row.get(f"{who} {name} Vector"),
                "source": who,
            }
            for who in ("NVD", "Vendor")
            for version, name in (("3.1", "CVSS3"), ("2.0", "CVSS2"))
            if f"{who} {name} Score" in row
        ],
        "vulnerablePackages": [
            {"name": name, "version": version, "fixedInVersion": mended, "filePath": path, **_common(row)}
            for name, version, mended, path in zip_longest(names, versions, fixed, paths, fillvalue="")
            if name
        ],
    }
    if "Detector Name" in row:
        found["codeVulnerabilityDetails"] = {"detectorName": row["Detector Name"]}
    return found


def _common(row: Mapping[str, str]) -> dict[str, str]:
    return {"packageManager": row.get("Package Manager", ""), "remediation": row.get("Package Remediation", "")}


def _many(row: Mapping[str, str], column: str) -> list[str]:
    return [one.strip() for one in row.get(column, "").split(",")]


_FIELDS = {
    "AWS Account Id": "awsAccountId",
    "Finding ARN": "findingArn",
    "Finding Type": "type",
    "Title": "title",
    "Description": "description",
    "Severity": "severity",
    "Status": "status",
    "First Seen": "firstObservedAt",
    "Last Seen": "lastObservedAt",
    "Last Updated": "updatedAt",
    "Inspector Score": "inspectorScore",
}
