"""What operators ask of the values of a path, as SQL. tests/queries/evaluator.py says the same in plain Python.

Texts are compared as RQL's authors do: a number of the document equals the text that reads as that number, a boolean
equals its word in any case, an array or object equals its JSON text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from queries.fragment import Sql, bind, commas, join, sql
from queries.members import Members, Test
from queries.syntax import Null, Value


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports from *first* to *last*, each *step*-th of them."""

    first: int
    last: int
    step: int = 1


Choice = Value | Null | Members | Ports
"""One thing on the right: a literal, the word null, what another path or a function finds, or ports."""

Right = tuple[Choice, ...]
Predicate = Callable[[Members, Right], Sql]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_EXACT = 2**53
_BOOLEANS = ("true", "false")


def number(text: str) -> float | None:
    """Return the number that *text* is as JSON writes numbers; None for other texts and for those that a double would
    blur.
    """
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < _EXACT else None


def spelled(text: str) -> tuple[str, ...]:
    """Return the texts that equal the literal *text*: itself and, for a number, the ways in which JSON may write it."""
    value = number(text)
    if value is None:
        return (text,)
    whole = (str(int(value)), f"{int(value)}.0") if value == int(value) else (repr(value),)
    return tuple(dict.fromkeys((text, *whole, *(("-0", "-0.0") if value == 0 else ()))))


def equals(left: Members, right: Right) -> Sql:
    """Some value is one of *right*."""
    return join(" or ", [*_equal_literals(left, right), *(_equals(left, c) for c in right if not _plain(c))])


def equals_present(left: Members, right: Right) -> Sql:
    """Some value that is there is one of *right*; so null is only what is null."""
    nulls = [left.some(_is_null, as_text=False) for choice in right if isinstance(choice, Null)]
    others = (_equals(left, c) for c in right if not isinstance(c, Null) and not _plain(c))
    return join(" or ", [*nulls, *_equal_literals(left, right), *others])


def equals_ignoring_case(left: Members, right: Right) -> Sql:
    """Some value is one of *right*, upper and lower case being the same."""
    return _against(left, right, lambda value, text: sql("lower({0}) = lower({1})", value, text))


def listed(left: Members, right: Right) -> Sql:
    """Some value is one of *right*, where a quoted null means null too."""
    return equals(left, tuple(Null() if isinstance(c, Value) and c.text == "null" else c for c in right))


def contains(left: Members, right: Right) -> Sql:
    """Some value is or holds one of *right*."""
    texts = [c.text for c in right if isinstance(c, Value) and _only_text(c.text)]
    if len(texts) < 2:
        return join(" or ", [_contains(left, choice) for choice in right])

    def any_of_them(value: Sql) -> Sql:
        return join(" or ", [sql("contains({0}, {1})", value, bind(text)) for text in texts])

    together = _holding(left, any_of_them, left.some(lambda value: _holds(value, any_of_them, None), as_text=False))
    others = [c for c in right if not (isinstance(c, Value) and _only_text(c.text))]
    return join(" or ", [together, *(_contains(left, choice) for choice in others)])


def intersects(left: Members, right: Right) -> Sql:
    """Some value, or element of a value that is an array, equals one of *right*."""
    return equals_present(left.flat(), tuple(c.flat() if isinstance(c, Members) else c for c in right))


def begins(left: Members, right: Right) -> Sql:
    """Some value starts with one of *right*."""
    return _against(left, right, lambda value, text: sql("starts_with({0}, {1})", value, text))


def finishes(left: Members, right: Right) -> Sql:
    """Some value ends with one of *right*."""
    return _against(left, right, lambda value, text: sql("ends_with({0}, {1})", value, text))


def exists(left: Members, _: Right) -> Sql:
    """The path leads somewhere, be it to null."""
    return left.there()


def empty(left: Members, _: Right) -> Sql:
    """Some value is an empty text, array or object."""
    return left.some(_is_empty, as_text=False)


