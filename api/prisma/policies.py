"""Policies, those that come with Tidegate and one's own."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.prisma.access import may_change, may_read
from api.prisma.backend import Backend, Shape, answer, backend, change, nothing
from api.prisma.failures import bad, unsupported
from api.prisma.kept import Kept, all_kept, kept, removing, saving
from api.prisma.search import query_of
from api.prisma.words import SEVERITIES, cloud_in, cloud_out, suggestion
from queries.run import prepared

reads = APIRouter(tags=["Policies"], dependencies=[Depends(may_read)])
writes = APIRouter(tags=["Policies"], dependencies=[Depends(may_change)])

KIND = "policy"


class Rule(BaseModel):
    """What a policy looks for."""

    model_config = ConfigDict(extra="allow")

    criteria: str = Field(
        max_length=100_000,
        description="A query in RQL, or the id of a saved search.",
        examples=["config from cloud.resource where api.name = 'aws-ec2-describe-volumes'"],
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="`savedSearch`: `true` when criteria is an id; texts, not booleans."
    )


class PolicyBody(Shape):
    """A policy to write."""

    name: str = Field(min_length=1, max_length=255, description="What people call it; no two are called the same.")
    policy_type: str = Field(default="config", description="Only config.", examples=["config"])
    policy_sub_types: list[str] = Field(default_factory=lambda: ["run"], description="Only run.")
    cloud_type: str = Field(default="all", description="The cloud that it is about.")
    severity: str = Field(description="critical, high, medium, low or informational.", examples=["high"])
    description: str = Field(default="", max_length=10_000, description="What is wrong with what it finds.")
    recommendation: str = Field(default="", max_length=20_000, description="How to mend it.")
    labels: list[str] = Field(default_factory=list, description="Words to choose policies by.")
    enabled: bool = Field(default=True, description="Whether it is evaluated.")
    rule: Rule = Field(description="What it looks for.")
    remediation: dict[str, Any] | None = Field(default=None, description="Kept and given back; never run.")
    compliance_metadata: list[dict[str, Any]] | None = Field(default=None, description="The requirements it checks.")
    restrict_alert_dismissal: bool = Field(default=False, description="Kept and given back.")


class FilterName(Shape):
    """A filter whose values are asked for."""

    filter_name: str = Field(description="Such as policy.severity.", examples=["policy.severity"])
    query: str = Field(default="", description="How the value begins.")


class Validated(Shape):
    """A rule to validate."""

    criteria: str | None = Field(default=None, description="The query.")
    rule: Rule | None = Field(default=None, description="Or the rule that holds it.")


@reads.get("/policy")
@reads.get("/v2/policy")
async def list_policies(request: Request) -> Response:
    """List policies. Filters in the query string, such as `policy.name` or `policy.severity`; repeated: one of them."""
    back = backend(request)
    chosen = _chosen(request.query_params.multi_items())
    opened = await open_alerts(back)
    shown = [_shown(each, opened) for each in all_kept(back.control, KIND)]
    return answer([each for each in shown if all(_meets(each, name, values) for name, values in chosen.items())])


@reads.get("/policy/compliance")
async def list_standards(request: Request) -> Response:
    """List the standards that policies check, with how many policies do."""
    counts: dict[str, int] = {}
    for policy in backend(request).control.objects(KIND).values():
        for standard in {each.standard for each in policy.compliance}:
            counts[standard] = counts.get(standard, 0) + 1
    return answer(dict(sorted(counts.items())))


@reads.get("/policy/{id}")
async def show_policy(id: str, request: Request) -> Response:
    """Show one policy."""
    back = backend(request)
    found = kept(back.control, KIND, id, "policy")
    return answer(_shown(found, await open_alerts(back)))


@writes.post("/policy")
async def create_policy(asked: PolicyBody, request: Request) -> Response:
    """Make a policy."""
    return await _write(request, str(uuid4()), asked)


@writes.put("/policy/{id}")
async def update_policy(id: str, asked: PolicyBody, request: Request) -> Response:
    """Write a policy anew. Deleted, one that comes with Tidegate is again as it came."""
    kept(backend(request).control, KIND, id, "policy")
    return await _write(request, id, asked)


@writes.delete("/policy/{id}", status_code=204, response_class=Response)
async def delete_policy(id: str, request: Request) -> Response:
    """Delete a policy of one's own that no alert rule names."""
    back = backend(request)
    kept(back.control, KIND, id, "policy")
    await change(request, removing(back.control, KIND, id))
    return nothing(204)


