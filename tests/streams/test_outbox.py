"""What evaluations want sent lies in blocks, of which none grows without a bound."""

from datetime import datetime
from pathlib import Path

import pytest

from streams.store import Store, outbox
from streams.store.outbox import Outbox

NOW = datetime(2026, 11, 24)


def test_what_is_put_waits_in_its_order_and_leaves_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_BYTES", 100)
    store = Store.open(tmp_path / "s.duckdb")
    db = store.cursor()
    box = Outbox(db)
    records = [(n % 2, "alerts", b"k%d" % n, bytes([n]) * size) for n, size in enumerate([40, 40, 40, 300, 40, 0])]
    put = box.put(db, records, NOW)
    assert [(row.part, row.topic, row.key, row.value) for row in put] == records
    assert [row.n for row in put] == [1, 2, 3, 4, 5, 6]
    assert [row.block for row in put if row.part == 0] == [3, 3, 5]
    assert [row.block for row in put if row.part == 1] == [2, 4, 6], "one that is longer stands alone"
    assert outbox.waiting(db, 0) == [row for row in put if row.part == 0]
    assert outbox.oldest(db, 1) == {"alerts": NOW}
    outbox.strike(db, {3})
    outbox.strike(db, {2, 4})
    assert [row.n for part in (0, 1) for row in outbox.waiting(db, part)] == [5, 6]
    assert Outbox(db).put(db, [(0, "alerts", b"k", b"v")], NOW)[0].n == 7
    db.close()
    store.close()