def word(text: str) -> Predicate:
    """Return the predicate: some value is the boolean *text*, or its word in any case."""
    return lambda left, _: left.some(lambda value: sql("lower({0}) = {1}", value, bind(text)))


def compared(symbol: str, measure: Test | None = None) -> Predicate:
    """Return the predicate: some value, measured, stands in relation *symbol* to a number or to another value."""
    of = measure or _as_number

    def predicate(left: Members, right: Right) -> Sql:
        def one(choice: Choice) -> Sql:
            if isinstance(choice, Members):
                return left.some(lambda v: choice.some(lambda w: sql(f"{{0}} {symbol} {{1}}", of(v), _as_number(w))))
            amount = bind(float(choice.text)) if isinstance(choice, Value) else Sql("null")
            general = left.some(lambda v: sql(f"{{0}} {symbol} {{1}}", of(v), amount))
            if left.quick is None or measure is not None:
                return general
            alone, value = left.quick
            return sql(f"case when {{0}} then {{1}} {symbol} {{2}} else {{3}} end", alone, value, amount, general)

        return join(" or ", [one(choice) for choice in right])

    return predicate


def sized(symbol: str) -> Predicate:
    """Return the predicate: the number of values of a set, or of elements or keys of one value, stands in relation
    *symbol* to a number.
    """

    def predicate(left: Members, right: Right) -> Sql:
        size = sql("len({0})", left.present()) if left.many else _size_of_one(left)
        amounts = [
            c.some(lambda w: sql(f"{{0}} {symbol} {{1}}", size, _as_number(w)))
            if isinstance(c, Members)
            else sql(f"{{0}} {symbol} {{1}}", size, bind(float(c.text)) if isinstance(c, Value) else Sql("null"))
            for c in right
        ]
        return join(" or ", amounts)

    return predicate


def any_of(predicate: Predicate) -> Predicate:
    """Return the predicate: it holds for some value, or element of a value that is an array."""
    return lambda left, right: predicate(left.flat(), right)


def none_of(predicate: Predicate) -> Predicate:
    """Return the predicate: it holds for no value and no element."""
    return lambda left, right: sql("not coalesce({0}, false)", predicate(left.flat(), right))


def all_of(predicate: Predicate) -> Predicate:
    """Return the predicate: there is a value or element, and it holds for each."""
    return lambda left, right: left.flat().every(lambda value: predicate(Members(value, left.names), right))


def of_type(left: Members, right: Right) -> Sql:
    """Some value has one of the JSON types *right*."""
    return left.some(
        lambda v: join(" or ", [_has_type(v, c.text) for c in right if isinstance(c, Value)]), as_text=False
    )


def letters(value: Sql) -> Sql:
    """Return how many characters *value* has."""
    return sql("length({0})", value)


def words(value: Sql) -> Sql:
    """Return how many words *value* has: runs of characters that are no white space."""
    return sql(r"len(regexp_extract_all({0}, '\S+'))", value)


TYPES = {
    "array": "left({0}, 1) = '['",
    "object": "left({0}, 1) = '{{'",
    "string": "left({0}, 1) = '\"'",
    "boolean": "{0} in ('true', 'false')",
    "null": "{0} = 'null'",
    "integer": "regexp_full_match({0}, '-?[0-9]+')",
    "number": "left({0}, 1) in ('-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9')",
}
"""What isType knows, and how the JSON text of a value shows it."""


def _has_type(value: Sql, name: str) -> Sql:
    return sql(TYPES[name.lower()].replace("{{", "{"), value)


def _plain(choice: Choice) -> bool:
    """Tell whether *choice* is a literal that is compared letter by letter."""
    return isinstance(choice, Value) and choice.text.lower() not in _BOOLEANS


