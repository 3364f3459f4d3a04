"""The Atlassian Document Format: an alert as a document in which text is only text."""

from typing import Any

from agents.sinks._payload import cut
from agents.sinks._text import clean, facts, happened
from streams.alerts import Delivery


def description(delivery: Delivery) -> dict[str, Any]:
    """Return the alert as a document of at most some 20,000 characters."""
    policy = delivery.event.alert.policy
    content = [_paragraph(happened(delivery))]
    rows = [_paragraph(value, label=label) for label, value in facts(delivery, 300)]
    content.append({"type": "bulletList", "content": [{"type": "listItem", "content": [row]} for row in rows]})
    for label, text in (("Description", policy.description), ("Recommendation", policy.recommendation)):
        if text.strip():
            content += [_paragraph("", label=label), _paragraph(cut(clean(text), 8000))]
    if delivery.link:
        mark = {"type": "link", "attrs": {"href": delivery.link}}
        content.append({"type": "paragraph", "content": [{"type": "text", "text": delivery.link, "marks": [mark]}]})
    return _document(content)


def comment(text: str) -> dict[str, Any]:
    """Return *text* as a document."""
    return _document([_paragraph(text)])


def _document(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": content}


def _paragraph(text: str, label: str = "") -> dict[str, Any]:
    nodes: list[dict[str, Any]] = []
    if label:
        nodes.append({"type": "text", "text": f"{label}: " if text else label, "marks": [{"type": "strong"}]})
    for number, line in enumerate(text.split("\n")):
        nodes += [{"type": "hardBreak"}] if number else []
        nodes += [{"type": "text", "text": line}] if line else []
    return {"type": "paragraph", "content": nodes}
