"""What is looked for in a document before it is read never hides one, however its JSON is written."""

import duckdb
import pytest

from queries.compile_rule import compile_rule
from queries.fragment import Sql
from queries.parse import parse
from queries.prefilter import prefilter
from queries.syntax import Condition, JsonRule


def condition(rule: str) -> Condition:
    found = parse(f"config where json.rule = {rule}").clauses[0].condition
    assert isinstance(found, JsonRule)
    return found.condition


@pytest.mark.parametrize(
    ("rule", "document"),
    [
        ("name contains web-server", r'{"name": "\u0077eb-server"}'),
        ("name equals 's3://bucket'", r'{"name": "s3:\/\/bucket"}'),
        ("tags contains eu-west", '{ "tags" : [ "prod" ,\n "eu-west" ] }'),
        ("tags contains '10,20'", '{"tags": {"a": [10, 20]}}'),
        ("tags contains '{\"a\":1}'", '{"tags": { "x": {"a": 1} }}'),
        ("name is member of (null, 'long-name')", "{}"),
        ("name equals TRUE", '{"name": "true"}'),
        ("port equals 8080.0", '{"port": 8080}'),
        ("not (name equals running)", "{}"),
        ("name equals running or port equals 22", '{"port": 22}'),
        ("rules[?any( proto equals icmpv6 )] does not exist", '{"rules": []}'),
        ("rules[?any( proto equals icmpv6 )] size equals 0", '{"rules": []}'),
        ("rules[?none( proto equals icmpv6 )] exists", '{"rules": [{"proto": "tcp"}]}'),
        ("names[*] none equal running", '{"names": ["stopped"]}'),
        ("rules[?(@.proto == 'icmpv6')].port equals null", '{"rules": []}'),
        ("name equal ignore case RUNNING", '{"name": "running"}'),
    ],
)
def test_a_document_that_meets_the_rule_is_found(rule: str, document: str) -> None:
    sql = compile_rule(condition(rule), Sql("r.json"))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select count(*) from (select ?::json as json) r where {sql.text}", (document, *sql.values)
        ).fetchall()
    assert found == [(1,)]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("state.name equals running", {"running"}),
        ("state.name equals running and a exists", {"running"}),
        ("a is true and (b contains 0.0.0.0/0 or c starts with '::/0')", {"0.0.0.0/0", "::/0"}),
        ("rules[?any( cidr contains 0.0.0.0/0 and port equals 22 )] exists", {"0.0.0.0/0"}),
        ("rules[?(@.proto == 'icmpv6')].ports[*] contains all-of-them", {"icmpv6", "all-of-them"}),
        ("protocol is member of (tcp-like, udp-like)", {"tcp-like", "udp-like"}),
        ("state.name equals running or a exists", set()),
        ("state.name does not equal running", set()),
        ("port equals 8080", set()),
        ("name equals web", set()),
        ("name equals $.other", set()),
    ],
)
def test_it_looks_for_the_words_that_must_be_there(rule: str, words: set[str]) -> None:
    found = prefilter(condition(rule), Sql("r.json"))
    assert (set() if found is None else set(found.values)) == words
