"""What goes wrong while objects are written: another writer is faster, one is killed half-way, the broker goes away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from streams.control import Control, Edit, Keys
from streams.control.plan import State
from streams.embedded import Broker
from streams.errors import BrokerError
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import full_name
from tests.streams.control_kinds import KINDS, LINE, keys, line

pytestmark = pytest.mark.kafka


@pytest.fixture
def key() -> Keys:
    return keys()


@pytest.fixture
async def control(settings: Settings, key: Keys) -> AsyncIterator[Control]:
    started = Control(settings, KINDS, key)
    await started.start()
    yield started
    await started.stop()


async def test_a_writer_that_is_overtaken_decides_again_on_what_the_other_wrote(
    control: Control, settings: Settings, key: Keys
) -> None:
    other = Control(settings, KINDS, key)
    await other.start()
    await control.change([Edit("line", "a", line(port=1))], by="x")
    loop, seen = asyncio.get_running_loop(), []

    def wanted(state: State) -> list[Edit]:
        port = state["line"]["a"].object.model_dump()["port"]
        seen.append(port)
        if len(seen) <= 2:  # between our decision and our commit
            faster = other.change([Edit("line", "a", {"port": port + 10}, merge=True)], by="y")
            asyncio.run_coroutine_threadsafe(faster, loop).result(30)
        return [Edit("line", "a", {"port": port + 1}, merge=True)]

    await control.change(wanted, by="x")
    assert seen == [1, 11, 21]
    assert control.objects("line")["a"].port == 22
    await other.change([], by="y", dry_run=True)
    assert other.state() == control.state()
    await other.stop()


async def test_what_a_killed_writer_left_half_done_never_shows_and_stops_nobody(
    control: Control, settings: Settings, key: Keys
) -> None:
    await control.change([Edit("line", "a", line())], by="x")
    dead = BatchProducer(settings, transactional_id=f"{settings.topic_prefix}tidegate-control")
    await dead.start()
    half = dead.transaction()
    await half.__aenter__()
    await dead.send(full_name(settings, LINE.topic), [(0, b"a", None), (0, b"b", b"{}")])

    late = Control(settings, KINDS, key)
    await asyncio.wait_for(late.start(), 20)
    assert set(late.objects("line")) == {"a"}
    await asyncio.wait_for(control.change([Edit("line", "a", {"port": 1}, merge=True)], by="x"), 20)
    assert (set(control.objects("line")), control.objects("line")["a"].port) == ({"a"}, 1)
    assert dict(control.problems) == {}
    await late.stop()
    with pytest.raises(Exception, match="newer producer"):
        await half.__aexit__(None, None, None)
    await dead.stop()


async def test_objects_are_read_and_written_again_after_the_broker_was_away(tmp_path: Path, key: Keys) -> None:
    with Broker(tmp_path / "broker", Settings().cache) as broker:
        settings = Settings(
            data=tmp_path / "data",
            kafka_bootstrap_servers=broker.bootstrap_servers,
            topic_prefix=f"t{uuid4().hex[:12]}.",
        )
        control = Control(settings, KINDS, key)
        await control.start()
        await control.change([Edit("line", "a", line(port=1))], by="x")
        await asyncio.to_thread(broker.kill)
        write = asyncio.create_task(control.change([Edit("line", "a", {"port": 2}, merge=True)], by="x"))
        await asyncio.sleep(0.5)
        assert set(control.objects("line")) == {"a"}
        await asyncio.to_thread(broker.start)
        try:
            await asyncio.wait_for(write, 60)
        except BrokerError as error:
            assert "look before you repeat it" in str(error)  # noqa: PT017 # either is right
        await asyncio.wait_for(control.change([Edit("line", "a", {"port": 3}, merge=True)], by="x"), 60)
        assert control.objects("line")["a"].port == 3
        await control.stop()


async def test_without_a_broker_the_start_says_so(tmp_path: Path, key: Keys) -> None:
    settings = Settings(data=tmp_path, kafka_bootstrap_servers="127.0.0.1:1")
    control = Control(settings, KINDS, key)
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
        await control.start()
    await control.stop()
