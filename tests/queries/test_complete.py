"""What is offered while a query is typed."""

from collections.abc import Iterator

import duckdb
import pytest

from queries.complete import complete
from tests.queries.small import store
from tests.queries.test_fuzz import REAL

WHERE = "config from cloud.resource where "
VM = f"{WHERE}api.name = 'aws-ec2-describe-instances' AND json.rule = "


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with store() as connection:
        yield connection


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("", "config from cloud.resource where "),
        ("conf", "config from cloud.resource where "),
        (WHERE, "api.name"),
        (f"{WHERE}cloud.r", "cloud.region"),
        (f"{WHERE}region", "cloud.region"),
        (f"{WHERE}cloud.region ", "= "),
        (f"{WHERE}cloud.region no", "not in ( "),
        (f"{WHERE}cloud.region = 'AWS O", "AWS Ohio"),
        (f"{WHERE}cloud.region in ('AWS Ohio', ireland", "'AWS Ireland'"),
        (f"{WHERE}finding.severity = ", "'critical'"),
        (f"{WHERE}api.name = 'iam", "aws-iam-list-users"),
        (f"{WHERE}api.name = 'x' ", "and "),
        (f"{WHERE}api.name = 'x' and js", "json.rule"),
        (VM, "instanceId"),
        (f"{VM}sta", "state"),
        (f"{VM}state.n", "state.name"),
        (f"{VM}$.tags[*].k", "tags[*].key"),
        (f"{VM}_DateT", "_DateTime.ageInDays"),
        (f"{VM}state.name ", "equals"),
        (f"{VM}state.name doe", "does not equal"),
        (f"{VM}state.name exists ", "and "),
        (f"{VM}state.name exists and (inst", "instanceId"),
        (f"{VM}'not sta", "state"),
        (f"{VM}state exists as X; ", "config from cloud.resource where "),
    ],
)
def test_the_likeliest_comes_first(tables: duckdb.DuckDBPyConnection, typed: str, first: str) -> None:
    assert complete(typed, connection=tables)[0].text == first


def test_a_candidate_replaces_what_was_typed_of_it(tables: duckdb.DuckDBPyConnection) -> None:
    text = f"{WHERE}cloud.re = 'x'"
    candidate = complete(text, len(WHERE) + 8, tables)[0]
    assert (candidate.text, candidate.start, candidate.kind) == ("cloud.region", len(WHERE), "attribute")
    assert candidate.doc.startswith("The region")


def test_without_tables_the_language_alone_is_offered() -> None:
    assert complete(f"{WHERE}api.name = '") == []
    assert {c.kind for c in complete(VM)} == {"function"}


@pytest.mark.parametrize("text", REAL, ids=lambda text: text[:40])
def test_every_place_of_a_query_has_an_answer(tables: duckdb.DuckDBPyConnection, text: str) -> None:
    for position in range(0, len(text), 7):
        assert all(candidate.start <= position for candidate in complete(text, position, tables))
