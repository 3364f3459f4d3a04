"""Workers and query nodes on a real broker: who owns what, who follows what, what an owner does beside the stream."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from agents import dead_letters, upkeep
from agents.node import Node
from agents.normalise import NORMALISERS
from agents.normalise._base import Bad, Item, Items, Normaliser
from agents.worker import Worker
from streams.errors import BrokerError
from streams.identity import Place
from streams.records import Record
from streams.settings import Settings
from streams.topics import FINDINGS, full_name
from tests.agents.broken import good_item
from tests.faults.harness import send, send_findings

pytestmark = pytest.mark.kafka


async def until(holds: Callable[[], Awaitable[bool] | bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.05)


def volume(number: int, *, deleted: bool, day: int) -> bytes:
    item = good_item("aws", number) | {"time": f"2026-03-{day:02d}T00:00:00Z", "deleted": deleted}
    return orjson.dumps(item)


def test_two_workers_own_the_same_partitions_of_resources_and_findings(settings: Settings) -> None:
    """An account's resources and findings must be in one store, or nothing joins them."""

    async def owned_by_two() -> list[set[tuple[str, int]]]:
        first = Worker(settings)
        second = Worker(settings.model_copy(update={"data": settings.data.with_name("second")}))
        await first.start()
        await second.start()
        await until(lambda: 0 < len(first.ownership()["owned"]) == len(second.ownership()["owned"]))
        owned = [{(topic, part) for topic, part in worker.ownership()["owned"]} for worker in (first, second)]
        assert not first.ownership()["all"]
        await second.stop()
        await until(lambda: bool(first.ownership()["all"]))
        await first.stop()
        return owned

    owned = asyncio.run(owned_by_two())
    for own in owned:
        by_kind = {kind: {part for topic, part in own if topic.endswith(kind)} for kind in ("resources", "findings")}
        assert by_kind["resources"] == by_kind["findings"]
    assert not owned[0] & owned[1]


def test_a_node_follows_every_partition_and_goes_on_where_its_store_stands(settings: Settings) -> None:
    node_settings = settings.model_copy(update={"data": settings.data.with_name("node")})
    send_findings(settings, 3000)

    async def follow() -> None:
        worker = Worker(settings)
        await worker.start()
        await until(lambda: worker.counts["stored"] == 3000)
        for _ in range(2):
            node = Node(node_settings)
            await node.start()

            async def caught_up(node: Node = node) -> bool:
                return (await node.store.rows())["findings"] == 3000

            await until(caught_up)
            assert node.ownership()["all"]
            assert sum(node.ownership()["lag"].values()) == 0
            await node.stop()
        await worker.stop()

    asyncio.run(follow())


def test_a_record_that_no_table_takes_is_a_dead_letter_with_its_bytes(settings: Settings) -> None:
    broken = b'{"id": "x", "account": "111122223333", "severity": 7}'

    async def refuse() -> dict[str, Any]:
        worker = Worker(settings)
        await worker.start()
        await worker.producer.send(full_name(settings, FINDINGS), [(0, b"111122223333|x", broken)])

        async def told() -> bool:
            return bool(await dead_letters.newest(settings)) and not await worker.store.refusals(10)

        await until(told)
        [newest] = await dead_letters.newest(settings)
        await worker.stop()
        return (await dead_letters.read(settings, newest.id)).whole()

    letter = asyncio.run(refuse())
    assert letter["source"] == "store"
    assert letter["path"]
    assert letter["text"] == broken.decode()


class OfAnotherMind(Normaliser):
    """Raises an error that no message is to blame for."""

    kind = "findings"
    forms = ("none",)

    def items(self, document: Item) -> Items:
        raise AssertionError(document)

    def record(self, item: Item, place: Place, index: int) -> Record:
        raise AssertionError(item, place, index)

    def read(self, value: bytes | None, place: Place) -> list[Record | Bad]:
        raise BrokerError(f"no broker takes {len(value or b'')} bytes")


def test_what_goes_wrong_in_a_delivery_ends_the_worker_with_its_own_sentence(settings: Settings) -> None:
    """Deliveries run in a TaskGroup, which raises an ExceptionGroup: a traceback, not a sentence, to a user."""
    OfAnotherMind.topic = NORMALISERS["guardduty"].topic
    send(settings, "guardduty", [b"12345"])

    async def die() -> None:
        worker = Worker(settings, {"guardduty": OfAnotherMind()})
        try:
            await worker.start()
            await worker.wait()
        finally:
            await worker.stop()

    with pytest.raises(BrokerError, match="no broker takes 5 bytes"):
        asyncio.run(die())


def test_what_is_deleted_for_long_enough_is_buried_with_a_tombstone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "ROUNDS_OF_MINUTE", 1)
    at_once = settings.model_copy(update={"deletion_days": 0})
    send(settings, "aws", [volume(n, deleted=False, day=1) for n in range(10)])
    send(settings, "aws", [volume(n, deleted=True, day=2) for n in range(4)])

    async def bury() -> None:
        worker = Worker(at_once)
        await worker.start()

        async def buried() -> bool:
            return worker.counts["Resource"] == 14 and (await worker.store.rows())["resources"] == 6

        await until(buried)
        assert worker.store.cursor().execute("select count(*) from resources where deleted").fetchall() == [(0,)]
        await worker.stop()

    asyncio.run(bury())
