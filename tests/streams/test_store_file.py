"""The store's file: what a kill, a crash, another process or another version does to it."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streams.errors import StoreError
from streams.store import Store
from streams.store.schema import SCHEMA_VERSION
from tests.streams.store_records import PART, Log, finding, resource

ROOT = Path(__file__).parent.parent.parent

WRITER = """
import sys
from pathlib import Path
from streams.store import Part, Store
from tests.streams.store_records import finding, resource

store = Store.open(sys.argv[1], memory="300MB", threads=1)
at = {kind: store.next_offset(kind, 1) or 0 for kind in ("resources", "findings")}
while True:
    n = at["findings"]
    # Each batch says in every row which one it was: 7 findings, 3 resources; every second one replaces rows.
    findings = [(n + i, *finding(f"f{(n + i) % 50}", n + i, (f"i-{i}",), title=str(n // 7))) for i in range(7)]
    m = at["resources"]
    resources = [(m + i, *resource(f"r{(m + i) % 20}", m + i, (f"i-{i}",), name=str(m // 3))) for i in range(3)]
    store.apply([
        Part("findings", "findings", 1, n, n + 7, findings), Part("resources", "resources", 1, m, m + 3, resources),
    ])
    at = {"findings": n + 7, "resources": m + 3}
    print(at["findings"], flush=True)
    if n % 35 == 0:
        store.checkpoint()
"""


def test_rows_and_offsets_are_a_prefix_of_the_batches_after_any_kill(tmp_path: Path) -> None:
    path, chance = tmp_path / "s.duckdb", random.Random(7)
    done = 0
    kills = 0
    while kills < 6 or done <= 8 * 7:  # a slow machine needs more kills to get as far
        kills += 1
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": "."},
        )
        assert writer.stdout is not None
        told = int(writer.stdout.readline())
        time.sleep(chance.uniform(0.05, 0.6))
        writer.send_signal(signal.SIGKILL)
        told = max([told, *map(int, writer.stdout.read().split(b"\n")[:-1])])
        writer.wait()
        writer.stdout.close()
        store = Store.open(path)
        f, r = store.next_offset("findings", 1) or 0, store.next_offset("resources", 1) or 0
        db = store.cursor()
        assert (f % 7, r % 3, f // 7) == (0, 0, r // 3)
        assert told <= f <= told + 7, "what was said to be stored stays; at most one batch more"
        done = max(done, f)
        wanted = {f"f{n % 50}": n for n in range(f)}  # the last of each key
        rows = db.execute("select id, version[:15]::BIGINT, title from findings").fetchall()
        assert {id: n for id, n, _ in rows} == wanted
        assert all(title == str(n // 7) for _, n, title in rows)
        named = {f"r{n % 20}": n for n in range(r)}
        assert dict(db.execute("select rrn, version[:15]::BIGINT from resources").fetchall()) == named
        assert db.execute("select count(*) from finding_records").fetchall() == [(len(wanted),)]
        links = sum(1 for n in wanted.values() for m in named.values() if n % 7 == m % 3 and n % 7 < 3)
        assert db.execute("select count(*) from finding_resource").fetchall() == [(links,)]
        db.close()
        store.close()
    assert done > 8 * 7


def _crash(path: Path) -> None:
    """Leave a store with one checkpointed finding and one in its write-ahead log, as a kill does."""
    code = f"""
import os
from pathlib import Path
from streams.store import Store
from tests.streams.store_records import Log, finding
log = Log(Store.open({str(path)!r}))
log.add("findings", finding("a", 1))
log.store.checkpoint()
log.add("findings", finding("b", 1))
os.kill(os.getpid(), 9)
"""
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}).returncode == -9
    )


def test_batches_since_the_last_checkpoint_outlive_a_kill(tmp_path: Path) -> None:
    _crash(tmp_path / "s.duckdb")
    store = Store.open(tmp_path / "s.duckdb")
    assert store.rows()["findings"] == 2
    assert store.next_offset("findings", PART) == 2
    store.close()


def test_a_write_ahead_log_that_a_crash_of_the_machine_has_torn_costs_only_what_it_held(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.duckdb"
    _crash(path)
    wal = path.with_name("s.duckdb.wal")
    content = wal.read_bytes()
    wal.write_bytes(content[:200] + bytes(len(content) - 200))
    store = Store.open(path)
    assert (store.rows()["findings"], store.next_offset("findings", PART)) == (1, 1)
    assert "goes on from its last checkpoint" in caplog.text
    store.close()


def test_a_checkpoint_empties_the_write_ahead_log(tmp_path: Path) -> None:
    log = Log(Store.open(tmp_path / "s.duckdb"))
    log.add("findings", finding("a", 1))
    assert log.store.wal_bytes() > 0
    log.store.checkpoint()
    assert log.store.wal_bytes() == 0
    log.store.close()
    log.store.close()


def test_a_store_of_another_schema_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    Store.open(path).close()
    with duckdb.connect(str(path)) as db:
        db.execute("update store set schema_version = 99")
    words = rf"schema version 99, this Tidegate has {SCHEMA_VERSION}\. All .* lies in Kafka: stop Tidegate, delete"
    with pytest.raises(StoreError, match=words):
        Store.open(path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "other.duckdb")) as db:
        db.execute("create table mine(a INTEGER)")
    with pytest.raises(StoreError, match="no store of Tidegate"):
        Store.open(tmp_path / "other.duckdb")
    (tmp_path / "text.duckdb").write_text("no database " * 1000)
    with pytest.raises(StoreError, match="can't open the store"):
        Store.open(tmp_path / "text.duckdb")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't open the store"):
        Store.open(tmp_path / "file" / "s.duckdb")


def test_a_store_that_another_process_has_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s.duckdb")
    code = f"from streams.store import Store; Store.open({str(tmp_path / 's.duckdb')!r})"
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "another process has the store" in other.stderr
    store.close()


NOW = datetime(2026, 11, 24, tzinfo=UTC)
WEEK_MS = 7 * 86_400_000


def _start(store: Store, **changed: Any) -> int:
    given: dict[str, Any] = {
        "cluster_id": "c", "topic_id": "t", "begin": 0, "end": 10, "now": NOW, "delete_retention_ms": WEEK_MS,
    }  # fmt: skip
    return store.start("x.resources", "resources", PART, **given | changed)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A store of a partition at offset 4, as of NOW; the other kind and another partition beside it."""
    store = Store.open(tmp_path / "s.duckdb")
    assert _start(store) == 0
    log = Log(store)
    log.add("findings", finding("f", 1, ("i-1",)))
    from streams.store import Part

    records = [(3, *resource("r", 2, ("i-1",))), (3, *resource("r", 1))]
    store.apply([Part("resources", "x.resources", PART, 0, 4, records)], NOW)
    store.apply([Part("resources", "x.resources", PART + 1, 0, 1, [(0, *resource("s", 1))])], NOW)
    return log


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"end": 4},
        {"begin": 4},
        {"now": NOW + timedelta(days=7)},
        {"now": NOW + timedelta(days=70), "end": 4},
    ],
    ids=str,
)
def test_a_store_goes_on_from_its_own_offset(log: Log, changed: dict[str, Any]) -> None:
    assert _start(log.store, **changed) == 4
    assert log.store.rows() == {"resources": 2, "findings": 1, "finding_resource": 1, "alerts": 0}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"cluster_id": "d"}, "it was filled from cluster c, this is d"),
        ({"topic_id": "u"}, "the topic was created again"),
        ({"end": 3}, "the store is at offset 4, the log ends at 3"),
        ({"begin": 5}, "the store is at offset 4, the log begins at 5"),
        ({"now": NOW + timedelta(days=7.1)}, "it was away for 7.1 days, tombstones are kept for 7.0 days"),
    ],
    ids=str,
)
def test_a_store_that_cannot_go_on_drops_the_partition_and_says_why(
    log: Log, changed: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    begin = changed.get("begin", 0)
    assert _start(log.store, **changed) == begin
    assert why in caplog.text
    assert log.store.rows() == {"resources": 1, "findings": 1, "finding_resource": 0, "alerts": 0}
    assert log.ask("select (select count(*) from resource_records), (select count(*) from resource_keys)") == [(1, 0)]
    assert log.ask("from resend") == []
    assert log.store.next_offset("x.resources", PART) == begin
    assert _start(log.store, **changed) == begin, "and goes on from there"


def test_a_partition_at_its_end_is_in_step_when_touched(log: Log) -> None:
    later = NOW + timedelta(days=6)
    log.store.touch("x.resources", PART, later)
    assert _start(log.store, now=later + timedelta(days=6)) == 4
