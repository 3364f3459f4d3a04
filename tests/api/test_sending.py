"""Files on a real broker: every message once, over all partitions, and what is too large told by its place."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from api.messages import messages
from api.sending import send_all
from streams.admin import ensure_topics, watermarks
from streams.errors import TopicError
from streams.settings import Settings
from streams.topics import MIB, full_name, raw_topic

pytestmark = pytest.mark.kafka

RAW = "raw.configs.aws"


async def test_a_large_array_goes_an_item_a_message_over_all_partitions(settings: Settings, tmp_path: Path) -> None:
    await ensure_topics(settings, [raw_topic(RAW)])
    file = tmp_path / "array.json.gz"
    file.write_bytes(gzip.compress(json.dumps([{"n": n, "fill": "x" * 500} for n in range(12_000)]).encode()))
    told: list[tuple[int, int]] = []

    sent = await send_all(settings, RAW, messages(str(file)), lambda *done: told.append(done))

    assert (sent.messages, sent.too_large) == (12_000, [])
    assert told[-1] == (sent.messages, sent.bytes)
    assert len(told) == 3
    assert await _counts(settings) == {0: 3000, 1: 3000, 2: 3000, 3: 3000}


async def test_a_message_that_is_too_large_is_told_and_the_others_are_sent(settings: Settings, tmp_path: Path) -> None:
    await ensure_topics(settings, [raw_topic(RAW)])
    file = tmp_path / "lines"
    fits = b'{"a": "%s"}' % (b"x" * (MIB * 15))
    file.write_bytes(b'{"a": 1}\n{"a": "%s"}\n%s\n' % (b"x" * (MIB * 17), fits))

    sent = await send_all(settings, RAW, messages(str(file)))

    assert (sent.messages, sent.too_large) == (2, [f"{file}:line 2"])
    assert (await _counts(settings)).total() == 2


async def test_a_topic_that_is_missing_is_told(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_bytes(b"{}")

    with pytest.raises(TopicError, match=f"topic {full_name(settings, RAW)}: missing; .*tidegate topics create"):
        await send_all(settings, RAW, messages(str(file)))


async def _counts(settings: Settings) -> Counter[int]:
    marks = await watermarks(settings, [full_name(settings, RAW)])
    return Counter({partition: mark.end - mark.begin for (_, partition), mark in marks.items()})
