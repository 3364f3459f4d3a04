"""Snoozed alerts open again at their time: looked for when a partition comes, after commands, and when one is due."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import duckdb

from agents.evaluate import Done, Setting, command
from streams.alerts import AlertCommand
from streams.store import alerts
from streams.store.outbox import Outbox
from streams.store.thread import StoreThread

FAR_S = 3600.0
"""The longest that is waited without a look: clocks are set."""


class Snoozed:
    """When each partition has to be looked at. *wake* is called, in the running loop, when one is due."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._due: dict[int, float] = {}
        """In ms since 1970 UTC, by partition; none: it has to be looked at."""
        self._timer: asyncio.TimerHandle | None = None

    def forget(self, part: int) -> None:
        """Look at *part* in the next turn: it is new here, or a command may have snoozed one of its alerts."""
        self._due.pop(part, None)

    async def turn(self, setting: Setting, store: StoreThread, outbox: Outbox) -> list[Done]:
        """Open what is due in the partitions of *setting*, each in a transaction; return what that did."""
        done = []
        for part in setting.generations:
            if self._due.get(part, 0) <= setting.ms:
                one, self._due[part] = await store.transact(
                    "the end of snoozes", partial(_open, setting=setting, outbox=outbox, part=part)
                )
                done.append(one)
        if done:
            self._arm()
        return done

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait = max(0.0, min(self._due.values()) / 1000 - time.time())
        self._timer = asyncio.get_running_loop().call_later(min(wait, FAR_S), self._wake) if wait < 1e9 else None


def _open(db: duckdb.DuckDBPyConnection, setting: Setting, outbox: Outbox, part: int) -> tuple[Done, float]:
    """Return what was done, and when the next one is due."""
    rows = alerts.snoozed(db, part)
    times = {row.alert.id: row.alert.snoozed_until or 0 for row in rows}
    wakes = [
        AlertCommand(
            id=f"wake-{times[row.alert.id]}",
            alert=row.alert.id,
            account=row.alert.resource.account,
            action="wake",
            by="",
            at=setting.ms,
        )
        for row in rows
        if times[row.alert.id] <= setting.ms
    ]
    done = command(db, setting, outbox, part, wakes) if wakes else Done()
    return done, min((due for due in times.values() if due > setting.ms), default=float("inf"))
