"""Time ranges as clients write them: relative, absolute, or from a moment to now. All in ms since 1970 UTC."""

from typing import Any, NamedTuple

from api.prisma.failures import bad

ALL: dict[str, Any] = {"type": "to_now", "value": "epoch"}
"""The range that holds everything: what a search is answered from is there now."""

_UNITS = {
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 30 * 86_400_000,
    "year": 365 * 86_400_000,
}


class Range(NamedTuple):
    """From *start* up to *end*, both in it."""

    start: int
    end: int


EVER = Range(0, 2**62)


def read(given: Any, now: int) -> Range:
    """Return the range that *given*, a body's `timeRange`, means at *now*; EVER where it's absent. Raises Failure."""
    if given is None:
        return EVER
    kind = str(given.get("type", "")).lower() if isinstance(given, dict) else ""
    value = given.get("value") if isinstance(given, dict) else None
    if kind == "to_now" or (not kind and isinstance(value, str)):
        unit = str(value).lower()
        if unit in ("epoch", "login", "never"):
            return EVER
        if unit in _UNITS:
            return Range(now - _UNITS[unit], now)
        raise bad("timeRange.value", f"{value!r:.60}: wanted epoch, login, or one of {', '.join(_UNITS)}")
    if kind == "relative" and isinstance(value, dict):
        amount, unit = value.get("amount"), str(value.get("unit", "")).lower()
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= 10_000 or unit not in _UNITS:
            raise bad("timeRange.value", f"{value!r:.100}: wanted an amount and a unit of {', '.join(_UNITS)}")
        span = amount * _UNITS[unit]
        if str(given.get("relativeTimeType", "BACKWARD")).upper() == "FORWARD":
            return Range(now, now + span)
        return Range(now - span, now)
    if kind == "absolute" and isinstance(value, dict):
        start, end = value.get("startTime", 0), value.get("endTime", EVER.end)
        if all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= EVER.end for each in (start, end)):
            return Range(start, end)
    raise bad("timeRange", f"{given!r:.100}: wanted a type of relative, absolute or to_now with its value")


def until(given: Any, now: int) -> int:
    """Return the moment to come that *given*, a body's `dismissalTimeRange`, means. Raises Failure."""
    ahead = {**given, "relativeTimeType": "FORWARD"} if isinstance(given, dict) else given
    kind = str(given.get("type", "")).lower() if isinstance(given, dict) else ""
    if kind not in ("relative", "absolute"):
        raise bad("dismissalTimeRange", f"{given!r:.100}: wanted a type of relative or absolute with its value")
    end = read(ahead, now).end
    if not now < end < EVER.end:
        raise bad("dismissalTimeRange", f"{given!r:.100}: wanted an end that is to come")
    return end


def from_query(query: Any) -> Any:
    """Return the `timeRange` that a query string means; None where it says nothing. Raises Failure."""
    if "startTime" in query or "endTime" in query:
        try:
            value = {name: int(query[name]) for name in ("startTime", "endTime") if name in query}
        except ValueError:
            raise bad("startTime", "wanted ms since 1970 UTC") from None
        return {"type": "absolute", "value": value}
    kind = query.get("timeType")
    if kind is None and "timeUnit" not in query:
        return None
    if kind == "to_now":
        return {"type": "to_now", "value": query.get("timeUnit", "epoch")}
    amount = query.get("timeAmount", "")
    if not (amount.isascii() and amount.isdigit() and len(amount) < 10):
        raise bad("timeAmount", f"{amount!r:.60}: wanted a number")
    return {"type": "relative", "value": {"amount": int(amount), "unit": query.get("timeUnit", "")}}
