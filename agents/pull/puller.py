"""Who pulls what: each inbound integration by the worker that owns its partition, on its schedule."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from agents.connectors._base import Connector, Way
from agents.inbound import InboundIntegration
from agents.integrations import IntegrationError
from agents.pull.one import Failed, Run, due
from agents.pull.pulls import Pulls
from agents.sinks._client import Client, open_client
from streams.errors import BrokerError
from streams.partition import partition_of
from streams.pulls import Pull
from streams.settings import Settings

log = logging.getLogger(__name__)

TURN_S = 1.0
"""How soon a change is seen: of settings, of who owns what, of an order."""

UNUSABLE_S = 60.0
"""How soon settings that can't be used are looked at again: a file that they name may be there by then."""


class Puller:
    """Pulls while `run` runs. *inbound*: the integrations now; *is_inbound*: whether there is one of that id, usable
    or not; *owned*: the partitions that this worker owns now, of those that are divided by account.
    """

    def __init__(
        self,
        settings: Settings,
        pulls: Pulls,
        inbound: Callable[[], Mapping[str, InboundIntegration]],
        is_inbound: Callable[[str], bool],
        owned: Callable[[], Collection[int]],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._pulls = pulls
        self._inbound = inbound
        self._is_inbound = is_inbound
        self._owned = owned
        self._clock = clock
        self._sleep = sleep
        self._running: dict[str, tuple[InboundIntegration, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Pull what is due until cancelled; then nothing of ours is under way. Raises what shows a defect."""
        async with open_client(self._settings.networks, clock=self._clock) as client:
            try:
                while True:
                    await self._turn(client)
                    await asyncio.sleep(TURN_S)
            finally:
                await self._end(list(self._running))

    async def _turn(self, client: Client) -> None:
        """Begin with what is ours now, and end what is no longer, or is another one."""
        owned = set(self._owned())
        mine = {id: one for id, one in self._inbound().items() if self._partition(id) in owned}
        await self._end([id for id, (one, task) in self._running.items() if mine.get(id) != one or task.done()])
        for id, one in mine.items():
            if id not in self._running:
                self._running[id] = (one, asyncio.create_task(self._follow(one, client), name=f"pull-{id}"))
        for id in [id for id in self._pulls.all if self._partition(id) in owned and not self._is_inbound(id)]:
            await self._forget(id)

    def _partition(self, id: str) -> int:
        return partition_of(id, self._settings.partitions)

    async def _end(self, ids: list[str]) -> None:
        tasks = [self._running.pop(id)[1] for id in ids]
        for task in tasks:
            task.cancel()
        for said in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(said, Exception):
                raise said

    async def _forget(self, id: str) -> None:
        try:
            await self._pulls.forget(id)
            await self._pulls.caught_up()
        except BrokerError as error:
            log.warning("the checkpoint of %s, which was deleted, is still there: %s", id, error)

    async def _follow(self, one: InboundIntegration, client: Client) -> None:
        """Pull one integration whenever it's due, as long as it is ours and stays as it is."""
        at_once = True  # as it was changed, or is new here
        while True:
            try:
                await self._pulls.caught_up()
                connector = one.connector
                had = self._pulls.all.get(one.id)
                if not one.enabled or connector is None:
                    await self._rest(one, had)
                    await asyncio.Event().wait()  # until it's another one
                    return
                await self._until_due(one, connector, had, failed_may_go=at_once)
                at_once = False
                await Run(self._settings, self._pulls, one, connector, Way(client, self._sleep)).pull()
            except IntegrationError as wrong:
                await self._fail(one, str(wrong))
                await asyncio.sleep(UNUSABLE_S)
            except BrokerError as error:
                log.warning("pulling of %s waits for the broker: %s", one.id, error)
                await asyncio.sleep(TURN_S * 5)

    async def _until_due(
        self, one: InboundIntegration, connector: Connector, had: Pull | None, *, failed_may_go: bool
    ) -> None:
        while True:
            now = self._clock()
            order = self._pulls.order(one.id)
            if due(connector, had, order, now, failed_may_go=failed_may_go):
                return
            await asyncio.sleep(TURN_S)

    async def _rest(self, one: InboundIntegration, had: Pull | None) -> None:
        """Note that it isn't pulled; its checkpoint stays."""
        had = had or Pull(id=one.id, type=one.type)
        if had.state != "disabled":
            words = "disabled: findings and the place to go on at stay" if not one.enabled else "only kept, not pulled"
            now = int(self._clock() * 1000)
            await self._pulls.write(replace(had, state="disabled", words=words, at=now, next=None))

    async def _fail(self, one: InboundIntegration, words: str) -> None:
        had = self._pulls.all.get(one.id) or Pull(id=one.id, type=one.type)
        with contextlib.suppress(BrokerError):
            await self._pulls.write(Failed(words, UNUSABLE_S).noted(had, self._clock()))
