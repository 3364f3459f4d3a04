"""The compiler agrees with a reader of documents; a printed tree is the same tree again; any text gives a tree or an
RqlError.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries.check import check
from queries.compile_rule import compile_rule
from queries.format import format
from queries.fragment import Slot, Sql, filled
from queries.parse import parse
from queries.syntax import Clause, Condition, JsonRule, Query
from tests.queries.conditions import conditions, objects
from tests.queries.evaluator import World, holds
from tests.queries.warm import API, asked_of, first_steps, heat

EXAMPLES = int(os.environ.get("TIDEGATE_EXAMPLES", "150"))
WORLD = World(datetime(2026, 1, 1, 12, 30, tzinfo=UTC), ("111111111111",))
KNOWN = {Slot.NOW: int(WORLD.now.timestamp() * 1000), Slot.MONITORED: list(WORLD.monitored)}
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create table resources(rid ubigint, part usmallint, api_name varchar, json json)")
        yield connection


@many
@given(
    condition=conditions(),
    documents=st.lists(objects, min_size=1, max_size=4),
    hot=st.sampled_from(("", "whole", "begun")),
)
def test_sql_and_the_evaluator_agree(
    database: duckdb.DuckDBPyConnection, condition: Condition, documents: list[object], hot: str
) -> None:
    rule = compile_rule(condition, Sql("r.json"))
    rows = ", ".join(f"({n}, ?::json)" for n in range(len(documents)))
    got = database.execute(
        f"select n from (values {rows}) r(n, json) where {rule.text}",
        (*map(json.dumps, documents), *filled(rule, KNOWN)),
    ).fetchall()
    want = [n for n, document in enumerate(documents) if holds(condition, document, document, WORLD)]
    assert sorted(n for (n,) in got) == want, rule
    if hot:
        assert hot_answer(database, condition, documents, begun=hot == "begun") in (None, want)


def hot_answer(
    database: duckdb.DuckDBPyConnection, condition: Condition, documents: list[object], *, begun: bool
) -> list[int] | None:
    """Return the numbers of the *documents* of which hot columns say that *condition* is true; None where it asks for
    whole documents. *begun*: only the first steps of paths are hot.
    """
    paths = asked_of(condition)
    if paths is None:
        return None
    database.execute("delete from resources")
    rows = [(n, API, json.dumps(document)) for n, document in enumerate(documents)]
    database.executemany("insert into resources values (?, 0, ?, ?)", rows)
    hot = heat(database, map(first_steps, paths) if begun else paths)
    rule = compile_rule(condition, Sql("r.json"), hot.columns)  # no r here: no document is asked
    found = database.execute(f"select h.rid from {hot.name} h where {rule.text}", filled(rule, KNOWN)).fetchall()
    return sorted(rid for (rid,) in found)


@many
@given(condition=conditions())
def test_a_printed_tree_parses_to_the_same_tree_and_passes_the_checks(condition: Condition) -> None:
    query = Query((Clause(JsonRule(condition)),))
    again = parse(format(query))
    assert again == query
    check(again)


def test_two_thousand_cases_agree() -> None:
    from tests.queries.longrun import properties

    assert properties(20, 100) == 0
