"""What isn't in a full inventory is gone, whichever came first; what is newer stays."""

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.gone import REASON, deleted, ended
from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import Place
from streams.records import Inventory
from streams.store import Store, vendor
from tests.streams.store_records import PART, Log, finding, resource, version

ACCOUNT = "123456789012"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store.open(tmp_path / "s.duckdb", memory="256MB", threads=1)
    begin = partial(vendor.start, kind="inventories", topic="inventories", part=0, ids=("t", "c"), begin=0, end=0)
    store.transact("start", begin)
    yield Log(store)
    store.close()


def configs(n: int, ids: list[str], **more: Any) -> dict[str, Any]:
    scope = {"kind": "configs", "account": ACCOUNT, "api_name": "aws-ec2-describe-instances", "region": ""} | more
    return {"source": "aws", "id": "|".join(scope.values()), **scope, "ids": ids, "version": version(n)}


def findings(n: int, ids: list[str], account: str = "") -> dict[str, Any]:
    scope = {"kind": "findings", "account": account, "api_name": "", "region": ""}
    return {"source": "AWS GuardDuty", "id": "|".join(scope.values()), **scope, "ids": ids, "version": version(n)}


def tell(log: Log, inventory: dict[str, Any]) -> None:
    row = vendor.row("inventories", orjson.dumps(inventory))
    assert row is not None
    merge = partial(
        vendor.merge,
        kind="inventories",
        topic="inventories",
        part=0,
        records=[(f"{row.source}|{row.id}", row)],
        end=1,
    )
    log.store.transact("merge", merge)


def end(log: Log) -> None:
    """As the owner does, until nothing is left."""
    for _ in range(3):
        with log.store.cursor() as cursor:
            resources = vendor.rows(cursor, "resources", vendor.gone(cursor, "resources", [PART], 10))
            over = vendor.rows(cursor, "findings", vendor.gone(cursor, "findings", [PART], 10))
        for each, record in resources:
            now = deleted(orjson.loads(record), each.version)
            log.add("resources", (now["rrn"].encode(), orjson.dumps(now)))
        for each, record in over:
            now = ended(orjson.loads(record), each.version)
            log.add("findings", (f"{now['account']}|{now['id']}".encode(), orjson.dumps(now)))
        if not resources and not over:
            return
    raise AssertionError("it doesn't come to rest")


def test_in_every_order_what_is_older_and_not_listed_is_deleted(tmp_path: Path) -> None:
    for number, order in enumerate(itertools.permutations(("old", "listed", "newer", "inventory"))):
        store = Store.open(tmp_path / f"{number}.duckdb", memory="256MB", threads=1)
        log = Log(store)
        for what in order[:: 1 if number % 4 else -1]:
            match what:
                case "old" | "listed":
                    log.add("resources", resource(what, 1))
                case "newer":
                    log.add("resources", resource("newer", 9))
                case _:
                    tell(log, configs(5, ["listed"]))
            end(log)
        rows = log.ask("select id, deleted, version from resources order by id")
        assert rows == [("listed", False, version(1)), ("newer", False, version(9)), ("old", True, version(5))], order
        store.close()
        if number == 5:
            break


@pytest.mark.parametrize(
    "elsewhere",
    [{"account": "210987654321"}, {"api_name": "aws-ec2-describe-volumes"}, {"region": "us-east-1"}],
)
def test_an_inventory_of_something_else_ends_nothing(log: Log, elsewhere: dict[str, str]) -> None:
    log.add("resources", resource("old", 1))
    tell(log, configs(5, [], **elsewhere))
    end(log)
    assert log.ask("select deleted from resources") == [(False,)]


def test_a_resource_that_is_told_of_again_is_there_again(log: Log) -> None:
    log.add("resources", resource("old", 1))
    tell(log, configs(5, []))
    end(log)
    log.add("resources", resource("old", 6))
    end(log)
    assert log.ask("select deleted from resources") == [(False,)]


def test_a_finding_that_isnt_in_a_full_export_is_fixed_with_the_reason(log: Log) -> None:
    log.add("findings", finding("old", 1), finding("listed", 1), finding("newer", 9))
    log.add("findings", finding("other", 1, source="Qualys"), finding("accepted", 1, status="suppressed"))
    tell(log, findings(5, ["listed"]))
    end(log)
    assert log.ask("select id, status, status_reason from findings order by id") == [
        ("accepted", "suppressed", ""),
        ("listed", "open", ""),
        ("newer", "open", ""),
        ("old", "fixed", REASON),
        ("other", "open", ""),
    ]


def test_what_was_borrowed_doesnt_bring_an_ended_finding_back() -> None:
    before = {"status": "fixed", "linked": {"asset": "d", "own": {"status": "open", "title": "QID 7"}}}
    assert ended(before, version(5))["linked"] == {"asset": "d", "own": {"title": "QID 7"}}


def read(source: str, document: Any) -> list[Any]:
    return NORMALISERS[source].read(orjson.dumps(document), Place("raw", 0, 0, 1_772_442_000_000))


def test_an_empty_answer_that_is_complete_says_that_there_is_nothing() -> None:
    row = {"account": ACCOUNT, "region": "eu-west-1", "api_name": "aws-ec2-describe-volumes", "complete": True}
    (made,) = read("aws", row | {"config": {"Volumes": []}})
    assert isinstance(made, Inventory)
    assert (made.ids, made.region) == ([], "eu-west-1")


@pytest.mark.parametrize(
    ("source", "document", "path"),
    [
        ("aws", {"complete": True, "config": {"Volumes": [], "NextToken": "x"}}, "complete"),
        ("aws", {"complete": True, "config": {"VolumeId": "vol-1"}}, "complete"),
        ("aws", {"inventory": {"account": ACCOUNT}, "ids": []}, "inventory.api_name"),
        ("aws", {"inventory": {"account": "7", "api_name": "a"}, "ids": []}, "inventory.account"),
        ("aws", {"inventory": {"account": ACCOUNT, "api_name": "a"}}, "ids"),
        ("aws", {"inventory": {"account": ACCOUNT, "api_name": "a"}, "ids": [7]}, "ids[0]"),
        ("aws", {"complete": True, "account": ACCOUNT, "config": {"Volumes": [{"VolumeId": ""}]}}, "resource_id"),
        ("securityhub", {"inventory": {}, "ids": []}, "inventory.source"),
        ("qualys", {"inventory": [], "ids": []}, "inventory"),
    ],
)
def test_an_inventory_that_cant_be_read_whole_is_refused(source: str, document: Any, path: str) -> None:
    wrong = read(source, document)[-1]
    assert isinstance(wrong, Bad)
    assert wrong.path == path
