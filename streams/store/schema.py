"""The tables of the store, once: their DDL, their schema version, and which field of a record fills which column.

There are no primary keys and no indexes: a batch deletes and inserts by hash, which is many times faster
(docs/decisions/0020-store.md). `rid` and `fid` are md5_number_lower of the Kafka key. Timestamps are UTC without a
zone.
"""

from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 6
"""Raised with every change of DDL: a store of another version is not opened but rebuilt from Kafka."""

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, in ms since 1970 UTC: later times no reader of the tables can show."""

DDL = """
create table store(schema_version INTEGER, store_id VARCHAR, created TIMESTAMP);

create table resources(
    rid UBIGINT, part USMALLINT, rrn VARCHAR, account VARCHAR, cloud VARCHAR, region VARCHAR, service VARCHAR,
    api_name VARCHAR, resource_type VARCHAR, id VARCHAR, name VARCHAR, tags JSON, created TIMESTAMP, seen TIMESTAMP,
    deleted BOOLEAN, version VARCHAR, json JSON, parts VARCHAR);
create table findings(
    fid UBIGINT, part USMALLINT, id VARCHAR, account VARCHAR, cloud VARCHAR, region VARCHAR, source VARCHAR,
    type VARCHAR, name VARCHAR, cves VARCHAR[], severity VARCHAR, vendor_severity VARCHAR, score DOUBLE, title VARCHAR,
    description VARCHAR, remediation VARCHAR, status VARCHAR, first_seen TIMESTAMP, last_seen TIMESTAMP,
    "references" STRUCT(id VARCHAR, type VARCHAR)[], deleted BOOLEAN, version VARCHAR,
    status_reason VARCHAR, reopened TIMESTAMP, asset VARCHAR, knowledge VARCHAR, linked JSON,
    cvss STRUCT(version VARCHAR, score DOUBLE, vector VARCHAR, source VARCHAR)[],
    packages STRUCT(name VARCHAR, version VARCHAR, fixed VARCHAR, manager VARCHAR, path VARCHAR)[]);

-- The record as it lies on the topic, which no query scans. `upper` is the other half of the key's md5, `links` a hash
-- of what the row is linked by (0: nothing).
create table resource_records(
    rid UBIGINT, part USMALLINT, upper UBIGINT, version VARCHAR, links UBIGINT, record VARCHAR using compression zstd);
create table finding_records(
    fid UBIGINT, part USMALLINT, upper UBIGINT, version VARCHAR, links UBIGINT, record VARCHAR using compression zstd);

-- Both sides of a link, of live rows only: md5_number_lower(account || '|' || lower(identifier)); finding_resource is
-- their join.
create table resource_keys(rid UBIGINT, part USMALLINT, key UBIGINT);
create table finding_references(fid UBIGINT, part USMALLINT, key UBIGINT);
create table finding_resource(fid UBIGINT, rid UBIGINT, part USMALLINT);

-- What scanners know of their hosts and checks: streams.store.vendor. `digest`: of what findings take from a row;
-- `again`: the log ends with a lower version of it.
create table vendor_assets(
    part USMALLINT, source VARCHAR, id VARCHAR, version VARCHAR, digest VARCHAR, again BOOLEAN,
    record VARCHAR using compression zstd);
create table vendor_knowledge(
    part USMALLINT, source VARCHAR, id VARCHAR, version VARCHAR, digest VARCHAR, again BOOLEAN,
    record VARCHAR using compression zstd);
-- By what names findings, and other assets, call an asset: its id and its other ids.
create table vendor_names(part USMALLINT, source VARCHAR, id VARCHAR, name VARCHAR);
-- Sides of resources that came alone: streams.store.parts. `source` is the resource's rrn, `id` the part's name.
create table resource_parts(
    part USMALLINT, source VARCHAR, id VARCHAR, version VARCHAR, digest VARCHAR, again BOOLEAN,
    record VARCHAR using compression zstd);
-- Full inventories, and the ids that are in them.
create table inventories(
    part USMALLINT, source VARCHAR, id VARCHAR, version VARCHAR, digest VARCHAR, again BOOLEAN,
    record VARCHAR using compression zstd);
create table inventory_ids(part USMALLINT, source VARCHAR, id VARCHAR, name VARCHAR);
create table vendor_partitions(
    topic VARCHAR, part USMALLINT, next_offset BIGINT, topic_id VARCHAR, cluster_id VARCHAR);

create table partitions(
    topic VARCHAR, kind VARCHAR, part USMALLINT, next_offset BIGINT, topic_id VARCHAR, cluster_id VARCHAR,
    synced_at TIMESTAMP);
-- Keys whose last record in the log isn't the one that wins: the owner sends the winner again; `taken`: it is on its
-- way.
create table resend(kind VARCHAR, part USMALLINT, hash UBIGINT, taken BOOLEAN);
-- Since when this store has known a row as deleted; its tombstone is due when that is long enough ago.
create table deletions(kind VARCHAR, part USMALLINT, hash UBIGINT, since TIMESTAMP);
-- Records that no table took, until the dead letters have them.
create table refused(
    kind VARCHAR, topic VARCHAR, part USMALLINT, "offset" BIGINT, key BLOB, value BLOB, reason VARCHAR);

