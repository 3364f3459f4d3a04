"""A key whose winner isn't last in the log is sent again: compaction keeps the last record, whatever its version."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.store import Store
from streams.store.schema import KindName
from tests.streams.store_records import PART, Log, finding, resource

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    yield Log(store)
    store.close()


def test_a_loser_is_answered_with_the_winner_as_it_lay_on_the_topic(log: Log) -> None:
    winner = finding("f", 5, unknown={"kept": [1.10]})
    log.add("findings", winner, finding("g", 1))
    assert log.store.resends("findings", PART, 10) == []
    log.add("findings", finding("f", 4))
    assert log.store.resends("findings", PART, 10) == [winner]
    log.store.resent("findings", PART, [winner[0]])
    assert log.store.resends("findings", PART, 10) == []


def test_a_loser_before_its_winner_in_the_log_needs_no_answer(log: Log) -> None:
    log.add("findings", finding("f", 4), finding("f", 5))
    log.add("findings", finding("g", 4))
    log.add("findings", finding("g", 5))
    assert log.store.resends("findings", PART, 10) == []


def test_the_winner_that_comes_by_again_settles_the_key(log: Log) -> None:
    winner = finding("f", 5)
    log.add("findings", winner, finding("f", 4))
    log.add("findings", winner)
    assert log.ask("from resend") == []


def test_a_loser_that_comes_by_while_the_winner_is_on_its_way_makes_it_wait_again(log: Log) -> None:
    winner = finding("f", 5)
    log.add("findings", winner, finding("f", 4))
    assert log.store.resends("findings", PART, 10) == [winner]
    log.add("findings", finding("f", 3))
    log.store.resent("findings", PART, [winner[0]])
    assert log.store.resends("findings", PART, 10) == [winner]


def test_what_was_not_acknowledged_is_given_again_after_a_restart(log: Log, tmp_path: Path) -> None:
    winner = resource("r", 5)
    log.add("resources", winner, resource("r", 4))
    assert log.store.resends("resources", PART, 10) == [winner]
    log.store.close()
    log.store = Store.open(tmp_path / "s.duckdb")
    assert log.store.resends("resources", PART, 10) == [winner]


def test_a_refused_record_last_of_its_key_is_answered_with_the_good_one(log: Log) -> None:
    winner = resource("r", 5)
    log.add("resources", winner, resource("s", 1), (b"s", b"{"), resource("s", 2), (b"t", b"{"))
    log.add("resources", (b"r", b"{"))
    assert log.store.resends("resources", PART, 10) == [winner]


def test_resends_are_limited_and_by_partition(log: Log) -> None:
    log.add("findings", *[finding(f"f{i}", 2) for i in range(5)], *[finding(f"f{i}", 1) for i in range(5)])
    assert len(log.store.resends("findings", PART, 3)) == 3
    assert log.store.resends("findings", PART + 1, 3) == []
    assert log.store.resends("resources", PART, 3) == []


def test_a_tombstone_is_due_once_a_deletion_is_old_enough_and_until_it_comes_by(log: Log) -> None:
    log.add("findings", finding("f", 5, deleted=True), finding("g", 1), finding("h", 1, deleted=True))
    assert log.store.expired("findings", PART, datetime.now(UTC) - timedelta(days=1), 10) == []
    assert sorted(log.store.expired("findings", PART, LATER, 10)) == [b"123456789012|f", b"123456789012|h"]
    assert len(log.store.expired("findings", PART, LATER, 1)) == 1
    log.add("findings", (b"123456789012|f", None))
    assert log.store.expired("findings", PART, LATER, 10) == [b"123456789012|h"]
    log.add("findings", finding("h", 2))
    assert log.store.expired("findings", PART, LATER, 10) == []
    assert log.ask("from deletions") == []


def _state(store: Store) -> list[tuple[object, ...]]:
    cursor = store.cursor()
    rows = cursor.execute(
        "select id, findings.version, deleted, record from findings join finding_records using (fid, part) order by id"
    ).fetchall()
    cursor.close()
    return rows


_records = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.integers(0, 9)), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(_records, st.lists(st.integers(1, 8), min_size=1, max_size=6))
def test_a_store_rebuilt_from_the_compacted_log_equals_the_live_one(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, int, int]], sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("rebuild")
    kind: KindName = "findings"
    live = Log(Store.open(folder / "live.duckdb", memory="200MB", threads=1))
    made: list[tuple[bytes | None, bytes | None]] = []
    for id, n, kindness in records:
        key, value = finding(id, n, deleted=n % 2 == 0)
        made.append((key, b"{" if kindness == 0 else value))
    turn = 0
    while made:
        size = sizes[turn % len(sizes)]
        live.add(kind, *made[:size])
        made, turn = made[size:], turn + 1
    while again := live.store.resends(kind, PART, 100):
        live.add(kind, *again)
        live.store.resent(kind, PART, [key for key, _ in again])
    last = {key: (offset, value) for offset, key, value in live.records[kind]}
    compacted = sorted((offset, key, value) for key, (offset, value) in last.items())
    rebuilt = Log(Store.open(folder / "rebuilt.duckdb", memory="200MB", threads=1))
    rebuilt.add(kind, *[(key, value) for _, key, value in compacted])
    assert _state(rebuilt.store) == _state(live.store)
    assert rebuilt.store.resends(kind, PART, 100) == []
    live.store.close()
    rebuilt.store.close()
