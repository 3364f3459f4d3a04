"""The audit trail's records: what happened to a resource, for anyone to read. Times are ms since 1970 UTC."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One thing that happened to a resource. Key: `rrn`. Partition: by account."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    rrn: str
    """The resource; of an alert about an account: the account."""
    account: str
    at: int
    """When Tidegate saw it."""
    kind: Literal["configuration", "finding", "alert"]
    change: str
    """Of a configuration: created, changed, deleted. Of a finding: opened, changed, closed (fixed, suppressed, deleted,
    or no longer about this resource). Of an alert: the kind of its event.
    """
    by: str = ""
    """The user whose command it was; empty: what the vendors and clouds sent."""
    detail: dict[str, Any] = field(default_factory=dict)
    """Of a created or changed configuration: `config` as it is now, up to 64 KiB. Of a finding: its id, source, type,
    name, cves, severity, status, title. Of an alert: its id, seq, status, reason, and the policy's id, name, severity.
    """
