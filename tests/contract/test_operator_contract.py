"""Every operator and every attribute keeps its promises: read from the tables, so a new entry is tested at once."""

import json
from collections import Counter
from datetime import UTC, datetime

import duckdb
import pytest

from queries import check, format, parse, run
from queries.catalog import ATTRIBUTES
from queries.compile_rule import compile_rule
from queries.fragment import Slot, Sql, filled
from queries.functions import FUNCTIONS, Function
from queries.operators import OPERATORS, Operator
from queries.syntax import Compare, JsonRule
from tests.queries.evaluator import World, holds
from tests.queries.small import store

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: operator.name)


def compared(text: str) -> Compare:
    query = parse(f"config where json.rule = {text}")
    check(query)
    rule = query.clauses[0].condition
    assert isinstance(rule, JsonRule)
    assert isinstance(rule.condition, Compare)
    return rule.condition


@every_operator
def test_its_example_is_true_of_one_document_and_false_of_the_other(operator: Operator) -> None:
    condition = compared(operator.example)
    assert condition.operator == operator.name
    sql = compile_rule(condition, Sql("r.json"))
    with duckdb.connect() as connection:
        for document, wanted in ((operator.true_of, True), (operator.false_of, False)):
            found = connection.execute(
                f"select count(*) from (select ?::json as json) r where {sql.text}", (json.dumps(document), *sql.values)
            ).fetchall()
            assert bool(found[0][0]) is wanted
            assert holds(condition, document, document) is wanted


@every_operator
def test_every_spelling_of_it_in_any_case_means_it(operator: Operator) -> None:
    canonical = compared(operator.example)
    for spelling in operator.spellings:
        for written in (spelling, spelling.upper(), spelling.replace(" ", "  \n ")):
            assert compared(operator.example.replace(operator.name, written, 1)) == canonical


@every_operator
def test_it_prints_and_parses_to_itself(operator: Operator) -> None:
    query = parse(f"config where json.rule = {operator.example}")
    assert parse(format(query)) == query


@every_operator
def test_it_is_documented_in_a_sentence(operator: Operator) -> None:
    assert operator.doc.endswith(".")
    assert operator.name == operator.spellings[0]
    assert (operator.predicate is None) == bool(operator.negates)
    assert not operator.negates or OPERATORS[operator.negates].predicate


def test_no_two_operators_share_a_spelling() -> None:
    each = [{"".join(spelling.lower().split()) for spelling in o.spellings} for o in OPERATORS.values()]
    spellings = Counter(spelling for those in each for spelling in those)
    assert [spelling for spelling, times in spellings.items() if times > 1] == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_example_of_an_attribute_runs_or_is_refused(name: str) -> None:
    kind = ATTRIBUTES[name]
    query = kind.example.replace(kind.name, name)
    assert name in query
    assert kind.doc.endswith(".") or kind.doc.endswith("any case.")
    with store() as tables:
        run(tables, query, now=NOW)


@every_function
def test_the_example_of_a_function_is_true_of_one_document_and_false_of_the_other(function: Function) -> None:
    condition = compared(function.example)
    sql = compile_rule(condition, Sql("r.json"))
    known = {Slot.NOW: int(NOW.timestamp() * 1000), Slot.MONITORED: ["111111111111"]}
    with duckdb.connect() as connection:
        for document, wanted in ((function.true_of, True), (function.false_of, False)):
            found = connection.execute(
                f"select count(*) from (select ?::json as json) r where {sql.text}",
                (json.dumps(document), *filled(sql, known)),
            ).fetchall()
            assert bool(found[0][0]) is wanted, document
            assert holds(condition, document, document, World(NOW, ("111111111111",))) is wanted


@every_function
def test_every_spelling_of_a_function_is_known_and_prints_and_parses_to_itself(function: Function) -> None:
    for spelling in (function.name, *function.spellings):
        query = parse(f"config where json.rule = {function.example.replace(function.name, spelling)}")
        check(query)
        assert parse(format(query)) == query


@every_function
def test_a_function_is_documented_in_a_sentence(function: Function) -> None:
    assert function.doc.endswith((".", "like."))
    assert function.name in function.example
