"""A store made again from the topics is the store that was, whatever order the versions came in, compacted or not."""

import asyncio
import random
import shutil
import time
from collections.abc import Iterator
from typing import Any

import duckdb
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.normalise import NORMALISERS
from streams.admin import ensure_topics
from streams.embedded import Broker
from streams.kafka import client_config
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import STORED, TOPICS, full_name, raw_topic
from tests.agents.broken import good_item
from tests.faults.harness import Process, lag, send, stored

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

IDS, VERSIONS = 500, 6
EVERYTHING = {
    "findings": "select * exclude (part) from findings order by account, id",
    "resources": "select * exclude (part, seen) from resources order by rrn",
    "finding_resource": "select fid, rid from finding_resource order by all",
    "finding_records": "select fid, record from finding_records order by all",
    "resource_records": "select rid, record from resource_records order by all",
}


@pytest.fixture(scope="module")
def cleaning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker whose log cleaner looks for work all the time."""
    more = {"log.cleaner.backoff.ms": "200", "log.initial.task.delay.ms": "100"}
    with Broker(tmp_path_factory.mktemp("cleaning"), Settings().cache, more=more) as broker:
        yield broker


@pytest.fixture
def quick(settings: Settings, cleaning: Broker) -> Settings:
    """Settings of a Tidegate whose topics are compacted within seconds."""
    own = settings.model_copy(update={"kafka_bootstrap_servers": cleaning.bootstrap_servers})
    asyncio.run(compact_soon(own))
    return own


async def compact_soon(settings: Settings) -> None:
    await ensure_topics(settings, [*(raw_topic(n.topic) for n in NORMALISERS.values()), *TOPICS])
    admin = AIOKafkaAdminClient(**client_config(settings))
    await admin.start()
    soon = {"segment.ms": "500", "min.compaction.lag.ms": "0", "min.cleanable.dirty.ratio": "0.01"}
    for topic in STORED.values():
        config = topic.config() | soon
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, full_name(settings, topic), configs=config)]
        )
    await admin.close()


def updates(count: int, versions: int) -> list[bytes]:
    """GuardDuty findings, each in *versions* updates, every update twice, all of it shuffled."""
    messages = []
    for number in range(count):
        for update in range(versions):
            item = good_item("guardduty", number)
            item |= {"updatedAt": f"2026-03-0{1 + update}T00:00:00.000Z", "title": f"update {update}"}
            messages += [orjson.dumps(item)] * 2
    random.Random(5).shuffle(messages)
    return messages


def resources(count: int, *, deleted: bool, day: int) -> list[bytes]:
    instances = []
    for number in range(count):
        id = f"i-{number:017x}"
        instances.append(
            orjson.dumps(
                {
                    "account": "111122223333",
                    "region": "eu-central-1",
                    "api_name": "aws-ec2-describe-instances",
                    "resource_id": id,
                    "time": f"2026-03-0{day}T00:00:00Z",
                    "deleted": deleted,
                    "config": {"InstanceId": id, "InstanceType": f"m{day}.large"},
                }
            )
        )
    return instances


def settle(settings: Settings, seconds: float = 3) -> None:
    """Run a worker until all is stored, and as long again as it needs to send winners."""
    with Process(settings) as worker:
        worker.wait_for(lambda: lag(settings) == 0)
        time.sleep(seconds)
        worker.wait_for(lambda: lag(settings) == 0)
        assert worker.stop() == 0


def everything(settings: Settings) -> dict[str, list[Any]]:
    return {table: stored(settings, sql) for table, sql in EVERYTHING.items()}


def log_of(settings: Settings, kind: Any) -> list[tuple[int, int, bytes]]:
    """Partition, offset and key of every record that the log still holds."""

    async def read() -> list[tuple[int, int, bytes]]:
        consumer = AIOKafkaConsumer(**client_config(settings))
        await consumer.start()
        parts = [TopicPartition(full_name(settings, STORED[kind]), p) for p in range(settings.partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for part, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [(part.partition, record.offset, record.key) for record in records]
        await consumer.stop()
        return found

    return asyncio.run(read())


def test_shuffled_and_repeated_versions_end_as_the_newest_and_so_does_a_rebuilt_store(quick: Settings) -> None:
    send(quick, "guardduty", updates(IDS, VERSIONS))
    send(quick, "aws", resources(IDS, deleted=False, day=2))
    send(quick, "aws", resources(IDS, deleted=False, day=1))  # older, but later
    settle(quick)
    newest = f"update {VERSIONS - 1}"
    assert stored(quick, "select title, count(*) from findings group by 1") == [(newest, IDS)]
    assert stored(quick, "select json->>'instanceType', count(*) from resources group by 1") == [("m2.large", IDS)]
    assert stored(quick, "select count(*) from finding_resource") == [(IDS,)]
    live = everything(quick)

    send(quick, "guardduty", [orjson.dumps(good_item("guardduty", 10**6 + n)) for n in range(64)])  # rolls segments
    time.sleep(2)
    send(quick, "guardduty", [orjson.dumps(good_item("guardduty", 10**6 + n)) for n in range(64)])
    settle(quick)
    until = time.monotonic() + 60
    while len(log := log_of(quick, "findings")) > 2.2 * IDS:
        assert time.monotonic() < until, f"no compaction was seen: {len(log)} records for {IDS} ids"
        time.sleep(0.5)
    live = everything(quick)

    shutil.rmtree(quick.store_file.parent)
    settle(quick)
    assert everything(quick) == live


def test_deletions_are_versions_and_outlive_a_rebuild(quick: Settings) -> None:
    send(quick, "aws", resources(IDS, deleted=True, day=3))
    send(quick, "aws", resources(IDS, deleted=False, day=2))  # older than the deletion, but later
    settle(quick)
    assert stored(quick, "select deleted, count(*) from resources group by 1") == [(True, IDS)]
    live = everything(quick)
    shutil.rmtree(quick.store_file.parent)
    settle(quick)
    assert everything(quick) == live


def test_a_store_that_was_away_for_longer_than_tombstones_last_is_made_again(settings: Settings) -> None:
    send(settings, "aws", resources(IDS, deleted=False, day=1))
    settle(settings, 1)
    live = everything(settings)
    with duckdb.connect(str(settings.store_file)) as db:
        db.execute("update partitions set synced_at = synced_at - interval 8 days")
        db.execute("update resources set name = 'what only an old store knows'")
        again = db.execute("select rrn, r.part, record from resource_records r join resources using (rid) limit 1")
        [(rrn, part, record)] = again.fetchall()

    async def meanwhile() -> None:
        async with BatchProducer(settings) as producer:
            await producer.send(full_name(settings, STORED["resources"]), [(part, rrn.encode(), record.encode())])

    asyncio.run(meanwhile())
    settle(settings, 1)
    assert everything(settings) == live


def test_a_topic_made_again_under_its_name_empties_the_store(settings: Settings) -> None:
    send(settings, "aws", resources(IDS, deleted=False, day=1))
    settle(settings, 1)

    async def forget() -> None:
        admin = AIOKafkaAdminClient(**client_config(settings))
        await admin.start()
        await admin.delete_topics([full_name(settings, STORED["resources"])])
        await admin.close()

    asyncio.run(forget())
    time.sleep(1)
    send(settings, "aws", resources(3, deleted=False, day=1))
    settle(settings, 1)
    assert stored(settings, "select count(*) from resources") == [(3,)]
