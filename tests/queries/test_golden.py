"""Queries keep their SQL and their rows, wrong ones keep their message: see golden.py for how to print them anew."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.queries.golden import errors, message, printed, queries
from tests.queries.small import store


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with store() as connection:
        yield connection


@pytest.mark.parametrize("path", queries(), ids=lambda path: path.stem)
def test_a_query_keeps_its_sql_and_rows(path: Path, tables: duckdb.DuckDBPyConnection) -> None:
    assert printed(path, tables) == path.read_text()


@pytest.mark.parametrize("path", errors(), ids=lambda path: path.stem)
def test_a_wrong_query_keeps_its_message(path: Path) -> None:
    assert message(path) == path.with_suffix(".txt").read_text()
    assert "^" in message(path)
