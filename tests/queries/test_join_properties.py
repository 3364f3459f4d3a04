"""Joins: SQL by keys agrees with the evaluator that tries every combination, across accounts and within each."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.check import check
from queries.compile import matched
from queries.format import format
from queries.fragment import filled, sql
from queries.hot_asked import asked
from queries.hot_table import NOTHING, Hot
from queries.parse import parse
from queries.syntax import (
    And,
    Attribute,
    Call,
    Clause,
    Compare,
    Condition,
    Filter,
    Key,
    Listing,
    Not,
    Operand,
    Or,
    Path,
    Query,
    Value,
    Where,
)
from tests.queries.conditions import conditions, objects, paths, texts
from tests.queries.evaluator_joins import Row, shown
from tests.queries.test_properties import KNOWN, WORLD, many
from tests.queries.warm import heat

Part = TypeVar("Part", bound=Condition | Operand)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "create table resources(rid ubigint, part usmallint, rrn varchar, account varchar, region varchar,"
            " api_name varchar, deleted boolean, json json)"
        )
        yield connection


def aliased(part: Part, draw: st.DrawFn, aliases: str, *, bracket: bool = False) -> Part:
    """Return *part* with an alias after the root of each path that is of a resource."""
    match part:
        case And(parts) | Or(parts):
            return replace(part, parts=tuple(aliased(each, draw, aliases, bracket=bracket) for each in parts))
        case Not(condition):
            return replace(part, inner=aliased(condition, draw, aliases, bracket=bracket))
        case Compare(left, _, right):
            right = None if right is None else aliased(right, draw, aliases, bracket=bracket)
            return replace(part, left=aliased(left, draw, aliases, bracket=bracket), right=right)
        case Call(_, arguments):
            return replace(part, arguments=tuple(aliased(each, draw, aliases, bracket=bracket) for each in arguments))
        case Listing(items):
            return replace(part, items=tuple(aliased(each, draw, aliases, bracket=bracket) for each in items))
        case Path(root, steps):
            steps = tuple(
                replace(s, condition=aliased(s.condition, draw, aliases, bracket=True)) if isinstance(s, Where) else s
                for s in steps
            )
            own = root == "$" or (root == "" and not bracket)
            steps = (Key(draw(st.sampled_from(aliases))), *steps) if own else steps
            return replace(part, root="$" if own else root, steps=steps)
        case _:
            return part


@st.composite
def filters(draw: st.DrawFn, aliases: str) -> Condition:
    operators = ("equals", "contains", "intersects", "any equal", "starts with", "does not equal", "is member of")

    def one() -> Condition:
        if draw(st.booleans()):
            return aliased(draw(conditions(depth=1)), draw, aliases)
        left, right = draw(paths(inside=False, depth=0)), draw(paths(inside=False, depth=0, rooted=True))
        return aliased(Compare(left, draw(st.sampled_from(operators)), right), draw, aliases)

    parts = [one() for _ in range(draw(st.integers(1, 3)))]
    parts = [Not(part) if draw(st.integers(0, 3)) == 0 else part for part in parts]
    if len(parts) == 1:
        return parts[0]
    joined: Condition = And(tuple(parts)) if draw(st.booleans()) else Or(tuple(parts))
    return Not(joined) if draw(st.integers(0, 3)) == 0 else joined


long = st.sampled_from(("arn:aws:s3:::logs-of-web", "logs-of-web", "arn:aws:s3:::", "of-web"))
small = st.dictionaries(st.sampled_from("abc"), texts | long | st.lists(texts | long, max_size=3), max_size=3)
rows = st.lists(st.tuples(st.sampled_from(("1", "2")), small | objects), max_size=3)


@many
@given(data=st.data(), tables=st.lists(rows, min_size=1, max_size=3), by_account=st.booleans())
def test_joins_agree(
    database: duckdb.DuckDBPyConnection, data: st.DataObject, tables: list[list[tuple[str, object]]], by_account: bool
) -> None:
    aliases = "XYZ"[: len(tables)]
    condition = data.draw(st.none() | filters(aliases))
    clauses = tuple(Clause(Attribute("api.name", "=", (Value(alias),)), alias) for alias in aliases)
    query = Query(clauses, Filter(condition) if condition else None, data.draw(st.sampled_from(aliases)))
    again = parse(format(query))
    assert again == query
    checked = check(again)
    database.execute("delete from resources")
    named: dict[str, list[Row]] = {alias: [] for alias in aliases}
    for alias, each in zip(aliases, tables, strict=True):
        for account, document in each:
            number = sum(map(len, named.values()))
            named[alias].append(Row(number, account, document))
            row = (number, 0, f"r{number}", account, "", alias, False, json.dumps(document))
            database.execute("insert into resources values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    want = shown(checked.filter, named, query.show, by_account=by_account, world=WORLD)
    tried = [NOTHING]
    if data.draw(st.booleans()):
        paths = asked(checked)
        tried.append(Hot({api: heat(database, paths[api], n, api) for n, api in enumerate(paths)}))
    for there in tried:
        found = matched(checked, hot=there, by_account=by_account)
        statement = sql("with {0} select rid from matched order by rid", found)
        got = [rid for (rid,) in database.execute(statement.text, filled(statement, KNOWN)).fetchall()]
        assert got == want, (format(query), there)
