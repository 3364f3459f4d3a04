"""Points in time as documents write them, as SQL: milliseconds since 1970 UTC, and how far two are apart."""

from queries.fragment import Sql, sql

DAY_MS = 86_400_000

# What names its zone is read with it, what doesn't is UTC; numbers are seconds or milliseconds, by their length.
_UTC = r"^\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"  # most are so, and read faster without their zone
_ZONED = r"^\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?([zZ]|UTC|GMT|[+-]\d\d(:?\d\d)?)$"
_PLAIN = r"^\d\d\d\d-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?$"
_SECONDS = r"^\d{9,10}(\.\d+)?$"
_MILLISECONDS = r"^\d{12,13}$"
_WRITTEN = "['%b %d, %Y %I:%M:%S %p', '%b %d, %Y, %I:%M:%S %p', '%a %b %d %H:%M:%S UTC %Y', '%Y-%m-%dT%H%MZ']"
_MS = f"""case when regexp_matches({{0}}, '{_UTC}') then epoch_ms(try_cast({{0}} as timestamp))
 when regexp_matches({{0}}, '{_ZONED}') then epoch_ms(try_cast({{0}} as timestamptz))
 when regexp_matches({{0}}, '{_PLAIN}') then epoch_ms(try_cast({{0}} as timestamp))
 when regexp_matches({{0}}, '{_SECONDS}') then (try_cast({{0}} as double) * 1000)::bigint
 when regexp_matches({{0}}, '{_MILLISECONDS}') then try_cast({{0}} as bigint)
 else epoch_ms(try_strptime({{0}}, {_WRITTEN})) end""".replace("\n", "")
# Whole months: a month is complete when the day and time of day are reached again.
_IN_MONTH = "epoch_ms({0}) - epoch_ms(date_trunc('month', {0}))"
_MONTHS = (
    "((year({1}) - year({0})) * 12 + month({1}) - month({0})"
    " - case when {0} <= {1} and {3} < {2} then 1 when {0} > {1} and {3} > {2} then -1 else 0 end)"
)


def ms(text: Sql) -> Sql:
    """Return the time that *text* reads as; NULL where it reads as none."""
    return sql(_MS, text)


def days(start: Sql, end: Sql) -> Sql:
    """Return the whole days from *start* to *end*, both in ms; negative where the end comes first."""
    return sql(f"trunc(({{1}} - {{0}}) / {DAY_MS})::bigint", start, end)


def months(start: Sql, end: Sql) -> Sql:
    """Return the whole months from *start* to *end*, both in ms."""
    first, last = (sql("make_timestamp_ms({0})", each) for each in (start, end))
    return sql(_MONTHS, first, last, sql(_IN_MONTH, first), sql(_IN_MONTH, last))


def years(start: Sql, end: Sql) -> Sql:
    """Return the whole years from *start* to *end*, both in ms."""
    return sql("trunc({0} / 12)::bigint", months(start, end))
