"""When an alert rule's channel is told, in a client's words and in ours."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from agents.schedule import WORDS, Digest
from api.prisma.failures import bad

FREQUENCIES = ("as_it_happens", "daily", "weekly", "monthly")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RULES = {word: f"FREQ={word.upper()}" for word in FREQUENCIES[1:]}


def digest_in(config: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    """Return the digest that a notification *config* asks for; None: as it happens. Raises Failure by the field."""
    frequency = config.get("frequency") or "as_it_happens"
    written = str(config.get("rruleSchedule") or "")
    if frequency not in FREQUENCIES:
        raise bad(f"{where}.frequency", f"{frequency!r:.40}: wanted one of {', '.join(FREQUENCIES)}")
    if frequency == "as_it_happens":
        return None
    zone = str(config.get("timezone") or "") or _zone_of(written) or "UTC"
    try:
        digest = Digest(schedule=_rule_of(written) if written else _made(frequency, config, where), zone=zone)
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False, include_context=False)
        name = "timezone" if first["loc"] == ("zone",) else "rruleSchedule" if written else "frequency"
        raise bad(f"{where}.{name}", f"{first['input']!r:.100}: {first['msg'].removeprefix('Value error, ')}") from None
    return digest.model_dump()


def digest_out(digest: Digest | None) -> dict[str, Any]:
    """Return the fields of a notification config that say what *digest* says."""
    if digest is None:
        return {"frequency": "as_it_happens"}
    rule = WORDS.get(digest.schedule, digest.schedule)
    parts = dict(part.partition("=")[::2] for part in rule.split(";"))
    frequency = parts["FREQ"].lower()
    said: dict[str, Any] = {
        "frequency": frequency if frequency in FREQUENCIES else "daily",
        "timezone": digest.zone,
        "rruleSchedule": f"DTSTART;TZID={digest.zone}:20240101T000000\n{rule}",
        "frequencyFromRRule": frequency,
    }
    if parts.get("BYHOUR", "").isdigit():
        said["hourOfDay"] = int(parts["BYHOUR"])
    return said


def _rule_of(written: str) -> str:
    """Return the RRULE of a schedule, which may have a line with its beginning before."""
    parts = written.strip().splitlines()[-1].removeprefix("RRULE:").strip(";").split(";")
    return ";".join(sorted(parts, key=lambda part: not part.startswith("FREQ=")))


def _zone_of(written: str) -> str:
    found = re.search(r"TZID=([\w/+-]+)", written)
    return found[1] if found else ""


def _made(frequency: str, config: Mapping[str, Any], where: str) -> str:
    hour = config.get("hourOfDay")
    if hour is None:
        hour = 8
    if not isinstance(hour, int) or isinstance(hour, bool) or not 0 <= hour <= 23:
        raise bad(f"{where}.hourOfDay", f"{hour!r:.40}: wanted 0 to 23")
    days = [_day(day, frequency, f"{where}.daysOfWeek") for day in config.get("daysOfWeek") or ()]
    parts = [_RULES[frequency]]
    if days:
        parts.append(f"BYDAY={','.join(days)}")
    elif frequency == "weekly":
        parts.append("BYDAY=MO")
    elif frequency == "monthly":
        day = config.get("dayOfMonth") or 1
        if not isinstance(day, int) or isinstance(day, bool) or not 1 <= day <= 31:
            raise bad(f"{where}.dayOfMonth", f"{day!r:.40}: wanted 1 to 31")
        # the last day where a month is shorter
        parts.append(
            f"BYMONTHDAY={','.join(map(str, range(28, day + 1)))};BYSETPOS=-1" if day > 28 else f"BYMONTHDAY={day}"
        )
    return ";".join([*parts, f"BYHOUR={hour}", "BYMINUTE=0"])


def _day(given: Any, frequency: str, where: str) -> str:
    day = given.get("day") if isinstance(given, dict) else given
    offset = given.get("offset") if isinstance(given, dict) else None
    if day not in DAYS or not (offset is None or (isinstance(offset, int) and -5 <= offset <= 5)):
        raise bad(where, f"{given!r:.60}: wanted a day of {', '.join(DAYS)}, and an offset of -5 to 5")
    return f"{offset}{day}" if offset and frequency == "monthly" else day
