"""A batch of few records takes another way through the store than a large one, and comes to the same."""

import random
from datetime import datetime
from pathlib import Path

import pytest

from streams.store import Applied, Part, Store, few, places
from streams.store.few import Record, Row, decide
from streams.store.places import Places
from streams.store.schema import FINDINGS, KindName
from tests.streams.store_records import finding, resource

NOW = datetime(2026, 3, 1)
TABLES = (
    "resources",
    "findings",
    "resource_records",
    "finding_records",
    "resource_keys",
    "finding_references",
    "finding_resource",
    "partitions",
    "resend",
    "deletions",
    "refused",
    "work",
)
Given = tuple[bytes | None, bytes | None]


def history(chance: random.Random, batches: int) -> list[dict[KindName, list[list[Given]]]]:
    """Return records for two partitions of both kinds, batch by batch: few keys, so that much happens to each."""

    def one(kind: KindName, part: int) -> Given:
        n, day = chance.randrange(12), chance.randrange(40)
        names = tuple(f"{'iI'[chance.randrange(2)]}-{part}-{chance.randrange(6)}" for _ in range(chance.randrange(3)))
        more = {"deleted": True} if chance.random() < 0.1 else {"seen_by": "somebody"}
        if chance.random() < 0.03:
            more = {"version": "none"}
        key, value = (
            resource(f"rrn:{part}:{n}", day, names, **more)
            if kind == "resources"
            else finding(f"f-{part}-{n}", day, names, score=chance.choice([None, 7.5, 3]), cves=["CVE-1"], **more)
        )
        return (key, None) if chance.random() < 0.02 else (key, value)

    kinds: list[KindName] = ["resources", "findings"]
    return [
        {kind: [[one(kind, part) for _ in range(chance.randrange(5))] for part in (0, 1)] for kind in kinds}
        for _ in range(batches)
    ]


def told(batches: list[dict[KindName, list[list[Given]]]], path: Path) -> tuple[list[Applied], dict[str, list[str]]]:
    """Return what the store said of each batch, and what lies in its tables afterwards."""
    with_work = Store.open(path, notes_work=True)
    ends: dict[tuple[str, int], int] = {}
    applied = []
    for number, batch in enumerate(batches):
        parts = []
        for kind, of_parts in batch.items():
            for part, records in enumerate(of_parts):
                start = ends.get((kind, part), 0)
                ends[kind, part] = start + len(records)
                rows = [(start + i, key, value) for i, (key, value) in enumerate(records)]
                parts.append(Part(kind, kind, part, start, start + len(records), rows))
        applied.append(with_work.apply(parts, NOW))
        if number % 8 == 7:
            with_work.checkpoint()
    cursor = with_work.cursor()
    tables = {table: sorted(map(repr, cursor.execute(f"from {table}").fetchall())) for table in TABLES}
    tables["work"] = sorted(set(tables["work"]))  # the long way may note a piece twice, which costs nothing
    cursor.close()
    with_work.close()
    return applied, tables


@pytest.mark.parametrize("seed", range(2))
def test_few_at_a_time_come_to_what_many_do(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = history(random.Random(seed), 24)
    for name, value in (("FEWEST", 3), ("NEWER", 12), ("LAST", 4), ("PATIENCE", 1)):
        monkeypatch.setattr(places, name, value)
    by_few = told(batches, tmp_path / "few.duckdb")
    monkeypatch.setattr(few, "MOST", 0)
    by_merge = told(batches, tmp_path / "many.duckdb")
    assert by_few == by_merge
    assert all(by_merge[1][table] for table in TABLES)


def record(hash_: int, version: str, *, upper: int = 1, part: int = 0) -> Record:
    return Record(part, hash_, upper, version, 0, False, (), b"", b"")


def test_the_first_of_the_highest_version_wins_and_the_last_may_be_overtaken() -> None:
    records = [record(7, "2"), record(7, "5"), record(7, "5"), record(7, "3"), record(8, "1"), record(9, "0")]
    decided = decide(FINDINGS, records, {(0, 7): Row(4, 1, "1", 0), (0, 9): Row(5, 1, "0", 0)})
    assert decided is not None
    assert decided.counts == (3, 2, 1, 0)
    assert [(kept is records[1], row and row.number) for kept, row in decided.winners] == [(True, 4), (False, None)]
    assert decided.overtaken == [(0, 7)]


def test_two_keys_of_one_hash_are_for_the_long_way() -> None:
    assert decide(FINDINGS, [record(7, "2"), record(7, "5", upper=2)], {}) is None
    assert decide(FINDINGS, [record(7, "2")], {(0, 7): Row(4, 2, "1", 0)}) is None
    assert decide(FINDINGS, [record(7, "2"), record(7, "5", upper=2, part=1)], {}) is not None


def test_a_row_is_found_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among the old ones, the newer ones, the last ones, moved by a checkpoint; not once it is deleted."""
    monkeypatch.setattr(places, "FEWEST", 0)
    monkeypatch.setattr(places, "LAST", 3)
    store = Store.open(tmp_path / "s.duckdb")
    db = store.cursor()
    db.execute("create table t as select hash(range) h, range n from range(300000)")
    there = Places(db, "t", "h")
    asked = [int(h) for (h,) in db.execute("select hash(unnest([5, 200000, 299999, 300001, 700000]))").fetchall()]

    def numbers() -> list[int]:
        there.refresh()
        return sorted(n for _, _, n in there.find("n", asked))

    assert [numbers() for _ in range(4)] == [[5, 200000, 299999]] * 4
    there.add(asked[3:4])
    db.execute("insert into t select hash(300001), 300001")
    assert numbers() == [5, 200000, 299999, 300001]
    there.grow()
    db.execute("insert into t select hash(700000), 700000")
    assert numbers() == [5, 200000, 299999, 300001, 700000]
    there.grow()
    db.execute("insert into t select hash(range), range from range(800000, 800005)")
    assert numbers() == [5, 200000, 299999, 300001, 700000]
    there.delete(asked[2:3])
    assert numbers() == [5, 200000, 300001, 700000]
    assert there.rows(asked) == ([5, 200000, 300000, 300001], False)
    assert there.rows(asked[3:]) == ([300000, 300001], True)
    last = [int(h) for (h,) in db.execute("select hash(unnest([800001, 800001, 800003]))").fetchall()]
    assert [n for _, _, n in there.find("n", last)] == [800001, 800003], "nothing that lies between"
    there.gone([300001])
    there.add(asked[3:4])
    assert there.rows(asked[4:]) == ([], True)
    assert there.rows(asked) is None
    db.execute("delete from t where n < 150000 and n <> 5")
    db.execute("checkpoint")
    assert db.execute("select rowid from t where n = 5").fetchall() == [(0,)]
    there.forget()
    assert [numbers() for _ in range(4)] == [[5, 200000, 300001, 700000]] * 4
    db.close()
    store.close()
