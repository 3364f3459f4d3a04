"""Every function of RQL, stated once: its spellings, what it takes and gives, its words, its SQL, and documents for and
against its example.

Parser, checker, compiler, docs/rql.md and the contract test read this table. A function of what isn't there gives
nothing, as a path that leads nowhere does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from queries import addresses, times
from queries.fragment import Slot, Sql, bind, sql
from queries.members import Members
from queries.predicates import Choice, Ports, equals_present, same

Takes = Literal["values", "time", "network", "networks", "number", "step", "pattern", "list"]
"""What an argument is: what a path finds (or a literal); a point in time; one network; one or more of them; a whole
number; one that may be left out; a text with one %d; a list in brackets.
"""
Gives = Literal["numbers", "boolean", "values", "texts", "ports", "time"]
Given = Members | str | int | tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """One function. *sql* makes what it gives from its arguments; *true_of* and *false_of* are documents for and
    against *example*, asked at noon of 2026-01-01.
    """

    name: str
    takes: tuple[Takes, ...]
    gives: Gives
    doc: str
    example: str
    true_of: object
    false_of: object
    sql: Callable[..., Members | Ports]
    spellings: tuple[str, ...] = ()


def _age(measure: Callable[[Sql, Sql], Sql]) -> Callable[[Members], Members]:
    def age(found: Members) -> Members:
        ages = _each(found, lambda text: measure(times.ms(text), _now()))
        if found.time is None or found.path != "$":
            return ages
        return replace(ages, quick=(sql("left({0}, 1) <> '['", found.json()), measure(found.time, _now())))

    return age


def _now() -> Sql:
    return Sql("?::bigint", (Slot.NOW,))


def _days_between(start: Members, end: Members) -> Members:
    a, b = next(start.names), next(start.names)
    one = sql("to_json({0})", times.days(times.ms(a), times.ms(b)))
    inner = sql("list_transform({0}, lambda {1}: {2})", _texts(end), b, one)
    outer = sql("flatten(list_transform({0}, lambda {1}: {2}))", _texts(start), a, inner)
    return _listed(outer, start)


def _today(nothing: Members) -> Members:
    day = sql(f"make_timestamp_ms({{0}} // {times.DAY_MS} * {times.DAY_MS})", _now())
    return _one(sql("to_json(strftime({0}, '%Y-%m-%d'))", day), nothing)


def _monitored(found: Members) -> Members:
    e = next(found.names)
    account = sql("regexp_extract({0}, '(^|:)(\\d\\d\\d\\d\\d\\d\\d\\d\\d\\d\\d\\d)(:|$)', 2)", e)
    known = sql("list_contains({0}, {1})", Sql("?::varchar[]", (Slot.MONITORED,)), account)
    return _counted(found, e, sql("not {0}", known), "= 0")


def _in_network(found: Members, network: str) -> Members:
    e = next(found.names)
    return _counted(found, e, addresses.inside(e, (network,)), "> 0")


def _all_in_network(found: Members, network: str) -> Members:
    e = next(found.names)
    return _counted(found, e, sql("not coalesce({0}, false)", addresses.inside(e, (network,))), "= 0")


def _any_outside(found: Members, *networks: str) -> Members:
    e = next(found.names)
    return _counted(found, e, sql("not {0}", addresses.inside(e, networks)), "> 0")


def _counted(found: Members, e: Sql, test: Sql, wanted: str) -> Members:
    """Return whether the number of texts *e* of *found* that meet *test* is *wanted*; nothing where there are none."""
    t = next(found.names)
    counted = sql(f"len(list_filter({{0}}, lambda {{1}}: {{2}})) {wanted}", t, e, test)
    answer = sql("case when len({0}) > 0 then to_json({1}) end", t, counted)
    return _listed(sql("list_transform([{0}], lambda {1}: {2})", _texts(found), t, answer), found)


def _intersection(left: Members, right: Members) -> Members:
    left, right = left.flat(), right.flat()
    e = next(left.names)
    kept = right.some(lambda other: same(sql("({0} ->> '$')", e), other))
    return Members(sql("list_filter({0}, lambda {1}: {2})", left.present(), e, kept), left.names, listed=True)


def _union(left: Members, right: Members) -> Members:
    both = sql("list_concat({0}, {1})", left.flat().present(), right.flat().present())
    return Members(both, left.names, listed=True)


def _subset(found: Members, choices: tuple[Choice, ...]) -> Members:
    e, t = next(found.names), next(found.names)
    one = Members(e, found.names)
    outside = sql("len(list_filter({0}, lambda {1}: not coalesce({2}, false))) = 0", t, e, equals_present(one, choices))
    answer = sql("case when len({0}) > 0 then to_json({1}) end", t, outside)
    return _listed(sql("list_transform([{0}], lambda {1}: {2})", found.flat().present(), t, answer), found)


def _each(found: Members, measure: Callable[[Sql], Sql]) -> Members:
    """Return what *measure* makes of the text of each value."""
    e = next(found.names)
    return _listed(sql("list_transform({0}, lambda {1}: to_json({2}))", _texts(found), e, measure(e)), found)


def _one(value: Sql, beside: Members) -> Members:
    return _listed(sql("[{0}]", value), beside)


def _listed(values: Sql, beside: Members) -> Members:
    return Members(values, beside.names, listed=True, gaps=True)


def _texts(found: Members) -> Sql:
    """Return the list of the texts, those of arrays in their place."""
    e = next(found.names)
    return sql("coalesce(list_filter({0}, lambda {1}: {1} is not null), [])", found.flat().text(), e)


def _pattern(*_: object) -> Members:
    raise AssertionError("the checker writes the list out")


def patterned(pattern: str, first: int, last: int) -> list[str]:
    """Return the texts that `_IPAddress.inRange` stands for."""
    return [pattern.replace("%d", str(number)) for number in range(first, last + 1)]


_KINDS = (
    Function(
        "_DateTime.ageInDays",
        ("values",),
        "numbers",
        "The whole days since a time; negative for one to come.",
        "_DateTime.ageInDays(launchTime) > 30",
        {"launchTime": "2025-11-30T12:00:00Z"},
        {"launchTime": "Dec 20, 2025 9:34:21 AM"},
        _age(times.days),
    ),
    Function(
        "_DateTime.ageInMonths",
        ("values",),
        "numbers",
        "The whole months since a time.",
        "_DateTime.ageInMonths(created) >= 2",
        {"created": "2025-11-01T11:00:00+00:00"},
        {"created": "2025-11-02"},
        _age(times.months),
    ),
    Function(
        "_DateTime.ageInYears",
        ("values",),
        "numbers",
        "The whole years since a time.",
        "_DateTime.ageInYears(created) equals 3",
        {"created": "2022-06-01"},
        {"created": "2023-01-02"},
        _age(times.years),
    ),
    Function(
        "_DateTime.daysBetween",
        ("time", "time"),
        "numbers",
        "The whole days from the first time to the second; negative where the second is the earlier one.",
        "_DateTime.daysBetween(today(),notAfter) < 30",
        {"notAfter": "2026-01-20T00:00:00Z"},
        {"notAfter": "2026-03-01"},
        _days_between,
    ),
    Function(
        "today",
        (),
        "time",
        "The present day, as `2026-01-01`.",
        "_DateTime.daysBetween(created,today()) equals 1",
        {"created": "2025-12-31"},
        {"created": "2026-01-01"},
        _today,
    ),
    Function(
        "_AWSCloudAccount.isRedLockMonitored",
        ("values",),
        "boolean",
        "Whether every account, given as 12 digits or in an ARN, is one from which there are resources here.",
        "_AWSCloudAccount.isRedLockMonitored(owner) is true",
        {"owner": "111111111111"},
        {"owner": ["arn:aws:iam::111111111111:root", "arn:aws:iam::999999999999:root"]},
        _monitored,
    ),
    Function(
        "_IPAddress.inRange",
        ("pattern", "number", "number"),
        "texts",
        "The texts that the pattern gives with each number in place of `%d`; stands on the right.",
        'ip any start with _IPAddress.inRange("172.%d.",16,31)',
        {"ip": ["10.0.0.1", "172.20.0.1"]},
        {"ip": ["172.32.0.1"]},
        _pattern,
    ),
    Function(
        "_IPAddress.inCIDRRange",
        ("values", "network"),
        "boolean",
        "Whether some address or network lies in this network, IPv4 or IPv6.",
        "_IPAddress.inCIDRRange(ranges[*],10.0.0.0/8) is true",
        {"ranges": ["0.0.0.0/0", "10.1.0.0/16"]},
        {"ranges": ["0.0.0.0/0", "11.0.0.1"]},
        _in_network,
    ),
    Function(
        "_IPAddress.areAllInCIDRRange",
        ("values", "network"),
        "boolean",
        "Whether every address or network lies in this network.",
        "_IPAddress.areAllInCIDRRange(ranges[*],2001:db8::/32) is true",
        {"ranges": ["2001:db8::1", "2001:db8:1::/48"]},
        {"ranges": ["2001:db8::1", "::/0"]},
        _all_in_network,
    ),
    Function(
        "_IPAddress.areAnyOutsideCIDRRange",
        ("values", "networks"),
        "boolean",
        "Whether some address or network lies in none of these networks; what is no address doesn't count.",
        "_IPAddress.areAnyOutsideCIDRRange(ranges[*],10.0.0.0/8,192.168.0.0/16) is true",
        {"ranges": ["10.0.0.1", "8.8.8.8"]},
        {"ranges": ["10.0.0.1", "192.168.7.0/24", "web"]},
        _any_outside,
    ),
    Function(
        "_Port.inRange",
        ("number", "number", "step"),
        "ports",
        "The ports from one number to another, each or every so many; a range of the document such as `20-25` meets it "
        "where the two overlap. Stands on the right of contains, intersects and the like.",
        "destinationPortRange contains _Port.inRange(22,25)",
        {"destinationPortRange": "20-22"},
        {"destinationPortRange": "80"},
        lambda first, last, step=1: Ports(first, last, step),
    ),
    Function(
        "_Set.intersection",
        ("values", "values"),
        "values",
        "What two paths both find; arrays count as their elements.",
        "_Set.intersection(a,b) contains x",
        {"a": ["x", "y"], "b": ["x"]},
        {"a": ["x", "y"], "b": ["y"]},
        _intersection,
    ),
    Function(
        "_Set.union",
        ("values", "values"),
        "values",
        "What either path finds.",
        "_Set.union(a,b) intersects (x,z)",
        {"a": ["y"], "b": "z"},
        {"a": ["y"]},
        _union,
    ),
    Function(
        "_Set.isSubset",
        ("values", "list"),
        "boolean",
        "Whether all that the path finds is in the list.",
        "_Set.isSubset(protocols,(tcp,udp)) is true",
        {"protocols": ["udp"]},
        {"protocols": ["udp", "icmp"]},
        _subset,
        ("Set_isSubset", "_Set_isSubset", "Set.isSubset"),
    ),
)

FUNCTIONS = {function.name: function for function in _KINDS}
"""Every function by name."""
BY_SPELLING = {spelling.lower(): f for f in _KINDS for spelling in (f.name, *f.spellings)}
"""Every function by every spelling of its name, in lower case."""


def literal(text: str, nothing: Members) -> Members:
    """Return *text* as the one value of a path."""
    return _one(sql("to_json({0}::varchar)", bind(text)), nothing)
