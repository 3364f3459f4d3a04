"""No alert is lost, none is doubled: a worker dies between each pair of steps, loses its store, or its partitions."""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from api.client import Client, Refused
from api.running import NotRunning
from streams.admin import ensure_topics
from streams.alerts import Alert, AlertEvent, read
from streams.codec import encode
from streams.identity import Place, version
from streams.kafka import client_config
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.records import Resource
from streams.settings import Settings
from streams.topics import ALERT_EVENTS, ALERTS, DELIVERIES, RESOURCES, TOPICS, Topic, full_name
from tests.faults.harness import Process

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

COUNT = 200
POLICY = """\
name: Instance is loud
severity: high
description: It is.
recommendation: Hush.
rql: config from cloud.resource where api.name = 'aws-ec2-describe-instances' and json.rule = loud is true
"""

ALERTING = """\
integrations: [{id: hook, type: webhook, settings: {url: "http://127.0.0.1:9/"}}]
alert_rules: [{id: all, name: All, channels: [{integration: hook, states: [open, resolved]}]}]
"""


@pytest.fixture
def loud(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a policy of our own, and a destination that nothing reaches: its deliveries stay open."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "loud.yaml").write_text(POLICY)
    (tmp_path / "alerting.yaml").write_text(ALERTING)
    return settings.model_copy(update={"policies": folder, "alerting": tmp_path / "alerting.yaml"})


def send(settings: Settings, at: int, loud: Iterable[bool]) -> None:
    """Send a version of each resource, as of time *at*."""
    records = []
    for n, is_loud in enumerate(loud):
        account = f"{n % 40:012d}"
        place = Place("raw.configs.aws", 0, at * COUNT + n, at)
        resource = Resource(
            rrn=f"r{n}",
            account=account,
            cloud="aws",
            region="eu-west-1",
            api_name="aws-ec2-describe-instances",
            id=f"i-{n}",
            version=version(at, 0, place, 0),
            config={"loud": is_loud},
        )
        _, key, value = encode(resource)
        records.append((partition_of(account, settings.partitions), key, value))

    async def all_of_them() -> None:
        await ensure_topics(settings, TOPICS)
        async with BatchProducer(settings) as producer:
            await producer.send(full_name(settings, RESOURCES), records)

    asyncio.run(all_of_them())


def on_topic(settings: Settings, topic: Topic) -> list[tuple[bytes, bytes]]:
    """Return what lies on *topic*: keys and values, in the order of each partition."""

    async def ask() -> list[tuple[bytes, bytes]]:
        # A seek to the beginning could be overtaken by the reset to the end that an assignment begins.
        consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False, auto_offset_reset="earliest")
        await consumer.start()
        try:
            parts = [TopicPartition(full_name(settings, topic), p) for p in range(settings.partitions)]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            found: list[tuple[bytes, bytes]] = []
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [(record.key, record.value) for record in records]
            return found
        finally:
            await consumer.stop()

    return asyncio.run(ask())


def events(settings: Settings) -> dict[str, list[tuple[int, str]]]:
    """Return the events of each resource's alert in their order: seq and kind."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for _, value in on_topic(settings, ALERT_EVENTS):
        event = read(AlertEvent, value)[0]
        found[event.alert.resource.rrn].append((event.seq, event.kind))
    return dict(found)


def states(settings: Settings) -> dict[str, str]:
    """Return the newest status of each resource's alert on the topic."""
    found: dict[str, str] = {}
    for _, value in on_topic(settings, ALERTS):
        alert = read(Alert, value)[0]
        found[alert.resource.rrn] = alert.status
    return found


def count(settings: Settings) -> int:
    return len(on_topic(settings, ALERT_EVENTS))


def each_delivery_once(settings: Settings) -> None:
    """Check that every event has one delivery, which was written once."""
    made = [key.decode() for key, value in on_topic(settings, DELIVERIES) if value]
    told = [read(AlertEvent, value)[0] for _, value in on_topic(settings, ALERT_EVENTS)]
    assert sorted(made) == sorted(f"hook||{event.alert.id}|{event.seq}" for event in told)


