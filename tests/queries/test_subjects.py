"""What violates a policy among what changed is what violates it at all, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest

from queries.policy import Policy, touches, violations, violators
from queries.subjects import Subject
from tests.queries.small import SG, USER, VM, A, B, store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUPS = f"api.name = '{SG}' AND json.rule = ipPermissions[*].ipRanges[*] contains 0.0.0.0/0"


def policy(rql: str) -> Policy:
    return Policy(id="p", name="p", severity="low", description="d", recommendation="r", rql=rql)


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with store() as connection:
        yield connection


@pytest.fixture(scope="module")
def rids(tables: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(tables.execute("select name, rid from resources").fetchall())


def names(found: list[Subject]) -> list[str]:
    return sorted(str(subject.rrn).removeprefix("rrn:") for subject in found)


def test_only_the_resources_that_changed_are_looked_at(tables: duckdb.DuckDBPyConnection, rids: dict[str, int]) -> None:
    asked = policy(f"config where {GROUPS}")
    assert names(violators(tables, asked, NOW)) == ["sg-open", "sg-split"]
    some = [rids["sg-split"], rids["sg-none"], rids["sg-gone"], rids["i-1"]]
    assert violators(tables, asked, NOW, rids=some) == [
        Subject(rids["sg-split"], "rrn:sg-split", A, "us-east-1"),
    ]
    assert violators(tables, asked, NOW, rids=[]) == []


def test_only_the_accounts_that_changed_are_looked_at(tables: duckdb.DuckDBPyConnection) -> None:
    asked = policy(f"config where api.name = '{VM}' AND json.rule = state.name exists")
    assert names(violators(tables, asked, NOW, accounts=[A])) == ["i-1", "i-2"]
    assert names(violators(tables, asked, NOW, accounts=[A, B])) == ["i-1", "i-2", "i-3"]
    assert violators(tables, asked, NOW, accounts=[]) == []


@pytest.mark.parametrize("more", ["", " and json.rule = instanceId exists"])
def test_findings_count_for_resources_and_accounts_that_changed(
    tables: duckdb.DuckDBPyConnection, rids: dict[str, int], more: str
) -> None:
    asked = policy(f"config where finding.source = 'AWS GuardDuty' and finding.severity in ('high', 'low'){more}")
    assert names(violators(tables, asked, NOW, rids=[rids["i-2"], rids["i-3"]])) == ["i-2"]
    assert names(violators(tables, asked, NOW, accounts=[A])) == ["i-1", "i-2"]
    assert names(violators(tables, asked, NOW, accounts=[B])) == ([] if more else ["ann"])


def test_a_join_stays_within_an_account_in_a_policy_only(tables: duckdb.DuckDBPyConnection) -> None:
    asked = policy(f"config where api.name = '{VM}' as X; config where {GROUPS} as Y; show X")
    assert names(violators(tables, asked, NOW)) == ["i-1", "i-2"]
    assert names(violators(tables, asked, NOW, accounts=[B])) == []
    assert violations(tables, asked, NOW).total == 2
    from queries import run

    assert run(tables, asked.rql, now=NOW).total == 3


def test_a_count_is_of_accounts_or_regions(tables: duckdb.DuckDBPyConnection) -> None:
    users = policy(f"config where api.name = '{USER}' as X; count(X) less than 1")
    assert violators(tables, users, NOW) == [Subject(None, None, A, None)]
    assert violators(tables, users, NOW, accounts=[B]) == []
    machines = policy(f"config where api.name = '{VM}' as X; count(X) less than 1")
    assert violators(tables, machines, NOW) == [Subject(None, None, A, "us-east-1")]
    assert violators(tables, machines, NOW, accounts=[B]) == []


def test_resources_alone_dont_decide_a_join(tables: duckdb.DuckDBPyConnection) -> None:
    asked = policy(f"config where api.name = '{VM}' as X; config where {GROUPS} as Y; show X")
    with pytest.raises(ValueError, match="give the accounts"):
        violators(tables, asked, NOW, rids=[1])


def test_what_touches_a_policy_is_known_from_all_its_clauses() -> None:
    joined = touches(policy(f"config where api.name = '{VM}' as X; config where {GROUPS} as Y; show X"))
    assert (joined.api_names, joined.findings, joined.time, joined.single) == (frozenset({VM, SG}), False, False, False)
    aged = touches(policy(f"config where api.name = '{VM}' AND json.rule = _DateTime.ageInDays(launchTime) > 3"))
    assert (aged.time, aged.single) == (True, True)
    counted = touches(policy(f"config where api.name = '{VM}' as X; count(X) less than 1"))
    assert (counted.single, counted.api_names) == (False, frozenset({VM}))
