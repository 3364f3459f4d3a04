"""The shapes of the way out: alerts, their transitions, users' commands, open deliveries, and how they become bytes.

Times are milliseconds since 1970 UTC. Whoever writes an alert again passes on the fields that it doesn't know.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

import msgspec
import orjson
from pydantic import ConfigDict

from streams.errors import BadRecord
from streams.records import Cloud, Severity

AlertStatus = Literal["open", "dismissed", "snoozed", "resolved"]
Transition = Literal["opened", "updated", "resolved", "dismissed", "snoozed", "reopened"]
Reason = Literal[
    "NEW_ALERT",
    "RESOURCE_UPDATED",
    "RESOURCE_DELETED",
    "POLICY_UPDATED",
    "POLICY_DISABLED",
    "POLICY_DELETED",
    "ALERT_RULE_UPDATED",
    "ALERT_RULE_DISABLED",
    "ALERT_RULE_DELETED",
    "ACCOUNT_GROUP_UPDATED",
    "ACCOUNT_GROUP_DELETED",
    "USER_DISMISSED",
    "USER_REOPENED",
    "SNOOZED_AUTO_REOPEN",
]
"""Why an alert is as it is, in Prisma Cloud's words."""

SCHEMA = 1
"""Grows when a reader of alert-events or deliveries must be changed; a new field is no such change."""

MAX_CONFIG = 64 * 1024
"""The most of a resource's configuration that an event carries, in bytes of JSON."""