POINTS = ("stored:1", "evaluated:2", "sending:1", "events sent:1", "alerts sent:1")


def test_killed_between_each_pair_of_steps_every_event_is_told_once_and_in_order(
    loud: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(loud, 1, [True] * COUNT)
    wanted = defaultdict(list)
    for n in range(COUNT):
        wanted[f"r{n}"].append((1, "opened"))
    for turn, point in enumerate(POINTS, 1):
        monkeypatch.setenv("TIDEGATE_TEST_KILL_AT", point)
        with Process(loud) as worker:
            worker.wait_for_end()
        send(loud, turn + 1, [(n + turn) % 3 != 0 for n in range(COUNT)])
    monkeypatch.delenv("TIDEGATE_TEST_KILL_AT")
    with Process(loud) as worker:
        last = {f"r{n}": "open" if (n + len(POINTS)) % 3 else "resolved" for n in range(COUNT)}
        worker.wait_for(lambda: states(loud) == last)
        worker.stop()
    for rrn, told in events(loud).items():
        assert [seq for seq, _ in told] == list(range(1, len(told) + 1)), (rrn, told)
        kinds = [kind for _, kind in told]
        assert kinds == ["opened" if i == 0 else "reopened" if i % 2 == 0 else "resolved" for i in range(len(kinds))]
        assert (kinds[-1] == "resolved") == (last[rrn] == "resolved")
    assert len(events(loud)) == COUNT
    each_delivery_once(loud)


def test_a_rebuilt_store_tells_nothing_again(loud: Settings) -> None:
    send(loud, 1, [n % 2 == 0 for n in range(COUNT)])
    with Process(loud) as worker:
        worker.wait_for(lambda: count(loud) == COUNT // 2)
        worker.stop()
    shutil.rmtree(loud.store_file.parent)
    send(loud, 2, [True] + [n % 2 == 0 for n in range(1, COUNT)])
    with Process(loud) as worker:
        send(loud, 3, [False, True] + [n % 2 == 0 for n in range(2, COUNT)])
        worker.wait_for(lambda: states(loud).get("r1") == "open" and states(loud).get("r0") == "resolved")
        worker.stop()
    assert events(loud) == {f"r{n}": [(1, "opened")] for n in range(COUNT) if n % 2 == 0 or n == 1} | {
        "r0": [(1, "opened"), (2, "resolved")]
    }
    each_delivery_once(loud)


def test_partitions_that_move_open_and_resolve_nothing_by_accident(loud: Settings) -> None:
    other = loud.model_copy(update={"data": loud.data.with_name("other")})
    send(loud, 1, [n % 2 == 0 for n in range(COUNT)])
    with Process(loud) as first:
        first.wait_for(lambda: count(loud) == COUNT // 2)
        with Process(other) as second:
            second.wait_for(lambda: owns_some(other))
            send(loud, 2, [n % 2 == 1 for n in range(COUNT)])
            second.wait_for(lambda: count(loud) == COUNT + COUNT // 2)
            # Its events alone don't tell the survivor: without the alerts' new states, these would be told again.
            turned = {f"r{n}": "open" if n % 2 else "resolved" for n in range(COUNT)}
            second.wait_for(lambda: states(loud) == turned)
            second.kill()
        send(loud, 3, [False] * COUNT)
        first.wait_for(lambda: set(states(loud).values()) == {"resolved"})
        first.stop()
    found = events(loud)
    for n in range(COUNT):
        even = [(1, "opened"), (2, "resolved")]
        assert found[f"r{n}"] == even, (n, found[f"r{n}"])
    each_delivery_once(loud)


def owns_some(settings: Settings) -> bool:
    try:
        partitions = Client(settings.data).get("/status")["partitions"]
    except (NotRunning, Refused, OSError):
        return False
    return any(part["lag"] is not None for part in partitions)
