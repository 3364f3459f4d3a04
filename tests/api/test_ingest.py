"""Bulk ingest by HTTP: what is acknowledged lies in Kafka, what can't be taken is told by its line."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.normalise import NORMALISERS
from api import ingest
from streams.admin import ensure_topics
from streams.embedded import Broker
from streams.kafka import client_config
from streams.topics import full_name, raw_topic
from tests.api.prisma_tenant import TOKEN, Api, Tenant, tenant

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

PATH = "/api/tidegate/v1/ingest/aws"
LINES = b'{"a": 1}\n\n{"a": 2}\r\n{"a": 3}'
NDJSON = {"content-type": "application/x-ndjson"}
ZIPPED = {**NDJSON, "content-encoding": "gzip"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        await ensure_topics(started.settings, [raw_topic(NORMALISERS["aws"].topic)])
        yield started
        await started.app.state.sender.stop()


async def _sent(ours: Tenant) -> list[bytes]:
    """Return all that lies on the topic."""
    topic = full_name(ours.settings, NORMALISERS["aws"].topic)
    consumer = AIOKafkaConsumer(**client_config(ours.settings), enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, part) for part in range(ours.settings.raw_partitions)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        for part in parts:
            consumer.seek(part, 0)
        found: list[bytes] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [record.value for record in records]
    finally:
        await consumer.stop()
    return sorted(found)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_what_is_acknowledged_lies_in_kafka_plain_packed_or_whole(ours: Tenant) -> None:
    packed = gzip.compress(LINES[:10]) + gzip.compress(LINES[10:])  # as concatenated files are
    async with ours.client() as client:
        client.headers.update(_bearer(await ours.login("ingest-only")))
        said = await client.post(PATH, content=LINES, headers=NDJSON)
        assert (said.status_code, said.json()["messages"], said.json()["bytes"]) == (202, 3, 24)
        said = await client.post(PATH, content=packed, headers=ZIPPED)
        assert (said.status_code, said.json()["messages"]) == (202, 3)
        said = await client.post(
            PATH, content=b'[\n{"b": 1},\n{"b": 2}\n]', headers={"content-type": "application/json"}
        )
        assert (said.status_code, said.json()["messages"]) == (202, 1)
    lines = [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']
    assert await _sent(ours) == sorted([*lines, *lines, b'[\n{"b": 1},\n{"b": 2}\n]'])


async def test_what_cannot_be_taken_is_told_by_its_line(ours: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "LINE_MOST", 50)
    monkeypatch.setattr(ingest, "MOST_BYTES", 200)
    bomb = gzip.compress(b" " * 10_000_000)
    async with ours.client() as client:
        client.headers.update(_bearer(TOKEN))
        for content, headers, status, words in [
            (b'{"a": 1}\n' + b"x" * 60, NDJSON, 413, "line 2: longer than 50 bytes"),
            (bomb, ZIPPED, 413, "line 1: "),
            (b"no gzip", ZIPPED, 400, "not gzip"),
            (LINES, {**NDJSON, "content-encoding": "br"}, 415, "wanted gzip"),
            (b"\n \n", NDJSON, 400, "the body is empty"),
        ]:
            said = await client.post(PATH, content=content, headers=headers)
            assert (said.status_code, words in said.json()["error"]["message"]) == (status, True), said.text
        said = await client.post(PATH.replace("aws", "awz"), content=LINES, headers=NDJSON)
        assert (said.status_code, "did you mean aws?" in said.text) == (404, True)


@pytest.mark.parametrize(("role", "status"), [("", 401), ("read-only", 403), ("ingest-only", 404), ("admin", 404)])
async def test_just_admins_and_senders_may_send(ours: Tenant, role: str, status: int) -> None:
    client: Api
    async with ours.client(await ours.login(role) if role else "x") as client:
        said = await client.post(PATH.replace("aws", "none"), content=LINES, headers=NDJSON)
        assert said.status_code == status
