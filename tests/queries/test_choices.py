"""What was decided where RQL's documents are silent holds, in the database and in the evaluator."""

import json

import duckdb
import pytest

from queries.check import check
from queries.choices import CHOICES, Choice
from queries.compile_rule import compile_rule
from queries.fragment import Slot, Sql, filled
from queries.parse import parse
from queries.syntax import JsonRule
from tests.queries.evaluator import HERE, holds

KNOWN = {Slot.NOW: int(HERE.now.timestamp() * 1000), Slot.MONITORED: list(HERE.monitored)}


@pytest.mark.parametrize("choice", CHOICES, ids=lambda c: f"{c.example} of {json.dumps(c.document)}")
def test_the_choice_holds(choice: Choice) -> None:
    query = parse(f"config where json.rule = {choice.example}")
    check(query)
    rule = query.clauses[0].condition
    assert isinstance(rule, JsonRule)
    sql = compile_rule(rule.condition, Sql("r.json"))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select count(*) from (select ?::json as json) r where {sql.text}",
            (json.dumps(choice.document), *filled(sql, KNOWN)),
        ).fetchall()
    assert bool(found[0][0]) is choice.holds
    assert holds(rule.condition, choice.document, choice.document, HERE) is choice.holds
