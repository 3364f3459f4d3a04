"""Times in every spelling that the vendors emit."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agents.normalise._fields import time_ms
from streams.errors import BadRecord


def moment(value: Any, path: str) -> int:
    """Return a time as ms since 1970 UTC. Raises BadRecord.

    Beyond what `time_ms` reads: seconds or milliseconds held as text, `Jan 19, 2022, 10:46:15 PM`, `01/19/2022
    22:46:15`, `01/19/2022 at 22:46:15 (GMT)` (month first), `Wed Jan 19 22:46:15 2022`, all of them UTC.
    """
    if type(value) is not str:
        return time_ms(value, path)
    text = value.strip()
    if text[4:5] == "-":
        return time_ms(text, path)
    if _NUMBER.fullmatch(text):
        return time_ms(float(text), path)
    text = _AT.sub(" ", text).replace("\u202f", " ")
    for form in _FORMS:
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp() * 1000)
        except ValueError:
            continue
    raise BadRecord(path, f"not a time: {value!r:.80}")


def optional_moment(raw: Mapping[str, Any], name: str, path: str = "") -> int | None:
    """Return the time at *name*; None where it's missing, null or empty. Raises BadRecord for what is no time."""
    value = raw.get(name)
    if value is None or value == "":
        return None
    return moment(value, path or name)


_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_AT = re.compile(r" at | \((GMT|UTC)\)", re.ASCII)
_FORMS = (
    "%b %d, %Y, %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%a %b %d %H:%M:%S %Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
)
