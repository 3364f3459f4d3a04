"""What is wrong with one record, in words: the slow and exact check, for the few that seem wrong."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from streams.store.schema import LAST_MS, Field, Kind


def complaint(kind: Kind, key: bytes | None, value: bytes, odd: Sequence[str] = ()) -> str | None:
    """Return why a table of *kind* can't take the record, as `field: reason`; None when it can.

    *odd* are fields that DuckDB couldn't read as their type: it takes "5" for a number, but not "five".
    """
    if key is None:
        return "no key: compaction would drop it"
    try:
        record = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    if not isinstance(record, dict):
        return f"wanted a JSON object, got {_show(record)}"
    for field in kind.fields:
        given = record.get(field.name)
        if field.name in odd and given is not None:
            return f"{field.name}: wanted {_WANTED[field.type]}, got {_show(given)}"
        if reason := _wrong(field, given):
            return f"{field.name}: {reason}"
    own = "|".join(str(record[name]) for name in kind.key_fields)
    if own.encode() != key:
        said = " and ".join(kind.key_fields)
        return f"{said}: the record says {_show(own)}, its key says {_show(key.decode(errors='replace'))}"
    return None


_WANTED = {
    "text": "a text",
    "version": "15 digits of milliseconds since 1970, a dot, and more",
    "time": "milliseconds since 1970, up to the year 9999",
    "number": "a number",
    "flag": "true or false",
    "texts": "an array of texts",
    "references": "an array of objects with an id",
    "cvss": "an array of scores",
    "packages": "an array of packages",
    "object": "an object",
    "document": "JSON",
}


def _wrong(field: Field, value: Any) -> str | None:
    if value is None:
        return "missing" if field.required else None
    wanted = f"wanted {_WANTED[field.type]}, got {_show(value)}"
    match field.type:
        case "text" if field.choices and value not in field.choices:
            return f"wanted one of {', '.join(field.choices)}, got {_show(value)}"
        case "text" if field.required and value == "":
            return "empty"
        case "version" if not _VERSION.match(str(value)) or int(str(value)[:15]) > LAST_MS:
            return wanted
        case "time" if isinstance(value, int | float) and not 0 <= value <= LAST_MS:
            return wanted
        case "number" if str(value).strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return wanted
        case "references" if isinstance(value, list) and not all(_is_reference(v) for v in value):
            return wanted
    return None


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.get("id") not in (None, "")


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"


_VERSION = re.compile(r"[0-9]{15}\.", re.ASCII)
