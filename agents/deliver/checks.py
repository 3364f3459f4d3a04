"""Checks by schedule: each integration whose check nobody sees is asked now and then whether it would deliver."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from agents.deliver.deliverer import Deliverer
from agents.integrations import Integration, IntegrationError
from agents.sinks._client import Client
from agents.sinks._outcome import Outcome, Retry

log = logging.getLogger(__name__)

MOST_S = 60.0
"""The longest that one check may take."""


class Checks:
    """Makes the checks one after the other, beside the deliveries: on connections of its own, and it pauses nothing."""

    def __init__(
        self,
        minutes: int,
        deliverer: Deliverer,
        integrations: Callable[[], Mapping[str, Integration]],
        client: Callable[[], AbstractAsyncContextManager[Client]],
    ) -> None:
        """*minutes*: between two checks of an integration; 0: none are made."""
        self._minutes = minutes
        self._deliverer = deliverer
        self._integrations = integrations
        self._client = client

    async def run(self) -> None:
        """Check all of them, then wait, until cancelled."""
        while self._minutes:
            await asyncio.sleep(self._minutes * 60)
            await self.all()
        await asyncio.Event().wait()

    async def all(self) -> None:
        """Check each enabled integration whose check is quiet, and let its status know."""
        async with self._client() as client:
            for integration in list(self._integrations().values()):
                if not integration.enabled:
                    continue
                try:
                    sink = integration.sink
                except IntegrationError:
                    continue  # its status says so already
                if sink.checks_quietly:
                    outcome = await _checked(integration.id, sink.check(client))
                    if self._integrations().get(integration.id) == integration:  # it may have been changed meanwhile
                        self._deliverer.route(integration.id.encode()).found(outcome)


async def _checked(id: str, check: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Return what came of *check*; an error of the sink's own is a defect, and no reason to stop."""
    try:
        async with asyncio.timeout(MOST_S):
            return await check
    except TimeoutError:
        return Retry(f"no end within {MOST_S:g} s")
    except Exception as error:
        log.exception("the check of %s has a defect", id)
        return Retry(f"a defect of Tidegate's: {type(error).__name__}")
