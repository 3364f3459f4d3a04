"""The functions of RQL in plain Python, by name: values of each argument, time and known accounts in, values out."""

import contextlib
import ipaddress
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Json = object
Given = list[list[Json]]


def in_ports(shown: str | None, ports: object) -> bool:
    """Tell whether a port, or some port of a range `20-25`, is one of *ports*."""
    assert isinstance(ports, range)
    match = re.fullmatch(r"([0-9]+)(?: *- *([0-9]+))?", shown or "", re.ASCII)
    if match is None:
        return False
    low, high = int(match[1]), int(match[2] or match[1])
    return any(low <= port <= high for port in ports)


def moment(value: Json) -> datetime | None:
    """The time that a value reads as."""
    shown = _text(value)
    if re.fullmatch(r"\d{9,10}(\.\d+)?|\d{12,13}", shown, re.ASCII):
        seconds = float(shown) if len(shown.split(".")[0]) < 12 else int(shown) / 1000
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if re.match(r"\d{4}-\d\d-\d\d", shown, re.ASCII):
        with contextlib.suppress(ValueError):
            read = datetime.fromisoformat(shown)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
    with contextlib.suppress(ValueError):
        return datetime.strptime(shown, "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC)
    return None


def whole_days(start: datetime, end: datetime) -> int:
    """Whole days, towards zero."""
    return int((end - start) / timedelta(days=1))


def whole_months(start: datetime, end: datetime) -> int:
    """Whole months, towards zero."""
    if start > end:
        return -whole_months(end, start)
    rest_start = start - start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rest_end = end - end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (end.year - start.year) * 12 + end.month - start.month - (rest_end < rest_start)


def _ages(measure: Callable[[datetime, datetime], int]) -> Callable[[Given, datetime, tuple[str, ...]], list[Json]]:
    def ages(given: Given, now: datetime, _: tuple[str, ...]) -> list[Json]:
        moments = [moment(value) for value in _flat(given[0])]
        return [measure(at, now.astimezone(UTC)) for at in moments if at is not None]

    return ages


def _days_between(given: Given, _now: datetime, _known: tuple[str, ...]) -> list[Json]:
    starts, ends = ([moment(value) for value in _flat(each)] for each in given)
    return [whole_days(a, b) for a in starts for b in ends if a is not None and b is not None]


def _monitored(given: Given, _: datetime, known: tuple[str, ...]) -> list[Json]:
    values = _present(given[0])
    found = [re.search(r"(?:^|:)([0-9]{12})(?::|$)", _text(value)) for value in values]
    return [all(match is not None and match[1] in known for match in found)] if values else []


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(value: Json) -> Network | None:
    try:
        return ipaddress.ip_network(_text(value), strict=False)
    except ValueError:
        return None


def _inside(value: Json, networks: list[Network | None]) -> bool:
    one = _network(value)
    if isinstance(one, ipaddress.IPv4Network):
        return any(isinstance(n, ipaddress.IPv4Network) and one.subnet_of(n) for n in networks)
    return one is not None and any(isinstance(n, ipaddress.IPv6Network) and one.subnet_of(n) for n in networks)


def _addresses(
    word: str,
) -> Callable[[Given, datetime, tuple[str, ...]], list[Json]]:
    def answer(given: Given, _now: datetime, _known: tuple[str, ...]) -> list[Json]:
        values, networks = _present(given[0]), [_network(each) for argument in given[1:] for each in argument]
        if not values:
            return []
        inside = [_inside(value, networks) for value in values]
        outside = [_network(value) is not None and not met for value, met in zip(values, inside, strict=True)]
        return [{"any": any(inside), "all": all(inside), "outside": any(outside)}[word]]

    return answer


def _flat(values: list[Json]) -> list[Json]:
    return [v for value in values for v in (value if isinstance(value, list) else [value])]


def _present(values: list[Json]) -> list[Json]:
    return [value for value in _flat(values) if value is not None]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


FUNCTIONS: dict[str, Callable[[Given, datetime, tuple[str, ...]], list[Json]]] = {
    "_DateTime.ageInDays": _ages(whole_days),
    "_DateTime.ageInMonths": _ages(whole_months),
    "_DateTime.ageInYears": _ages(lambda start, end: int(whole_months(start, end) / 12)),
    "_DateTime.daysBetween": _days_between,
    "today": lambda _given, now, _known: [now.date().isoformat()],
    "_AWSCloudAccount.isRedLockMonitored": _monitored,
    "_IPAddress.inCIDRRange": _addresses("any"),
    "_IPAddress.areAllInCIDRRange": _addresses("all"),
    "_IPAddress.areAnyOutsideCIDRRange": _addresses("outside"),
    "_Set.union": lambda given, _now, _known: _flat(given[0]) + _flat(given[1]),
}
"""Those that need no comparison of RQL; `today` stands as the argument of another."""
