"""The shapes that cross a topic: JSON objects. Every consumer keeps unknown fields; missing ones take their default.

Times are milliseconds since 1970 UTC. `version` is text that grows (streams/identity.py). docs/topics.md prints their
JSON Schema, which pydantic reads. Plain dataclasses, because the hot path makes a million of them and orjson writes
them as they are; Resource and Finding aren't frozen for the same reason: 1.4 instead of 4.3 microseconds for each.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A resource that a finding names, as its vendor named it."""

    __pydantic_config__: ClassVar[ConfigDict] = _DESCRIBED

    id: str
    """Instance id, ARN, user name or whatever the vendor gave."""
    type: str = ""
    """The vendor's word for what it is."""


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
    title: str
    description: str = ""
    remediation: str = ""
    status: FindingStatus = "open"
    first_seen: int | None = None
    last_seen: int | None = None
    references: list[Reference] = field(default_factory=list)
    version: str
    deleted: bool = False
    original: Any = None
    """What the vendor sent, unchanged."""


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
