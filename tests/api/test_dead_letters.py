"""Dead letters on a real broker: read back newest first, shown with their bytes, sent again once."""

import asyncio
import base64
import time
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents import dead_letters
from streams.admin import ensure_topics
from streams.kafka import client_config
from streams.produce import BatchProducer
from streams.records import DeadLetter
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, RESOURCES, full_name, raw_topic

pytestmark = pytest.mark.kafka

RAW = "raw.findings.guardduty"


@pytest.fixture
async def prepared(settings: Settings) -> Settings:
    await ensure_topics(settings, [DEAD_LETTERS, RESOURCES, raw_topic(RAW)])
    return settings


async def test_the_newest_come_first_whatever_partition_they_lie_in(prepared: Settings) -> None:
    await _lay(prepared, [_letter(prepared, failed_at=1000 + n, partition=n % 4) for n in range(40)])

    found = await dead_letters.newest(prepared, limit=7)

    assert [each.letter.failed_at for each in found] == [1039 - n for n in range(7)]
    assert {each.item for each in found} == {b""}
    assert {each.size for each in found} == {len(ITEM)}


async def test_one_source_is_found_behind_many_others(prepared: Settings) -> None:
    mine = [_letter(prepared, source="aws", partition=0, failed_at=n) for n in range(3)]
    others = [_letter(prepared, source="guardduty", partition=0, failed_at=100 + n) for n in range(2000)]
    await _lay(prepared, [*mine, *others])

    found = await dead_letters.newest(prepared, limit=2, source="aws")

    assert [each.letter.failed_at for each in found] == [2, 1]


async def test_what_is_no_dead_letter_is_passed_over(prepared: Settings) -> None:
    topic = full_name(prepared, DEAD_LETTERS)
    async with BatchProducer(prepared) as producer:
        await producer.send(topic, [(0, None, b"not JSON"), (0, None, b'{"source": 1}'), (0, b"key", None)])
    await _lay(prepared, [_letter(prepared)])

    assert len(await dead_letters.newest(prepared)) == 1


async def test_a_letter_is_shown_with_its_bytes(prepared: Settings) -> None:
    await _lay(prepared, [_letter(prepared, item=b"\xff\x00", partition=3)])

    shown = (await dead_letters.read(prepared, "3-0")).whole()

    assert base64.b64decode(shown["item"]) == b"\xff\x00"
    assert shown["text"] is None
    assert shown["reason"] == "missing"


@pytest.mark.parametrize("id", ["3-0", "0-17", "9-0", "x", "1-", "-1-0", "1-2-3"])
async def test_an_id_that_is_none_is_told(prepared: Settings, id: str) -> None:
    with pytest.raises(dead_letters.NoSuchLetter, match="no dead letter"):
        await dead_letters.read(prepared, id)


async def test_a_replay_sends_the_item_alone_and_leaves_a_note(prepared: Settings) -> None:
    await _lay(prepared, [_letter(prepared, partition=2)])

    sent = await dead_letters.replay(prepared, "2-0")

    assert await _values(prepared, RAW) == [(1, None, ITEM)]
    assert sent["topic"] == full_name(prepared, RAW)
    assert (await dead_letters.read(prepared, "2-0")).replayed_at == sent["replayed_at"]
    (listed,) = await dead_letters.newest(prepared)
    assert listed.replayed_at == sent["replayed_at"]


async def test_a_second_replay_is_refused_and_says_when_the_first_was(prepared: Settings) -> None:
    await _lay(prepared, [_letter(prepared)])
    await dead_letters.replay(prepared, "0-0")

    with pytest.raises(dead_letters.Replayed, match=rf"sent again at {time.gmtime().tm_year}.*--again"):
        await dead_letters.replay(prepared, "0-0")
    assert len(await _values(prepared, RAW)) == 1

    await dead_letters.replay(prepared, "0-0", again=True)
    assert len(await _values(prepared, RAW)) == 2


async def test_of_many_replays_at_once_one_sends(prepared: Settings) -> None:
    await _lay(prepared, [_letter(prepared)])

    outcomes = await asyncio.gather(*(dead_letters.replay(prepared, "0-0") for _ in range(5)), return_exceptions=True)

    assert len(await _values(prepared, RAW)) == 1
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1


async def test_a_record_that_a_table_refused_goes_back_with_its_key(prepared: Settings) -> None:
    item = b'{"rrn": "rrn:aws:x", "account": "111111111111"}'
    letter = _letter(prepared, source="store", item=item, topic=full_name(prepared, RESOURCES), raw_partition=3)
    await _lay(prepared, [letter])

    await dead_letters.replay(prepared, "0-0")

    assert await _values(prepared, RESOURCES.name) == [(3, b"rrn:aws:x", item)]


async def test_a_record_without_its_key_stays_where_it_is(prepared: Settings) -> None:
    await _lay(prepared, [_letter(prepared, source="store", topic=full_name(prepared, RESOURCES))])

    with pytest.raises(dead_letters.Replayed, match="its key can't be told"):
        await dead_letters.replay(prepared, "0-0")
    assert await _values(prepared, RESOURCES.name) == []
    assert (await dead_letters.read(prepared, "0-0")).replayed_at is None


ITEM = b'{"id": 1}'


def _letter(
    settings: Settings,
    *,
    source: str = "guardduty",
    item: bytes = ITEM,
    partition: int = 0,
    failed_at: int = 5,
    topic: str = "",
    raw_partition: int = 1,
) -> tuple[int, bytes, bytes]:
    letter = DeadLetter(
        source=source,
        path="detail.id",
        reason="missing",
        place="Findings[3]",
        topic=topic or full_name(settings, RAW),
        partition=raw_partition,
        offset=17,
        timestamp=4,
        failed_at=failed_at,
        item=base64.b64encode(item).decode(),
    )
    return partition, b"key", orjson.dumps(letter)


async def _lay(settings: Settings, records: list[tuple[int, bytes, bytes]]) -> None:
    async with BatchProducer(settings) as producer:
        await producer.send(full_name(settings, DEAD_LETTERS), records)


async def _values(settings: Settings, topic: str) -> list[tuple[int, bytes | None, bytes]]:
    """Everything committed on *topic*: partition, key, value."""
    name = full_name(settings, topic)
    async with AIOKafkaConsumer(**client_config(settings), isolation_level="read_committed") as consumer:
        partitions = [TopicPartition(name, number) for number in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                for records in (await consumer.getmany(partition, timeout_ms=100)).values():
                    found += [(record.partition, record.key, record.value) for record in records]
        return found
