"""The golden requests of the destinations: deliveries that are sent, settings from the examples, and the reprint.

`python -m tests.contract.sinks` writes every golden request anew; read the difference before you commit it.
"""

import sys
from pathlib import Path
from typing import Any

import orjson

from agents.sinks import SINKS
from agents.sinks._base import HttpSink, Item
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Outcome
from streams.alerts import Alert, AlertEvent, AlertPolicy, AlertResource, AlertStatus, Delivery, Reason, RuleName

DATA = Path(__file__).parent.parent / "data" / "sinks"
NOW = 1_767_225_661
"""When every golden request is made, in seconds since 1970 UTC."""

RESOURCE = AlertResource(
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
)
POLICY = AlertPolicy(
    id="aws-s3-public",
    name="S3 bucket is public",
    severity="high",
    description="Anyone may read it.",
    recommendation="Block public access.",
    labels=["s3"],
)


def delivery(
    status: AlertStatus = "open", *, policy: AlertPolicy = POLICY, resource: AlertResource = RESOURCE, **event: Any
) -> Delivery:
    """Return the delivery of an alert in *status*; *event*: fields of the event or of its alert."""
    kinds: dict[AlertStatus, tuple[Any, Reason]] = {
        "open": ("opened", "NEW_ALERT"),
        "dismissed": ("dismissed", "USER_DISMISSED"),
        "snoozed": ("snoozed", "USER_DISMISSED"),
        "resolved": ("resolved", "RESOURCE_UPDATED"),
    }
    kind, reason = kinds[status]
    seq = 1 if status == "open" else 2
    alert = Alert(
        id="P-6982247015780403",
        policy=policy,
        resource=resource,
        status=status,
        reason=reason,
        first_seen=1_767_225_600_000,
        last_seen=1_767_225_600_000,
        opened=1_767_225_600_000,
        updated=1_767_225_660_000,
        seq=seq,
        dismissal_note=event.pop("dismissal_note", ""),
    )
    config = event.pop("config", {"name": "logs", "public": True})
    return Delivery(
        integration="i",
        event=AlertEvent(id=f"{alert.id}-{seq}", seq=seq, kind=kind, at=alert.updated, alert=alert, config=config),
        rules=[RuleName(id="r1", name="All of production")],
        link="https://tidegate.example.com/alerts/P-6982247015780403",
    )


STATES: tuple[AlertStatus, ...] = ("open", "dismissed", "resolved")


def example(name: str) -> dict[str, Any]:
    """Return the settings that the documentation shows first: the required ones, and every secret."""
    shown = SINKS[name].model_fields.items()
    return {key: each.examples[0] for key, each in shown if each.examples and _told(key, each.is_required(), name)}


def make(name: str, **given: Any) -> HttpSink:
    """Return the destination of the example, with the settings *given* on top."""
    sink = SINKS[name].model_validate(example(name) | given)
    assert isinstance(sink, HttpSink)
    return sink


async def sent(sink: HttpSink, delivery: Delivery, client: Client) -> Outcome:
    """Deliver it alone, with nothing in the ledger."""
    (outcome,) = await sink.deliver([Item(delivery, {})], client)
    return outcome


def plain(call: object) -> dict[str, Any]:
    """Return a request as a golden file shows it."""
    assert isinstance(call, Request), call
    body = orjson.loads(call.body)
    return {"method": call.method, "url": call.url, "headers": call.headers, "body": body}


def golden(name: str, state: AlertStatus) -> Path:
    """Return the golden file of *state*."""
    return DATA / name / f"{state}.request.json"


def main() -> int:
    """Reprint every request; return the exit code."""
    for name in SINKS:
        for state in STATES:
            call = plain(make(name).request(delivery(state), NOW))
            path = golden(name, state)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(orjson.dumps(call, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            sys.stdout.write(f"wrote {path.relative_to(DATA)}\n")
    return 0


def _told(key: str, required: bool, name: str) -> bool:
    return required or "SecretStr" in str(SINKS[name].model_fields[key].annotation)


if __name__ == "__main__":
    sys.exit(main())
