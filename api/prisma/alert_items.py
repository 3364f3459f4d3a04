"""Alerts as the product's clients know them."""

from collections.abc import Mapping
from typing import Any

from api.prisma.items import Names
from api.prisma.words import asset_id, cloud_out
from streams.alerts import Alert, AlertStep

_SCORES = {"critical": 95, "high": 75, "medium": 50, "low": 25, "informational": 5}
_GRADES = {"critical": "F", "high": "D", "medium": "C", "low": "B", "informational": "A"}


def item(
    alert: Alert,
    names: Names,
    rules: Mapping[str, Any],
    policies: Mapping[str, Any],
    *,
    detailed: bool,
    data: Any = None,
) -> dict[str, Any]:
    """Return *alert* with what the product tells of it; *rules* (resolved) and *policies* as they are now. In ms."""
    covering = [(id, rule) for id, rule in rules.items() if rule.covers(alert.policy, alert.resource)]
    made: dict[str, Any] = {
        "id": alert.id,
        "status": alert.status,
        "reason": alert.reason,
        "firstSeen": alert.first_seen,
        "lastSeen": alert.last_seen,
        "alertTime": alert.opened,
        "lastUpdated": alert.updated,
        "eventOccurred": alert.opened,
        "triggeredBy": "",
        "alertCount": 1,
        "saveSearchId": "",
        "metadata": {},
        "policyId": alert.policy.id,
        "policy": _policy(alert, policies.get(alert.policy.id), detailed=detailed),
        "resource": _resource(alert, names, data),
        "riskDetail": {
            "rating": _GRADES[alert.policy.severity],
            "riskScore": {"score": _SCORES[alert.policy.severity], "maxScore": 100},
            "score": str(_SCORES[alert.policy.severity]),
        },
        "alertRules": [{"policyScanConfigId": id, "name": rule.name, "enabled": True} for id, rule in covering],
        "alertAttribution": {},
        "investigateOptions": {
            "searchId": "",
            "startTs": alert.first_seen,
            "endTs": alert.last_seen,
            "alertId": alert.id,
        },
        "history": _history(alert) if detailed else [],
    }
    if alert.status in ("dismissed", "snoozed"):
        made |= {
            "dismissedBy": alert.dismissed_by,
            "dismissalNote": alert.dismissal_note,
            "dismissalUntilTs": alert.snoozed_until or 0,
        }
    return made


def _policy(alert: Alert, now: Any, *, detailed: bool) -> dict[str, Any]:
    policy = alert.policy
    made: dict[str, Any] = {
        "policyId": policy.id,
        "policyType": "config",
        "systemDefault": False,
        "remediable": False,
        "name": policy.name,
        "severity": policy.severity,
    }
    if detailed:
        made |= {
            "description": policy.description,
            "recommendation": policy.recommendation,
            "labels": list(policy.labels),
            "complianceMetadata": [
                {"standardName": each.standard, "requirementId": each.requirement, "policyId": policy.id}
                for each in (now.compliance if now is not None else ())
            ],
            "deleted": now is None,
        }
    return made


def _resource(alert: Alert, names: Names, data: Any) -> dict[str, Any]:
    resource = alert.resource
    return {
        "rrn": resource.rrn,
        "id": resource.id,
        "name": resource.name or resource.id,
        "account": names.account(resource.account),
        "accountId": resource.account,
        "cloudAccountGroups": names.groups(resource.account),
        "cloudAccountOwners": names.owners(resource.account),
        "region": resource.region,
        "regionId": resource.region,
        "resourceType": resource.resource_type or resource.api_name,
        "resourceApiName": resource.api_name,
        "cloudServiceName": resource.service,
        "url": "",
        "data": data,
        "additionalInfo": {},
        "resourceTags": dict(resource.tags),
        "cloudType": cloud_out(resource.cloud),
        "unifiedAssetId": asset_id(resource.rrn) if resource.rrn else "",
        "resourceConfigJsonAvailable": bool(resource.rrn),
        "resourceDetailsAvailable": bool(resource.rrn),
    }


def _history(alert: Alert) -> list[dict[str, Any]]:
    """The changes of its status, the newest first."""
    steps = alert.history or [
        AlertStep(at=alert.updated, status=alert.status, reason=alert.reason, by=alert.dismissed_by)
    ]
    return [
        {"modifiedBy": step.by or "Tidegate", "modifiedOn": step.at, "status": step.status, "reason": step.reason}
        for step in reversed(steps)
    ]
