"""A delivery as an event of the Open Cybersecurity Schema Framework: a Detection Finding, or a Compliance Finding."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.sinks._payload import cut
from streams.alerts import Alert, AlertEvent, AlertStatus, Delivery, Transition
from streams.records import Cloud, Severity

OCSF = "1.5.0"
"""The schema's version that the events are of."""

DETECTION, COMPLIANCE = 2004, 2003
"""Classes: what was raised for findings, and what a configuration alone violates."""

MOST_RELATED = 100
"""The most findings that an event names."""


def finding(delivery: Delivery) -> dict[str, Any]:
    """Return the event as OCSF has it, with the profile `cloud`. Times: ms since 1970 UTC."""
    event, alert = delivery.event, delivery.event.alert
    policy, resource = alert.policy, alert.resource
    activity, activity_name = _ACTIVITIES.get(event.kind, (2, "Update"))
    status, status_name = _STATUSES[alert.status]
    severity, severity_name = _SEVERITIES[policy.severity]
    uid, name = (DETECTION, "Detection Finding") if alert.findings else (COMPLIANCE, "Compliance Finding")
    told: dict[str, Any] = {
        "class_uid": uid,
        "class_name": name,
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": uid * 100 + activity,
        "type_name": f"{name}: {activity_name}",
        "time": event.at,
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "status_code": alert.reason,
        "message": f"{policy.name}: {resource.name or resource.id}",
        "metadata": _metadata(event),
        "cloud": _cloud(alert),
        "finding_info": _info(delivery),
        "resources": [_resource(event)],
        "unmapped": {
            "alert_status": alert.status,
            "alert_rules": [{"id": rule.id, "name": rule.name} for rule in delivery.rules],
            "resource_api_name": resource.api_name,
        },
    }
    if alert.dismissal_note:
        told["comment"] = alert.dismissal_note
    if policy.recommendation:
        told["remediation"] = {"desc": policy.recommendation}
    if alert.findings:
        told["is_alert"] = True
    else:
        told["compliance"] = _compliance(alert)
    return told


def fit_finding(told: dict[str, Any], most: int) -> dict[str, Any] | None:
    """Return the event *told* in at most *most* bytes of JSON, cut where a reader sees it; ids stay whole.

    None: even the ids are too long. First the configuration goes, then tags, labels, requirements and rules, then the
    names of findings, then texts are cut short.
    """
    if _size(told) <= most:
        return told
    (resource,) = told["resources"]
    told = told | {"resources": [resource := dict(resource)]}
    if "data" in resource:
        resource["data"] = f"[left out: {_size(resource['data'])} bytes]"
    if _size(told) <= most:
        return told
    left_out = f"[left out: {len(resource.pop('tags', ()))} tags]"
    told["metadata"] = {name: value for name, value in told["metadata"].items() if name != "labels"}
    rules = told["unmapped"]["alert_rules"][:1]
    told["unmapped"] = told["unmapped"] | {"alert_rules": rules, "resource_tags": left_out}
    if "compliance" in told:
        told["compliance"] = {**told["compliance"], "requirements": [], "standards": []}
    if _size(told) <= most:
        return told
    told["finding_info"] = {name: value for name, value in told["finding_info"].items() if name != "related_events"}
    for longest in (4000, 1000, 200, 50):
        if _size(told) <= most:
            return told
        told = _cut(told, longest)
    return told if _size(told) <= most else None


def _metadata(event: AlertEvent) -> dict[str, Any]:
    policy = event.alert.policy
    return {
        "version": OCSF,
        "profiles": ["cloud"],
        "product": {"name": "Tidegate", "vendor_name": "Tidegate", "feature": {"name": "alerts"}},
        "uid": event.id,
        "correlation_uid": event.alert.id,
        "sequence": event.seq,
        "event_code": policy.id,
        **({"labels": list(policy.labels)} if policy.labels else {}),
    }


def _cloud(alert: Alert) -> dict[str, Any]:
    resource = alert.resource
    type_id, type_name = _ACCOUNTS[resource.cloud]
    account = {"uid": resource.account, "type_id": type_id, "type": type_name}
    told: dict[str, Any] = {"provider": _PROVIDERS[resource.cloud], "account": account}
    return told | {"region": resource.region} if resource.region else told


