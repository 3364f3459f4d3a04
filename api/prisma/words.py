"""The product's words for what Tidegate calls otherwise."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from queries.errors import nearest

SEVERITIES = ("critical", "high", "medium", "low", "informational")
STATUSES = ("open", "dismissed", "snoozed", "resolved", "pending_resolution")


def cloud_out(cloud: str | None) -> str:
    """Return the product's word for a cloud."""
    return "alibaba_cloud" if cloud == "alibaba" else cloud or "all"


def cloud_in(word: str) -> str:
    """Return Tidegate's word for a cloud that a client names."""
    plain = word.strip().lower().replace("-", "_")
    return "alibaba" if plain == "alibaba_cloud" else plain


def asset_id(rrn: str) -> str:
    """Return the asset id of a resource: the same for ever, in the form of a UUID."""
    return str(UUID(bytes=hashlib.md5(rrn.encode(), usedforsecurity=False).digest()))


def milliseconds(moment: datetime | None) -> int:
    """Return a moment of the store, UTC without a zone, in ms since 1970 UTC; 0 for none."""
    return 0 if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def suggestion(word: str, known: Any) -> str:
    """Return what to say of a *word* that isn't among those *known*."""
    return nearest(word, known) or "known: " + ", ".join(sorted(known)[:40])
