"""Register the cloud accounts that stand in data: looked for in the store now and then, written where they are new."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, get_args

from streams.control import Control
from streams.control.accounts import Seen, register
from streams.errors import TidegateError
from streams.identity import UNLINKED
from streams.records import Cloud

log = logging.getLogger(__name__)

LOOK_S = 15.0
"""How often to look, in seconds."""


async def register_accounts(control: Control, cursor: Callable[[], Any], look_s: float = LOOK_S) -> None:
    """Register accounts of the store that *cursor* reads, at once and every *look_s* seconds; runs until cancelled.

    One that can't be written is told in the log and tried again at the next look.
    """
    while True:
        try:
            await register(control, await asyncio.to_thread(_seen, cursor))
        except TidegateError as error:
            log.warning("accounts aren't registered yet: %s", error)
        await asyncio.sleep(look_s)


def _seen(cursor: Callable[[], Any]) -> list[Seen]:
    reading = cursor()
    try:
        rows = reading.execute(
            """select distinct account, cloud from (select account, cloud from resources where not deleted
                union all select account, cloud from findings where not deleted)
            where account not in ('', ?) and cloud in (select unnest(?::VARCHAR[])) order by all""",
            [UNLINKED, list(get_args(Cloud))],
        ).fetchall()
    finally:
        reading.close()
    return [Seen(account, cloud) for account, cloud in rows]
