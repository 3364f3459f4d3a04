"""Where a source's records go: each kind to its own topic, by account or by key."""

import asyncio
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.ingest import Ingest
from agents.normalise import NORMALISERS
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.transport import Batch

DATA = Path(__file__).parents[1] / "data" / "normalise"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, partitions=8, topic_prefix="here.")


def test_findings_assets_and_knowledge_go_to_topics_of_their_own(settings: Settings) -> None:
    counts: Counter[str] = Counter()
    ingest = Ingest(settings, NORMALISERS["qualys"], BatchProducer(settings), counts)
    values = [(DATA / "qualys" / name).read_bytes() for name in ("detections.in.xml", "knowledge.in.xml")]
    records = [SimpleNamespace(offset=at, timestamp=1_772_442_000_000, value=value) for at, value in enumerate(values)]
    batch = Batch("here.raw.findings.qualys", 0, 0, len(records), records)
    outgoing = asyncio.run(ingest.normalise(batch))
    assert {topic: len(records) for topic, records in outgoing.items()} == {
        "here.findings": 4,
        "here.vendor.assets": 3,
        "here.vendor.knowledge": 1,
        "here.dead-letters": 2,
    }
    assert counts == {"Finding": 4, "VendorAsset": 3, "Knowledge": 1, "Bad": 2}
    assert {key for _, key, _ in outgoing["here.vendor.assets"]} == {
        b"Qualys|host:4201",
        b"Qualys|host:4202",
        b"Qualys|host:4203",
    }
    [(partition, key, _)] = outgoing["here.vendor.knowledge"]
    assert (partition, key) == (partition_of("Qualys|qid:38170", 4), b"Qualys|qid:38170")
    assert {partition for partition, key, _ in outgoing["here.findings"] if key and key.startswith(b"unlinked|")} == {
        partition_of("unlinked", 8)
    }
