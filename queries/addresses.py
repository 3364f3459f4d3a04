"""IP addresses and networks as texts of bits, `4:0000101…`, so that one lies in another when it begins with it.

`10.1.2.3` and `10.1.2.3/32` are the same; a network lies inside a network when all of it does.
"""

import ipaddress

from queries.fragment import Sql, sql

# What is no address gives NULL: each group is checked before it is read.
_V4 = r"^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3,3})(/(3[0-2]|[12]?\d))?$"
_V6 = r"^(([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})(/(12[0-8]|1[01]\d|\d?\d))?$"
_BITS4 = (
    "unhex(array_to_string(list_transform(string_split(split_part({0}, '/', 1), '.'),"
    " lambda g: printf('%02x', g::int)), ''))::bit::varchar"
)
_GROUPS = "list_filter(string_split({0}, ':'), lambda g: g <> '')"
_HEX = (
    "array_to_string(list_transform(list_concat({0}, list_concat("
    "list_transform(range(greatest(0, 8 - len({0}) - len({1}))), lambda z: '0'), {1})), lambda g: lpad(g, 4, '0')), '')"
)
_BITS6 = "case when length({0}) = 32 then unhex({0})::bit::varchar end"
_LENGTH = "coalesce(try_cast(nullif(split_part({0}, '/', 2), '') as int), {1})"


def network(text: Sql) -> Sql:
    """Return the bits of the address or network that *text* reads as; NULL where it reads as none."""
    four = sql("'4:' || left({0}, {1})", sql(_BITS4, text), sql(_LENGTH, text, Sql("32")))
    address = sql("split_part({0}, '/', 1)", text)
    halves = [sql(_GROUPS, sql(f"split_part({{0}}, '::', {n})", address)) for n in (1, 2)]
    six = sql("'6:' || left({0}, {1})", sql(_BITS6, sql(_HEX, *halves)), sql(_LENGTH, text, Sql("128")))
    short = sql("len(string_split({0}, '::'))", address)
    groups = sql("len(string_split({0}, ':'))", address)
    whole = sql(
        "not contains({2}, ':::') and (({0} = 2 and {1} <= 9) or ({0} = 1 and {1} = 8))", short, groups, address
    )
    return sql(
        f"case when regexp_matches({{0}}, '{_V4}') then {{1}}"
        f" when regexp_matches({{0}}, '{_V6}') and ({{3}}) then {{2}} end",
        text,
        four,
        six,
        whole,
    )


def inside(text: Sql, networks: tuple[str, ...]) -> Sql:
    """Return whether the address or network *text* lies in one of *networks*, which are `bits`; NULL where it is
    none.
    """
    test = Sql(" or ".join(["starts_with(n, ?)"] * len(networks)), networks)
    return sql("list_transform([{0}], lambda n: {1})[1]", network(text), test)


def bits(text: str) -> str | None:
    """Return the bits of the literal *text*, None where it is no network. Host bits don't count: 10.0.0.1/8 is
    10.0.0.0/8.
    """
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    whole = format(int(found.network_address), f"0{found.max_prefixlen}b")
    return f"{found.version}:{whole[: found.prefixlen]}"
