"""Batches by partition on a real broker: everything arrives where and as it was told, or an error says so."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.admin import ensure_topics
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.produce import BATCH_BYTES, BatchProducer, Record
from streams.settings import Settings
from streams.topics import MIB, RESOURCES, full_name

pytestmark = pytest.mark.kafka


@pytest.fixture
async def topic(settings: Settings) -> str:
    await ensure_topics(settings, [RESOURCES])
    return full_name(settings, RESOURCES)


async def test_every_record_lies_in_its_partition_in_its_order(settings: Settings, topic: str) -> None:
    records: list[Record] = [(n % 4, b"key%d" % n, b"%d" % n * 100) for n in range(20_000)]

    async with BatchProducer(settings) as producer:
        assert await producer.send(topic, records, timestamp_ms=1234) == 20_000

    found = await _all(settings, topic)
    for partition in range(4):
        mine = [record for record in found if record.partition == partition]
        assert [(record.key, record.value) for record in mine] == [
            (key, value) for where, key, value in records if where == partition
        ]
        assert {record.timestamp for record in mine} == {1234}


async def test_a_record_larger_than_a_batch_goes_alone(settings: Settings, topic: str) -> None:
    large = b"x" * (8 * MIB)
    assert len(large) > BATCH_BYTES

    async with BatchProducer(settings) as producer:
        await producer.send(topic, [(0, b"a", b"1"), (0, b"b", large), (0, b"c", b"3")])

    assert [(record.key, len(record.value)) for record in await _all(settings, topic)] == [
        (b"a", 1),
        (b"b", len(large)),
        (b"c", 1),
    ]


async def test_tombstones_and_records_without_key_are_sent_as_they_are(settings: Settings, topic: str) -> None:
    async with BatchProducer(settings) as producer:
        await producer.send(topic, [(1, b"gone", None)])
        assert await producer.send(topic, []) == 0

    assert [(record.key, record.value) for record in await _all(settings, topic)] == [(b"gone", None)]


async def test_many_senders_at_once_lose_nothing(settings: Settings, topic: str) -> None:
    async with BatchProducer(settings) as producer:
        await asyncio.gather(
            *(producer.send(topic, [(n % 4, b"%d" % sender, b"x" * 900) for n in range(500)]) for sender in range(40))
        )

    found = await _all(settings, topic)
    assert len(found) == 20_000
    assert {key: sum(record.key == key for record in found) for key in (b"0", b"39")} == {b"0": 500, b"39": 500}


async def test_what_the_broker_refuses_is_raised_with_its_topic(settings: Settings, topic: str) -> None:
    async with BatchProducer(settings) as producer:
        with pytest.raises(BrokerError, match=topic):
            await producer.send(topic, [(0, b"a", b"x" * (17 * MIB)), (1, b"b", b"fits")])


async def test_a_broker_that_is_not_there_is_told() -> None:
    with pytest.raises(BrokerError, match=r"no broker answers at 127\.0\.0\.1:9"):
        await BatchProducer(Settings(kafka_bootstrap_servers="127.0.0.1:9")).start()


async def _all(settings: Settings, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(**client_config(settings), max_partition_fetch_bytes=32 * MIB)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                for records in (await consumer.getmany(partition, timeout_ms=100)).values():
                    found += records
        return found
    finally:
        await consumer.stop()
