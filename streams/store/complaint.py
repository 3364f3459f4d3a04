"""What is wrong with one record, in words: the slow and exact check, for the few that seem wrong."""

import math
import re
from typing import Any

import orjson

from streams.store.schema import LAST_MS, Field, Kind


def complaint(kind: Kind, key: bytes | None, value: bytes) -> str | None:
    """Return why a table of *kind* can't take the record, as `field: reason`; None when it can."""
    if key is None:
        return "no key: compaction would drop it"
    try:
        record = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    if not isinstance(record, dict):
        return f"wanted a JSON object, got {_show(record)}"
    for field in kind.fields:
        if reason := _wrong(field, record.get(field.name)):
            return f"{field.name}: {reason}"
    own = "|".join(str(record[name]) for name in kind.key_fields).encode()
    if own != key:
        return f"{' and '.join(kind.key_fields)}: the record says {_show(own.decode())}, its key says {_show(key.decode(errors='replace'))}"
    return None


def _wrong(field: Field, value: Any) -> str | None:
    if value is None:
        return "missing" if field.required else None
    match field.type:
        case "text" | "version" if not isinstance(value, str | int | float):
            return f"wanted a text, got {_show(value)}"
        case "text" if value == "" and field.required:
            return "empty"
        case "text" if field.choices and value not in field.choices:
            return f"wanted one of {', '.join(field.choices)}, got {_show(value)}"
        case "version" if not _VERSION.match(str(value)) or int(str(value)[:15]) > LAST_MS:
            return f"wanted 15 digits of milliseconds since 1970, a dot, and more, got {_show(value)}"
        case "time" if not _is_number(value) or not 0 <= value <= LAST_MS:
            return f"wanted milliseconds since 1970, got {_show(value)}"
        case "number" if not _is_number(value):
            return f"wanted a number, got {_show(value)}"
        case "flag" if not isinstance(value, bool):
            return f"wanted true or false, got {_show(value)}"
        case "object" if not isinstance(value, dict):
            return f"wanted an object, got {_show(value)}"
        case "texts" | "references" if not isinstance(value, list):
            return f"wanted an array, got {_show(value)}"
        case "texts":
            return next((f"wanted texts, got {_show(v)}" for v in value if not isinstance(v, str)), None)
        case "references":
            return next((f"wanted objects with an id, got {_show(v)}" for v in value if not _is_reference(v)), None)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and value["id"] != ""
        and isinstance(value.get("type") or "", str)
    )


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"


_VERSION = re.compile(r"[0-9]{15}\.", re.ASCII)