@writes.patch("/policy/{id}/status/{enabled}", response_class=Response)
async def switch_policy(
    id: str, enabled: Annotated[Literal["true", "false"], Path(description="true or false.")], request: Request
) -> Response:
    """Enable or disable a policy."""
    back = backend(request)
    found = kept(back.control, KIND, id, "policy")
    document = {**found.object.model_dump(mode="json"), "enabled": enabled == "true"}
    await change(request, saving(request, KIND, id, document, found.fields))
    return nothing()


@reads.post("/policy/rule/validate")
async def validate_rule(asked: Validated) -> Response:
    """Check a rule's query."""
    text = asked.criteria or (asked.rule.criteria if asked.rule else "")
    prepared(text)
    return answer({"valid": True, "criteria": text})


@reads.get("/filter/policy/suggest")
async def list_filters(request: Request) -> Response:
    """List the filters of policies with their values."""
    shown = [_shown(each, {}) for each in all_kept(backend(request).control, KIND)]
    return answer({name: {"options": _options(shown, name), "staticFilter": name in _STATIC} for name in _FILTERS})


@reads.post("/filter/policy/suggest")
async def list_values(asked: FilterName, request: Request) -> Response:
    """List the values of one filter."""
    if asked.filter_name not in _FILTERS:
        raise bad("filterName", f"{asked.filter_name!r:.60}: {suggestion(asked.filter_name, _FILTERS)}")
    shown = [_shown(each, {}) for each in all_kept(backend(request).control, KIND)]
    return answer(values_of(_options(shown, asked.filter_name), asked.query))


def values_of(options: list[str], begun: str) -> dict[str, Any]:
    """Return those of *options* that begin with *begun*, as clients know suggestions."""
    found = [each for each in options if each.lower().startswith(begun.lower())]
    return {"suggestions": found, "valid": True, "offset": 0, "translate": False, "needsOffsetUpdate": False}


async def open_alerts(back: Backend) -> dict[str, int]:
    """Return how many open alerts there are of each policy that has some."""
    rows = await back.ask(
        lambda db: db.execute("select policy, count(*) from alerts where status = 'open' group by 1").fetchall()
    )
    return dict(rows)


async def _write(request: Request, id: str, asked: PolicyBody) -> Response:
    back = backend(request)
    if asked.policy_type.lower() != "config" or any(each.lower() != "run" for each in asked.policy_sub_types):
        raise unsupported("policyType", "Tidegate evaluates policies of type config and subtype run")
    saved = asked.rule.parameters.get("savedSearch", "false").lower() == "true"
    rql = query_of(back, asked.rule.criteria) if saved else asked.rule.criteria
    cloud = cloud_in(asked.cloud_type)
    document = {
        "name": asked.name,
        "severity": asked.severity.strip().lower(),
        "cloud": None if cloud in ("", "all") else cloud,
        "description": asked.description or "No description.",
        "recommendation": asked.recommendation or "No recommendation.",
        "rql": rql,
        "labels": [each for each in asked.labels if each.strip()],
        "compliance": list(_requirements(asked.compliance_metadata or [])),
        "enabled": asked.enabled,
    }
    fields: dict[str, Any] = {
        "description": asked.description,
        "recommendation": asked.recommendation,
        "cloudType": asked.cloud_type,
        "rule": asked.rule.model_dump(),
        "policySubTypes": asked.policy_sub_types,
        "remediation": asked.remediation,
        "complianceMetadata": asked.compliance_metadata,
        "restrictAlertDismissal": asked.restrict_alert_dismissal,
    }
    if saved:
        fields["savedSearch"] = asked.rule.criteria
    await change(request, saving(request, KIND, id, document, fields))
    return answer(_shown(kept(back.control, KIND, id, "policy"), await open_alerts(back)))


def _requirements(metadata: list[dict[str, Any]]) -> Any:
    """Yield what standards ask for, once each, where it is said by name."""
    seen = set()
    for each in metadata:
        standard = str(each.get("standardName") or "").strip()
        section = str(each.get("sectionId") or each.get("requirementId") or each.get("requirementName") or "").strip()
        if standard and section and (standard, section) not in seen:
            seen.add((standard, section))
            yield {"standard": standard, "requirement": section}


