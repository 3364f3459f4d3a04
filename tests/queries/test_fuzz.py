"""Whatever is typed gives an answer or an RqlError, never another exception."""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries import RqlError, check, compile, parse
from queries.catalog import ATTRIBUTES
from queries.functions import FUNCTIONS
from queries.operators import OPERATORS
from queries.tokens import QUOTES
from tests.queries.golden import DATA
from tests.queries.small import store
from tests.queries.test_properties import many

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REAL = tuple(path.read_text().split("\n---\n")[0] for path in sorted(DATA.rglob("*.rql")))
PIECES = (
    *ATTRIBUTES,
    *(s for operator in OPERATORS.values() for s in operator.spellings),
    *(f"{name}(" for name in FUNCTIONS),
    *QUOTES,
    *("(", ")", "[", "]", "[*]", "[?", "[?any(", "[?none(", "[?all(", "@.", "$.", ".", "*", "{}", "{'x'.keys}"),
    *(",", ";", "\\", "!", " and ", " or ", " not ", "&&", "||", " as X;", "filter ", "show X", "count(X)"),
    *("addcolumn ", "limit search records to 1", "config where ", "json.rule = ", "null", "0", "-1", "99999999999"),
    *("1e999", "0.0.0.0/0", "\0", "\ud800", "é", "\n", " ", "ÿ", "a", "İ"),
)


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with store() as connection:
        yield connection


def goes_well(text: str, tables: duckdb.DuckDBPyConnection) -> None:
    try:
        sql = compile(check(parse(text)), NOW, limit=3)
    except RqlError as error:
        str(error)
    else:
        tables.execute(sql.text, sql.values).fetchall()


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.sampled_from((0, 0, 1, 2, 5, 20)))
        put = draw(st.sampled_from(PIECES) | st.just(""))
        text = text[:at] + put + text[at + cut :]
    return text


@many
@given(text=mutated())
def test_a_mutated_query_goes_well(tables: duckdb.DuckDBPyConnection, text: str) -> None:
    goes_well(text, tables)


@many
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_pieces_of_the_language_in_any_order_go_well(tables: duckdb.DuckDBPyConnection, pieces: list[str]) -> None:
    goes_well("".join(pieces), tables)
    goes_well("config where json.rule = " + " ".join(pieces), tables)


@many
@given(text=st.text())
def test_any_text_goes_well(tables: duckdb.DuckDBPyConnection, text: str) -> None:
    goes_well(text, tables)


@pytest.mark.parametrize(
    "text",
    [
        "config where " + "(" * 10_000,
        "config where json.rule = " + "(" * 10_000 + "a exists" + ")" * 10_000,
        "config where json.rule = " + "not " * 10_000 + "a exists",
        "config where json.rule = " + "a[?any( " * 10_000,
        "config where json.rule = " + "a[?any( " * 5 + "b.* contains c" + " )] exists" * 5,
        "config where json.rule = " + "f(" * 10_000,
        "config where json.rule = a" + "[?(@.b == 1)]" * 500 + " exists",
        "config where json.rule = "
        + "not (" * 28
        + "a.*"
        + ".*[?any( a.*" * 5
        + ".*" * 30
        + " exists"
        + " )] exists" * 5
        + ")" * 28,
        "config where json.rule = " + ("a" + "[?(@.b == 1)]" * 38 + "[?any( ") * 5 + "c exists" + " )] exists" * 5,
        "config where json.rule = a is member of (" + ",".join(map(str, range(5_000))) + ")",
        "config where json.rule = " + "a." * 5_000 + "b exists",
        "config where json.rule = " + " or ".join(["a equals b"] * 1_000),
        "config where api.name in (" + ",".join(["'a'"] * 20_000) + ")",
        "config where json.rule = a" + "[*]" * 2_000 + " exists",
        "x" * 300_000,
    ],
    ids=lambda text: f"{text[:40]}…",
)
def test_what_is_deep_or_long_is_answered_or_refused(tables: duckdb.DuckDBPyConnection, text: str) -> None:
    goes_well(text, tables)
