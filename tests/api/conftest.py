"""A filled store, and the API on top of it: real ones, without a broker."""

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from api.app import create_app
from api.messages import messages
from api.state import Alone
from streams.codec import encode
from streams.identity import Place
from streams.records import Resource
from streams.settings import Settings
from streams.store import Part, Store

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "tests" / "data" / "demo"
SECRET = "s" * 43


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store file with the demo's records, to copy from."""
    path = tmp_path_factory.mktemp("filled") / "filled.duckdb"
    store = Store.open(path, memory="256MB", threads=1)
    fill(store)
    store.close()
    return path


@pytest.fixture
def stored(tmp_path: Path, filled: Path) -> Settings:
    """A data folder with the demo's records in its store, on which nothing runs."""
    settings = Settings(data=tmp_path / "data", api_port=0)
    settings.store_file.parent.mkdir(parents=True)
    shutil.copyfile(filled, settings.store_file)
    return settings


@pytest.fixture
def alone(stored: Settings) -> Iterator[Alone]:
    """The same with its store open; no broker."""
    store = Store.open(stored.store_file, memory="256MB", threads=1)
    yield Alone(stored, store)
    store.close()


@pytest.fixture
async def api(alone: Alone) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API that knows the token."""
    transport = httpx.ASGITransport(create_app(alone, SECRET, started="2026-11-24T12:00:00+00:00", timeout_s=5))
    headers = {"authorization": f"Bearer {SECRET}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://tidegate/api/tidegate/v1", headers=headers
    ) as client:
        yield client


def fill(store: Store) -> None:
    """Put the records of the demo's files into *store*, as partition 0."""
    parts = []
    for source in ("aws", "guardduty"):
        records: list[tuple[int, bytes | None, bytes | None]] = []
        kind = "resources"
        for message in messages(str(DEMO / f"{source}.jsonl")):
            for made in NORMALISERS[source].read(message.value, Place("demo", 0, len(records), 0)):
                if isinstance(made, Bad):
                    continue
                kind = "resources" if isinstance(made, Resource) else "findings"
                _, key, value = encode(made)
                records.append((len(records), key, value))
        store.start(
            kind,
            kind,  # type: ignore[arg-type] # one of two texts
            0,
            cluster_id="c",
            topic_id=kind,
            begin=0,
            end=len(records),
            now=datetime.now(UTC),
            delete_retention_ms=1000,
        )
        parts.append(Part(kind, kind, 0, 0, len(records), records))  # type: ignore[arg-type] # one of two texts
    store.apply(parts)
