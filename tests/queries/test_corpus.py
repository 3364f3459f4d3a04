"""Real queries, where they are at hand: each is answered, or refused with a word about what isn't answered yet."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from queries import RqlError, explain, format, parse

QUERIES = Path(__file__).parents[3] / "shared" / "corpus" / "rql" / "queries.jsonl"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANSWERED = 132
"""How many of the config queries that are neither templates nor malformed compile. It may only rise."""
PARSED = 132
"""How many of them there are: each has a tree, also where it isn't answered yet."""

pytestmark = pytest.mark.skipif(not QUERIES.exists(), reason="the corpus of real queries isn't here")


def rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in QUERIES.read_text().splitlines()] if QUERIES.exists() else []


def good() -> list[str]:
    return [
        row["query"]
        for row in rows()
        if row["kind"] == "config" and not row.get("template") and not row.get("malformed")
    ]


def test_every_config_query_is_answered_or_refused_with_a_reason() -> None:
    refused: Counter[str] = Counter()
    for query in good():
        try:
            explain(query, NOW)
        except RqlError as error:
            refused[error.message] += 1
    assert len(good()) - refused.total() >= ANSWERED, refused


def test_every_config_query_has_a_tree_that_prints_and_parses_to_itself() -> None:
    trees = [parse(query) for query in good()]
    assert len(trees) >= PARSED
    assert [parse(format(tree)) for tree in trees] == trees


def test_queries_of_other_kinds_are_refused_by_name() -> None:
    others = [row["query"] for row in rows() if row["kind"] != "config"]
    assert others
    for query in others:
        with pytest.raises(RqlError, match="answers config queries"):
            parse(query)


def test_malformed_queries_and_templates_raise_nothing_else() -> None:
    for row in rows():
        try:
            explain(row["query"], NOW)
        except RqlError as error:
            str(error)
