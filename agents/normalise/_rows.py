"""What a sender says beside a configuration, and the record that it gives: the same for every cloud."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from agents.normalise._base import fragments
from agents.normalise._fields import MAX_ID, MAX_WORD, optional_text, optional_word, time_ms, wrong_type
from streams.errors import BadRecord
from streams.identity import Place, rrn
from streams.records import Cloud, Resource


class Told(NamedTuple):
    """A configuration and what its sender said of it; what wasn't said is empty."""

    config: dict[str, Any]
    original: Any
    version: str
    resource_type: str = ""
    api_name: str = ""
    id: str = ""
    account: str = ""
    region: str = ""
    name: str = ""
    tags: Mapping[str, str] = {}
    created: int | None = None
    deleted: bool = False


def row_parts(row: Mapping[str, Any], cloud: Cloud, place: Place) -> tuple[dict[str, Any], int, bool]:
    """Return the configuration of a row, its time in ms since 1970 UTC (the message's where it has none), and whether
    the resource is gone. Raises BadRecord.
    """
    deleted = row.get("deleted") or False
    if type(deleted) is not bool:
        raise wrong_type("deleted", "a boolean", deleted)
    config = row.get("config")
    if config is None and deleted:
        config = {}
    if type(config) is not dict:
        raise wrong_type("config", "an object", config) if "config" in row else BadRecord("config", "missing")
    if row.get("cloud") not in (None, cloud):
        raise BadRecord("cloud", f"wanted {cloud!r}, got {row['cloud']!r:.80}")
    time = next(
        (time_ms(row[name], name) for name in ("time", "updated") if row.get(name) is not None), place.timestamp
    )
    return config, time, deleted


def row_told(row: Mapping[str, Any], config: dict[str, Any], version: str, deleted: bool) -> Told:
    """Return what a row says, its fields checked."""
    return Told(
        config=config,
        original=config,
        version=version,
        resource_type=optional_word(row, "resource_type"),
        api_name=optional_word(row, "api_name"),
        id=optional_text(row, "resource_id"),
        account=optional_word(row, "account"),
        region=optional_word(row, "region"),
        name=optional_text(row, "name"),
        tags=texts(row.get("tags")),
        deleted=deleted,
    )


def resource(
    told: Told,
    *,
    cloud: Cloud,
    account: str,
    region: str,
    api_name: str,
    service: str,
    id: str,
    keys: Iterable[str],
    shape: Any,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    created: int | None = None,
    resource_type: str = "",
    unique: bool = False,
) -> Resource:
    """Return the record. *account* is canonical; *shape* is the document that json.rule asks, and may be the original
    itself. *unique*: the id is so whatever its region, which a deletion may not tell, and which the rrn leaves out.
    Raises BadRecord when the id is too long, or the documents too large.
    """
    if len(id) > MAX_ID:
        raise BadRecord("resource_id", f"has {len(id)} characters, the most is {MAX_ID}")
    kind = resource_type or told.resource_type
    for path, value in (("region", region), ("resource_type", kind)):
        if len(value) > MAX_WORD:
            raise BadRecord(path, f"has {len(value)} characters, the most is {MAX_WORD}")
    written, kept = fragments(None if told.deleted and not told.config else shape, told.original)
    tags = dict(tags) if tags else dict(told.tags)
    return Resource(
        rrn=rrn(cloud, api_name, "" if unique else region, account, id),
        account=account,
        cloud=cloud,
        region=region,
        api_name=api_name,
        service=service,
        resource_type=kind,
        id=id,
        name=name or told.name or id,
        keys=list(dict.fromkeys(key for key in keys if 0 < len(key) <= MAX_ID)),
        tags=tags,
        created=told.created if told.created is not None else created,
        version=told.version,
        deleted=told.deleted,
        config=written,
        original=kept,
    )


def texts(tags: Any) -> dict[str, str]:
    """Return a map of texts; what isn't text in it is empty, and anything else than a map is no tags."""
    if type(tags) is not dict:
        return {}
    return {key: value if type(value) is str else "" for key, value in tags.items()}


def text(value: Any) -> str:
    """Return *value* when it's text, else an empty text."""
    return value if type(value) is str else ""


def moment(*values: Any) -> int | None:
    """Return the first of *values* that is a time, in ms since 1970 UTC: it's told, not relied on."""
    for value in values:
        if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 13:
            value = int(value)
        if value:
            try:
                return time_ms(value, "")
            except BadRecord:
                continue
    return None


@lru_cache(maxsize=4096)
def words(name: str) -> str:
    """Return a type's name in lower case with hyphens: `DBClusterSnapshot` -> `db-cluster-snapshot`."""
    spaced = _BORDER.sub("-", name.strip())
    return "-".join(part for part in _OTHER.split(spaced.lower()) if part)[:MAX_WORD]


_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")
