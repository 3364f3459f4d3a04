"""What a client wants of many alerts at once: sent as commands, and waited for until they show in the store."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Literal
from uuid import uuid4

from api.alerts import PATIENCE_S, send
from api.prisma.backend import Backend
from api.prisma.failures import Failure
from streams.alerts import Alert, AlertCommand
from streams.store.alerts import by_id


async def obeyed(
    back: Backend,
    found: Sequence[Alert],
    action: Literal["dismiss", "snooze", "reopen"],
    by: str,
    note: str,
    until: int | None = None,
) -> int:
    """Send *action* for each alert of *found* that isn't resolved; return how many once all have obeyed. *until*: when
    snoozed ones open again.

    Raises Failure when that isn't seen in time: the commands are on their way nevertheless.
    """
    now = int(time.time() * 1000)
    commands = {
        alert.id: AlertCommand(
            id=uuid4().hex,
            alert=alert.id,
            account=alert.resource.account,
            action=action,
            by=by,
            note=note,
            at=now,
            until=until,
        )
        for alert in found
        if alert.status != "resolved"
    }
    if not commands:
        return 0
    await send(back.owner.settings, list(commands.values()))
    waiting = set(commands)
    patience = time.monotonic() + PATIENCE_S + len(commands) / 500
    while waiting and time.monotonic() < patience:
        await asyncio.sleep(0.05)
        rows = await back.ask(partial(by_id, ids=sorted(waiting)))
        waiting -= {row.alert.id for row in rows if commands[row.alert.id].id in row.alert.commands}
    if waiting:
        words = f"{len(waiting)} of {len(commands)} alerts haven't obeyed yet, and will: {min(waiting)}; look again"
        raise Failure(409, "not_obeyed_yet", words)
    return len(commands)
