"""Topics as they must be: create what is missing, check what is there, say how to repair it; and who the cluster is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    KafkaError,
    NotControllerError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.admin import CreateTopicsRequest, DescribeConfigsRequest
from aiokafka.structs import TopicPartition

from streams.errors import BrokerError, TopicError
from streams.kafka import client_config
from streams.metadata import MetadataRequest, id_text
from streams.settings import Settings
from streams.topics import Topic, full_name

SECONDS = 20.0
"""How long each of these functions may take before the cluster counts as out of reach."""


class Watermarks(NamedTuple):
    """The offsets of a partition: the first that can be read, and the one that the next record will get."""

    begin: int
    end: int


async def ensure_topics(settings: Settings, topics: Iterable[Topic]) -> list[str]:
    """Create those of *topics* that are missing, check the others; return the full names of the created ones.

    Raises TopicError when a topic can't be created or is of another shape: what was wanted, what it is, and the command
    that repairs it, for all of them at once. Raises BrokerError when the cluster can't be reached.
    """
    wanted = {full_name(settings, topic): topic for topic in topics}
    async with _connected(settings) as client:
        found = await _describe(client, list(wanted))
        missing = [name for name in wanted if name not in found]
        if missing:
            await _create(client, settings, {name: wanted[name] for name in missing})
            found = await _wait_for(client, list(wanted))
        configs = await _configs(client, list(wanted))
    wrong = [
        line
        for name, topic in wanted.items()
        for line in _faults(settings, name, topic, len(found[name]["partitions"]), configs[name])
    ]
    if wrong:
        raise TopicError("\n".join(wrong))
    return missing


async def cluster_identity(settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the cluster's id, and the id of each topic that has our prefix, by full name.

    A topic that was deleted and made again under the same name has another id. Raises BrokerError.
    """
    async with _connected(settings) as client:
        said = await _send(client, MetadataRequest(None))
    ids = {
        topic["name"]: id_text(topic["topic_id"])
        for topic in said.to_object()["topics"]
        if not topic["error_code"] and topic["name"].startswith(settings.topic_prefix) and not topic["is_internal"]
    }
    return said.cluster_id, ids


async def watermarks(settings: Settings, names: Iterable[str]) -> dict[tuple[str, int], Watermarks]:
    """Return first and next offset of every partition of the topics with these full names; unknown topics are left out.

    Raises BrokerError.
    """
    async with _connected(settings) as client:
        found = await _describe(client, list(names))
    parts = [TopicPartition(name, p["partition"]) for name, topic in found.items() for p in topic["partitions"]]
    if not parts:
        return {}
    async with _answers(settings):
        consumer = AIOKafkaConsumer(**client_config(settings))
        try:
            await consumer.start()
            begin, end = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        finally:
            await consumer.stop()
    return {(part.topic, part.partition): Watermarks(begin[part], end[part]) for part in parts}


async def committed(settings: Settings, group: str) -> dict[tuple[str, int], int]:
    """Return the committed offset of each partition where the group of this full name has one. Raises BrokerError."""
    async with _answers(settings):
        admin = AIOKafkaAdminClient(**client_config(settings))
        try:
            await admin.start()
            offsets = await _soon(lambda: admin.list_consumer_group_offsets(group))
        finally:
            await admin.close()
    return {(part.topic, part.partition): kept.offset for part, kept in offsets.items() if kept.offset >= 0}


def _at_least(got: float, wanted: float) -> bool:
    """Longer, larger, for ever (-1): all of that keeps what Tidegate relies on."""
    return got == -1 or (wanted != -1 and got >= wanted)


def _at_most(got: float, wanted: float) -> bool:
    """Sooner: compaction may run more often than we ask for."""
    return got <= wanted


RULES: dict[str, Callable[[float, float], bool]] = {
    "max.message.bytes": _at_least,
    "retention.ms": _at_least,
    "delete.retention.ms": _at_least,
    "segment.ms": _at_most,
    "min.cleanable.dirty.ratio": _at_most,
    "min.compaction.lag.ms": _at_most,
}
"""The settings that an operator may set further than we ask for; every other one has to be equal."""


def _faults(settings: Settings, name: str, topic: Topic, partitions: int, config: dict[str, str]) -> list[str]:
    """What is wrong with a topic, a line each, and the command that repairs it as the last."""
    lines = []
    login = "" if settings.kafka_security_protocol == "PLAINTEXT" else " --command-config client.properties"
    cluster = f"--bootstrap-server {settings.kafka_bootstrap_servers}{login}"
    wanted_partitions = topic.partitions(settings)
    # Of the raw topics, which any producer fills, any number will do.
    if topic.divided in ("by account", "single") and partitions != wanted_partitions:
        lines.append(
            f"topic {name}: partitions: wanted {wanted_partitions}, got {partitions}. That can't be changed in place:"
            " an account's records would be divided between its old partition and its new one, where neither joins nor"
            f" compaction find them. Set TIDEGATE_PARTITIONS={partitions} to go on with this topic; or set another"
            " TIDEGATE_TOPIC_PREFIX to begin anew; or, to lose what it holds:"
            f" kafka-topics.sh {cluster} --delete --topic {name}"
        )
    wrong = {key: value for key, value in topic.config().items() if not _suits(key, config.get(key, "not set"), value)}
    for key, value in wrong.items():
        lines.append(f"topic {name}: {key}: wanted {value}, got {config.get(key, 'not set')}")
    if wrong:
        values = ",".join(f"{key}={value}" for key, value in wrong.items())
        lines.append(
            f"repair it with: kafka-configs.sh {cluster} --alter"
            f" --entity-type topics --entity-name {name} --add-config {values}"
        )
    return lines


