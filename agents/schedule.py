"""When digests are due: a schedule in words or as an RRULE (RFC 5545), in a zone."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import HOURLY, rrule, rrulestr
from pydantic import BaseModel, ConfigDict, Field, field_validator

WORDS = {
    "hourly": "FREQ=HOURLY;BYMINUTE=0",
    "daily": "FREQ=DAILY;BYHOUR=8;BYMINUTE=0",
    "weekly": "FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=0",
    "monthly": "FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=8;BYMINUTE=0",
}
"""What the words stand for."""

ANCHOR = datetime(2024, 1, 1)  # a wall clock's time: a Monday, from which `INTERVAL` counts


class Digest(BaseModel):
    """Messages that wait for a time and are sent as one."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    schedule: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        default="daily",
        description="`hourly`, `daily`, `weekly` (Monday) or `monthly` (the 1st), at 8 o'clock; or an RRULE, such as"
        " FREQ=DAILY;BYHOUR=17;BYMINUTE=30.",
    )
    zone: str = Field(default="UTC", description="The time zone of its hours, such as Europe/Berlin.")

    @field_validator("schedule")
    @classmethod
    def _is_a_rule(cls, schedule: str) -> str:
        if schedule in WORDS:
            return schedule
        text = schedule.upper().removeprefix("RRULE:")
        if not text.startswith("FREQ=") or "\n" in text:
            raise ValueError(f"wanted {', '.join(WORDS)}, or an RRULE such as {WORDS['daily']}")
        if text.startswith(("FREQ=SECONDLY", "FREQ=MINUTELY")):
            raise ValueError("digests are an hour apart at least: wanted a FREQ of HOURLY or longer")
        if "COUNT=" in text or "UNTIL=" in text:
            raise ValueError("digests have no end: leave out COUNT and UNTIL, and disable the rule instead")
        try:
            comes = _after(text, "UTC", 0)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"no RRULE: {error}") from None
        if not comes:
            raise ValueError("no day is such a day")
        return text

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone; wanted a name such as Europe/Berlin") from None
        return zone

    def after(self, now: int) -> int:
        """Return when the first digest after *now* is due; both in ms since 1970 UTC."""
        return _after(self.schedule, self.zone, now // _STEP) * 1000


_STEP = 60_000
"""Schedules are looked at by the minute."""


@lru_cache(maxsize=4096)
def _after(schedule: str, zone: str, minute: int) -> int:
    """Return the first time after this minute, in seconds since 1970 UTC; 0: there is none."""
    there = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    there = max(there, ANCHOR + timedelta(days=3))
    rule = _rule(WORDS.get(schedule, schedule))
    if rule._freq == HOURLY:  # type: ignore[attr-defined] # each hour since the anchor would be looked at
        passed = (there - ANCHOR) // timedelta(hours=1) - 48
        rule = rule.replace(dtstart=ANCHOR + timedelta(hours=passed - passed % rule._interval))  # type: ignore[attr-defined]
    # An hour that the clock leaves out or has twice: what follows must lie ahead of the moment itself.
    for wall in rule.xafter(there - timedelta(hours=2)):
        due = int(wall.replace(tzinfo=ZoneInfo(zone)).timestamp())
        if due > minute * 60:
            return due
    return 0


@lru_cache(maxsize=256)
def _rule(text: str) -> rrule:
    made = rrulestr(text, dtstart=ANCHOR, cache=False)
    if not isinstance(made, rrule):
        raise TypeError(f"{text}: several rules")
    return made
