"""Alert rules: which violations become alerts, and which integrations hear of them."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.rules import AlertRule
from api.prisma.access import may_change, may_read
from api.prisma.backend import Backend, Shape, answer, backend, change, nothing
from api.prisma.failures import Failure, bad, unsupported
from api.prisma.integration_types import type_of
from api.prisma.kept import Kept, all_kept, kept, removing, saving
from api.prisma.schedules import digest_in, digest_out
from api.prisma.words import cloud_in, cloud_out
from streams.control import Control
from streams.control.check import read

reads = APIRouter(tags=["Alert rules"], dependencies=[Depends(may_read)])
writes = APIRouter(tags=["Alert rules"], dependencies=[Depends(may_change)])

KIND = "alert-rule"


class Target(BaseModel):
    """What a rule is about."""

    model_config = ConfigDict(extra="allow")

    accountGroups: list[str] = Field(default_factory=list, description="Ids of account groups; none: every account.")
    excludedAccounts: list[str] | None = Field(default=None, description="Accounts that it doesn't cover.")
    regions: list[str] | None = Field(default=None, description="The providers' region ids; none: every one.")
    tags: list[dict[str, Any]] | None = Field(default=None, description="`key` and `values`: one is enough.")
    includedResourceLists: dict[str, Any] | None = Field(
        default=None, description="`computeAccessGroupIds`: ids of resource lists, whose tags count with these."
    )
    alertRulePolicyFilter: dict[str, Any] | None = Field(
        default=None,
        description="Lists of which one is enough: `cloud.type`, `policy.severity`, `policy.label`,"
        " `policy.complianceStandard`.",
    )


class Notification(BaseModel):
    """Who hears of a rule's alerts."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The type of its integrations.", examples=["webhook"])
    enabled: bool = Field(default=True, description="Whether they hear of it.")
    recipients: list[str] | None = Field(default=None, description="Ids of integrations.")
    templateId: str | None = Field(default=None, description="The id of a notification template.")
    frequency: str | None = Field(
        default="as_it_happens",
        description="as_it_happens, or a digest: daily, weekly or monthly, with `timezone`, `hourOfDay`, `daysOfWeek`,"
        " `dayOfMonth`, or `rruleSchedule` in place of these.",
    )


class RuleBody(Shape):
    """An alert rule to write."""

    name: str = Field(min_length=1, max_length=255, description="What people call it; no two are called the same.")
    description: str = Field(default="", max_length=10_000, description="What it is for.")
    enabled: bool = Field(default=True, description="A disabled rule covers nothing.")
    scan_all: bool = Field(default=False, description="Whether it is about all policies.")
    policies: list[str] | None = Field(default=None, description="Ids of policies, unless scanAll.")
    policy_labels: list[str] | None = Field(default=None, description="Labels of which a policy must have one.")
    excluded_policies: list[str] | None = Field(default=None, description="Policies that it doesn't cover.")
    target: Target = Field(default_factory=Target, description="What it is about.")
    alert_rule_notification_config: list[Notification] | None = Field(default=None, description="Who hears of it.")
    notify_on_open: bool = Field(default=True, description="Whether they hear of open alerts.")
    notify_on_snoozed: bool = Field(default=False, description="Of snoozed ones.")
    notify_on_dismissed: bool = Field(default=False, description="Of dismissed ones.")
    notify_on_resolved: bool = Field(default=False, description="Of resolved ones.")
    allow_auto_remediate: bool = Field(default=False, description="Only false: Tidegate changes nothing in clouds.")
    delay_notification_ms: int = Field(
        default=0, ge=0, description="How long an alert must be open before anybody hears of it."
    )


@reads.get("/v2/alert/rule")
@reads.get("/alert/rule")
async def list_rules(request: Request, enabled: bool | None = None) -> Response:
    """List alert rules."""
    control = backend(request).control
    found = [each for each in all_kept(control, KIND) if enabled is None or each.object.enabled is enabled]
    return answer([_shown(control, each) for each in found])


@reads.get("/alert/rule/{id}")
async def show_rule(id: str, request: Request) -> Response:
    """Show one alert rule."""
    control = backend(request).control
    return answer(_shown(control, kept(control, KIND, id, "alert rule")))


