"""Tenable: exports of vulnerabilities, assets and compliance, workbench answers, WAS, images, and .nessus files."""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, TypeAlias

import orjson
from typing_extensions import override

from agents.normalise import (
    _tenable_assets,
    _tenable_compliance,
    _tenable_images,
    _tenable_knowledge,
    _tenable_nessus,
    _tenable_vulnerability,
    _tenable_web,
    _xml,
)
from agents.normalise._base import Item, Items, Kind, Normaliser, fragment
from agents.normalise._fields import wrong_type
from agents.normalise._unpack import Document, unpack, unpacked
from streams.errors import BadRecord
from streams.identity import Place
from streams.records import Record


class Tenable(Normaliser):
    """A vulnerability is sent again whenever it's seen; `indexed`, else the latest of its times, says which is newer.

    No vulnerability names its cloud: its account is `unlinked` until its asset, a record of its own, tells. `.nessus`
    files have both. `finding.source` is `Tenable`; `finding.type` is `Host Vulnerability`, `Information Gathered` for
    what is none, `Compliance`, `Web Application Vulnerability`, or `Package Vulnerability` and `Malware` of an image.
    `finding.name` is the CVE where there is just one, else `plugin-...`. An accepted risk is `suppressed`. Ask the
    export for the states `OPEN`, `REOPENED` and `FIXED`, or nothing is ever fixed.
    """

    kind: ClassVar[Kind] = "findings"
    forms: ClassVar[tuple[str, ...]] = (
        "chunks of the exports of vulnerabilities, of assets (v1, v2) and of compliance, whole or their items",
        'workbench assets (`{"assets": [...]}`, `{"info": {...}}`), and its vulnerabilities as knowledge of plugins',
        "`.nessus` files (XML, version 2)",
        "WAS: chunks of its export, reports of a scan in JSON",
        "reports of a container image in JSON",
    )

    @override
    def documents(self, message: bytes | None) -> list[Document] | Iterator[Document]:
        text = unpacked(message)
        if text[:1] not in (b"{", b"[") and _xml.looks_like_xml(text):
            return _xml.documents(text, _tenable_nessus.SHAPES)
        return unpack(message, text)

    @override
    def items(self, document: Item) -> Items:
        if "findings" in document:
            if type(document["findings"]) is not list:
                raise wrong_type("findings", "a list", document["findings"])
            return _tenable_images.items(document) if "image_name" in document else _tenable_web.items(document)
        for name in ("assets", "vulnerabilities"):
            if name in document:
                if type(document[name]) is not list:
                    raise wrong_type(name, "a list", document[name])
                return [(f"{name}[{index}]", one) for index, one in enumerate(document[name])]
        info = document.get("info")
        if type(info) is dict and "uuid" in info:
            return [("info", info)]
        if "NessusClientData_v2" in document:
            return []
        if not any(name in document for name in _SURE):
            for name, why in _WITHOUT_DATA.items():
                if name in document:
                    raise BadRecord(name, why)
        return [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Record:
        for name, read in _RECORDS.items():
            if name in item:
                return read(item, fragment(item), place, index)
        raise BadRecord("", "neither vulnerability nor asset nor check: nothing that is known is in it")


_Reader: TypeAlias = Callable[[Item, orjson.Fragment, Place, int], Record]
_RECORDS: Mapping[str, _Reader] = {
    "plugin": _tenable_vulnerability.finding,
    "ReportItem": _tenable_nessus.finding,
    "ReportHost": _tenable_nessus.host,
    "check_name": _tenable_compliance.finding,
    "audit_file": _tenable_compliance.finding,
    "image": _tenable_images.finding,
    "web": _tenable_web.finding,
    "plugin_id": _tenable_knowledge.row,
    "id": _tenable_assets.asset,
    "uuid": _tenable_assets.asset,
}
"""How an item is read, by the first of these fields that it has."""

_SURE = ("plugin", "check_name", "audit_file", "ReportItem", "ReportHost", "image", "web", "plugin_id")
"""Fields of items only, and of no answer without data."""

_WITHOUT_DATA: Mapping[str, str] = {
    "export_uuid": "the name of an export: send its chunks",
    "chunks_available": "the state of an export: send its chunks",
    "progress": "the state of an export: send its file",
    "repository": "counts of an image's findings: send its report",
    "status": "a state and no data: send the export's chunks",
    "filters": "a list of filters: send the export's chunks",
    "outputs": "outputs that name no plugin: send the chunks of the export of vulnerabilities",
    "info": "details that name neither plugin nor asset: send the chunks of the export of vulnerabilities",
    "activity": "what happened to an asset: send the asset",
    "items": "a list of images or repositories: send the images' reports",
    "numAssetsTotal": "counts of assets: send the chunks of the export of assets",
}
"""Answers of Tenable that hold no record, by a field that only they have."""
