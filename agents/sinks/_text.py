"""An alert as words: a title, facts in rows, and plain text, for destinations that people read."""

from datetime import UTC, datetime

from agents.sinks._payload import cut
from streams.alerts import Delivery, Transition


def title(delivery: Delivery, most: int) -> str:
    """Return what is wrong where, in a line of at most *most* characters."""
    alert = delivery.event.alert
    return cut(one_line(f"{alert.policy.name}: {alert.resource.name or alert.resource.id}"), most)


def happened(delivery: Delivery) -> str:
    """Return what happened to the alert, such as `Alert P-7 was resolved (RESOURCE_UPDATED)`."""
    event = delivery.event
    who = f" by {event.by}" if event.by else ""
    return f"Alert {event.alert.id} {_HAPPENED[event.kind]}{who} ({event.alert.reason})"


def facts(delivery: Delivery, most: int) -> list[tuple[str, str]]:
    """Return label and value of what a reader wants to know; only names are cut, to *most* characters."""
    alert = delivery.event.alert
    policy, resource = alert.policy, alert.resource
    rows = [
        ("Alert", alert.id),
        ("Status", alert.status),
        ("Severity", policy.severity),
        ("Policy", cut(policy.name, most)),
        ("Resource", cut(resource.name or resource.id, most)),
        ("Resource id", resource.id),
        ("RRN", resource.rrn),
        ("Account", resource.account),
        ("Cloud", resource.cloud),
        ("Region", resource.region),
        ("Service", cut(resource.service, most)),
        ("Alert rule", cut(delivery.rules[0].name, most) if delivery.rules else ""),
        ("Note", cut(alert.dismissal_note, most)),
        ("Since", utc(alert.opened)),
    ]
    return [(label, clean(value)) for label, value in rows if value]


def plain(delivery: Delivery, most: int, longest: int = 4000) -> str:
    """Return everything as lines of plain text of about *most* characters; *longest*: of each text."""
    policy = delivery.event.alert.policy
    lines = [happened(delivery), ""]
    lines += [f"{label}: {value}" for label, value in facts(delivery, 200)]
    if delivery.link:
        lines.append(f"Link: {delivery.link}")
    room = max(most - sum(map(len, lines)) - 100, 0)
    for label, text in (("Description", policy.description), ("Recommendation", policy.recommendation)):
        if text and room > 50:
            shown = cut(clean(text), min(longest, room))
            lines += ["", f"{label}:", shown]
            room -= len(shown)
    return "\n".join(lines)


def utc(at: int) -> str:
    """Return the time *at*, ms since 1970 UTC, as ISO 8601 with milliseconds and Z."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clean(text: str) -> str:
    """Return *text* without control characters, which XML and databases refuse; a line's end is one newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)


def one_line(text: str) -> str:
    """Return *text* in one line without control characters."""
    return " ".join(clean(text).split())


_CONTROLS = dict.fromkeys([*range(9), 0xB, 0xC, *range(0xE, 0x20), 0x7F, 0xFFFE, 0xFFFF], "\ufffd")

_HAPPENED: dict[Transition, str] = {
    "opened": "was opened",
    "updated": "was updated",
    "resolved": "was resolved",
    "dismissed": "was dismissed",
    "snoozed": "was snoozed",
    "reopened": "was opened again",
}