def _equal_literals(left: Members, right: Right) -> list[Sql]:
    """Compare with all plain literals of *right* at once."""
    texts = [bind(s) for c in right if isinstance(c, Value) and _plain(c) for s in spelled(c.text)]
    if not texts:
        return []
    if len(texts) > 1:
        return [left.some(lambda value: sql("{0} in ({1})", value, commas(texts)))]
    if left.many:
        return [sql("list_contains({0}, {1})", left.text(), texts[0])]
    return [sql("{0} = {1}", left.text(), texts[0])]


def _equals(left: Members, right: Choice) -> Sql:
    match right:
        case Null():
            if not left.many:
                return sql("({0} is null or {0} = 'null')", left.json())
            return sql("(len({0}) = 0 or {1})", left.present(), left.some(_is_null, as_text=False))
        case Value(text):
            return left.some(lambda value: _is(value, text))
        case Members():
            return left.some(lambda value: right.some(lambda other: same(value, other)))
        case Ports():
            return left.some(lambda value: _in_ports(value, right))


def _is(value: Sql, text: str) -> Sql:
    if text.lower() in _BOOLEANS:
        return sql("lower({0}) = {1}", value, bind(text.lower()))
    spellings = [bind(spelling) for spelling in spelled(text)]
    if len(spellings) == 1:
        return sql("{0} = {1}", value, spellings[0])
    return sql("{0} in ({1})", value, commas(spellings))


def _in_ports(value: Sql, ports: Ports) -> Sql:
    """A port, or a range such as `20-25` that overlaps."""
    low = sql("try_cast(split_part({0}, '-', 1) as bigint)", value)
    high = sql("try_cast(split_part({0}, '-', -1) as bigint)", value)
    first = sql("greatest({0}, ?)", low)._replace(values=(*low.values, ports.first))
    if ports.step > 1:
        first = sql(f"(?::bigint + ceil(({{0}} - ?) / {int(ports.step)})::bigint * {int(ports.step)})", first)._replace(
            values=(ports.first, *first.values, ports.first)
        )
    test = sql("{0} <= least({1}, {2}) and {3} <= {1}", first, high, bind(ports.last), low)
    return sql("case when regexp_matches({0}, '^\\d+( *- *\\d+)?$') then {1} end", value, test)


def same(value: Sql, other: Sql) -> Sql:
    """Two texts of a document are the same, or read as the same number."""
    # most texts that differ are no numbers: the first two tests settle them
    numbers = "({0} = {1} or (left({0}, 1) <= '9' and left({1}, 1) <= '9' and {2} = {3}))"
    return sql(numbers, value, other, canonical(value), canonical(other))


def canonical(value: Sql) -> Sql:
    """Return the text that all ways share in which JSON may write the number *value*; other texts as they are."""
    # most keys are no numbers, which their first letter tells: numbers begin with a digit or -
    written = "regexp_matches({0}, '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$')"
    exact = f"{written} and abs(try_cast({{0}} as double)) < {_EXACT}"
    number_ = f"case when {exact} then (try_cast({{0}} as double) + 0)::varchar else {{0}} end"
    return sql(f"case when {{0}} >= ':' then {{0}} else {number_} end", value)


def _only_text(text: str) -> bool:
    """Tell whether the literal *text* is held as letters alone: it is neither a number nor a boolean."""
    return text.lower() not in _BOOLEANS and number(text) is None


def _contains(left: Members, right: Choice) -> Sql:
    match right:
        case Null():
            return _contains(left, Value("null"))
        case Members():
            # a number is held by an equal one, never as some of its digits
            return left.some(
                lambda value: right.some(
                    lambda other: _holds(value, lambda v: sql("contains({0}, {1})", v, other), lambda v: same(v, other))
                ),
                as_text=False,
            )
        case Ports():
            return left.flat().some(lambda value: _in_ports(value, right))
        case Value(text) if text.lower() in _BOOLEANS:
            return left.some(
                lambda value: _holds(value, lambda v: sql("contains(lower({0}), {1})", v, bind(text.lower())), None),
                as_text=False,
            )
        case Value(text) if _only_text(text):
            general = left.some(lambda value: _holds_text(value, text), as_text=False)
            return _holding(left, lambda value: sql("contains({0}, {1})", value, bind(text)), general)
        case Value(text):
            return left.some(
                lambda value: _holds(value, lambda v: sql("contains({0}, {1})", v, bind(text)), lambda v: _is(v, text)),
                as_text=False,
            )


