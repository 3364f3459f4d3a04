"""Tables of hot columns: which there are, how their paths are read and written, and the SQL that fills them.

A row is made by the very expressions that a query would ask of the document, so the answers are the same.
"""

# ruff: noqa: S608 - SQL is made of numbers and of what queries.members makes; values are bound

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from queries import times
from queries.compile_rule import in_scope
from queries.errors import RqlError
from queries.fragment import Slot, Sql, bind, commas, sql
from queries.hot import ELEMENT, Columns, HotPath, Lookup, Steps, stands_in_column
from queries.members import Members, Scope, elements, members, names, some_array
from queries.parse_rule import RuleParser
from queries.syntax import Each, Path
from queries.tokens import Reader


@dataclass(frozen=True, eq=False)
class HotTable:
    """The table of an API's hot columns: a row for each of its resources, by rid and part."""

    number: int
    api_name: str
    paths: tuple[HotPath, ...]
    columns: Lookup

    @property
    def name(self) -> str:
        """The table's name."""
        return table_name(self.number)


@dataclass(frozen=True, eq=False)
class Hot:
    """The tables by api.name. *pending*: some resources may have changed since they were copied there; these are in
    `hot_pending`, and their documents are asked.
    """

    tables: Mapping[str, HotTable]
    pending: bool = False


NOTHING = Hot({})


def table_name(number: int) -> str:
    """Return the name of the hot table of this number."""
    return f"hot_{int(number)}"


def table(number: int, api_name: str, paths: Iterable[str]) -> HotTable:
    """Return the hot table whose paths these texts are."""
    read = tuple(read_path(path) for path in paths)
    return HotTable(number, api_name, read, Columns(read))


@lru_cache(maxsize=256)
def hot_of(rows: tuple[tuple[int, str, str], ...], *, pending: bool) -> Hot:
    """Return what the *rows* of hot_tables say: number, api.name, the paths as JSON. The same object for the same
    rows, so that statements compiled for it are found again.
    """
    return Hot({api_name: table(number, api_name, json.loads(paths)) for number, api_name, paths in rows}, pending)


def ddl(hot: HotTable) -> str:
    """Return the statement that makes the table."""
    held = Columns(hot.paths)
    columns = [column for n, steps in enumerate(held.values) for column in _typed(n, steps)]
    columns += [f"m{n} BIGINT" for n, steps in enumerate(held.values) if Each() not in steps]
    for n, fields in enumerate(held.arrays.values()):
        inner = ", ".join(column for m, field in enumerate(fields) for column in _typed(m, field))
        columns.append(f"e{n} STRUCT({inner})[]")
    return f"create table {hot.name}(rid UBIGINT, part USMALLINT, {', '.join(columns)})"


def fill(hot: HotTable) -> Sql:
    """Return the statement that copies resources of the API into the table; their row numbers fill its slot PENDING."""
    columns, document = Columns(hot.paths), Sql("r.json")
    read = _read(document, columns.values)
    shown = _shown("", columns.values)
    for n, (steps, fields) in enumerate(columns.arrays.items()):
        found = elements(_members(steps, document), after_wildcard=isinstance(steps[-1], Each))
        read.append((f"x{n}", found.json()))
        parts, typed = _struct(_read(Sql("e"), fields)), _struct(_shown("g.", fields))
        each = "list_transform(list_transform({0}, lambda e: {1}), lambda g: {2})"
        shown.append((f"e{n}", sql(each, Sql(f"x{n}"), parts, typed)))
    source = sql(
        "select rid, part, {0} from resources r where r.rowid in (select unnest(?::bigint[])) and r.api_name = {1}",
        _named(read),
        bind(hot.api_name),
    )
    source = source._replace(values=(*source.values[:-1], Slot.PENDING, source.values[-1]))
    read_times = [(f"m{n}", _time(Sql(f"t{n}"))) for n, steps in enumerate(columns.values) if Each() not in steps]
    held = sql("select rid, part, {0} from ({1})", _named(shown), source)
    return sql(
        f"insert into {hot.name} by name select *{', {0}' if read_times else ''} from ({{1}})", _named(read_times), held
    )


def read_path(text: str) -> HotPath:
    """Return the hot path that *text* says. Raises RqlError."""
    before, bracket, after = text.strip().partition(ELEMENT)
    if not bracket:
        return HotPath(_steps(before, text))
    after = after.removeprefix(".")
    return HotPath(_steps(before, text), _steps(after, text) if after else ())


def _steps(text: str, whole: str) -> Steps:
    reader = Reader(text)
    path = RuleParser(reader).path()
    if not isinstance(path, Path) or path.root == "@" or not path.steps or reader.rest().start != len(text.rstrip()):
        raise RqlError(
            f"{whole!r} is no path that can be hot",
            text,
            reader.rest(),
            "such as state.name, tags[*].value, rules[?].port",
        )
    if not all(map(stands_in_column, path.steps)):
        raise RqlError(
            f"{whole!r} has more than keys, numbers, [*] and one [?]", text, path.span, "such as rules[?].port"
        )
    return path.steps


_Expression = tuple[str, Sql]


def _read(document: Sql, paths: list[Steps]) -> list[_Expression]:
    """Return what is read of *document*: all single values in one pass, and each list of values."""
    single = [bind(_members(steps, document).path) for steps in paths if Each() not in steps]
    read = [("v", sql("json_extract({0}, [{1}])", document, commas(single)))] if single else []
    for n, steps in enumerate(paths):
        if Each() in steps:
            read.append((f"l{n}", _members(steps, document).json()))
    return read


def _shown(owner: str, paths: list[Steps]) -> list[_Expression]:
    """Return the columns of *paths*, from what `_read` gave."""
    shown, singles = [], 0
    for n, steps in enumerate(paths):
        if Each() in steps:
            value = Sql(f"{owner}l{n}")
            text = sql("list_transform({0}, lambda t: t ->> '$')", value)
            shown.append((f"a{n}", some_array(value, Sql("t"))))
        else:
            singles += 1
            value = Sql(f"{owner}v[{singles}]")
            text = sql("{0} ->> '$'", value)
        shown += [(f"h{n}", value), (f"t{n}", text)]
    return shown


def _typed(number: int, steps: Steps) -> tuple[str, ...]:
    if Each() in steps:
        return f"a{number} BOOLEAN", f"h{number} JSON[]", f"t{number} VARCHAR[]"
    return f"h{number} JSON", f"t{number} VARCHAR"


def _time(text: Sql) -> Sql:
    """Return the time that *text* is, in ms; most texts hold no year, and are told by that."""
    return sql("case when regexp_matches({0}, '\\d\\d\\d\\d') then {1} end", text, times.ms(text))


def _named(expressions: list[_Expression]) -> Sql:
    return commas([sql(f"{{0}} as {name}", expression) for name, expression in expressions])


def _struct(expressions: list[_Expression]) -> Sql:
    inner = commas([sql(f"{name}: {{0}}", expression) for name, expression in expressions])
    return Sql("{" + inner.text + "}", inner.values)


def _members(steps: Steps, document: Sql) -> Members:
    return members(Path("", steps), Scope(Sql(""), document, names(), in_scope))
