"""Security Hub's EventBridge events: findings in a list, and those that carry none."""

from agents.normalise._base import Item, Items
from agents.normalise._fields import wrong_type
from streams.errors import BadRecord

PREFIX = "Security Hub Findings"
"""How the detail-type of every event with findings begins: imported, and both kinds of custom action."""


def items(event: Item) -> Items:
    """Return the findings of *event*. Raises BadRecord for any other event."""
    kind = event["detail-type"]
    if type(kind) is not str or not kind.startswith(PREFIX):
        hint = ": it counts findings and names none" if kind == "Security Hub Insight Results" else ""
        raise BadRecord("detail-type", f"wanted '{PREFIX} - ...', got {kind!r:.80}{hint}")
    detail = event.get("detail")
    if type(detail) is not dict:
        raise wrong_type("detail", "an object", detail)
    findings = detail.get("findings")
    if type(findings) is not list:
        raise wrong_type("detail.findings", "a list", findings)
    return [(f"detail.findings[{index}]", finding) for index, finding in enumerate(findings)]
