"""The overrides of Faust's private methods, each on a real broker: batches, bounded work, whole commits, starts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from faust.types import TP

from streams import transport
from streams.admin import committed, ensure_topics
from streams.app import GROUP, create_app
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import full_name, raw_topic
from streams.transport import Batch, BatchApp

pytestmark = pytest.mark.kafka

TOPIC = raw_topic("raw.findings.guardduty")


async def produce(settings: Settings, count: int, first: int = 0) -> None:
    await ensure_topics(settings, [TOPIC])
    async with BatchProducer(settings) as producer:
        records = [(n % settings.raw_partitions, None, b"%d" % n) for n in range(first, first + count)]
        await producer.send(full_name(settings, TOPIC), records)


def run(
    settings: Settings,
    agent: Callable[[Any, Batch], Awaitable[bool]],
    starts: Callable[[set[TP]], Awaitable[Mapping[TP, int]]] | None = None,
) -> None:
    """Run an app with *agent*, which gets each event and its batch, until it returns True."""

    async def whole() -> None:
        app = create_app(settings)
        if starts is not None:
            app.starts = starts
        done = asyncio.Event()

        @app.agent(app.topic(full_name(settings, TOPIC)))
        async def take(stream: Any) -> None:
            async for event in stream.noack().events():
                if await agent(event, event.value):
                    done.set()

        await app.start()
        crash = asyncio.create_task(app.wait_until_stopped())
        ended = asyncio.create_task(done.wait())
        await asyncio.wait({ended, crash}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        await app.stop()
        assert ended.done(), f"the agent did not end: {app.crash_reason!r}"

    asyncio.run(whole())


def test_an_event_is_what_one_poll_brought_of_one_partition_and_nothing_is_missing(settings: Settings) -> None:
    asyncio.run(produce(settings, 20_000))
    seen: list[bytes] = []
    ends: dict[int, int] = {}

    async def agent(event: Any, batch: Batch) -> bool:
        assert batch.start == ends.get(batch.partition, 0)
        assert batch.end == batch.records[-1].offset + 1
        ends[batch.partition] = batch.end
        seen.extend(record.value for record in batch.records)
        event.ack()
        return len(seen) >= 20_000

    run(settings, agent)
    assert sorted(map(int, seen)) == list(range(20_000))


def test_commits_are_the_longest_prefix_of_acknowledged_batches(settings: Settings) -> None:
    """The second batch of a partition is kept back and acknowledged after the others: the commit waits, then jumps."""
    settings = settings.model_copy(update={"batch": 100})
    asyncio.run(produce(settings, 4_000))
    kept: list[Any] = []
    counts: dict[int, int] = {}
    seen = 0

    async def agent(event: Any, batch: Batch) -> bool:
        nonlocal seen
        seen += len(batch.records)
        counts[batch.partition] = counts.get(batch.partition, 0) + 1
        if counts[batch.partition] == 2:
            kept.append(event)
        else:
            event.ack()
        if seen < 4_000:
            return False
        await event.app.consumer.commit()
        before = await committed(settings, settings.topic_prefix + GROUP)
        assert all(0 < offset < 1000 for offset in before.values())
        for late in kept:
            late.ack()
        await event.app.consumer.commit()
        after = await committed(settings, settings.topic_prefix + GROUP)
        assert set(after.values()) == {1000}
        return True

    run(settings, agent)
    assert len(kept) == settings.raw_partitions


def test_what_was_not_acknowledged_comes_again_after_a_restart(settings: Settings) -> None:
    settings = settings.model_copy(update={"batch": 100})
    asyncio.run(produce(settings, 2_000))
    first: list[int] = []
    second: list[int] = []

    async def half(event: Any, batch: Batch) -> bool:
        if len(first) < 1_000:
            first.extend(int(r.value) for r in batch.records)
            event.ack()
            return False
        return True

    async def rest(event: Any, batch: Batch) -> bool:
        second.extend(int(r.value) for r in batch.records)
        event.ack()
        return len({*first, *second}) >= 2_000

    run(settings, half)
    run(settings, rest)
    assert {*first, *second} == set(range(2_000))
    assert len(second) < 2_000, "what was acknowledged is committed at the stop, and doesn't come again"


def test_a_topic_is_not_polled_while_too_much_of_it_is_in_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "IN_WORK_BYTES", 2_000)
    settings = settings.model_copy(update={"batch": 100})
    asyncio.run(produce(settings, 4_000))
    waiting: list[Any] = []
    most = seen = 0

    async def agent(event: Any, batch: Batch) -> bool:
        nonlocal most, seen
        seen += len(batch.records)
        waiting.append(event)
        work = sum(size for sizes in event.app.consumer._in_work.values() for size in sizes.values())
        most = max(most, work)
        await asyncio.sleep(0.01)
        if work >= 1_000 or seen >= 4_000:
            for one in waiting:
                one.ack()
            waiting.clear()
        return seen >= 4_000

    run(settings, agent)
    assert most < 4_000, "above the bound by one batch at most for each poll"


def test_a_start_chosen_by_the_store_wins_over_the_groups_offset(settings: Settings) -> None:
    asyncio.run(produce(settings, 400))

    async def everything(event: Any, batch: Batch) -> bool:
        event.ack()
        got.extend(int(r.value) for r in batch.records)
        return len(got) >= 400

    async def from_ninety(assigned: set[TP]) -> Mapping[TP, int]:
        return {tp: 90 for tp in assigned if tp.topic == full_name(settings, TOPIC)}

    async def rest(event: Any, batch: Batch) -> bool:
        assert batch.start >= 90
        event.ack()
        got.extend(int(r.value) for r in batch.records)
        return len(got) >= 40

    got: list[int] = []
    run(settings, everything)
    got = []
    run(settings, rest, from_ninety)
    assert len(got) == 40


def test_an_error_in_an_agent_stops_the_app_with_nothing_committed(settings: Settings) -> None:
    asyncio.run(produce(settings, 400))

    async def whole() -> BaseException | None:
        app: BatchApp = create_app(settings)

        @app.agent(app.topic(full_name(settings, TOPIC)))
        async def take(stream: Any) -> None:
            async for _ in stream.noack().events():
                raise OSError("the disk is full")

        await app.start()
        await asyncio.wait_for(app.wait_until_stopped(), 30)
        await app.stop()
        reason: BaseException | None = app.crash_reason
        return reason

    assert "the disk is full" in repr(asyncio.run(whole()))
    assert asyncio.run(committed(settings, settings.topic_prefix + GROUP)) == {}
