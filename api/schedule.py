"""Take a snapshot whenever the newest one is old enough."""

import asyncio
import logging
from datetime import UTC, datetime

from api import snapshots
from api.state import Owner
from streams import snapshot
from streams.errors import TidegateError

log = logging.getLogger(__name__)

LOOK_S = 10.0
"""How often to look, in seconds."""


async def take_snapshots(owner: Owner, look_s: float = LOOK_S) -> None:
    """Take one each `snapshot_minutes`, counted from the newest there is; runs until cancelled. 0 minutes: none.

    One that fails is told in the log, and tried again at the next look: a full disk must not stop the flow.
    """
    every = owner.settings.snapshot_minutes * 60
    while every:
        await asyncio.sleep(look_s)
        newest = await asyncio.to_thread(snapshot.newest, owner.settings.snapshots)
        if newest is None or (datetime.now(UTC) - newest.taken).total_seconds() >= every:
            try:
                await snapshots.take(owner)
            except TidegateError as error:
                log.error("%s", error)