-- Alerts as their topic or their evaluation here says; `rid` is 0 where an alert is about an account.
create table alerts(
    aid UBIGINT, part USMALLINT, id VARCHAR, policy VARCHAR, policy_name VARCHAR, severity VARCHAR, status VARCHAR,
    reason VARCHAR, rid UBIGINT, rrn VARCHAR, account VARCHAR, cloud VARCHAR, region VARCHAR, resource VARCHAR,
    opened TIMESTAMP, updated TIMESTAMP, generation BIGINT, seq BIGINT, record VARCHAR);
-- What has to be evaluated: resources that a batch touched, itself or by a finding; `policy`: only for this one, which
-- has changed.
create table work(part USMALLINT, rid UBIGINT, policy VARCHAR);
-- Which policies have yet to look at all resources of a partition; what they find is noted in `work` as `noted`.
create table sweeps(id UUID, part USMALLINT, policy VARCHAR, noted VARCHAR);
-- With what each policy and the alert rules were when a partition's resources were evaluated last.
create table evaluated(part USMALLINT, policy VARCHAR, digest VARCHAR);
-- The configuration (`what` is 0) and the findings of a resource as the audit trail told them last: hashes.
create table audited(part USMALLINT, rid UBIGINT, what UBIGINT, state UBIGINT);
-- What evaluations want sent, in this order, until Kafka has it: streams.store.outbox packs many records into one.
create table outbox(block BIGINT, part USMALLINT, records BLOB, since TIMESTAMP);
"""

KindName = Literal["resources", "findings", "alerts"]
FieldType = Literal[
    "text", "time", "number", "flag", "texts", "references", "object", "document", "version", "cvss", "packages"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a record and its column. *default* is what a missing or null field means; None: NULL."""

    name: str
    type: FieldType = "text"
    column: str = ""
    required: bool = False
    default: str | None = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of record lies in the tables. *key* is SQL that makes the Kafka key from the columns."""

    name: KindName
    id: str
    records: str
    links: str
    key: str
    key_fields: tuple[str, ...]
    linked_by: str
    fields: tuple[Field, ...]


_CLOUDS = ("aws", "azure", "gcp", "alibaba")

RESOURCES = Kind(
    name="resources",
    id="rid",
    records="resource_records",
    links="resource_keys",
    key="rrn",
    key_fields=("rrn",),
    linked_by="keys",
    fields=(
        Field(name="rrn", required=True),
        Field(name="account", required=True),
        Field(name="cloud", required=True, choices=_CLOUDS),
        Field(name="region", required=True),
        Field(name="service"),
        Field(name="api_name", required=True),
        Field(name="resource_type"),
        Field(name="id", required=True),
        Field(name="name"),
        Field(name="tags", type="object", default="{}"),
        Field(name="created", type="time"),
        Field(name="deleted", type="flag"),
        Field(name="version", type="version", required=True),
        Field(name="config", type="document", column="json"),
        Field(name="parts"),
        Field(name="keys", type="texts", column="keys"),
    ),
)

FINDINGS = Kind(
    name="findings",
    id="fid",
    records="finding_records",
    links="finding_references",
    key="account || '|' || id",
    key_fields=("account", "id"),
    linked_by="references",
    fields=(
        Field(name="id", required=True),
        Field(name="account", required=True),
        Field(name="cloud", default=None, choices=_CLOUDS),
        Field(name="region"),
        Field(name="source", required=True),
        Field(name="type", required=True),
        Field(name="name", required=True),
        Field(name="cves", type="texts"),
        Field(name="severity", required=True, choices=("critical", "high", "medium", "low", "informational")),
        Field(name="vendor_severity"),
        Field(name="score", type="number"),
        Field(name="title", required=True),
        Field(name="description"),
        Field(name="remediation"),
        Field(name="status", default="open", choices=("open", "fixed", "suppressed")),
        Field(name="first_seen", type="time"),
        Field(name="last_seen", type="time"),
        Field(name="references", type="references"),
        Field(name="deleted", type="flag"),
        Field(name="version", type="version", required=True),
        Field(name="status_reason"),
        Field(name="reopened", type="time"),
        Field(name="asset"),
        Field(name="knowledge"),
        Field(name="linked", type="object", default="{}"),
        Field(name="cvss", type="cvss"),
        Field(name="packages", type="packages"),
    ),
)

ALERTS = Kind(
    name="alerts", id="aid", records="alerts", links="", key="id", key_fields=("id",), linked_by="", fields=()
)
"""What winners are sent again by. Alerts are few and written here too: streams.store.alerts brings them in."""

KINDS: dict[str, Kind] = {kind.name: kind for kind in (RESOURCES, FINDINGS, ALERTS)}

PUBLIC_TABLES = ("resources", "findings", "finding_resource", "alerts")
"""What a snapshot also holds as Parquet."""

TABLES_BY_PART = {
    "alerts": ("alerts",),
    "resources": ("resources", "resource_records", "resource_keys", "finding_resource"),
    "findings": ("findings", "finding_records", "finding_references", "finding_resource"),
}
"""The tables whose rows of a partition go when a kind's partition is dropped; what it has in tables by kind goes as
well.
"""


def columns(kind: Kind) -> list[str]:
    """Return the columns of the kind's table after its id and part, quoted."""
    names = [f.column or f.name for f in kind.fields if f.name != "keys"]
    return [f'"{name}"' for name in (*names, *(("seen",) if kind.name == "resources" else ()))]