def _holding(left: Members, inside: Test, general: Sql) -> Sql:
    """Return *general*, or *inside* of the texts where there are such and no value is an array: the same then."""
    if left.plain is None or left.arrays is None or left.path != "$":
        return general
    return sql("case when {0} then {1} else {2} end", left.arrays, general, left.some(inside))


def _holds_text(value: Sql, text: str) -> Sql:
    """As _holds, but most values are settled by their JSON text alone, where nothing in it is escaped."""
    general = _holds(value, lambda v: sql("contains({0}, {1})", v, bind(text)), None)
    if not text.isprintable() or '"' in text or "\\" in text or text in "null":
        return general
    hit = "case when left({0}, 1) = '[' or contains({0}, '\\') then {2} else true end"
    return sql(f"case when contains({{0}}, {{1}}) then {hit} end", value, bind(text), general)


def _holds(value: Sql, inside: Test, equal: Test | None) -> Sql:
    """*value* is JSON: a text or object is asked by *inside*, a number or boolean by *equal* where given, an array for
    its elements.
    """
    text = sql("({0} ->> '$')", value)
    e = Sql("m")
    element = sql("({0} ->> '$')", e)
    if equal is None:
        one = inside(text)
        each = inside(element)
    else:
        one = sql("case when left({0}, 1) in ('\"', '{') then {1} else {2} end", value, inside(text), equal(text))
        each = sql(
            "case when left({0}, 1) in ('\"', '{', '[') then {1} else {2} end", e, inside(element), equal(element)
        )
    elements = sql("len(list_filter(json_extract({0}, '$[*]'), lambda {1}: {2})) > 0", value, e, each)
    return sql("case left({0}, 1) when '[' then {1} else {2} end", value, elements, one)


def _is_null(value: Sql) -> Sql:
    return sql("{0} = 'null'", value)


def _is_empty(value: Sql) -> Sql:
    return sql("""{0} in ('""', '[]', '{}')""", value)


def _as_number(value: Sql) -> Sql:
    return sql("try_cast({0} as double)", value)


def _size_of_one(value: Members) -> Sql:
    """Most that are asked for their size are arrays, whose length is read at once; lambdas read a value once."""
    if value.plain is not None and value.path == "$":
        return _size(value.json())  # a column costs nothing to read again
    n, e = next(value.names), next(value.names)
    other = sql("list_transform([{0}], lambda {1}: {2})[1]", value.json(), e, _size(e))
    length = sql("json_array_length({0}, {1})", value.base, bind(value.path))
    return sql("list_transform([{0}], lambda {1}: case when {1} > 0 then {1} else {2} end)[1]", length, n, other)


def _size(value: Sql) -> Sql:
    arms = "case left({0}, 1) when '[' then json_array_length({0}) when '{' then len(json_keys({0})) else 0 end"
    return sql(f"coalesce({arms}, 0)", value)


def _against(left: Members, right: Right, test: Callable[[Sql, Sql], Sql]) -> Sql:
    texts = [bind(c.text if isinstance(c, Value) else "null") for c in right if isinstance(c, Value | Null)]
    ways = [left.some(lambda value: join(" or ", [test(value, text) for text in texts]))] if texts else []
    others = [c for c in right if isinstance(c, Members)]
    ways += [left.some(lambda value, c=c: c.some(lambda other: test(value, other))) for c in others]  # type: ignore[misc] # mypy takes the default for a second argument
    return join(" or ", ways)
