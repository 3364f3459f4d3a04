"""Snoozed alerts open again at their time, by the clock of their owner, whoever that is by then."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agents.book import Book
from agents.evaluate import Done, Setting, command, evaluate
from agents.rules import AlertRule, Channel
from agents.snoozed import Snoozed
from queries.policy import Policy
from streams.alerts import AlertCommand, AlertEvent, read
from streams.store import Part, alerts
from streams.store.outbox import Outbox
from streams.store.thread import StoreThread
from tests.streams.store_records import PART, resource

LOUD = Policy(
    id="loud",
    name="An instance is loud",
    severity="high",
    description="It is.",
    recommendation="Hush.",
    rql="config from cloud.resource where api.name = 'aws-ec2-describe-instances' and json.rule = loud is true",
)
BOOK = Book({"loud": LOUD}, [AlertRule(id="r", name="R", channels=(Channel(integration="hook"),))])


class Owner:
    """The owner of the partition PART, in its own time."""

    def __init__(self, store: StoreThread) -> None:
        self.store = store
        self.woken = asyncio.Event()
        self.snoozed = Snoozed(self.woken.set)
        with store.cursor() as cursor:
            self.outbox = Outbox(cursor)

    @property
    def setting(self) -> Setting:
        return Setting(BOOK, {PART: 1}, datetime.now(UTC))

    async def sees(self, n: int, loud: bool) -> list[tuple[str, str]]:
        key, value = resource("a", n, (), config={"loud": loud})
        await self.store.apply([Part("resources", "resources", PART, n - 1, n, [(n - 1, key, value)])])
        return await self.evaluates()

    async def evaluates(self) -> list[tuple[str, str]]:
        finder = self.store.store

        def work(db: Any) -> Done:
            return evaluate(db, self.setting, self.outbox, 100, finder)

        return _told(await self.store.transact("evaluate", work, world=True))

    async def snooze(self, seconds: float) -> None:
        ((id,),) = self.store.cursor().execute("select id from alerts").fetchall()
        now = self.setting.ms
        order = AlertCommand(
            id="c", alert=id, account="1", action="snooze", by="ann", at=now, until=now + int(seconds * 1000)
        )
        work = partial(command, setting=self.setting, outbox=self.outbox, part=PART, commands=[order])
        assert _told(await self.store.transact("command", work)) == [("snoozed", "USER_DISMISSED")]
        self.snoozed.forget(PART)

    async def turn(self) -> list[tuple[str, str]]:
        done = await self.snoozed.turn(self.setting, self.store, self.outbox)
        return [event for one in done for event in _told(one)]

    def status(self) -> str:
        (row,) = alerts.of_accounts(self.store.cursor(), ["loud"], ["123456789012"])
        return row.alert.status


def _told(done: Done) -> list[tuple[str, str]]:
    events = [read(AlertEvent, row.value)[0] for row in done.outgoing if row.topic == "alert-events"]
    return [(event.kind, event.alert.reason) for event in events]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[StoreThread]:
    opened = await StoreThread.open(tmp_path / "s.duckdb", notes_work=True)
    yield opened
    await opened.close()


async def test_an_alert_opens_again_at_its_time_with_nobody_at_work(store: StoreThread) -> None:
    owner = Owner(store)
    await owner.sees(1, True)
    await owner.snooze(0.3)
    assert (await owner.turn(), owner.status()) == ([], "snoozed")
    await asyncio.wait_for(owner.woken.wait(), 20)
    assert await owner.turn() == [("reopened", "SNOOZED_AUTO_REOPEN")]
    assert (await owner.turn(), owner.status()) == ([], "open")


async def test_the_time_that_passed_while_nobody_owned_it_counts_and_what_was_mended_resolves(
    store: StoreThread,
) -> None:
    owner = Owner(store)
    await owner.sees(1, True)
    await owner.snooze(0.1)
    assert await owner.sees(2, False) == []
    await asyncio.sleep(0.15)
    later = Owner(store)
    assert await later.turn() == [("reopened", "SNOOZED_AUTO_REOPEN")]
    assert await later.evaluates() == [("resolved", "RESOURCE_UPDATED")]
