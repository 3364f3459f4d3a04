"""Every topic, once: name, key, partitions, retention, record. `admin` makes them, docs/topics.md prints them."""

from dataclasses import dataclass
from typing import Literal

from streams.alerts import Alert, AlertCommand, AlertEvent, Delivery
from streams.audit import AuditRecord
from streams.pulls import Pull
from streams.records import DeadLetter, Finding, Inventory, Knowledge, Resource, ResourcePart, VendorAsset
from streams.settings import Settings

MIB = 1024 * 1024
HOUR = 3_600_000
DAY = 24 * HOUR

MAX_MESSAGE = 16 * MIB
"""The largest message of topics that carry documents, in bytes. Above it, a producer is refused by the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic as it must be. Times are in ms; -1 keeps for ever."""

    name: str
    holds: str
    key: str
    record: type | None = None
    divided: Literal["by account", "raw", "single", "few"]
    compacted: bool = False
    retention_ms: int = -1
    max_message_bytes: int = MIB

    def partitions(self, settings: Settings) -> int:
        """Return how many partitions it has, fixed once it exists."""
        return {"by account": settings.partitions, "raw": settings.raw_partitions, "single": 1, "few": 4}[self.divided]

    def config(self) -> dict[str, str]:
        """Return the topic's configuration at the broker: all that Tidegate relies on, nothing left to a default."""
        config = {"max.message.bytes": str(self.max_message_bytes)}
        if self.compacted:
            return config | {
                "cleanup.policy": "compact",
                "segment.ms": str(6 * HOUR),
                "min.cleanable.dirty.ratio": "0.1",
                "min.compaction.lag.ms": str(HOUR),
                "delete.retention.ms": str(DELETE_RETENTION_MS),
            }
        return config | {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}


DELETE_RETENTION_MS = 7 * DAY
"""How long a tombstone stays readable. A store that was away longer has missed some: it is rebuilt."""

RESOURCES = Topic(
    name="resources",
    holds="normalised resources, versioned",
    key="rrn",
    record=Resource,
    divided="by account",
    compacted=True,
    max_message_bytes=MAX_MESSAGE,
)
FINDINGS = Topic(
    name="findings",
    holds="normalised findings, versioned",
    key="account|finding id",
    record=Finding,
    divided="by account",
    compacted=True,
    max_message_bytes=MAX_MESSAGE,
)
VENDOR_ASSETS = Topic(
    name="vendor.assets",
    holds="assets as scanners know them, with their cloud identity, versioned",
    key="source|asset id",
    record=VendorAsset,
    divided="few",
    compacted=True,
    max_message_bytes=MAX_MESSAGE,
)
VENDOR_KNOWLEDGE = Topic(
    name="vendor.knowledge",
    holds="what scanners know about all findings of a kind, versioned",
    key="source|check id",
    record=Knowledge,
    divided="few",
    compacted=True,
    max_message_bytes=MAX_MESSAGE,
)
RESOURCE_PARTS = Topic(
    name="resource-parts",
    holds="sides of resources whose configuration came alone, such as a bucket's policy, versioned",
    key="rrn|part",
    record=ResourcePart,
    divided="few",
    compacted=True,
    max_message_bytes=MAX_MESSAGE,
)
INVENTORIES = Topic(
    name="inventories",
    holds="the newest full inventory of each kind: what is older and not in it is gone",
    key="source|kind|account|api.name|region",
    record=Inventory,
    divided="few",
    compacted=True,
    max_message_bytes=MAX_MESSAGE,
)
DEAD_LETTERS = Topic(
    name="dead-letters",
    holds="items that could not be used: bytes, place, raw coordinates, reason; notes of replays",
    key="raw topic:partition",
    record=DeadLetter,
    divided="few",
    retention_ms=90 * DAY,
    max_message_bytes=2 * MAX_MESSAGE,  # base64 of the largest message, and the rest
)


def raw_topic(name: str) -> Topic:
    """Return the topic *name* (`raw.findings.<source>` or `raw.configs.<cloud>`) that any producer may write to."""
    return Topic(
        name=name,
        holds="payloads as the vendor or provider sends them, one or many items a message",
        key="anything, none",
        divided="raw",
        retention_ms=7 * DAY,
        max_message_bytes=MAX_MESSAGE,
    )


ALERTS = Topic(
    name="alerts",
    holds="each alert as it is now",
    key="alert id",
    record=Alert,
    divided="by account",
    compacted=True,
    max_message_bytes=2 * MAX_MESSAGE,
)
ALERT_EVENTS = Topic(
    name="alert-events",
    holds="one record a transition of an alert, with an increasing seq",
    key="alert id",
    record=AlertEvent,
    divided="by account",
    retention_ms=30 * DAY,
    max_message_bytes=2 * MAX_MESSAGE,  # the tags and names of the largest resource, and the rest
)
ALERT_COMMANDS = Topic(
    name="alert-commands",
    holds="what users want of alerts: dismiss, reopen",
    key="alert id",
    record=AlertCommand,
    divided="by account",
    retention_ms=30 * DAY,
)
DELIVERIES = Topic(
    name="deliveries",
    holds="one event for one channel, open until its tombstone",
    key="integration|template|alert id|seq",
    record=Delivery,
    divided="by account",
    compacted=True,
    max_message_bytes=2 * MAX_MESSAGE,
)
DELIVERY_LOG = Topic(
    name="delivery-log",
    holds="how each delivery ended",
    key="integration|template|alert id|seq",
    divided="by account",
    retention_ms=90 * DAY,
)
LEDGER = Topic(
    name="ledger",
    holds="what a destination calls an alert there, and the state that was sent last",
    key="integration|alert id",
    divided="by account",
    compacted=True,
)
AUDIT_TRAIL = Topic(
    name="audit-trail",
    holds="what happened to a resource: configuration changes, findings, alerts",
    key="rrn",
    record=AuditRecord,
    divided="by account",
    retention_ms=365 * DAY,
    max_message_bytes=2 * MAX_MESSAGE,
)
PULLS = Topic(
    name="pulls",
    holds="how far each inbound integration has pulled, and orders to pull now",
    key="integration id; with `|now` an order",
    record=Pull,
    divided="single",
    compacted=True,
)
TOPICS = (
    RESOURCES,
    FINDINGS,
    VENDOR_ASSETS,
    VENDOR_KNOWLEDGE,
    RESOURCE_PARTS,
    INVENTORIES,
    ALERTS,
    ALERT_EVENTS,
    ALERT_COMMANDS,
    DELIVERIES,
    DELIVERY_LOG,
    LEDGER,
    AUDIT_TRAIL,
    PULLS,
    DEAD_LETTERS,
)
"""All but the raw topics, which the normalisers name (agents/normalise): a new vendor is one file."""

STORED: dict[Literal["resources", "findings", "alerts"], Topic] = {
    "resources": RESOURCES,
    "findings": FINDINGS,
    "alerts": ALERTS,
}
"""The topics that feed the store, by the kind of their records."""


def full_name(settings: Settings, topic: Topic | str) -> str:
    """Return the topic's name on the cluster, its prefix included."""
    return settings.topic_prefix + (topic if isinstance(topic, str) else topic.name)


def finding_key(account: str, id: str) -> bytes:
    """Return the key of a finding's record."""
    return f"{account}|{id}".encode()


def vendor_key(source: str, id: str) -> bytes:
    """Return the key of the record of a vendor's asset or knowledge."""
    return f"{source}|{id}".encode()
