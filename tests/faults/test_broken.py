"""2,000 broken messages among 20,000 good ones: each is a dead letter with its bytes, the others are rows."""

import asyncio
import base64
import random
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, full_name
from tests.agents.broken import broken_items, good_item
from tests.faults.harness import Process, lag, send, stored

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

GOOD, BAD = 20_000, 2_000


def dead_letters(settings: Settings) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        consumer = AIOKafkaConsumer(**client_config(settings), max_partition_fetch_bytes=64 * 1024 * 1024)
        await consumer.start()
        name = full_name(settings, DEAD_LETTERS)
        parts = [TopicPartition(name, p) for p in range(DEAD_LETTERS.partitions(settings))]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [orjson.loads(record.value) for record in records]
        await consumer.stop()
        return found

    return asyncio.run(read())


def test_every_broken_message_is_a_dead_letter_and_every_good_one_a_row(settings: Settings) -> None:
    broken = list(broken_items("guardduty", BAD))
    messages = [orjson.dumps(good_item("guardduty", number)) for number in range(GOOD)]
    messages += [one.item for one in broken]
    random.Random(3).shuffle(messages)
    send(settings, "guardduty", messages)
    with Process(settings) as worker:
        worker.wait_for(lambda: lag(settings) == 0, 200)
        assert worker.stop() == 0
    assert stored(settings, "select count(*), count(distinct id) from findings") == [(GOOD, GOOD)]
    letters = dead_letters(settings)
    assert len(letters) == BAD
    assert all(letter["reason"] and letter["topic"] and letter["offset"] >= 0 for letter in letters)
    kept = sorted(base64.b64decode(letter["item"]) for letter in letters)
    assert kept == sorted(one.item for one in broken)