def _shown(each: Kept, opened: Mapping[str, int]) -> dict[str, Any]:
    policy, said = each.object, each.fields
    rule = dict(said.get("rule") or {})
    metadata = said.get("complianceMetadata")
    if metadata is None:
        metadata = [
            {"standardName": one.standard, "requirementId": one.requirement, "sectionId": one.requirement}
            for one in policy.compliance
        ]
    cloud = cloud_out(policy.cloud)
    return {
        "policyId": each.id,
        "name": policy.name,
        "policyType": "config",
        "policySubTypes": said.get("policySubTypes") or ["run"],
        "policyUpi": each.id,
        "policyCategory": "risk",
        "policyClass": "misconfiguration",
        "policyMode": "redlock_default" if each.shipped else "custom",
        "systemDefault": each.shipped,
        "cloudType": said.get("cloudType") if cloud_in(str(said.get("cloudType") or "")) == policy.cloud else cloud,
        "severity": policy.severity,
        "description": _own(said, "description", policy.description, "No description."),
        "recommendation": _own(said, "recommendation", policy.recommendation, "No recommendation."),
        "labels": list(policy.labels),
        "enabled": policy.enabled,
        "rule": {
            "name": policy.name,
            "type": "Config",
            "cloudType": cloud,
            **rule,
            "apiName": rule.get("apiName") or _api_name(policy.rql),
            "criteria": said.get("savedSearch") or policy.rql,
            "parameters": rule.get("parameters") or {"savedSearch": "false", "withIac": "false"},
        },
        "remediation": said.get("remediation") or {},
        "complianceMetadata": metadata,
        "restrictAlertDismissal": bool(said.get("restrictAlertDismissal")),
        "createdOn": each.made_at,
        "createdBy": each.made_by or "Tidegate",
        "lastModifiedOn": each.changed_at,
        "lastModifiedBy": each.changed_by or "Tidegate",
        "ruleLastModifiedOn": each.changed_at,
        "overridden": False,
        "deleted": False,
        "remediable": False,
        "readOnly": False,
        "owner": "Tidegate" if each.shipped else "",
        "openAlertsCount": opened.get(each.id, 0),
    }


def _own(said: Mapping[str, Any], name: str, now: str, absent: str) -> str:
    """Return a text as it is now; empty where the client left it out and nobody has written one since."""
    return "" if now == absent and said.get(name) == "" else now


def _api_name(rql: str) -> str:
    names = set(re.findall(r"api\.name\s*=\s*'([^']+)'", rql))
    return names.pop() if len(names) == 1 else ""


_FILTERS: dict[str, Any] = {
    "policy.name": lambda each: [each["name"]],
    "policy.severity": lambda each: [each["severity"]],
    "policy.type": lambda each: [each["policyType"]],
    "policy.subtype": lambda each: each["policySubTypes"],
    "policy.policyMode": lambda each: [each["policyMode"]],
    "policy.enabled": lambda each: [str(each["enabled"]).lower()],
    "policy.remediable": lambda each: [str(each["remediable"]).lower()],
    "policy.label": lambda each: each["labels"],
    "policy.category": lambda each: [each["policyCategory"]],
    "policy.class": lambda each: [each["policyClass"]],
    "policy.complianceStandard": lambda each: [m.get("standardName") for m in each["complianceMetadata"]],
    "policy.complianceRequirement": lambda each: [
        m.get("requirementName") or m.get("requirementId") for m in each["complianceMetadata"]
    ],
    "policy.complianceSection": lambda each: [m.get("sectionId") for m in each["complianceMetadata"]],
    "cloud.type": lambda each: [each["cloudType"]],
}
_STATIC = {"policy.severity": list(SEVERITIES), "policy.enabled": ["true", "false"], "policy.type": ["config"]}
_NO_FILTERS = ("limit", "timeType", "timeAmount", "timeUnit", "detailed")


def _chosen(items: list[tuple[str, str]]) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for name, value in items:
        if name in _FILTERS:
            chosen.setdefault(name, []).append(value)
        elif name not in _NO_FILTERS:
            raise bad(f"{name:.60}", f"there is no such filter; {suggestion(name, _FILTERS)}")
    return chosen


def _meets(each: dict[str, Any], name: str, values: list[str]) -> bool:
    wanted = {value.lower() for value in values} if name != "policy.name" else set(values)
    got = {str(one).lower() if name != "policy.name" else one for one in _FILTERS[name](each)}
    return bool(wanted & got)


def _options(shown: list[dict[str, Any]], name: str) -> list[str]:
    if name in _STATIC:
        return _STATIC[name]
    return sorted({str(value) for each in shown for value in _FILTERS[name](each) if value})
