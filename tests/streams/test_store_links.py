"""finding_resource equals the join of both sides, computed from scratch, whatever came in whatever order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.store import Store
from tests.streams.store_records import Log, finding, resource

LINKED = (
    "select f.id, r.rrn from finding_resource l join findings f using (fid) join resources r using (rid) order by all"
)

FROM_SCRATCH = """
    with named as (
        select fid, part, md5_number_lower(account || '|' || lower(ref.id)) as key
        from (select fid, part, account, unnest("references") as ref from findings where not deleted)),
    keyed as (
        select rid, r.part, md5_number_lower(account || '|' || lower(key)) as key
        from (select rid, part, account, unnest(from_json(record, '{"keys":["VARCHAR"]}').keys) as key
            from resources join resource_records using (rid, part) where not deleted) r)
    select distinct fid, rid, part from named join keyed using (key, part) order by all"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    yield Log(store)
    store.close()


def test_a_link_is_made_whichever_side_comes_first_and_without_regard_to_case(log: Log) -> None:
    log.add("findings", finding("first", 1, ("ARN:I-1", "i-1")))
    log.add("resources", resource("r", 1, ("i-1", "arn:i-1", "I-1")))
    log.add("findings", finding("second", 1, ("I-1",)))
    assert log.ask(LINKED) == [("first", "r"), ("second", "r")]


def test_nothing_is_linked_across_accounts(log: Log) -> None:
    log.add("resources", resource("r", 1, ("i-1",)))
    log.add("findings", finding("f", 1, ("i-1",), account="999999999999"))
    assert log.ask(LINKED) == []


def test_a_deleted_side_is_not_linked_and_comes_back_with_its_next_version(log: Log) -> None:
    log.add("resources", resource("r", 1, ("i-1",)))
    log.add("findings", finding("f", 1, ("i-1",)))
    log.add("resources", resource("r", 2, ("i-1",), deleted=True))
    assert log.ask(LINKED) == []
    assert log.ask("select count(*) from resource_keys") == [(0,)]
    log.add("resources", resource("r", 3, ("i-1",)))
    assert log.ask(LINKED) == [("f", "r")]
    log.add("findings", finding("f", 2, ("i-1",), deleted=True))
    assert log.ask(LINKED) == []
    assert log.ask("select count(*) from finding_references") == [(0,)]


def test_an_update_that_keeps_its_keys_leaves_the_links_alone(log: Log) -> None:
    log.add("resources", resource("r", 1, ("i-1",)))
    log.add("findings", finding("f", 1, ("i-1",)))
    before = log.ask("select rowid from finding_resource") + log.ask("select rowid from resource_keys")
    log.add("resources", resource("r", 2, ("i-1",)))
    log.add("findings", finding("f", 2, ("i-1",)))
    assert before == log.ask("select rowid from finding_resource") + log.ask("select rowid from resource_keys")
    assert log.ask("select count(*) from finding_references") == [(1,)]


_keys = st.lists(st.sampled_from(["i-1", "I-1", "i-2", "arn:1", "arn:2"]), max_size=3).map(tuple)
_changes = st.lists(
    st.tuples(
        st.sampled_from(["resources", "findings"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 9),
        _keys,
        st.integers(0, 9),
    ),
    max_size=40,
)


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(_changes, st.integers(1, 10))
def test_links_equal_the_join_from_scratch_after_any_interleaving(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[str, str, int, tuple[str, ...], int]],
    size: int,
) -> None:
    store = Store.open(tmp_path_factory.mktemp("links") / "s.duckdb", memory="200MB", threads=1)
    log = Log(store)
    for begin in range(0, len(changes), size):
        batch = changes[begin : begin + size]
        for kind in ("resources", "findings"):
            make = resource if kind == "resources" else finding
            records: list[tuple[bytes | None, bytes | None]] = []
            for of, id, n, keys, fate in batch:
                if of == kind:
                    key, value = make(id, n, keys, deleted=fate < 3)
                    records.append((key, None if fate == 9 else value))
            if records:
                log.add(kind, *records)
        assert log.ask("select fid, rid, part from finding_resource order by all") == log.ask(FROM_SCRATCH)
    store.close()
