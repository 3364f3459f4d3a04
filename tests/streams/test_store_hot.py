"""Hot columns of a store that is written to: every answer is that of the documents, whatever has been copied yet."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from queries import run
from queries.errors import RqlError
from queries.hot_table import NOTHING
from queries.run import explain, prepared
from streams import snapshot
from streams.store import Store
from streams.store import hot as hot_columns
from tests.streams.store_records import PART, Log, resource

NOW = datetime(2026, 11, 24, tzinfo=UTC)
VM, SG = "aws-ec2-describe-instances", "aws-ec2-describe-security-groups"
WANTED = {VM: ["state.name", "tags[*].key", "n", "ports[?].from"], SG: ["groupId", "n"]}
QUERIES = (
    f"config where api.name = '{VM}' and json.rule = state.name equals running",
    f"config where api.name = '{VM}' and json.rule = state.name does not equal running",
    f"config where api.name = '{VM}' and json.rule = state does not exist",
    f"config where api.name = '{VM}' and json.rule = n greater than 5 and tags[*].key contains a",
    f"config where api.name = '{VM}' and json.rule = ports[?any(from less than 3)] exists",
    f"config where api.name = '{SG}' and json.rule = n exists and groupId equals null",
    f"config where api.name = '{VM}' and json.rule = n exists as X; config where api.name = '{SG}' as Y; "
    "filter '$.X.n equals $.Y.n'; show X;",
)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(hot_columns, "PATIENCE_S", 0.0)
    store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    yield Log(store)
    store.close()


def heated(store: Store) -> Store:
    while store.hot.step():
        pass
    return store


def answers(store: Store) -> list[list[str]]:
    cursor = store.cursor()
    found = [[row[-1] for row in run(cursor, query, now=NOW, limit=1000).rows] for query in QUERIES]
    cursor.close()
    return found


def documents(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    with monkeypatch.context() as cold:
        cold.setattr("queries.hot_state.hot_of", lambda *_, **__: NOTHING)
        return answers(store)


def some_resource(chance: random.Random, n: int) -> tuple[bytes, bytes]:
    name, api = f"r{chance.randrange(40)}", chance.choice((VM, SG))
    config = {
        "state": chance.choice(({"name": "running"}, {"name": None}, {"name": 7}, {}, None, "x")),
        "n": chance.choice((n % 9, str(n % 9), None, [1, 2])),
        "tags": chance.choice(([{"key": "a"}, {"key": None}, {}], [], {"key": "a"}, "ab")),
        "ports": chance.choice(([{"from": 1}, {"from": "2"}], [{"from": 80}, 3], {"from": 1}, [])),
        "groupId": chance.choice((None, "g")),
    }
    config = {key: value for key, value in config.items() if chance.random() < 0.8}
    return resource(f"{api[-9:]}{name}", n, api_name=api, config=config, deleted=chance.random() < 0.1)


@pytest.mark.parametrize("seed", range(2))
def test_answers_are_those_of_the_documents_at_every_moment(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    hot_seen = 0
    log.store.hot.want(WANTED, "policy")
    for n in range(1, 26):
        match chance.randrange(9):
            case 0:
                log.store.hot.step()
            case 1 | 6:
                heated(log.store)
            case 2:
                log.store.checkpoint()
            case 3:
                paths = {api: chance.sample(every, 2) for api, every in WANTED.items()}
                log.store.hot.want(paths, chance.choice(("user", "policy")), only=chance.random() < 0.3)
            case 4:
                log.store.close()
                log.store = Store.open(tmp_path / "s.duckdb", memory="500MB")
            case 5:
                deleted = log.ask("select rrn from resources where deleted")
                log.add("resources", *((rrn.encode(), None) for (rrn,) in deleted[:3]))
            case _:
                size = chance.choice((1, 5, 30))
                log.add("resources", *(some_resource(chance, n * 100 + i) for i in range(size)))
        hot_seen += log.ask("select count(*) from hot_tables where ready")[0][0]
        assert answers(log.store) == documents(log.store, monkeypatch)
    assert hot_seen


def test_a_table_is_built_beside_the_one_in_use_and_takes_its_place_when_it_is_whole(log: Log) -> None:
    log.add("resources", *(resource(f"r{n}", n, config={"a": n, "b": 1}) for n in range(1, 1300)))
    log.store.hot.want({VM: ["a"]}, "policy")
    heated(log.store)
    log.store.hot.want({VM: ["b"]}, "query")
    log.store.hot.step()
    assert log.ask("select paths, ready from hot_tables order by n") == [('["a"]', True), ('["a", "b"]', False)]
    heated(log.store)
    assert log.ask("select paths, ready from hot_tables") == [('["a", "b"]', True)]
    assert log.ask("select count(*) from hot_filling") == [(0,)]


def test_a_batch_changes_answers_at_once_and_is_copied_later(log: Log) -> None:
    query = f"config where api.name = '{VM}' and json.rule = a equals 2"
    log.add("resources", resource("r", 1, config={"a": 1}), resource("s", 1, config={"a": 1}))
    log.store.hot.want({VM: ["a"]}, "user")
    heated(log.store)
    cursor = log.store.cursor()
    assert "r.json" not in explain(query, NOW, cursor).sql.text
    assert run(cursor, query, now=NOW).total == 0
    log.add("resources", resource("r", 2, config={"a": 2}))
    assert "r.json" in explain(query, NOW, cursor).sql.text
    assert [row[-1] for row in run(cursor, query, now=NOW).rows] == ["r"]
    heated(log.store)
    assert log.ask("select count(*) from hot_pending") == [(0,)]
    assert "r.json" not in explain(query, NOW, cursor).sql.text
    assert [row[-1] for row in run(cursor, query, now=NOW).rows] == ["r"]
    cursor.close()


def test_a_removed_resource_and_a_dropped_partition_leave_no_row(log: Log) -> None:
    log.add("resources", *(resource(f"r{n}", 1, config={"a": n}, deleted=n == 0) for n in range(3)))
    log.store.hot.want({VM: ["a"]}, "user")
    heated(log.store)
    log.add("resources", (b"r0", None))
    heated(log.store)
    assert log.ask("select count(*) from hot_1") == [(2,)]
    log.store.drop("resources", PART)
    assert log.ask("select count(*) from hot_1") == [(0,)]


def test_what_a_user_drops_stays_cold_whoever_wants_it(log: Log) -> None:
    log.add("resources", resource("r", 1, config={"a": 1, "b": 2}))
    log.store.hot.want({VM: ["a", "b"]}, "policy", only=True)
    heated(log.store)
    assert log.store.hot.drop(VM, "a")
    assert not log.store.hot.drop(VM, "c")
    log.store.hot.want({VM: ["a", "b"]}, "policy", only=True)
    heated(log.store)
    assert log.ask("select paths from hot_tables") == [('["b"]',)]
    log.store.hot.want({VM: ["a"]}, "user")
    heated(log.store)
    assert log.ask("select paths from hot_tables") == [('["a", "b"]',)]


def test_a_store_built_anew_has_the_hot_columns_of_the_old_one(log: Log, tmp_path: Path) -> None:
    log.store.hot.want({VM: ["a"]}, "user")
    log.store.close()
    (tmp_path / "s.duckdb").unlink()
    log.store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    log.add("resources", resource("r", 1, config={"a": 1}))
    heated(log.store)
    assert log.ask("select count(*) from hot_1") == [(1,)]


def test_a_snapshot_carries_them(log: Log, tmp_path: Path) -> None:
    log.add("resources", resource("r", 1, config={"a": 1}))
    log.store.hot.want({VM: ["a"]}, "user")
    heated(log.store)
    log.add("resources", resource("s", 1, config={"a": 1}))  # on its way
    made = snapshot.create(log.store, tmp_path / "snapshots", 3)
    query = f"config where api.name = '{VM}' and json.rule = a equals 1"
    with duckdb.connect(str(made.database), read_only=True) as db:
        assert explain(query, NOW, db).paths == {VM: {"a": True}}
        assert [row[-1] for row in run(db, query, now=NOW).rows] == ["r", "s"]
    assert snapshot.verify(made) == []


def test_rows_that_somebody_else_wrote_are_copied_again(log: Log) -> None:
    log.add("resources", resource("r", 1, config={"a": 1}))
    log.store.hot.want({VM: ["a"]}, "user")
    heated(log.store)
    cursor = log.store.cursor()
    cursor.execute("insert into resources by name select * replace (7 as rid, 's' as rrn) from resources")
    cursor.close()
    log.store.reload()
    heated(log.store)
    assert log.ask("select count(*) from hot_1") == [(2,)]


def test_a_path_that_can_not_be_hot_is_refused_with_the_way_out(log: Log) -> None:
    for path in ("a[?any(b exists)]", "", "@.a", "a equals 1", "a.*", "x[?].y[?].z"):
        with pytest.raises(RqlError, match="such as"):
            log.store.hot.want({VM: [path]}, "user")
    assert log.ask("select count(*) from hot_paths") == [(0,)]


def test_a_statement_is_compiled_once_for_the_same_hot_columns(log: Log) -> None:
    log.add("resources", resource("r", 1, config={"a": 1}))
    log.store.hot.want({VM: ["a"]}, "user")
    heated(log.store)
    cursor = log.store.cursor()
    query = f"config where api.name = '{VM}' and json.rule = a equals 77"
    run(cursor, query, now=NOW)
    before = prepared.cache_info().misses
    run(cursor, query, now=NOW)
    assert prepared.cache_info().misses == before
    cursor.close()


def test_what_was_kept_of_wanted_paths_and_is_damaged_stops_nobody(tmp_path: Path) -> None:
    for text in ("[", json.dumps([["a"]]), json.dumps([[VM, "a equals", "user"]]), json.dumps({"a": 1})):
        (tmp_path / "s.duckdb.hot.json").write_text(text)
        Store.open(tmp_path / "s.duckdb").close()
