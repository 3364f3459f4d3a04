"""An account lies where Java's own clients would put it."""

from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2

from streams.partition import partition_of

VECTORS = [
    (text, int(digest), int(partition))
    for line in (Path(__file__).parents[1] / "data/streams/murmur2.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for text, digest, partition in [line.split("\t")]
]


@pytest.mark.parametrize(("text", "digest", "partition"), VECTORS)
def test_an_account_lies_where_java_puts_it(text: str, digest: int, partition: int) -> None:
    assert murmur2(text.encode()) & 0xFFFFFFFF == digest & 0xFFFFFFFF
    assert partition_of(text, 16) == partition


def test_the_vectors_cover_what_can_differ() -> None:
    lengths = {len(text.encode()) % 4 for text, _, _ in VECTORS}
    assert lengths == {0, 1, 2, 3}
    assert any(not text for text, _, _ in VECTORS)
    assert any(not text.isascii() for text, _, _ in VECTORS)
    assert {digest < 0 for _, digest, _ in VECTORS} == {True, False}


def test_every_partition_gets_accounts() -> None:
    counts = [0] * 16
    for number in range(16_000):
        counts[partition_of(f"{number:012d}", 16)] += 1
    assert min(counts) > 700