def _suits(key: str, got: str, wanted: str) -> bool:
    """Whether a topic's setting is as we need it."""
    if key not in RULES:
        return got == wanted
    try:
        return RULES[key](float(got), float(wanted))
    except ValueError:
        return False


async def _create(client: Any, settings: Settings, missing: dict[str, Topic]) -> None:
    """Create topics; one that another process created meanwhile is fine, and checked afterwards like any other."""
    asked: list[tuple[Any, ...]] = [
        (name, topic.partitions(settings), settings.replication, [], list(topic.config().items()))
        for name, topic in missing.items()
    ]
    request = CreateTopicsRequest(create_topic_requests=asked, timeout=int(SECONDS * 1000), validate_only=False)
    for attempt in range(3):
        controller = (await _send(client, MetadataRequest([]))).controller_id
        said = await client.send(controller, request)
        if all(code != NotControllerError.errno for _, code, _ in said.topic_errors) or attempt == 2:
            break
        await asyncio.sleep(0.5)
    refused = [
        f"topic {name}: can't be created with {missing[name].partitions(settings)} partitions, {settings.replication}"
        f" replicas (TIDEGATE_REPLICATION): {message or for_code(code).__name__}"
        for name, code, message in said.topic_errors
        if code and code != TopicAlreadyExistsError.errno
    ]
    if refused:
        raise TopicError("\n".join(refused))


async def _wait_for(client: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Describe topics, as soon as all are known and every partition has a leader. Bounded by the caller."""
    while True:
        found = await _describe(client, names)
        partitions = [part for topic in found.values() for part in topic["partitions"]]
        if len(found) == len(names) and all(part["leader"] >= 0 for part in partitions):
            return found
        await asyncio.sleep(0.1)


async def _describe(client: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return what the cluster says of those of the topics that exist, by name."""
    said = (await _send(client, MetadataRequest(names))).to_object()
    found = {}
    for topic in said["topics"]:
        if topic["error_code"] == UnknownTopicOrPartitionError.errno:
            continue
        kind = for_code(topic["error_code"])
        if kind.errno and not kind.retriable:
            raise TopicError(f"topic {topic['name']}: the cluster says {kind.__name__}: {kind.description}")
        found[topic["name"]] = topic
    return found


async def _configs(client: Any, names: list[str]) -> dict[str, dict[str, str]]:
    """Return the settings in force of topics, by name."""
    said = await _send(client, DescribeConfigsRequest([(2, name, None) for name in names]))
    configs = {}
    for code, message, _, name, entries in said.resources:
        if code:
            raise TopicError(f"topic {name}: its settings can't be read: {message or for_code(code).__name__}")
        configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def _soon(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer isn't "not yet": a coordinator is made when it's first asked for. The caller bounds it."""
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(0.1)


async def _send(client: Any, request: Any) -> Any:
    """Send to any broker."""
    return await client.send(client.get_random_node(), request)


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Any]:
    """Give a client that has reached the cluster; all that is done with it is bounded by SECONDS."""
    config = client_config(settings, request_timeout_ms=int(SECONDS * 500))
    async with _answers(settings):
        client = AIOKafkaClient(client_id="tidegate-admin", **config)
        try:
            await client.bootstrap()
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def _answers(settings: Settings) -> AsyncIterator[None]:
    """Turn every failure to get an answer into a BrokerError that says how to go on."""
    try:
        async with asyncio.timeout(SECONDS):
            yield
    except (KafkaError, OSError) as error:  # a TimeoutError is an OSError
        raise BrokerError(
            f"no answer from Kafka at {settings.kafka_bootstrap_servers} ({settings.kafka_security_protocol}):"
            f" {await _reason(settings, error)}. Check that it runs, and {_settings_in_use(settings)};"
            " or unset them, and `tidegate up` starts a broker of its own"
        ) from error


def _settings_in_use(settings: Settings) -> str:
    """The settings that decide whether the cluster lets us in."""
    names = ["BOOTSTRAP_SERVERS", "SECURITY_PROTOCOL"]
    if settings.kafka_security_protocol.startswith("SASL"):
        names += ["SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD"]
    if settings.kafka_security_protocol.endswith("SSL"):
        names += ["TLS_CA_FILE", "TLS_CERT_FILE"]
    return ", ".join(f"TIDEGATE_KAFKA_{name}" for name in names)


async def _reason(settings: Settings, error: Exception) -> str:
    """Find out why: aiokafka tells its log, and then only that it failed."""
    config = client_config(settings, request_timeout_ms=3000)
    servers: Sequence[str] = config.pop("bootstrap_servers")
    host, _, port = servers[0].rpartition(":")
    if not port.isdigit():
        return f"{servers[0]} isn't host:port"
    try:
        async with asyncio.timeout(5):
            (await create_conn(host, int(port), client_id="tidegate-admin", **config)).close()
    except TimeoutError:
        return f"{servers[0]} doesn't answer in time"
    except (KafkaError, OSError) as found:
        return f"{found}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
