"""A delivery as Prisma Cloud's flat alert object, as the variables of templates, and as text that fits."""

import re
from typing import Any

import orjson

from streams.alerts import Alert, AlertEvent, AlertPolicy, AlertResource, Delivery, RuleName

SOURCE = "Prisma Cloud"
"""What consumers of this shape look for."""

MARK = "… [cut]"
"""What a text ends with that was longer."""


def payload(delivery: Delivery) -> dict[str, Any]:
    """Return the alert as webhook, queue and Splunk consumers of Prisma Cloud know it. Times: ms since 1970 UTC."""
    event, alert = delivery.event, delivery.event.alert
    policy, resource = alert.policy, alert.resource
    rule = delivery.rules[0] if delivery.rules else RuleName(id="", name="")
    cloud = "alibaba-cloud" if resource.cloud == "alibaba" else resource.cloud
    return {
        "alertId": alert.id,
        "alertStatus": alert.status,
        "reason": alert.reason,
        "alertTs": event.at,
        "firstSeen": alert.first_seen,
        "lastSeen": alert.last_seen,
        "alertRuleId": rule.id,
        "alertRuleName": rule.name,
        "alertDismissalNote": alert.dismissal_note,
        "callbackUrl": delivery.link,
        "source": SOURCE,
        "severity": policy.severity,
        "hasFinding": bool(alert.findings),
        "policyId": policy.id,
        "policyName": policy.name,
        "policyType": policy.type,
        "policyDescription": policy.description,
        "policyRecommendation": policy.recommendation,
        "policyLabels": policy.labels,
        "accountId": resource.account,
        "accountName": resource.account,
        "cloudType": cloud,
        "resourceId": resource.id,
        "resourceName": resource.name or resource.id,
        "resourceType": resource.resource_type,
        "resourceRegion": resource.region,
        "resourceRegionId": resource.region,
        "resourceCloudService": resource.service,
        "resource": {
            "rrn": resource.rrn,
            "id": resource.id,
            "name": resource.name or resource.id,
            "accountId": resource.account,
            "account": resource.account,
            "cloudType": cloud,
            "regionId": resource.region,
            "region": resource.region,
            "resourceType": resource.resource_type,
            "resourceApiName": resource.api_name,
            "cloudServiceName": resource.service,
            "resourceTags": resource.tags,
            "data": event.config,
        },
    }


def fit_json(flat: dict[str, Any], most: int) -> bytes | None:
    """Return the payload *flat* as at most *most* bytes of JSON, cut as `fit` does; None: even the ids are too long."""
    text = orjson.dumps(flat)
    if len(text) <= most:
        return text
    fitting = fit(flat, most)
    return None if fitting is None else orjson.dumps(fitting)


def fit(flat: dict[str, Any], most: int) -> dict[str, Any] | None:
    """Return the payload *flat* in at most *most* bytes of JSON, cut where a reader sees it; ids stay whole.

    None: even the ids are too long. First the configuration goes, then tags and labels, then texts are cut short.
    """
    if _size(flat) <= most:
        return flat
    inner = dict(flat["resource"])
    flat = flat | {"resource": inner}
    inner["data"] = f"[left out: {_size(inner['data'])} bytes]"
    if _size(flat) <= most:
        return flat
    inner["resourceTags"] = {"[left out]": f"{len(inner['resourceTags'])} tags"}
    flat["policyLabels"] = [f"[left out: {len(flat['policyLabels'])} labels]"]
    for longest in (4000, 1000, 200, 50):
        if _size(flat) <= most:
            return flat
        for where in (flat, inner):
            where |= {name: cut(where[name], longest) for name in _TEXTS & where.keys()}
    return flat if _size(flat) <= most else None


def cut(text: str, longest: int) -> str:
    """Return *text* in at most *longest* characters, with a mark at its end where some are missing."""
    return text if len(text) <= longest else text[: longest - len(MARK)] + MARK


def variables(delivery: Delivery) -> dict[str, str]:
    """Return the values of a template's variables by name, without `$`; lists as JSON."""
    flat = payload(delivery)
    return {name: _text(flat[key]) for name, key in VARIABLES.items()}


def sample(at: int) -> Delivery:
    """Return a delivery that says it is a test: alert P-0. *at*: ms since 1970 UTC."""
    alert = Alert(
        id="P-0",
        policy=AlertPolicy(id="test", name="Test of this integration", severity="informational"),
        resource=AlertResource(id="test", name="No resource: this is a test", account="000000000000", cloud="aws"),
        status="open",
        reason="NEW_ALERT",
        first_seen=at,
        last_seen=at,
        opened=at,
        updated=at,
        seq=0,
    )
    event = AlertEvent(id=f"P-0-{at}", seq=0, kind="opened", at=at, alert=alert)
    return Delivery(integration="test", event=event)


VARIABLES = {
    "AlertId": "alertId",
    "Status": "alertStatus",
    "Reason": "reason",
    "AlertTime": "alertTs",
    "FirstSeen": "firstSeen",
    "LastSeen": "lastSeen",
    "AlertRuleId": "alertRuleId",
    "AlertRuleName": "alertRuleName",
    "AlertDismissalNote": "alertDismissalNote",
    "CallbackUrl": "callbackUrl",
    "Severity": "severity",
    "HasFinding": "hasFinding",
    "PolicyId": "policyId",
    "PolicyName": "policyName",
    "PolicyType": "policyType",
    "PolicyDescription": "policyDescription",
    "PolicyRecommendation": "policyRecommendation",
    "PolicyLabels": "policyLabels",
    "AccountId": "accountId",
    "AccountName": "accountName",
    "CloudType": "cloudType",
    "ResourceId": "resourceId",
    "ResourceName": "resourceName",
    "ResourceType": "resourceType",
    "ResourceRegion": "resourceRegion",
    "ResourceRegionId": "resourceRegionId",
    "ResourceCloudService": "resourceCloudService",
}
"""Variable of a template to key of the payload."""

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
"""`${Name}` or `$Name`."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _size(value: Any) -> int:
    return len(orjson.dumps(value))


_TEXTS = frozenset(
    ("policyDescription", "policyRecommendation", "alertDismissalNote", "policyName", "alertRuleName", "callbackUrl")
) | {"resourceName", "name", "resourceType", "resourceCloudService", "cloudServiceName"}
