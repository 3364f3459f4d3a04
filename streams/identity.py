"""Who an account is, what a resource is called, which record is newer: the rules that every topic relies on."""

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

UNLINKED = "unlinked"
"""The account of a finding whose cloud account isn't known (yet)."""


class Place(NamedTuple):
    """Where a raw message lies. *timestamp* is the broker's, in ms since 1970 UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int


def version(time_ms: int, sequence: int, place: Place, item: int) -> str:
    """Return a version as text; of two versions the greater text (by bytes) is the newer record.

    In order: the vendor's own time (ms since 1970 UTC; *place.timestamp* where it has none), its sequence (0 where it
    has none), raw topic, partition, offset, and the item's index in its message. Reading a raw message again gives
    the same version. Times before 1970 count as 1970.
    """
    time = str(time_ms if time_ms > 0 else 0).zfill(15)  # zfill: a quarter of the time of a format with widths
    order = str(sequence if sequence > 0 else 0).zfill(20)
    where = _where(place.topic, place.partition)
    return f"{time}.{order}.{where}.{str(place.offset).zfill(15)}.{str(item).zfill(6)}"


def canonical_account(cloud: str, account: str) -> str:
    """Return the one spelling of an account id: AWS 12 digits, Azure GUID in lower case, the others stripped.

    Raises ValueError, with the reason, when *account* can't be an account of *cloud*.
    """
    text = account.strip()
    if cloud == "aws":
        if not _AWS.fullmatch(text):
            raise ValueError(f"wanted 12 digits, got {text!r}")
        return text
    if cloud == "azure":
        text = text.lower()
        if not _GUID.fullmatch(text):
            raise ValueError(f"wanted a subscription GUID, got {text!r}")
        return text
    if not text or any(c.isspace() for c in text):
        raise ValueError(f"wanted an account id without blanks, got {text!r}")
    return text


def rrn(cloud: str, kind: str, region: str, account: str, id: str) -> str:
    """Return the resource's name: `rrn:<cloud>:<kind>:<region>:<account>:<hash>:<id>`, as Prisma's clients know it.

    *kind* is the api.name; *id* the provider's own id, unique within cloud, kind, region and account. The hash (10 hex
    digits of SHA-1 over all the parts) keeps two ids apart that differ only where a reader splits at colons.
    """
    parts = (cloud, kind, region, account, id)
    digest = hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()[:10]
    return f"rrn:{cloud}:{kind}:{region}:{account}:{digest}:{id}"


@lru_cache(maxsize=4096)
def _where(topic: str, partition: int) -> str:
    return f"{topic}.{partition:05d}"


_AWS = re.compile(r"[0-9]{12}", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
