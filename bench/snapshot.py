"""What a snapshot of 1,000,000 resources and 10,000,000 findings costs: time, disk, and how long the writer waits."""

import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.fill import fill
from streams import snapshot
from streams.store.store import Store

RESOURCES, FINDINGS = 1_000_000, 10_000_000
QUICK_RESOURCES, QUICK_FINDINGS = 50_000, 200_000


def run(*, quick: bool = False) -> list[Figure]:
    """Fill a store, take a snapshot, and tell what it took. Without the originals, which no query reads."""
    resources, findings = (QUICK_RESOURCES, QUICK_FINDINGS) if quick else (RESOURCES, FINDINGS)
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as name:
        folder = Path(name)
        store = Store.open(folder / "store.duckdb", memory="4GB")
        began = time.monotonic()
        fill(store, resources=resources, findings=findings, keep_records=False)
        filled = time.monotonic() - began
        began = time.monotonic()
        taken = snapshot.create(store, folder / "snapshots", 2)
        took = time.monotonic() - began
        store.close()
        size = sum(taken.manifest.files.values()) / 1e6
        database = taken.database.stat().st_size / 1e6
    what = f"{resources:,} resources and {findings:,} findings"
    return [
        Figure("snapshot", f"a snapshot of {what}", took, "s"),
        Figure("size", "all its files", size, "MB"),
        Figure("database", "its database file", database, "MB"),
        Figure("fill", "filling the store by SQL, for scale", filled, "s"),
    ]
