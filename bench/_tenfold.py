"""A normaliser of ten fields, the work that the other stream processors were measured on."""

from typing import Any

from agents.normalise import NORMALISERS
from agents.normalise._base import Item, Items, Normaliser
from streams.identity import Place, version
from streams.records import Finding


class Tenfold(Normaliser):
    """Takes ten fields of a GuardDuty event as they are."""

    kind = "findings"
    forms = ("GuardDuty by EventBridge",)

    def items(self, document: Any) -> Items:
        """Return the event's detail."""
        return [("detail", document["detail"])]

    def record(self, item: Item, place: Place, index: int) -> Finding:
        """Return id, account, region, source, type, name, severity, title, description and version."""
        return Finding(
            id=item["arn"],
            account=item["accountId"],
            region=item["region"],
            source="AWS GuardDuty",
            type="AWS GuardDuty Host",
            name=item["type"],
            severity="high",
            title=item["title"],
            description=item["description"],
            version=version(0, item["service"]["count"], place, index),
        )


Tenfold.topic = NORMALISERS["guardduty"].topic
