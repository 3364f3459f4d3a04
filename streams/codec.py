"""Records as bytes on a topic, and back, with nothing lost that another version of Tidegate wrote."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar

import orjson

from streams.errors import BadRecord
from streams.records import (
    DeadLetter,
    Finding,
    Inventory,
    Knowledge,
    Record,
    Reference,
    Resource,
    ResourcePart,
    VendorAsset,
)
from streams.topics import finding_key, vendor_key

R = TypeVar("R", bound=Record | DeadLetter)


class Encoded(NamedTuple):
    """A record as it goes to its topic."""

    account: str
    """What names the partition: the account; the key of a vendor's asset or knowledge."""
    key: bytes
    value: bytes


def encode(record: Record, unknown: Mapping[str, Any] | None = None) -> Encoded:
    """Return the account that names the partition, and key and value of *record*.

    *unknown* is what `decode` didn't know: it goes out as it came in. The value is one JSON object without line breaks.
    """
    value = orjson.dumps(record)
    if unknown:
        value = orjson.dumps(orjson.loads(value) | dict(unknown))
    if isinstance(record, Finding):
        return Encoded(record.account, finding_key(record.account, record.id), value)
    if isinstance(record, Resource):
        return Encoded(record.account, record.rrn.encode(), value)
    key = vendor_key(record.source, record.id)
    return Encoded(key.decode(), key, value)


def decode(shape: type[R], value: bytes) -> tuple[R, dict[str, Any]]:
    """Return the record of *shape* that *value* holds, and its unknown fields. Missing fields take their default.

    Raises BadRecord when it is no such record.
    """
    try:
        known = orjson.loads(value)
    except orjson.JSONDecodeError as wrong:
        raise BadRecord("", f"not JSON: {wrong}") from None
    if not isinstance(known, dict):
        raise BadRecord("", f"wanted an object, got {type(known).__name__}")
    unknown = {name: known.pop(name) for name in known.keys() - _NAMES[shape]}
    if shape in _REFERRING and "references" in known:
        given = known["references"]
        known["references"] = _references(given)
        if any(one.keys() - {"id", "type"} for one in given):
            unknown["references"] = given
    try:
        return shape(**known), unknown
    except TypeError as wrong:
        raise BadRecord("", f"no {shape.__name__}: {wrong}") from None


def _references(given: Any) -> list[Reference]:
    try:
        return [Reference(id=one["id"], type=one.get("type", "")) for one in given]
    except (TypeError, KeyError, AttributeError):
        raise BadRecord("references", "wanted a list of objects with an id") from None


_NAMES: Mapping[type, frozenset[str]] = {
    shape: frozenset(field.name for field in fields(shape))
    for shape in (Resource, ResourcePart, Finding, VendorAsset, Knowledge, Inventory, DeadLetter)
}
_REFERRING = (Finding, VendorAsset)