_DESCRIBED = ConfigDict(use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement of a compliance standard that a policy checks."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    standard: str
    requirement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """The policy as it was when the alert changed last."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    name: str
    severity: Severity
    type: str = "config"
    description: str = ""
    recommendation: str = ""
    labels: list[str] = field(default_factory=list)
    compliance: list[Requirement] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResource:
    """What the alert is about: a resource, or an account (and region) in which too few are."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    rrn: str = ""
    """Empty: it is an account, or a region of it."""
    id: str
    name: str = ""
    account: str
    """Canonical cloud account."""
    cloud: Cloud
    region: str = ""
    """The provider's region id; `global` where it has none; empty: the whole account."""
    api_name: str = ""
    service: str = ""
    resource_type: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    created: int | None = None
    """When the provider made it, where that is known."""

    @property
    def subject(self) -> str:
        """What the alert's id is made of, with the policy's id."""
        return self.rrn or (f"{self.account}|{self.region}" if self.region else self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """One change of an alert's status."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    at: int
    status: AlertStatus
    reason: Reason
    by: str = ""
    """The user; empty: an evaluation, or the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it is now. Key: `id`. Partition: by the resource's account, whose owner alone writes it."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """`P-` and 53 bits of a hash of policy id and subject: the same for ever."""
    policy: AlertPolicy
    resource: AlertResource
    status: AlertStatus
    reason: Reason
    first_seen: int
    last_seen: int
    """When it was last found violating, as of its last change: it doesn't move alone."""
    opened: int
    """When it was opened first: it stays when the alert is opened again."""
    updated: int
    """When its last event was."""
    seq: int
    """Its last event's number."""
    generation: int = 0
    """The owner that wrote it; a lower one lost the partition and is ignored."""
    findings: list[str] = field(default_factory=list)
    """The ids of the findings that it was raised for."""
    dismissed_by: str = ""
    dismissal_note: str = ""
    snoozed_until: int | None = None
    history: list[AlertStep] = field(default_factory=list)
    """Its newest changes of status, the last one last."""
    commands: list[str] = field(default_factory=list)
    """The newest commands that were obeyed, so that one that is read again changes nothing."""

    @property
    def since(self) -> int:
        """When it came into its status."""
        return self.history[-1].at if self.history else self.opened


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One transition of an alert, for anyone to read. Key: the alert's id. Partition: by account."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """The alert's id and seq, such as P-7-2: the same however often it is sent."""
    seq: int
    """Grows by one with each event of the alert, from 1."""
    kind: Transition
    at: int
    by: str = ""
    """The user whose command it was; empty: an evaluation."""
    alert: Alert
    """As it is after the transition."""
    config: Any = None
    """The resource's configuration, up to 64 KiB; what is larger has a mark in its place."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCommand:
    """What a user wants of an alert, or the time of one that is snoozed (`wake`).

    Key: the alert's id. Partition: by account.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """Unique: the same command is obeyed once."""
    alert: str
    """The alert's id."""
    account: str
    action: Literal["dismiss", "snooze", "reopen", "wake"]
    by: str
    """The user; empty: the time."""
    note: str = ""
    at: int
    until: int | None = None
    """When a snoozed alert opens again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleName:
    """An alert rule that asked for a delivery."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one channel, open until its tombstone. Key: `integration|template|alert id|seq`."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    integration: str
    """The integration's id."""
    template: str = ""
    """The notification template's id; empty: the destination's own form."""
    event: AlertEvent
    rules: list[RuleName] = field(default_factory=list)
    """Every rule that asked for it; the first one is named in the message."""
    link: str = ""
    """The alert's page in the console, where there is one."""
    not_before: int = 0
    """It isn't sent before; 0: at once."""
    digest: str = ""
    """Those of one integration, template and text here whose time has come are one message; empty: one of its own."""
    withdraws: bool = False
    """Nothing is told: what of this alert is held here, and wasn't sent, ends."""
    schema: int = SCHEMA


AnyShape: TypeAlias = Alert | AlertEvent | AlertCommand | Delivery
Shape = TypeVar("Shape", bound=AnyShape)


def alert_id(policy: str, subject: str) -> str:
    """Return the id of the alert of *policy* (its id) about *subject*: exact as a number in any JSON reader."""
    digest = hashlib.sha256(f"{policy}\0{subject}".encode()).digest()
    return f"P-{int.from_bytes(digest[:8], 'big') >> 11}"


def key_of(record: AnyShape) -> bytes:
    """Return the record's key on its topic."""
    match record:
        case Alert(id=key) | AlertCommand(alert=key):
            pass
        case AlertEvent(alert=alert):
            key = alert.id
        case Delivery(integration=integration, template=template, event=event):
            key = f"{integration}|{template}|{event.alert.id}|{event.seq}"
    return key.encode()


def account_of(record: AnyShape) -> str:
    """Return the account that names the record's partition."""
    match record:
        case Alert(resource=resource) | AlertEvent(alert=Alert(resource=resource)):
            return resource.account
        case Delivery(event=AlertEvent(alert=Alert(resource=resource))):
            return resource.account
        case AlertCommand(account=account):
            return account


def write(record: AnyShape, unknown: Mapping[str, Any] | None = None) -> bytes:
    """Return *record* as one JSON object, with the *unknown* fields that `read` gave."""
    value = orjson.dumps(record)
    return orjson.dumps(orjson.loads(value) | dict(unknown)) if unknown else value


def read(shape: type[Shape], value: bytes) -> tuple[Shape, dict[str, Any]]:
    """Return the record that *value* holds and its unknown fields. Missing fields take their default.

    Raises BadRecord, with the field's path, when it is no such record.
    """
    try:
        record = _DECODERS[shape].decode(value)
        names = _RAW.decode(value)
    except msgspec.ValidationError as wrong:
        reason, _, path = str(wrong).partition(" - at `$.")
        raise BadRecord(path.rstrip("`"), reason) from None
    except msgspec.DecodeError as wrong:
        raise BadRecord("", f"not JSON: {wrong}") from None
    unknown = {name: orjson.loads(bytes(names[name])) for name in names.keys() - _NAMES[shape]}
    return record, unknown


def capped(config: bytes | None, most: int = MAX_CONFIG) -> Any:
    """Return the JSON document *config* for a record, in at most *most* bytes of JSON.

    Of a larger object the largest members give way to a text that says so, until the rest fits.
    """
    if config is None:
        return None
    if len(config) <= most:
        return orjson.Fragment(config)
    document = orjson.loads(config)
    whole = _left_out(len(config))
    if not isinstance(document, dict):
        return whole
    sizes = {name: len(orjson.dumps(value)) for name, value in document.items()}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        document[name] = _left_out(sizes[name])
        if len(orjson.dumps(document)) <= most:
            return document
    return whole


def _left_out(size: int) -> str:
    return f"[left out: {size} bytes]"


_DECODERS: dict[type, Any] = {
    shape: msgspec.json.Decoder(shape) for shape in (Alert, AlertEvent, AlertCommand, Delivery)
}
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAMES: Mapping[type[Any], frozenset[str]] = {
    shape: frozenset(each.name for each in fields(shape)) for shape in (Alert, AlertEvent, AlertCommand, Delivery)
}
