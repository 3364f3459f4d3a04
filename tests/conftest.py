"""What tests share: one real broker for the whole run, and settings that keep a test's topics and files apart."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from streams.embedded import Broker
from streams.settings import Settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let an app that is stopped while its client is still connecting leave that one socket to the collector.

    aiokafka closes no connection whose handshake is cut off, and it may be found in a later test. Every other warning,
    those about our own sockets in tests without a broker too, stays an error.
    """
    unclosed = r"Exception ignored in. <(socket\.socket|function _SelectorTransport\.__del__)"
    left = pytest.mark.filterwarnings(f"ignore:{unclosed}:pytest.PytestUnraisableExceptionWarning")
    for item in items:
        if item.get_closest_marker("kafka") is not None:
            item.add_marker(left)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real Kafka broker, started when the first test asks for it. Tests that hurt it start their own."""
    with Broker(tmp_path_factory.mktemp("broker"), Settings().cache) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, broker: Broker) -> Settings:
    """Settings of a Tidegate of this test alone: its own folder, its own topics and groups on the shared broker."""
    return Settings(
        data=tmp_path / "data",
        kafka_bootstrap_servers=broker.bootstrap_servers,
        topic_prefix=f"t{uuid4().hex[:12]}.",
        partitions=4,
        raw_partitions=4,
        replication=1,
        api_port=0,
    )
