"""Snapshots by the clock: one every so many minutes, of a store that holds the whole."""

import asyncio
import logging
from collections.abc import Callable

from streams import snapshot
from streams.errors import SnapshotError
from streams.settings import Settings
from streams.store.thread import StoreThread

log = logging.getLogger(__name__)


async def take_snapshots(settings: Settings, store: StoreThread, whole: Callable[[], bool]) -> None:
    """Take one every `snapshot_minutes` until cancelled; at once returns where that is 0.

    A store that isn't *whole* at the time gives none. One that fails (a full disk) is told in the log and tried again
    next time: the stream goes on.
    """
    while settings.snapshot_minutes:
        await asyncio.sleep(settings.snapshot_minutes * 60)
        if not whole():
            log.info("no snapshot: this store doesn't hold every partition")
            continue
        try:
            taken = await snapshot.create(store, settings.snapshots, settings.snapshot_keep)
        except (SnapshotError, OSError) as error:
            log.warning("no snapshot: %s", error)
        else:
            log.info("snapshot %s", taken.path.name)
