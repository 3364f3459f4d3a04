"""Snapshots: whole, consistent with the writer, readable without Tidegate, and never half there."""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from streams import snapshot
from streams.errors import SnapshotError
from streams.store import Part, Store, StoreThread
from streams.store.schema import SCHEMA_VERSION
from tests.streams.store_records import PART, Log, finding, resource

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    log = Log(store)
    log.add("resources", resource("r", 1, ("i-1",), tags={"team": "ü"}))
    log.add("findings", finding("f", 1, ("i-1",), cves=["CVE-1"], score=7.5), finding("g", 1))
    yield log
    store.close()


def test_a_snapshot_holds_rows_offsets_and_ids_as_of_the_time(log: Log, tmp_path: Path) -> None:
    made = snapshot.create(log.store, tmp_path / "snapshots", 3, NOON)
    assert made.path.name == "2026-11-24T12-00-00.000Z"
    assert made.taken == NOON
    assert made.manifest.rows == {"resources": 1, "findings": 2, "finding_resource": 1, "alerts": 0}
    assert made.manifest.offsets == {"resources": {"3": 1}, "findings": {"3": 2}}
    assert json.loads((made.path / "manifest.json").read_text())["schema_version"] == SCHEMA_VERSION
    assert made.manifest.files == {f.name: f.stat().st_size for f in made.path.iterdir() if f.name != "manifest.json"}
    assert {f.stat().st_mode & 0o777 for f in made.path.iterdir()} == {0o444}
    assert snapshot.verify(made) == []
    assert snapshot.newest(tmp_path / "snapshots") == made


def test_pandas_and_plain_duckdb_read_one(log: Log, tmp_path: Path) -> None:
    made = snapshot.create(log.store, tmp_path / "snapshots", 3)
    findings = pd.read_parquet(made.path / "findings.parquet").sort_values("id")
    assert list(findings["id"]) == ["f", "g"]
    assert findings["references"].iloc[0][0]["id"] == "i-1"
    resources = pd.read_parquet(made.path / "resources.parquet")
    assert json.loads(resources["json"].iloc[0])["instanceId"] == "r"
    assert json.loads(resources["tags"].iloc[0]) == {"team": "ü"}
    with duckdb.connect(str(made.database), read_only=True) as db:
        joined = "select f.id, r.id from findings f join finding_resource using (fid) join resources r using (rid)"
        assert db.execute(joined).fetchall() == [("f", "r")]


