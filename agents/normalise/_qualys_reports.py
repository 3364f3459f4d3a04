"""Qualys's scan reports, CSV and XML, as the hosts and detections that its API gives."""

from collections.abc import Iterator, Mapping
from typing import Any

from agents.normalise import _csv, _xml
from agents.normalise._unpack import Document
from agents.normalise._xml import Shape, objects, text_of

SHAPES: Mapping[str, Shape] = {
    "HOST_LIST_VM_DETECTION_OUTPUT": Shape(frozenset({"DETECTION"}), "HOST", frozenset({"DETECTION_LIST"})),
    "HOST_LIST_OUTPUT": Shape(frozenset(), "HOST"),
    "KNOWLEDGE_BASE_VULN_LIST_OUTPUT": Shape(frozenset({"VULN"})),
    "ServiceResponse": Shape(frozenset({"HostAsset", "WebApp", "Finding"})),
    "SIMPLE_RETURN": Shape(frozenset()),
    "ASSET_DATA_REPORT": Shape(frozenset({"VULN_INFO"}), "HOST", frozenset({"VULN_INFO_LIST"})),
    "SCAN": Shape(frozenset({"VULN", "PRACTICE"}), "IP", frozenset({"VULNS", "PRACTICES", "INFOS", "SERVICES"})),
}
_GLOSSARY: Mapping[str, Shape] = {"ASSET_DATA_REPORT": Shape(frozenset({"VULN_DETAILS"}))}


def looks_like_csv(text: bytes) -> bool:
    """Tell whether *text* is a table with a column QID."""
    return _csv.looks_like_csv(text, "QID")


def from_csv(text: bytes) -> Iterator[Document]:
    """Yield a HOST with its DETECTION for each row: of an API's answer in CSV, or of a report."""
    return _csv.documents(text, "QID", _row)


def from_xml(text: bytes) -> Iterator[Document]:
    """Yield the records of an API's answer or a report; a report's own words are the API's."""
    if b"<ASSET_DATA_REPORT" in text[:4096]:
        yield from _asset_report(text)
        return
    for where, document, raw in _xml.documents(text, SHAPES):
        if type(document) is dict and type(document.get("IP")) is dict:
            if (changed := _scanned(document)) is not None:
                yield (where, changed, raw)
        else:
            yield (where, document, raw)


def _asset_report(text: bytes) -> Iterator[Document]:
    """Yield a report's glossary first: the hosts before it don't say how severe anything is."""
    known: dict[str, dict[str, Any]] = {}
    for where, document, raw in _xml.documents(text, _GLOSSARY):
        if type(document) is dict and type(details := document.get("VULN_DETAILS")) is dict:
            row = _renamed(details, _DETAILS)
            if type(listed := row.get("CVE_LIST")) is dict:
                row["CVE_LIST"] = {"CVE": listed.get("CVE_ID")}
            known[text_of(row.get("QID"))] = row
            yield (where, {"VULN": row}, raw)
        elif type(document) is not dict:
            yield (where, document, raw)
            return
    for where, document, raw in _xml.documents(text, SHAPES):
        if type(document) is dict and type(info := document.get("VULN_INFO")) is dict:
            row = _renamed(info, _INFO)
            told = known.get(text_of(row.get("QID")), {})
            more = {name: told[other] for name, other in _FROM_GLOSSARY.items() if other in told}
            document = {"HOST": _renamed(document["HOST"], _HOST), "DETECTION": more | row}
        elif type(document) is dict and type(host := document.get("HOST")) is dict:
            document = {"HOST": _renamed(host, _HOST)}
        yield (where, document, raw)


