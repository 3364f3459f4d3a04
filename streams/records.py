"""The shapes that cross a topic: JSON objects. Every consumer keeps unknown fields; missing ones take their default.

Times are milliseconds since 1970 UTC. `version` is text that grows (streams/identity.py). docs/topics.md prints their
JSON Schema, which pydantic reads. Plain dataclasses, because the hot path makes a million of them and orjson writes
them as they are; what a normaliser gives isn't frozen for the same reason: 1.4 instead of 4.3 microseconds for each.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict
from typing_extensions import TypedDict

Cloud = Literal["aws", "azure", "gcp", "alibaba"]
Severity = Literal["critical", "high", "medium", "low", "informational"]
FindingStatus = Literal["open", "fixed", "suppressed"]

_DESCRIBED = ConfigDict(use_attribute_docstrings=True)


@dataclass(slots=True, kw_only=True)
class Resource:
    """One cloud resource as it was at a moment. Key: `rrn`. Partition: by `account`."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    rrn: str
    """Tidegate's name of the resource, the same for ever."""
    account: str
    """Canonical cloud account."""
    cloud: Cloud
    region: str
    """The provider's region id; `global` where it has none."""
    api_name: str
    """What RQL calls api.name, such as aws-ec2-describe-instances."""
    service: str = ""
    """What RQL calls cloud.service, such as Amazon EC2."""
    resource_type: str = ""
    """The provider's own type, such as AWS::EC2::Instance."""
    id: str
    """The provider's own id."""
    name: str = ""
    """What a person calls it; the id where it has no name."""
    keys: list[str] = field(default_factory=list)
    """Every identifier by which a finding of this account may name it: id, ARN, ..."""
    tags: dict[str, str] = field(default_factory=dict)
    created: int | None = None
    """When the provider says it was made."""
    version: str
    deleted: bool = False
    config: Any = None
    """The document in Prisma's shape: what json.rule asks."""
    original: Any = None
    """What the provider sent, unchanged."""
    parts: str = ""
    """Of which parts that came alone it was put together: a digest of these; empty: of none."""


@dataclass(slots=True, kw_only=True)
class ResourcePart:
    """One side of a resource, whose configuration came alone. Key: `source|id`. Partition: by key."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    source: str
    """The rrn of the resource that it belongs to."""
    id: str
    """The name of the part: what it would be called in the resource's whole configuration, such as Policy."""
    account: str
    """Canonical cloud account."""
    version: str
    config: Any = None
    """What the provider answered; null: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A resource that a finding names, as its vendor named it."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """Instance id, ARN, user name or whatever the vendor gave."""
    type: str = ""
    """The vendor's word for what it is."""


class Cvss(TypedDict, total=False):
    """One CVSS score of a vulnerability. What the vendor doesn't tell isn't there."""

    __pydantic_config__ = _DESCRIBED  # type: ignore[misc] # pydantic reads it there

    version: str
    """2.0, 3.0, 3.1 or 4.0."""
    score: float
    """The base score, 0 to 10."""
    vector: str
    """The base vector, as the vendor writes it."""
    source: str
    """Who scored it, such as NVD."""


class Package(TypedDict, total=False):
    """One package that a finding is about. What the vendor doesn't tell isn't there."""

    __pydantic_config__ = _DESCRIBED  # type: ignore[misc] # pydantic reads it there

    name: str
    version: str
    """The one that is installed."""
    fixed: str
    """The first version without the fault."""
    manager: str
    """The vendor's word for what installed it, such as OS or JAR."""
    path: str
    """Where it lies: a file, or the digest of an image's layer."""


class Linked(TypedDict, total=False):
    """With which records of its vendor a finding was completed."""

    __pydantic_config__ = _DESCRIBED  # type: ignore[misc] # pydantic reads it there

    asset: str
    """Of the asset's records: a digest of what was taken; a finding that has another one is completed anew."""
    knowledge: str
    """Of the knowledge: the same."""
    own: dict[str, Any]
    """What the finding said itself, before: by the fields that are others now."""


