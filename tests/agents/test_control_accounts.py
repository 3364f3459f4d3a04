"""Accounts that stand in data are registered once, and those that people describe stay as they are."""

import asyncio
from datetime import UTC, datetime

import pytest

from agents.control import kinds
from agents.control_accounts import register_accounts
from streams.control import Control, Edit, Keys
from streams.identity import UNLINKED
from streams.settings import Settings
from streams.store import Store
from tests.streams.store_records import PART, Log, finding, resource


@pytest.mark.kafka
async def test_accounts_of_the_store_are_registered_and_described_ones_stay(settings: Settings) -> None:
    store = Store.open(settings.store_file, memory="64MB", threads=1)
    for kind in ("resources", "findings"):
        now = datetime.now(UTC)
        store.start(
            kind,
            kind,
            PART,
            cluster_id="c",
            topic_id=kind,
            begin=0,
            end=0,
            now=now,
            delete_retention_ms=1000,
        )
    log = Log(store)
    log.add("resources", resource("r", 1, account="111111111111"))
    log.add(
        "findings",
        finding("f", 1, account="my-project", cloud="gcp"),
        finding("g", 1, account=UNLINKED, cloud="aws"),
        finding("h", 1, account="somewhere"),
    )
    control = Control(settings, kinds({}), Keys([]))
    await control.start()
    described = {"name": "Shop", "cloud": "aws", "owners": ["ann"]}
    await control.change([Edit("cloud-account", "111111111111", described)], by="ann")

    looking = asyncio.create_task(register_accounts(control, store.cursor, look_s=0.05))
    async with asyncio.timeout(30):
        while "my-project" not in control.objects("cloud-account"):
            await asyncio.sleep(0.05)
    looking.cancel()
    await asyncio.wait([looking])
    found = control.objects("cloud-account")
    assert {id: (account.name, account.cloud) for id, account in found.items()} == {
        "111111111111": ("Shop", "aws"),
        "my-project": ("my-project", "gcp"),
    }
    await control.stop()
    store.close()
