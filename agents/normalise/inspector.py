"""Amazon Inspector findings: ListFindings, EventBridge, report exports, ASFF; Inspector Classic's files."""

from collections.abc import Iterator
from typing import ClassVar

from typing_extensions import override

from agents.normalise import _asff, _asff_events, _inspector_classic, _inspector_finding, _inspector_report
from agents.normalise._base import Item, Items, Kind, Normaliser, fragment
from agents.normalise._fields import wrong_type
from agents.normalise._unpack import Document, unpack, unpacked
from streams.errors import BadRecord
from streams.identity import Place
from streams.records import Finding


class Inspector(Normaliser):
    """A finding is sent again when it changes; `updatedAt`, else `lastObservedAt`, says which is newer.

    `finding.source` is `AWS Inspector`. `finding.type` is `Host Vulnerability` for a package of an instance,
    `Package Vulnerability` of an image or repository, `Serverless Vulnerability` of a function, `Code Vulnerability` or
    `Network Reachability`; for Inspector Classic also `Compliance` (CIS), `AWS Inspector Security Best Practices` and
    `AWS Inspector Runtime Behavior Analysis`. `finding.name` is the CVE or the advisory. `CLOSED` is `fixed`.
    What Inspector finds in Azure and Google Cloud has their account.
    """

    kind: ClassVar[Kind] = "findings"
    forms: ClassVar[tuple[str, ...]] = (
        'answers of Inspector v2\'s ListFindings and its JSON reports (`{"findings": [...]}`), or a list of findings',
        "reports in CSV",
        "EventBridge events with detail-type `Inspector2 Finding`, alone or in an SNS notification",
        "findings in ASFF, as Security Hub passes them on",
        "single findings, in the API's spelling (`findingArn`) or boto3's (`FindingArn`)",
        "Inspector Classic: answers of DescribeFindings, single findings",
    )

    @override
    def documents(self, message: bytes | None) -> list[Document] | Iterator[Document]:
        text = unpacked(message)
        if text[:1] not in (b"{", b"[") and _inspector_report.looks_like_report(text):
            return _inspector_report.documents(text)
        return unpack(message, text)

    @override
    def items(self, document: Item) -> Items:
        if "detail-type" in document:
            kind = document["detail-type"]
            if type(kind) is str and kind.startswith(_asff_events.PREFIX):
                return _asff_events.items(document)
            if kind != "Inspector2 Finding":
                raise BadRecord("detail-type", f"wanted 'Inspector2 Finding', got {kind!r:.80}")
            return [("detail", document.get("detail"))]
        for name in ("findings", "Findings"):
            if name in document:
                if not isinstance(document[name], list):
                    raise wrong_type(name, "a list", document[name])
                return [(f"{name}[{index}]", finding) for index, finding in enumerate(document[name])]
        for name in ("findingArns", "FindingArns", "finding"):
            if name in document:
                raise BadRecord(name, "names of findings only: send the answer of DescribeFindings")
        return [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Finding:
        original = fragment(item)
        if _asff.is_asff(item):
            return _asff.finding(item, original, place, index)
        if "report" in item:
            return _inspector_report.read(item["report"], _inspector_finding.finding, original, place, index)
        if "FindingArn" in item or "Arn" in item:
            item = {name[:1].lower() + name[1:]: value for name, value in item.items()}
        if "findingArn" in item or "awsAccountId" in item:
            return _inspector_finding.finding(item, original, place, index)
        return _inspector_classic.finding(item, original, place, index)
