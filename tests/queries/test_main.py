"""`python -m queries` shows a query at every stage, and prints the reference."""

import pytest

from queries.__main__ import main
from queries.docs import page


def test_explain_shows_the_query_its_tree_its_sql_and_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "config where api.name = 'x' AND json.rule = a.b == 22"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("config from cloud.resource where api.name = 'x' and json.rule = a.b equals '22'\n\nAnd(")
    assert "json_extract_string(r.json, ?) in (?, ?)" in shown
    assert '\'$."a"."b"\'' in shown


def test_a_wrong_query_is_drawn_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "config where api.names = 'x'"]) == 1
    assert "did you mean api.name?" in capsys.readouterr().err


def test_docs_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--docs"]) == 0
    assert capsys.readouterr().out == page()


def test_anything_else_gets_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
