"""AWS Security Hub findings of any product: GetFindings, EventBridge, BatchImportFindings, files of findings."""

from typing import ClassVar

from typing_extensions import override

from agents.normalise import _asff, _asff_events
from agents.normalise._base import Item, Items, Kind, Normaliser, fragment
from agents.normalise._fields import wrong_type
from streams.errors import BadRecord
from streams.identity import Place
from streams.records import Finding


class SecurityHub(Normaliser):
    """A product sends the same id again; `UpdatedAt`, then `ProcessedAt`, say which is newer.

    `finding.source` is the product: `AWS Security Hub` for its own controls, `AWS GuardDuty`, `AWS Inspector`, or the
    partner's name. What GuardDuty and Inspector also send themselves has the same id by both routes: it's one finding.
    `finding.type` is as theirs, `Compliance` for controls, else the namespace of ASFF's own type. A passed check is
    `fixed`, one that couldn't look is `suppressed`.
    """

    kind: ClassVar[Kind] = "findings"
    forms: ClassVar[tuple[str, ...]] = (
        'answers of GetFindings (`{"Findings": [...]}`), or a list of findings in ASFF',
        "EventBridge events with detail-type `Security Hub Findings - ...`, alone or in an SNS notification",
        "single findings in ASFF",
    )

    @override
    def items(self, document: Item) -> Items:
        if "detail-type" in document:
            return _asff_events.items(document)
        for name in ("Findings", "findings"):
            if name in document:
                if not isinstance(document[name], list):
                    raise wrong_type(name, "a list", document[name])
                return [(f"{name}[{index}]", finding) for index, finding in enumerate(document[name])]
        return [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Finding:
        if not _asff.is_asff(item):
            raise BadRecord("ProductArn", "missing: it's no finding in AWS Security Finding Format")
        return _asff.finding(item, fragment(item), place, index)