@writes.post("/alert/rule")
async def create_rule(asked: RuleBody, request: Request) -> Response:
    """Make an alert rule."""
    return await _write(request, str(uuid4()), asked)


@writes.put("/alert/rule/{id}")
async def update_rule(id: str, asked: RuleBody, request: Request) -> Response:
    """Write an alert rule anew."""
    kept(backend(request).control, KIND, id, "alert rule")
    return await _write(request, id, asked)


@writes.delete("/alert/rule/{id}", status_code=204, response_class=Response)
async def delete_rule(id: str, request: Request) -> Response:
    """Delete an alert rule."""
    control = backend(request).control
    kept(control, KIND, id, "alert rule")
    await change(request, removing(control, KIND, id))
    return nothing(204)


async def _write(request: Request, id: str, asked: RuleBody) -> Response:
    back = backend(request)
    document = _document(back, asked)
    said = asked.model_dump(by_alias=True, exclude={"name", "enabled", "policies", "policy_labels"})
    rule: Any = read(back.control.kinds[KIND], id, document)
    said["written"] = _digest(rule)
    for number, each in enumerate(said.get("alertRuleNotificationConfig") or ()):
        each["id"] = each.get("id") or f"{id}-{number}"
    await change(request, saving(request, KIND, id, document, said))
    return answer(_shown(back.control, kept(back.control, KIND, id, "alert rule")))


