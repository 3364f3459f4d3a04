"""Qualys VMDR: detections, hosts with their cloud identity, the KnowledgeBase, scan reports; XML, CSV and JSON."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeAlias

import orjson
from typing_extensions import override

from agents.normalise import _qualys_detection, _qualys_hosts, _qualys_knowledge, _qualys_reports, _xml
from agents.normalise._base import Item, Items, Kind, Normaliser, fragment
from agents.normalise._unpack import Document, unpack, unpacked
from agents.normalise._xml import text_of
from streams.errors import BadRecord
from streams.identity import Place
from streams.records import Record


class Qualys(Normaliser):
    """XML and CSV are read as the JSON that they stand for: `{"HOST": {...}, "DETECTION": {...}}`, `{"VULN": {...}}`.

    A detection is a finding, with the account of its host where its message tells it, else `unlinked`; the newest of
    its times says which is newer. A host is also an asset, a row of the KnowledgeBase is knowledge. `finding.source` is
    `Qualys`; `finding.type` is `Host Vulnerability`, or `Information Gathered` for what is none; `finding.name` is
    `QID-...`, or the CVE where a report tells just one. Levels 5 to 1 are critical to informational. Ask the API for
    `status=New,Active,Re-Opened,Fixed`, or nothing is ever fixed.
    """

    kind: ClassVar[Kind] = "findings"
    forms: ClassVar[tuple[str, ...]] = (
        "host list detection, XML or CSV (`asset/host/vm/detection/?action=list`)",
        "KnowledgeBase, XML (`knowledge_base/vuln/?action=list`)",
        "host assets, XML or JSON (`/qps/rest/2.0/search/am/hostasset`), and host lists with details",
        "scan reports, XML (`ASSET_DATA_REPORT`, `SCAN`) or CSV",
    )

    @override
    def documents(self, message: bytes | None) -> list[Document] | Iterator[Document]:
        text = unpacked(message)
        if text[:1] not in (b"{", b"["):
            if _xml.looks_like_xml(text):
                return _qualys_reports.from_xml(text)
            if _qualys_reports.looks_like_csv(text):
                return _qualys_reports.from_csv(text)
        return unpack(message, text)

    @override
    def items(self, document: Item) -> Items:
        if "ServiceResponse" in document:
            return _service(document["ServiceResponse"])
        if "SIMPLE_RETURN" in document:
            response = _object(_object(document, "SIMPLE_RETURN"), "RESPONSE")
            code, said = text_of(response.get("CODE")), text_of(response.get("TEXT"))
            raise BadRecord("SIMPLE_RETURN", f"no data, but Qualys's answer {code:.20}: {said:.200}")
        if "ID_SET" in _object(_object(document, "HOST_LIST_OUTPUT"), "RESPONSE"):
            raise BadRecord("HOST_LIST_OUTPUT", "an answer with ids only: ask for `details=All`")
        if any(name in document for name in _ANSWERS):
            return []
        return [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Record:
        for name, read in _RECORDS.items():
            if name in item:
                return read(item, fragment(item), place, index)
        if "WebApp" in item or "Finding" in item:
            raise BadRecord("", "a web application: it names no resource of a cloud")
        raise BadRecord("", f"wanted one of {', '.join(_RECORDS)}: nothing else is known")


def _service(response: Any) -> Items:
    """Return the assets of an answer of Qualys's newer APIs; an answer that counts none has none."""
    response = response if type(response) is dict else {}
    code = text_of(response.get("responseCode"))
    if code != "SUCCESS":
        details = _object(response, "responseErrorDetails")
        raise BadRecord(
            "ServiceResponse", f"no data, but Qualys's answer {code:.40}: {text_of(details.get('errorMessage')):.200}"
        )
    data = response.get("data")
    if type(data) is list:
        return [(f"data[{index}]", one) for index, one in enumerate(data)]
    if data not in (None, ""):
        raise BadRecord("ServiceResponse.data", "wanted host assets, there are none")
    return []


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if type(value) is dict else {}


_Reader: TypeAlias = Callable[[Item, orjson.Fragment, Place, int], Record]
_ANSWERS = (
    "HOST_LIST_VM_DETECTION_OUTPUT",
    "HOST_LIST_OUTPUT",
    "KNOWLEDGE_BASE_VULN_LIST_OUTPUT",
    "ASSET_DATA_REPORT",
    "SCAN",
)
"""Answers whose records have been taken out, and which had none."""
_RECORDS: Mapping[str, _Reader] = {
    "DETECTION": _qualys_detection.finding,
    "HOST": _qualys_hosts.host,
    "HostAsset": _qualys_hosts.asset,
    "VULN": _qualys_knowledge.row,
}
