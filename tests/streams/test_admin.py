"""Topics are made as they must be, and one that isn't is named with its repair; the cluster says who it is."""

import asyncio
import re
import shlex
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from pydantic import SecretStr

from streams.admin import Watermarks, cluster_identity, committed, ensure_topics, watermarks
from streams.embedded import Broker
from streams.embedded_config import free_ports
from streams.errors import BrokerError, TopicError
from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import FINDINGS, RESOURCES, TOPICS, Topic, full_name, raw_topic

pytestmark = pytest.mark.kafka

RAW = raw_topic("raw.findings.guardduty")
ALL = (*TOPICS, RAW)
TOPIC_COMMAND = "org.apache.kafka.tools.TopicCommand"
CONFIG_COMMAND = "kafka.admin.ConfigCommand"


def _ensure(settings: Settings, *topics: Topic) -> list[str]:
    return asyncio.run(ensure_topics(settings, topics))


def _topic_command(broker: Broker, *arguments: str) -> str:
    return broker.tool(TOPIC_COMMAND, "--bootstrap-server", broker.bootstrap_servers, *arguments)


def _made(broker: Broker, settings: Settings, topic: Topic, partitions: int, **config: str) -> str:
    """Create a topic as an operator would, by Kafka's own tool; return its full name."""
    name = full_name(settings, topic)
    flags = [flag for key, value in config.items() for flag in ("--config", f"{key.replace('_', '.')}={value}")]
    _topic_command(broker, "--create", "--topic", name, "--partitions", str(partitions), *flags)
    return name


def _repaired(broker: Broker, said: str) -> None:
    """Run the commands that an error names, to the letter."""
    for line in re.findall(r"kafka-configs\.sh (.*)", said):
        broker.tool(CONFIG_COMMAND, *shlex.split(line))


def test_missing_topics_are_made_as_described_and_left_alone_afterwards(broker: Broker, settings: Settings) -> None:
    names = {full_name(settings, topic): topic for topic in ALL}
    assert _ensure(settings, *ALL) == list(names)
    assert _ensure(settings, *ALL) == []
    for name, topic in names.items():
        said = _topic_command(broker, "--describe", "--topic", name)
        assert f"PartitionCount: {topic.partitions(settings)}\t" in said
        for key, value in topic.config().items():
            assert f"{key}={value}" in said


def test_two_workers_that_start_at_once_both_find_the_topics(settings: Settings) -> None:
    async def both() -> list[list[str]]:
        return await asyncio.gather(*(ensure_topics(settings, ALL) for _ in range(4)))

    asyncio.run(both())
    assert _ensure(settings, *ALL) == []


def test_a_topic_of_another_shape_is_named_with_the_command_that_repairs_it(broker: Broker, settings: Settings) -> None:
    name = _made(broker, settings, FINDINGS, 4, cleanup_policy="delete", max_message_bytes="1000000")
    with pytest.raises(TopicError) as caught:
        _ensure(settings, *ALL)
    said = str(caught.value)
    assert f"topic {name}: cleanup.policy: wanted compact, got delete" in said
    assert f"topic {name}: max.message.bytes: wanted 16777216, got 1000000" in said
    assert f"topic {name}: delete.retention.ms: wanted 604800000, got 86400000" in said
    assert f"--bootstrap-server {broker.bootstrap_servers} --alter --entity-type topics --entity-name {name}" in said
    assert full_name(settings, RESOURCES) not in said
    _repaired(broker, said)
    assert _ensure(settings, *ALL) == []


def test_a_partition_count_is_not_changed_in_place(broker: Broker, settings: Settings) -> None:
    name = _made(broker, settings, RESOURCES, 3, **{k.replace(".", "_"): v for k, v in RESOURCES.config().items()})
    with pytest.raises(TopicError) as caught:
        _ensure(settings, RESOURCES)
    said = str(caught.value)
    assert said.startswith(f"topic {name}: partitions: wanted 4, got 3. That can't be changed in place:")
    assert "TIDEGATE_PARTITIONS=3" in said
    assert f"--delete --topic {name}" in said
    assert _ensure(settings.model_copy(update={"partitions": 3}), RESOURCES) == []