def _info(delivery: Delivery) -> dict[str, Any]:
    alert = delivery.event.alert
    policy = alert.policy
    told: dict[str, Any] = {
        "uid": alert.id,
        "title": policy.name,
        "desc": policy.description,
        "analytic": {"uid": policy.id, "name": policy.name, "type_id": 1, "type": "Rule"},
        "created_time": alert.opened,
        "modified_time": alert.updated,
        "first_seen_time": alert.first_seen,
        "last_seen_time": alert.last_seen,
    }
    if delivery.link:
        told["src_url"] = delivery.link
    if alert.findings:
        told["related_events"] = [{"uid": id} for id in alert.findings[:MOST_RELATED]]
        told["related_events_count"] = len(alert.findings)
    return told


def _resource(event: AlertEvent) -> dict[str, Any]:
    resource = event.alert.resource
    told = {
        "uid": resource.id,
        "name": resource.name or resource.id,
        "type": resource.resource_type,
        "uid_alt": resource.rrn,
        "region": resource.region,
        "namespace": resource.service,
        "created_time": resource.created,
        "tags": [{"name": name, "value": value} for name, value in resource.tags.items()],
        "data": event.config,
    }
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def _compliance(alert: Alert) -> dict[str, Any]:
    """Whether the resource is as the policy wants it: of an alert that ended in another way, that isn't known."""
    if alert.status != "resolved":
        verdict, words = 3, "Fail"
    elif alert.reason == "RESOURCE_UPDATED":
        verdict, words = 1, "Pass"
    else:
        verdict, words = 0, "Unknown"
    requirements = alert.policy.compliance
    return {
        "control": alert.policy.name,
        "status_id": verdict,
        "status": words,
        "standards": list(dict.fromkeys(one.standard for one in requirements)),
        "requirements": [f"{one.standard} {one.requirement}" for one in requirements],
    }


def _cut(told: dict[str, Any], longest: int) -> dict[str, Any]:
    """Return *told* with none of its texts longer than *longest* characters."""
    made = dict(told)
    for path in _TEXTS:
        *outer, name = path
        inner = made
        for each in outer:
            if each not in inner:
                break
            inner[each] = dict(inner[each])
            inner = inner[each]
        else:
            if name in inner:
                inner[name] = cut(inner[name], longest)
    (resource,) = made["resources"]
    made["resources"] = [{name: cut(value, longest) if name in _NAMES else value for name, value in resource.items()}]
    return made


def _size(value: Any) -> int:
    return len(orjson.dumps(value))


_TEXTS = (
    ("message",),
    ("comment",),
    ("remediation", "desc"),
    ("compliance", "control"),
    ("finding_info", "title"),
    ("finding_info", "desc"),
    ("finding_info", "src_url"),
    ("finding_info", "analytic", "name"),
)
"""What may be cut; not the first rule's name, which stands in a list."""
_NAMES = ("name", "type", "namespace")
"""What of a resource may be cut."""

_ACTIVITIES: Mapping[Transition, tuple[int, str]] = {"opened": (1, "Create"), "resolved": (3, "Close")}
"""The others are updates."""

_STATUSES: Mapping[AlertStatus, tuple[int, str]] = {
    "open": (1, "New"),
    "dismissed": (3, "Suppressed"),
    "snoozed": (3, "Suppressed"),
    "resolved": (4, "Resolved"),
}
_SEVERITIES: Mapping[Severity, tuple[int, str]] = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_ACCOUNTS: Mapping[Cloud, tuple[int, str]] = {
    "aws": (10, "AWS Account"),
    "azure": (13, "Azure Subscription"),
    "gcp": (11, "GCP Project"),
    "alibaba": (99, "Alibaba Cloud Account"),
}
_PROVIDERS: Mapping[Cloud, str] = {"aws": "AWS", "azure": "Azure", "gcp": "GCP", "alibaba": "Alibaba Cloud"}