def _scanned(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an IP of a scan with its VULN or PRACTICE in the API's words."""
    told = document["IP"]
    host = {name: value for name, value in told.items() if name[:1] != "@"} | {
        "IP": told.get("@value", ""),
        "DNS": told.get("@name", ""),
    }
    found = document.get("VULN") or document.get("PRACTICE")
    if type(found) is not dict:
        return {"HOST": host} if host["IP"] else None
    category = document.get("CAT")
    place = category if type(category) is dict else {}
    listed = found.get("CVE_ID_LIST")
    ids = " ".join(text_of(one.get("ID")) for one in objects(listed.get("CVE_ID") if type(listed) is dict else None))
    row = _renamed({name: value for name, value in found.items() if name != "CVE_ID_LIST"}, _SCAN)
    row |= {"CVE_ID": ids or text_of(found.get("@cveid"))}
    row |= {name: place[other] for name, other in (("PORT", "@port"), ("PROTOCOL", "@protocol")) if other in place}
    return {"HOST": host, "DETECTION": {name: value for name, value in row.items() if value != ""}}


def _row(cells: _csv.Row) -> dict[str, Any]:
    """Return a row of a table. Columns that no API has keep their name, beside the detection's."""
    host: dict[str, Any] = {}
    detection: dict[str, Any] = {}
    for name, value in cells.items():
        known = name.upper().replace(" ", "_")
        if (as_host := _HOST_COLUMNS.get(known)) is not None:
            host.setdefault(as_host, value)
        else:
            detection[_COLUMNS.get(known, known)] = value
    if detection.get("TYPE", "").lower() in ("vuln", "practice", "ig"):
        detection["TYPE"] = _TYPES[detection["TYPE"].lower()]
    if "EC2_INSTANCE_ID" in host or "CLOUD_PROVIDER" in host:
        host.setdefault("CLOUD_PROVIDER", "AWS")
    return {"HOST": host, "DETECTION": detection}


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in fields.items()}


_TYPES = {"vuln": "Confirmed", "practice": "Potential", "ig": "Info"}
_HOST = {"OPERATING_SYSTEM": "OS", "HOST_ID": "ID"}
_INFO = {
    "VULN_STATUS": "STATUS",
    "RESULT": "RESULTS",
    "FIRST_FOUND": "FIRST_FOUND_DATETIME",
    "LAST_FOUND": "LAST_FOUND_DATETIME",
    "LAST_FIXED": "LAST_FIXED_DATETIME",
    "LAST_REOPENED": "LAST_REOPENED_DATETIME",
}
_DETAILS = {
    "SEVERITY": "SEVERITY_LEVEL",
    "THREAT": "DIAGNOSIS",
    "IMPACT": "CONSEQUENCE",
    "CVE_ID_LIST": "CVE_LIST",
    "LAST_UPDATE": "LAST_SERVICE_MODIFICATION_DATETIME",
}
_FROM_GLOSSARY = {"SEVERITY": "SEVERITY_LEVEL", "TITLE": "TITLE", "SOLUTION": "SOLUTION"}
_SCAN = {
    "@number": "QID",
    "@severity": "SEVERITY",
    "RESULT": "RESULTS",
    "LAST_UPDATE": "LAST_SERVICE_MODIFICATION_DATETIME",
}
_HOST_COLUMNS = {
    "HOST_ID": "ID",
    "ASSET_ID": "ASSET_ID",
    "IP": "IP",
    "IP_ADDRESS": "IP",
    "IPV6": "IPV6",
    "NETWORK": "NETWORK",
    "DNS": "DNS",
    "DNS_NAME": "DNS",
    "NETBIOS": "NETBIOS",
    "NETBIOS_NAME": "NETBIOS",
    "TRACKING_METHOD": "TRACKING_METHOD",
    "OS": "OS",
    "OPERATING_SYSTEM": "OS",
    "IP_STATUS": "IP_STATUS",
    "QG_HOSTID": "QG_HOSTID",
    "LAST_SCAN_DATETIME": "LAST_SCAN_DATETIME",
    "LAST_VM_SCANNED_DATE": "LAST_VM_SCANNED_DATE",
    "ASSOCIATED_TAGS": "ASSOCIATED_TAGS",
    "EC2_INSTANCE_ID": "EC2_INSTANCE_ID",
    "CLOUD_PROVIDER": "CLOUD_PROVIDER",
    "CLOUD_SERVICE": "CLOUD_SERVICE",
    "CLOUD_PROVIDER_SERVICE": "CLOUD_SERVICE",
    "CLOUD_RESOURCE_ID": "CLOUD_RESOURCE_ID",
    "CLOUD_ACCOUNT": "CLOUD_ACCOUNT",
    "ACCOUNT_ID": "CLOUD_ACCOUNT",
    "REGION_CODE": "REGION_CODE",
}
_COLUMNS = {
    "VULN_STATUS": "STATUS",
    "FIRST_DETECTED": "FIRST_FOUND_DATETIME",
    "LAST_DETECTED": "LAST_FOUND_DATETIME",
    "DATE_LAST_FIXED": "LAST_FIXED_DATETIME",
    "LAST_REOPENED": "LAST_REOPENED_DATETIME",
    "IGNORED": "IS_IGNORED",
    "DISABLED": "IS_DISABLED",
    "CVSS3.1_BASE": "CVSS3_BASE",
    "CVSS3_BASE": "CVSS3_BASE",
}
