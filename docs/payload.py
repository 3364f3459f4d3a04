"""payload.md: what receivers are told of an alert, in each form; payload/: one alert, and the schema."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from pydantic import BaseModel

from agents.sinks import SINKS
from agents.sinks._ocsf import MOST_RELATED, OCSF, finding
from agents.sinks._payload import payload
from api.payload_model import AlertPayload, PayloadResource
from streams.alerts import Alert, AlertEvent, AlertPolicy, AlertResource, Delivery, Requirement, RuleName

_ALERT = Alert(
    id="P-6982247015780403",
    policy=AlertPolicy(
        id="aws-s3-public",
        name="S3 bucket is public",
        severity="high",
        description="Anyone may read it.",
        recommendation="Block public access.",
        labels=["s3"],
        compliance=[Requirement(standard="CIS AWS 3.0", requirement="2.1.4")],
    ),
    resource=AlertResource(
        rrn="rrn:aws:aws-s3api-get-bucket-acl:eu-west-1:111122223333:0a1b2c3d4e:logs",
        id="arn:aws:s3:::logs",
        name="logs",
        account="111122223333",
        cloud="aws",
        region="eu-west-1",
        api_name="aws-s3api-get-bucket-acl",
        service="Amazon S3",
        resource_type="AWS::S3::Bucket",
        tags={"team": "ops"},
    ),
    status="open",
    reason="NEW_ALERT",
    first_seen=1_767_225_660_000,
    last_seen=1_767_225_660_000,
    opened=1_767_225_660_000,
    updated=1_767_225_660_000,
    seq=1,
)


def page() -> str:
    """Return the page as Markdown."""
    chosen = [f"`{name}`" for name, sink in SINKS.items() if "format" in sink.model_fields]
    lines = [
        "# What receivers are told of an alert",
        "",
        "Printed from `agents/sinks/` and `api/payload_model.py` by `make docs`; don't edit it here.",
        "",
        f"{', '.join(chosen[:-1])} and {chosen[-1]} tell of an alert in Prisma Cloud's shape, or with the setting",
        "`format: ocsf` as an event of the Open Cybersecurity Schema Framework. What the others send is in",
        "[destinations.md](destinations.md). `GET /alerts/{id}/payload` shows one of your own alerts.",
        "",
        "Whatever is longer than the receiver takes is cut where one sees it: the configuration first, then tags and",
        "labels, then the ends of texts; ids never. Times are milliseconds since 1970 UTC.",
        "",
        "## Prisma Cloud's shape",
        "",
        "[alert.json](payload/alert.json) is one; its schema is [alert.schema.json](payload/alert.schema.json).",
        "",
        *_fields(AlertPayload),
        "",
        "`resource`:",
        "",
        *_fields(PayloadResource),
        "",
        "```json",
        _json(payload(_delivery())),
        "```",
        "",
        "## OCSF",
        "",
        f"Version {OCSF} with the profile `cloud`. An alert that was raised for findings is a Detection Finding (class",
        "2004), any other a Compliance Finding (class 2003). The alert's id is `finding_info.uid` and",
        "`metadata.correlation_uid`, the event's `metadata.uid`: the same however often it is sent.",
        "`metadata.sequence` grows by one with each event of the alert. At most",
        f"{MOST_RELATED} findings are named; `related_events_count` says how many there are.",
        "",
        "| what happened to the alert | `activity_id` | `status_id` | `compliance.status` |",
        "|---|---|---|---|",
        *_states(),
        "",
        "[ocsf-compliance.json](payload/ocsf-compliance.json):",
        "",
        "```json",
        _json(finding(_delivery())),
        "```",
        "",
        "[ocsf-detection.json](payload/ocsf-detection.json) has instead of `compliance`:",
        "",
        "```json",
        _json(_only(finding(_delivery(findings=True)), ("class_uid", "type_uid", "is_alert", "finding_info"))),
        "```",
    ]
    return "\n".join([*lines, ""])


def _fields(model: type[BaseModel]) -> Iterator[str]:
    properties = model.model_json_schema()["properties"]
    yield "| field | type | what it is |"
    yield "|---|---|---|"
    for name, info in model.model_fields.items():
        yield f"| `{name}` | {_type(properties[name])} | {info.description} |"


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "$ref" in field:
        return "object"
    if field.get("type") == "array":
        return f"list of {field['items']['type']}"
    return str(field.get("type", "any"))


def _states() -> Iterator[str]:
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("opened", {}),
        ("updated, or opened again", {"kind": "updated"}),
        ("dismissed", {"kind": "dismissed", "status": "dismissed"}),
        ("snoozed", {"kind": "snoozed", "status": "snoozed"}),
        ("resolved: the resource is as it should be", {"kind": "resolved", "status": "resolved"}),
        (
            "resolved for another reason, such as a deleted resource or policy",
            {"kind": "resolved", "status": "resolved", "reason": "RESOURCE_DELETED"},
        ),
    )
    for words, change in changes:
        told = finding(_delivery(**({"reason": "RESOURCE_UPDATED"} | change)))
        activity = f"{told['activity_id']} {told['activity_name']}"
        status = f"{told['status_id']} {told['status']}"
        yield f"| {words} | {activity} | {status} | {told['compliance']['status']} |"


def _delivery(*, kind: Any = "opened", findings: bool = False, **changes: Any) -> Delivery:
    alert = replace(_ALERT, findings=["guardduty/9ab348"] if findings else [], **changes)
    config = {"name": "logs", "public": True}
    event = AlertEvent(
        id=f"{alert.id}-{alert.seq}", seq=alert.seq, kind=kind, at=alert.updated, alert=alert, config=config
    )
    return Delivery(
        integration="hook",
        event=event,
        rules=[RuleName(id="production", name="All of production")],
        link=f"https://tidegate.example.com/alerts/{alert.id}",
    )


def _only(told: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: told[name] for name in names}


def _json(told: object) -> str:
    return json.dumps(orjson.loads(orjson.dumps(told)), indent=2, ensure_ascii=False)


def _file(told: Callable[[], object]) -> str:
    return _json(told()) + "\n"


MORE: Mapping[str, Callable[[], str]] = {
    "payload/alert.json": partial(_file, lambda: payload(_delivery())),
    "payload/alert.schema.json": partial(_file, AlertPayload.model_json_schema),
    "payload/ocsf-compliance.json": partial(_file, lambda: finding(_delivery())),
    "payload/ocsf-detection.json": partial(_file, lambda: finding(_delivery(findings=True))),
}
"""More files in docs/, and what prints each."""