def test_the_store_is_written_on_while_a_snapshot_is_taken_and_both_are_whole(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    log = Log(store)
    log.add("findings", *[finding(f"f{i}", 1) for i in range(500)])
    store.hold()  # as while the file is being copied
    log.add("findings", *[finding(f"f{i}", 2) for i in range(700)])
    store.checkpoint()  # must leave the file alone
    before = store.path.read_bytes()
    log.add("findings", *[finding(f"f{i}", 3) for i in range(900)])
    assert store.path.read_bytes() == before
    store.release()
    made = snapshot.create(store, tmp_path / "snapshots", 3)
    assert made.manifest.rows["findings"] == 900
    store.close()


def test_snapshots_taken_while_batches_are_applied_hold_what_their_offsets_say(tmp_path: Path) -> None:
    async def run() -> list[snapshot.Snapshot]:
        store = await StoreThread.open(tmp_path / "s.duckdb", memory="500MB")
        stop = asyncio.Event()

        async def write() -> int:
            offset = 0
            while not stop.is_set():
                records = [(offset + i, *finding(f"f{offset + i}", 1, ("i-1",))) for i in range(50)]
                await store.apply([Part("findings", "findings", PART, offset, offset + 50, records)])
                offset += 50
            return offset

        writer = asyncio.create_task(write())
        made = [await snapshot.create(store, tmp_path / "snapshots", 9) for _ in range(4)]
        stop.set()
        assert await writer >= made[-1].manifest.offsets["findings"]["3"]
        await store.close()
        return made

    made = asyncio.run(run())
    assert len({each.path for each in made}) == 4
    for each in made:
        assert snapshot.verify(each) == []
        assert each.manifest.rows["findings"] == each.manifest.offsets.get("findings", {}).get("3", 0)
        with duckdb.connect(str(each.database), read_only=True) as db:
            counts = db.execute(
                "select (select count(*) from finding_records), (select count(*) from finding_references)"
            )
            assert counts.fetchall() == [(each.manifest.rows["findings"],) * 2]


def test_an_interrupted_one_leaves_the_old_newest_and_is_removed_by_the_next(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    old = snapshot.create(log.store, folder, 3, NOON)
    left = folder / "2026-11-24T13-00-00.000Z.tmp"
    left.mkdir()
    (left / "tidegate.duckdb").write_bytes(b"half")
    assert snapshot.newest(folder) == old
    new = snapshot.create(log.store, folder, 3, NOON + timedelta(hours=2))
    assert not left.exists()
    assert snapshot.list(folder) == [old, new]


def test_one_that_fails_says_why_and_holds_nothing(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    old = snapshot.create(log.store, folder, 3, NOON)
    log.store._db.execute("alter table findings rename to hidden")
    with pytest.raises(SnapshotError, match="findings"):
        snapshot.create(log.store, folder, 3, NOON + timedelta(hours=1))
    log.store._db.execute("alter table hidden rename to findings")
    assert snapshot.list(folder) == [old]
    snapshot.create(log.store, folder, 3, NOON + timedelta(hours=2))


def test_a_broken_snapshot_is_left_out_with_a_warning(
    log: Log, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "snapshots"
    good, broken = (snapshot.create(log.store, folder, 3, NOON + timedelta(hours=h)) for h in range(2))
    (broken.path / "findings.parquet").unlink()
    with caplog.at_level(logging.WARNING):
        assert snapshot.newest(folder) == good
    assert "findings.parquet" in caplog.text
    assert "findings.parquet" in snapshot.verify(broken)[0]
    (folder / "stranger").mkdir()
    with pytest.raises(SnapshotError, match=r"stranger is no finished snapshot: manifest\.json"):
        snapshot.read(folder / "stranger")


def test_verify_names_the_table_that_does_not_hold_what_the_manifest_says(log: Log, tmp_path: Path) -> None:
    made = snapshot.create(log.store, tmp_path / "snapshots", 3)
    rows = made.manifest.rows | {"findings": 7}
    lying = snapshot.Snapshot(made.path, replace(made.manifest, rows=rows))
    assert [w.split(":")[-1] for w in snapshot.verify(lying)] == [" 2 rows, the manifest says 7"] * 2


def test_pruning_keeps_the_newest_and_never_none(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    made = [snapshot.create(log.store, folder, 9, NOON + timedelta(minutes=m)) for m in range(4)]
    with duckdb.connect(str(made[0].database), read_only=True) as reading:
        assert snapshot.prune(folder, 2) == [made[0].path.name, made[1].path.name]
        assert reading.execute("select count(*) from findings").fetchall() == [(2,)], "who reads one goes on"
    assert snapshot.list(folder) == made[2:]
    assert snapshot.prune(folder, 0) == [made[2].path.name]
    assert snapshot.newest(folder) == made[3]


def test_two_in_one_moment_get_two_names_and_wait_for_each_other(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    stores = [log.store, Store.open(tmp_path / "other.duckdb")]
    threads = [threading.Thread(target=snapshot.create, args=(store, folder, 9, NOON)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores[1].close()
    names = sorted(each.path.name for each in snapshot.list(folder))
    assert names == ["2026-11-24T12-00-00.000Z", "2026-11-24T12-00-00.001Z"]


def test_there_is_none_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert snapshot.list(tmp_path / "nowhere") == []
    assert snapshot.newest(tmp_path / "nowhere") is None
    assert snapshot.prune(tmp_path / "nowhere", 1) == []
    assert not os.path.exists(tmp_path / "nowhere")
