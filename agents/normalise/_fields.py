"""Reading fields of raw items: each returns the value, or raises a BadRecord that names the path and the fault."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from streams.errors import BadRecord
from streams.identity import canonical_account

T = TypeVar("T")

MAX_ID = 2048
"""The longest identifier that is believed, in characters: AWS's own limit for an ARN. Ids become keys of topics."""

MAX_WORD = 256
"""The longest region or name of a type, in characters. They become parts of keys."""

LATEST_MS = 253_402_300_799_999
"""The end of the year 9999, in ms since 1970 UTC."""


def need(raw: Mapping[str, Any], path: str, kind: type[T]) -> T:
    """Return the value of type *kind* at dotted *path*."""
    here: Any = raw
    for name in path.split("."):
        if not isinstance(here, Mapping) or name not in here:
            raise BadRecord(path, "missing")
        here = here[name]
    if not isinstance(here, kind) or (kind is not bool and isinstance(here, bool)):
        raise wrong_type(path, word(kind), here)
    return here


def identifier(raw: Mapping[str, Any], name: str, path: str = "") -> str:
    """Return the text at *name*: there, not empty, at most MAX_ID characters. An error calls it *path*, if given."""
    value = raw.get(name)
    if type(value) is str and 0 < len(value) <= MAX_ID:
        return value
    path = path or name
    if value is None:
        raise BadRecord(path, "missing" if name not in raw else "is null")
    if not isinstance(value, str):
        raise wrong_type(path, "text", value)
    raise BadRecord(path, "is empty" if not value else f"has {len(value)} characters, the most is {MAX_ID}")


def optional_text(raw: Mapping[str, Any], name: str, path: str = "") -> str:
    """Return the text at *name*, empty when it's missing or null."""
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong_type(path or name, "text", value)
    return value


def optional_word(raw: Mapping[str, Any], name: str, path: str = "") -> str:
    """Return the text at *name*, at most MAX_WORD characters; empty when it's missing or null."""
    value = raw.get(name)
    if type(value) is not str:
        value = optional_text(raw, name, path)
    if len(value) > MAX_WORD:
        raise BadRecord(path or name, f"has {len(value)} characters, the most is {MAX_WORD}")
    return value


def optional_object(raw: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    """Return the object at *name*, an empty one when it's missing or null."""
    value = raw.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong_type(path or name, "an object", value)
    return value


def optional_list(raw: Mapping[str, Any], name: str, path: str = "") -> list[Any]:
    """Return the list at *name*, an empty one when it's missing or null."""
    value = raw.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong_type(path or name, "a list", value)
    return value


def number(raw: Mapping[str, Any], name: str) -> float:
    """Return the finite number at *name*. JSON writes 5.0 as 5, so take either."""
    value = raw.get(name)
    if type(value) is float and math.isfinite(value):
        return value
    if value is None and name not in raw:
        raise BadRecord(name, "missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(name, "a number", value)
    if not math.isfinite(value):
        raise BadRecord(name, f"wanted a finite number, got {value}")
    return float(value)


def account_of(cloud: str, value: object, path: str) -> str:
    """Return the canonical spelling of the account *value* of *cloud*."""
    if not isinstance(value, str):
        raise wrong_type(path, "text", value)
    if len(value) > MAX_WORD:
        raise BadRecord(path, f"has {len(value)} characters, the most is {MAX_WORD}")
    try:
        return canonical_account(cloud, value)
    except ValueError as wrong:
        raise BadRecord(path, str(wrong)) from None


def time_ms(value: object, path: str) -> int:
    """Return a time as ms since 1970 UTC.

    *value* is ISO 8601 text (with `Z`, an offset or neither, which is read as UTC; with `T` or a blank; with fractions
    of a second), or a number of seconds or milliseconds since 1970: from 100,000,000,000 on, the year 5138 in seconds,
    it's milliseconds.
    """
    if type(value) is str:
        try:
            moment = datetime.fromisoformat(value)
            since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH
            return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
        except (ValueError, OverflowError):
            raise BadRecord(path, f"not a time: {_shown(value)}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(path, "a time", value)
    if not math.isfinite(value):
        raise BadRecord(path, f"not a time: {value}")
    milliseconds = value if abs(value) >= 100_000_000_000 else value * 1000
    if not -LATEST_MS <= milliseconds <= LATEST_MS:
        raise BadRecord(path, f"not a time: {value}")
    return int(milliseconds)


def wrong_type(path: str, wanted: str, value: object) -> BadRecord:
    """Return the error for a value of the wrong type, which it shows when it's short."""
    if value is None:
        return BadRecord(path, f"wanted {wanted}, got null")
    return BadRecord(path, f"wanted {wanted}, got {word(type(value))}{_aside(value)}")


def word(kind: type) -> str:
    """Return what JSON calls a Python type."""
    return _WORDS.get(kind, kind.__name__)


def _aside(value: object) -> str:
    return f" {_shown(value)}" if isinstance(value, str | int | float) else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}
