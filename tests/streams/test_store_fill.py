"""What bench/fill.py puts into a store is what apply would have put there."""

from pathlib import Path
from typing import Any

import pytest

from bench.fill import fill
from streams.store import Part, Store
from streams.store.schema import TABLES_BY_PART, KindName

KINDS: tuple[KindName, ...] = ("resources", "findings")
TABLES = tuple({table for tables in TABLES_BY_PART.values() for table in tables})


def _rows(store: Store, table: str) -> list[tuple[Any, ...]]:
    cursor = store.cursor()
    rows = cursor.execute(f"select columns(*)::VARCHAR from {table} order by all").fetchall()
    cursor.close()
    return rows


@pytest.mark.parametrize("record_bytes", [100, 3000])
def test_a_filled_store_equals_one_that_was_given_the_same_records(tmp_path: Path, record_bytes: int) -> None:
    filled = Store.open(tmp_path / "filled.duckdb")
    fill(filled, resources=60, findings=100, part=2, accounts=3, record_bytes=record_bytes)
    assert filled.offsets() == {("resources", 2): 60, ("findings", 2): 100}
    applied = Store.open(tmp_path / "applied.duckdb")
    cursor = filled.cursor()
    for kind in KINDS:
        key = "rrn" if kind == "resources" else "account || '|' || id"
        id = "rid" if kind == "resources" else "fid"
        found = cursor.execute(
            f"select {key}, record from {kind} join {kind[:-1]}_records using ({id}, part)"
        ).fetchall()
        records = [(i, key.encode(), record.encode()) for i, (key, record) in enumerate(found)]
        did = applied.apply([Part(kind, kind, 2, 0, len(records), records)])
        assert (did.stored, did.refused) == (len(records), [])
    cursor.close()
    for table in TABLES:
        assert _rows(filled, table) == _rows(applied, table), table
    assert filled.rows()["finding_resource"] == 100
    filled.close()
    applied.close()