def _document(back: Backend, asked: RuleBody) -> dict[str, Any]:
    """Return Tidegate's rule for a client's. Raises Failure for what it hasn't."""
    target = asked.target
    narrowed = target.alertRulePolicyFilter or {}
    if asked.allow_auto_remediate:
        raise unsupported("allowAutoRemediate", "Tidegate changes nothing in clouds: set false")
    known = back.control.objects("account-group")
    for group in target.accountGroups:
        if group not in known:
            raise Failure(400, "account_group_not_found", f"target.accountGroups: no account group {group!r:.100}")
    labels = [*(asked.policy_labels or ()), *(narrowed.get("policy.label") or ())]
    policies = [] if asked.scan_all else list(asked.policies or ())
    if policies and labels:
        raise unsupported("policyLabels", "a rule chooses by policies or by labels: make one rule for each")
    if not asked.scan_all and not policies and not labels and not any(narrowed.values()):
        raise bad("policies", "none: name some, give policyLabels, or set scanAll")
    return {
        "name": asked.name,
        "enabled": asked.enabled,
        "policies": policies,
        "excluded_policies": list(asked.excluded_policies or ()),
        "severities": [str(each).lower() for each in narrowed.get("policy.severity") or ()],
        "labels": labels,
        "clouds": [cloud for each in narrowed.get("cloud.type") or () if (cloud := cloud_in(str(each))) != "all"],
        "standards": [str(each) for each in narrowed.get("policy.complianceStandard") or ()],
        "account_groups": list(target.accountGroups),
        "excluded_accounts": list(target.excludedAccounts or ()),
        "regions": list(target.regions or ()),
        "resource_lists": _lists(target.includedResourceLists),
        "tags": dict(_tag(each) for each in target.tags or ()),
        "delay_s": -(-asked.delay_notification_ms // 1000),
        "channels": _channels(back.control, asked),
    }


def _tag(given: Mapping[str, Any]) -> tuple[str, list[str]]:
    values = given.get("values") or []
    if not isinstance(given.get("key"), str) or not isinstance(values, list):
        raise bad("target.tags", f"{given!r:.100}: wanted a key and a list of values")
    return str(given["key"]), [str(value) for value in values]


def _lists(given: Mapping[str, Any] | None) -> list[str]:
    ids = [id for each in (given or {}).values() for id in (each if isinstance(each, list) else [each])]
    return list(dict.fromkeys(str(id) for id in ids if id))


def _channels(control: Control, asked: RuleBody) -> list[dict[str, Any]]:
    """Return the channels of a rule. Raises Failure for a recipient that can't be told."""
    states = [
        state
        for state, told in (
            ("open", asked.notify_on_open),
            ("dismissed", asked.notify_on_dismissed),
            ("snoozed", asked.notify_on_snoozed),
            ("resolved", asked.notify_on_resolved),
        )
        if told
    ]
    channels = []
    for number, each in enumerate(asked.alert_rule_notification_config or ()):
        where = f"alertRuleNotificationConfig[{number}]"
        if each.type == "email":
            raise unsupported(f"{where}.type", "Tidegate sends no mail: let a webhook or a ticket system do it")
        digest = digest_in(each.model_dump(), where)
        for recipient in each.recipients or ():
            integration = control.objects("integration").get(recipient)
            if integration is None:
                raise Failure(400, "invalid_integration", f"{where}.recipients: no integration {recipient!r:.100}")
            if type_of(integration) != each.type:
                raise bad(f"{where}.type", f"{each.type!r:.40}: {recipient} is of type {type_of(integration)}")
            if each.enabled and states:
                channel = {"integration": recipient, "template": each.templateId or "", "states": states}
                channels.append(channel | ({"digest": digest} if digest else {}))
    return channels


def _digest(rule: AlertRule) -> str:
    """Return what tells whether a rule was changed by others since its form was written."""
    text = rule.model_dump_json(exclude={"id", "name", "enabled"})
    return hashlib.sha256(text.encode()).hexdigest()


def _shown(control: Control, each: Kept) -> dict[str, Any]:
    rule: AlertRule = each.object
    said = dict(each.fields)
    if said.pop("written", "") != _digest(rule):
        said = _said(control, rule)
    target = {**said["target"], "accountGroups": said["target"].get("accountGroups") or []}
    return {
        **said,
        "policyScanConfigId": each.id,
        "name": rule.name,
        "enabled": rule.enabled,
        "policies": list(rule.policies),
        "policyLabels": [] if (target.get("alertRulePolicyFilter") or {}).get("policy.label") else list(rule.labels),
        "excludedPolicies": list(rule.excluded_policies),
        "target": {name: value for name, value in target.items() if value is not None},
        "alertRuleNotificationConfig": [_notified(config) for config in said["alertRuleNotificationConfig"] or ()],
        "notificationChannels": sorted({config["type"] for config in said["alertRuleNotificationConfig"] or ()}),
        "allowAutoRemediate": False,
        "delayNotificationMs": rule.delay_s * 1000,
        "openAlertsCount": 0,
        "owner": each.made_by or "Tidegate",
        "readOnly": False,
        "deleted": False,
        "createdOn": each.made_at,
        "createdBy": each.made_by,
        "lastModifiedOn": each.changed_at,
        "lastModifiedBy": each.changed_by,
    }


def _notified(config: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in config.items() if value is not None}
    return {"lastUpdated": 0, "last_sent_ts": 0, "last_send_ts": 0, "recipients": [], **shown}


def _said(control: Control, rule: AlertRule) -> dict[str, Any]:
    """Return a rule that no client wrote, in a client's words."""
    states = {state for channel in rule.channels for state in channel.states}
    choice = {
        "cloud.type": [cloud_out(each) for each in rule.clouds],
        "policy.severity": list(rule.severities),
        "policy.complianceStandard": list(rule.standards),
    }
    return {
        "description": "",
        "scanAll": not rule.policies and not rule.labels and not any(choice.values()),
        "target": {
            "accountGroups": list(rule.account_groups),
            "accounts": list(rule.accounts),
            "excludedAccounts": list(rule.excluded_accounts),
            "regions": list(rule.regions),
            "includedResourceLists": {"computeAccessGroupIds": list(rule.resource_lists)}
            if rule.resource_lists
            else None,
            "tags": [
                {"key": key, "values": [value] if isinstance(value, str) else list(value)}
                for key, value in rule.tags.items()
            ],
            "alertRulePolicyFilter": choice if any(choice.values()) else None,
        },
        "alertRuleNotificationConfig": [
            {
                "id": f"{rule.id}-{number}",
                "type": type_of(control.objects("integration")[channel.integration]),
                "enabled": True,
                "recipients": [channel.integration],
                "templateId": channel.template or None,
                **digest_out(channel.digest),
            }
            for number, channel in enumerate(rule.channels)
            if channel.integration in control.objects("integration")
        ],
        "notifyOnOpen": "open" in states or not states,
        "notifyOnDismissed": "dismissed" in states,
        "notifyOnSnoozed": "snoozed" in states,
        "notifyOnResolved": "resolved" in states,
    }
