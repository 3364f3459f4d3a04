"""Snapshots by schedule: a first one soon, none before its time, and a failure that stops nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from api.schedule import take_snapshots
from api.state import Alone
from streams import snapshot


async def test_a_first_snapshot_is_taken_and_no_second_before_its_time(alone: Alone) -> None:
    async with _running(alone):
        await _until(lambda: snapshot.newest(alone.settings.snapshots) is not None)
        await asyncio.sleep(0.2)

    assert len(snapshot.list(alone.settings.snapshots)) == 1


async def test_zero_minutes_take_none(alone: Alone) -> None:
    settings = alone.settings.model_copy(update={"snapshot_minutes": 0})

    await asyncio.wait_for(take_snapshots(Alone(settings, alone.store), 0.001), 10)

    assert snapshot.list(settings.snapshots) == []


async def test_one_that_fails_is_logged_and_tried_again(alone: Alone, caplog: pytest.LogCaptureFixture) -> None:
    alone.settings.snapshots.write_text("in the way")

    async with _running(alone):
        await _until(lambda: bool(caplog.records))
        alone.settings.snapshots.unlink()
        await _until(lambda: snapshot.newest(alone.settings.snapshots) is not None)

    assert "no snapshot was taken" in caplog.text


@contextlib.asynccontextmanager
async def _running(alone: Alone) -> AsyncIterator[None]:
    task = asyncio.create_task(take_snapshots(alone, 0.01))
    yield
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
