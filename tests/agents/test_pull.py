"""Pulling over a real broker: nothing lost by kill -9, one puller at a time, what disabling and deleting do."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.inbound import InboundIntegration
from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from agents.pull import Order, Puller, Pulls
from agents.pull import puller as puller_module
from agents.pull.closing import close_findings
from streams.admin import ensure_topics
from streams.codec import encode
from streams.identity import Place
from streams.kafka import client_config
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.pulls import Pull
from streams.records import Finding
from streams.settings import Settings
from streams.topics import FINDINGS, full_name, raw_topic
from tests.agents.pulling import fill
from tests.fakes import tenable
from tests.fakes.server import serving
from tests.faults.harness import Process

pytestmark = pytest.mark.kafka

RAW = raw_topic("raw.findings.tenable")


@dataclass
class Site:
    """A broker's topics, Tenable at *url*, and the integrations that are set up now."""

    settings: Settings
    fake: tenable.Tenable
    url: str
    pulls: Pulls
    inbound: dict[str, InboundIntegration] = field(default_factory=dict)

    def add(self, id: str = "scanner", **more: Any) -> None:
        settings = {"url": self.url, **tenable.KEYS} | more.pop("settings", {})
        self.inbound[id] = InboundIntegration(id=id, name=id, type="tenable", settings=settings, **more)

    @asynccontextmanager
    async def pulling(self, owned: Callable[[], set[int]] | None = None) -> AsyncIterator[None]:
        every = set(range(self.settings.partitions))

        async def soon(seconds: float) -> None:
            await asyncio.sleep(seconds / 1000)

        puller = Puller(
            self.settings,
            self.pulls,
            lambda: self.inbound,
            self.inbound.__contains__,
            owned or (lambda: every),
            sleep=soon,
        )
        task = asyncio.create_task(puller.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def until(self, holds: Callable[[Mapping[str, Pull]], bool], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not holds(self.pulls.all):
                await asyncio.sleep(0.02)

    async def ids(self) -> list[str]:
        """Return the ids of what lies on the raw topic, as often as it's there."""
        read = NORMALISERS["tenable"].read
        return [
            made.id
            for value in await messages(self.settings, full_name(self.settings, RAW), self.settings.raw_partitions)
            for made in read(value, Place("raw", 0, 0, 0))
            if not isinstance(made, Bad)
        ]


async def messages(settings: Settings, topic: str, partitions: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = [TopicPartition(topic, part) for part in range(partitions)]
        consumer.assign(parts)
        ends, values = await consumer.end_offsets(parts), []
        for part in parts:
            while await consumer.position(part) < ends[part]:
                values += [r.value for found in (await consumer.getmany(part, timeout_ms=500)).values() for r in found]
        return values
    finally:
        await consumer.stop()


@asynccontextmanager
async def place(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(puller_module, "TURN_S", 0.05)
    here = settings.model_copy(update={"allowed_networks": "127.0.0.0/8"})
    await ensure_topics(here, [RAW, FINDINGS])
    fake = tenable.Tenable()
    fake.now = time.time()
    pulls = Pulls(here)
    await pulls.start()
    async with serving(fake) as url:
        try:
            yield Site(here, fake, url, pulls)
        finally:
            await pulls.stop()


async def test_killed_in_mid_pull_it_goes_on_where_it_was_and_nothing_is_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(settings, monkeypatch) as here:
        fill("tenable", here.fake, 0, 40, here.fake.now - 86_400)
        alone = ("tests.agents.pull_alone", (here.url,))
        for chunks in (9, 30):
            with Process(here.settings, module=alone[0], arguments=alone[1]) as process:
                async with asyncio.timeout(60):
                    while len(here.fake.served) < chunks:
                        await asyncio.sleep(0.002)
                process.kill()
        with Process(here.settings, module=alone[0], arguments=alone[1]):
            await here.until(lambda all: all["scanner"].state == "waiting", 60)
        ids = await here.ids()
        assert len(set(ids)) == 80
        assert len(ids) <= 80 + 2 * 2 * here.fake.chunk  # each kill may repeat what wasn't noted yet
        orders = [(job["kind"], job["filters"]) for job in here.fake.jobs.values()]
        assert all(orders.count(order) == 1 for order in orders), "an export that is under way is gone on with"
        assert [kind for kind, _ in orders].count("vulns") == 1
        assert len(orders) <= 4 + 3, "what was over before a kill is asked for anew, since then"
        pull = here.pulls.all["scanner"]
        assert (pull.backfilled, pull.failures, pull.words) == (True, 0, "vulnerabilities: complete, 20 chunks")


async def test_one_of_two_workers_pulls_and_the_other_goes_on_when_it_gives_up_the_partition(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(settings, monkeypatch) as here:
        fill("tenable", here.fake, 0, 4, here.fake.now - 86_400)
        here.add()
        mine = {partition_of("scanner", settings.partitions)}
        others = set(range(settings.partitions)) - mine
        first, second = set(mine), set(others)
        async with here.pulling(lambda: first), here.pulling(lambda: second):
            await here.until(lambda all: "scanner" in all and all["scanner"].state == "waiting")
            assert len(here.fake.jobs) == 4
            first.clear()
            second |= mine
            await asyncio.sleep(0.3)
            assert len(here.fake.jobs) == 4  # it isn't due yet
            await here.pulls.ask("scanner", Order(int(time.time() * 1000) + 1, True))
            await here.until(lambda all: all["scanner"].total.items == 16)
        assert len(set(await here.ids())) == 8


async def test_disabled_it_keeps_its_place_and_deleted_it_has_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(settings, monkeypatch) as here:
        fill("tenable", here.fake, 0, 2, here.fake.now - 86_400)
        here.add()
        async with here.pulling():
            await here.until(lambda all: "scanner" in all and all["scanner"].state == "waiting")
            checkpoint = here.pulls.all["scanner"].checkpoint
            here.add(enabled=False)
            await here.until(lambda all: all["scanner"].state == "disabled")
            assert here.pulls.all["scanner"].checkpoint == checkpoint
            here.add(settings={"days": 30})
            await here.until(lambda all: all["scanner"].state == "waiting")
            since = [job["filters"].get("indexed_at") for job in here.fake.jobs.values() if job["kind"] == "vulns"]
            assert since[0] is None
            assert since[1] is not None
            here.inbound.clear()
            await here.until(lambda all: "scanner" not in all)


async def test_what_fails_is_told_and_tried_again_at_once_when_it_is_mended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(settings, monkeypatch) as here:
        fill("tenable", here.fake, 0, 2, here.fake.now - 86_400)
        here.add(settings={"secret_key": "wrong"})
        async with here.pulling():
            await here.until(lambda all: "scanner" in all and all["scanner"].state == "failed")
            failed = here.pulls.all["scanner"]
            assert "the credentials are refused" in failed.words
            assert failed.failures == 1
            assert failed.next
            here.add()
            await here.until(lambda all: all["scanner"].state == "waiting")
            assert here.pulls.all["scanner"].failures == 0
            monkeypatch.delenv("NO_SUCH_NAME", raising=False)
            here.add("other", settings={"secret_key": "env:NO_SUCH_NAME"})
            await here.until(lambda all: "other" in all and all["other"].state == "failed")
            assert "NO_SUCH_NAME is not set" in here.pulls.all["other"].words


async def test_the_findings_of_a_deleted_integration_are_closed_where_that_is_wanted(settings: Settings) -> None:
    await ensure_topics(settings, [FINDINGS])

    def record(id: str, source: str, status: str, version: str) -> tuple[int, bytes, bytes]:
        made = Finding(
            id=id, account="111122223333", source=source, type="t", name="n", severity="low", title="t",
            status=status, version=version,  # type: ignore[arg-type] # one of its words
        )  # fmt: skip
        account, key, value = encode(made)
        return partition_of(account, settings.partitions), key, value

    async with BatchProducer(settings) as producer:
        await producer.send(
            full_name(settings, FINDINGS),
            [
                record("a", "Tenable", "open", "2"),
                record("a", "Tenable", "fixed", "1"),  # older, and arrived later
                record("b", "Tenable", "open", "1"),
                record("b", "Tenable", "fixed", "2"),
                record("c", "Qualys", "open", "1"),
            ],
        )
    assert await close_findings(settings, "Tenable", dry_run=True) == (1, 0)
    assert await close_findings(settings, "Tenable", dry_run=False) == (1, 1)
    assert await close_findings(settings, "Tenable", dry_run=False) == (0, 0)
    values = await messages(settings, full_name(settings, FINDINGS), settings.partitions)
    last = orjson.loads(values[-1])
    assert (len(values), last["id"], last["status"], last["version"]) == (6, "a", "fixed", "2~0")