def test_an_operator_may_go_further_than_we_ask_for(broker: Broker, settings: Settings) -> None:
    config = {"retention_ms": "-1", "max_message_bytes": "20000000", "cleanup_policy": "delete"}
    _made(broker, settings, RAW, 9, **config)
    wanted = RESOURCES.config() | {"segment.ms": "1000", "min.compaction.lag.ms": "0", "delete.retention.ms": "9" * 12}
    _made(broker, settings, RESOURCES, 4, **{k.replace(".", "_"): v for k, v in wanted.items()})
    assert _ensure(settings, RAW, RESOURCES) == []


def test_less_than_we_ask_for_is_refused(broker: Broker, settings: Settings) -> None:
    _made(broker, settings, RAW, 4, retention_ms="1000", max_message_bytes="16777216")
    with pytest.raises(TopicError, match=r"retention\.ms: wanted 604800000, got 1000"):
        _ensure(settings, RAW)


def test_a_topic_that_cannot_be_made_says_why(settings: Settings) -> None:
    with pytest.raises(TopicError, match=r"can't be created with 4 partitions, 3 replicas \(TIDEGATE_REPLICATION\): "):
        _ensure(settings.model_copy(update={"replication": 3}), RESOURCES)


def test_a_topic_made_again_under_its_name_has_another_id(broker: Broker, settings: Settings) -> None:
    name = full_name(settings, RAW)
    _ensure(settings, RAW, RESOURCES)
    cluster, before = asyncio.run(cluster_identity(settings))
    assert set(before) == {name, full_name(settings, RESOURCES)}
    assert f"TopicId: {before[name]}\t" in _topic_command(broker, "--describe", "--topic", name)
    _topic_command(broker, "--delete", "--topic", name)
    until = time.monotonic() + 20
    while name in asyncio.run(cluster_identity(settings))[1] and time.monotonic() < until:
        time.sleep(0.1)
    _ensure(settings, RAW)
    cluster_again, after = asyncio.run(cluster_identity(settings))
    assert cluster_again == cluster
    assert after[name] != before[name]
    assert after[full_name(settings, RESOURCES)] == before[full_name(settings, RESOURCES)]


def test_offsets_tell_what_lies_in_a_topic_and_how_far_a_group_is(settings: Settings) -> None:
    _ensure(settings, RAW)
    name, group = full_name(settings, RAW), f"{settings.topic_prefix}group"

    async def use() -> None:
        async with AIOKafkaProducer(**client_config(settings)) as producer:
            for number in range(5):
                await producer.send_and_wait(name, b"%d" % number, partition=2)
        consumer = AIOKafkaConsumer(**client_config(settings, group_id=group, enable_auto_commit=False))
        async with consumer:
            consumer.assign([TopicPartition(name, 2)])
            await consumer.commit({TopicPartition(name, 2): 3})

    assert asyncio.run(committed(settings, group)) == {}
    asyncio.run(use())
    found = asyncio.run(watermarks(settings, [name, "no-such-topic"]))
    assert found == {(name, part): Watermarks(0, 5 if part == 2 else 0) for part in range(4)}
    assert asyncio.run(committed(settings, group)) == {(name, 2): 3}
    assert asyncio.run(watermarks(settings, ["no-such-topic"])) == {}


@pytest.mark.parametrize("ask", [cluster_identity, lambda s: ensure_topics(s, ALL), lambda s: committed(s, "g")])
def test_a_cluster_out_of_reach_is_told_with_its_address_and_the_way_out(ask: object) -> None:
    assert callable(ask)
    address = f"127.0.0.1:{free_ports()[0]}"
    with pytest.raises(
        BrokerError, match=rf"no answer from Kafka at {address} \(PLAINTEXT\): .*Connect call failed"
    ) as e:
        asyncio.run(ask(Settings(kafka_bootstrap_servers=address)))
    assert "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS" in str(e.value)
    assert "tidegate up" in str(e.value)


def test_a_login_that_the_cluster_does_not_take_is_told_without_the_password(broker: Broker) -> None:
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap_servers,
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_username="tidegate",
        kafka_sasl_password=SecretStr("sesame"),
    )
    with pytest.raises(BrokerError, match=r"\(SASL_PLAINTEXT\): .*IllegalSaslState") as caught:
        asyncio.run(cluster_identity(settings))
    assert "sesame" not in str(caught.value) + repr(caught.value.__cause__)