@dataclass(slots=True, kw_only=True)
class Finding:
    """One claim of one vendor about one or more resources. Key: `account|id`. Partition: by `account`."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """Stable: the vendor's own id where it has one."""
    account: str
    """Canonical cloud account, or `unlinked`."""
    cloud: Cloud | None = None
    region: str = ""
    source: str
    """What RQL calls finding.source, such as AWS GuardDuty."""
    type: str
    """What RQL calls finding.type, such as AWS GuardDuty Host."""
    name: str
    """What RQL calls finding.name: a CVE id or the vendor's type."""
    cves: list[str] = field(default_factory=list)
    severity: Severity
    vendor_severity: str = ""
    """The vendor's own word or number."""
    score: float | None = None
    """The vendor's score, 0 to 10, where it has one."""
    cvss: list[Cvss] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    title: str
    description: str = ""
    remediation: str = ""
    links: list[str] = field(default_factory=list)
    """Pages to read about it: advisories, the vendor's own."""
    status: FindingStatus = "open"
    status_reason: str = ""
    """Why it has this status, in the vendor's words: Re-Opened, ACCEPTED, ARCHIVED; empty for a new one."""
    reopened: int | None = None
    """When it was found again after it had been fixed."""
    first_seen: int | None = None
    last_seen: int | None = None
    references: list[Reference] = field(default_factory=list)
    asset: str = ""
    """The vendor's asset that it's about: an id of vendor.assets; empty where the vendor has none."""
    knowledge: str = ""
    """What the vendor knows about all findings of its kind: an id of vendor.knowledge; empty where it's all here."""
    linked: Linked = field(default_factory=Linked)
    """With what it was completed; empty: with nothing."""
    version: str
    deleted: bool = False
    original: Any = None
    """What the vendor sent, unchanged."""


@dataclass(slots=True, kw_only=True)
class VendorAsset:
    """One asset as a scanner knows it, with its cloud identity. Key: `source|id`. Partition: by key.

    The findings of the same source whose `asset` is its id, or one of its `ids`, are about the resources it names.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    source: str
    """What RQL calls finding.source, such as Qualys."""
    id: str
    """The vendor's own id, after a word for its kind: `host:6506432`."""
    ids: list[str] = field(default_factory=list)
    """Its other ids at the vendor, written alike: `asset:84047683`."""
    name: str = ""
    account: str
    """Canonical cloud account, or `unlinked`."""
    cloud: Cloud | None = None
    region: str = ""
    references: list[Reference] = field(default_factory=list)
    """Every identifier that the cloud knows it by."""
    hostnames: list[str] = field(default_factory=list)
    """Names of the host, in lower case."""
    addresses: list[str] = field(default_factory=list)
    """IP addresses, private and public, as the vendor writes them."""
    os: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    first_seen: int | None = None
    last_seen: int | None = None
    version: str
    deleted: bool = False
    """The vendor has deleted or purged it, or its instance is terminated: its findings are over."""
    status_reason: str = ""
    """Why it's deleted, in the vendor's words."""
    original: Any = None
    """What the vendor sent, unchanged."""


@dataclass(slots=True, kw_only=True)
class Knowledge:
    """What a vendor knows about every finding of one kind. Key: `source|id`. Partition: by key.

    The findings of the same source whose `knowledge` is its id take from it what they don't say themselves.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    source: str
    """What RQL calls finding.source, such as Qualys."""
    id: str
    """The vendor's own id of a check, after a word for its kind: `qid:38170`."""
    name: str
    """What RQL calls finding.name: the only CVE id, or the vendor's id."""
    cves: list[str] = field(default_factory=list)
    severity: Severity
    vendor_severity: str = ""
    score: float | None = None
    cvss: list[Cvss] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    """Products that are affected; a version where the vendor names one."""
    title: str
    description: str = ""
    remediation: str = ""
    links: list[str] = field(default_factory=list)
    patchable: bool | None = None
    published: int | None = None
    changed: int | None = None
    version: str
    original: Any = None
    """What the vendor sent, unchanged."""


@dataclass(slots=True, kw_only=True)
class Inventory:
    """All that there is of a kind, as of a moment: what is older and not in it is gone. Key: `source|id`."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    source: str
    """The cloud; of findings, what RQL calls finding.source."""
    id: str
    """What it is of: kind, account, api.name and region, with `|` between."""
    kind: Literal["configs", "findings"]
    account: str
    """Canonical cloud account; of findings also empty: of every account."""
    api_name: str = ""
    """Of findings empty."""
    region: str = ""
    """Empty: of every region."""
    ids: list[str] = field(default_factory=list)
    """The ids of all resources, or findings, that there are."""
    version: str


Record: TypeAlias = Resource | ResourcePart | Finding | VendorAsset | Knowledge | Inventory
"""What a normaliser gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An item that could not be used, with all that is needed to look at it, mend what is wrong and send it anew.

    Key: `topic:partition` of the raw message. A record with `replays` set notes that a dead letter was sent again.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    source: str
    """The plug-in that refused it, such as guardduty; `store` where a table refused it."""
    path: str
    """The field that is wrong, seen from the item; empty where the item can't be read at all."""
    reason: str
    place: str = ""
    """Where the item lies in its message, such as Findings[3] or line 7; empty: it is all of it."""
    topic: str
    partition: int
    offset: int
    timestamp: int
    """The raw message's own, as the broker has it."""
    failed_at: int
    item: str
    """The item's bytes in base64."""
    replays: str = ""
    """The dead letter that was sent again, as partition-offset."""
