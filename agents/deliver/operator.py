"""Events for the operator: how an integration is has changed, told through another one, as any delivery is made."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

import orjson

from agents.deliver.deliverer import Deliverer
from agents.deliver.entry import Chain
from agents.deliver.status import AWAY_S, Colour, Status
from agents.integrations import Integration
from agents.sinks._payload import cut
from agents.sinks._text import one_line
from streams.alerts import Alert, AlertEvent, AlertPolicy, AlertResource, Delivery, Transition, alert_id, key_of, write
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import DELIVERIES, LEDGER, full_name

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Between two looks at how the integrations are."""
STEADY_S = 60.0
"""How long one has been so until that is told: a hiccup isn't."""
ACCOUNT = "000000000000"
"""The account of these events, which is nobody's: the worker that owns its partition speaks, and no other."""
POLICY = "tidegate-integration-status"


class Operator:
    """Tells the integration `operator_integration` of all others; of itself it hears nothing, so nothing goes round."""

    def __init__(
        self,
        settings: Settings,
        producer: BatchProducer,
        deliverer: Deliverer,
        integrations: Callable[[], Mapping[str, Integration]],
    ) -> None:
        self._settings = settings
        self._producer = producer
        self._deliverer = deliverer
        self._integrations = integrations
        self._part = partition_of(ACCOUNT, settings.partitions)
        self._since: dict[str, tuple[Colour, float]] = {}
        """Which colour each is that isn't as was told, and since when: seconds of the monotonic clock."""

    async def run(self) -> None:
        """Look and tell until cancelled; nothing where nobody is named. Raises BrokerError."""
        while self._settings.operator_integration:
            await self.look(time.monotonic())
            await asyncio.sleep(LOOK_S)
        await asyncio.Event().wait()

    async def look(self, now: float) -> None:
        """Tell of each integration that has been otherwise than was told for long enough by *now*, in seconds."""
        known = self._integrations()
        hears = known.get(self._settings.operator_integration)
        if hears is None or not hears.enabled or not self._deliverer.owns(self._part):
            self._since.clear()
            return
        for id, status in self._deliverer.statuses().items():
            if id == hears.id or id not in known or status.colour == "OFF":
                self._since.pop(id, None)
                continue
            chain = Chain(f"{id}||status".encode(), self._part)
            told = self._deliverer.noted(chain)
            before: Colour = told.get("colour", "GREEN")
            if status.colour == before:
                self._since.pop(id, None)
                continue
            colour, since = self._since.get(id, (status.colour, now))
            if colour != status.colour:
                since = now
            self._since[id] = (status.colour, since)
            if now - since >= _steady(before, status.colour):
                await self._tell(hears, known[id], status, before, int(told.get("seq", 0)) + 1)
                del self._since[id]

    async def _tell(self, hears: Integration, about: Integration, status: Status, before: Colour, seq: int) -> None:
        """Lay the delivery, then note that it was told: a crash in between tells it again, under the same key."""
        at = int(time.time() * 1000)
        delivery = message(hears.id, about, status, before, seq, at)
        await self._producer.send(
            full_name(self._settings, DELIVERIES), [(self._part, key_of(delivery), write(delivery))]
        )
        entry = {"colour": status.colour, "seq": seq}
        line = {"integration": about.id, "alert": "status", "seq": seq, "status": "", "at": at, "entry": entry}
        await self._producer.send(
            full_name(self._settings, LEDGER), [(self._part, f"{about.id}|status".encode(), orjson.dumps(line))]
        )
        self._deliverer.note(Chain(f"{about.id}||status".encode(), self._part), entry)
        log.warning("integration %s is %s: %s", about.id, status.colour, status.words or "it was " + before)


def message(hears: str, about: Integration, status: Status, before: Colour, seq: int, at: int) -> Delivery:
    """Return what *hears* is told: one alert an integration, open until it is GREEN. *at*: ms since 1970 UTC."""
    green, name = status.colour == "GREEN", one_line(about.name or about.id)
    words = one_line(f"{name} ({about.type}) is {status.colour}, was {before}" + (f": {status.words}" * (not green)))
    policy = AlertPolicy(
        id=POLICY,
        name="Tidegate: how an integration is has changed",
        severity="high" if status.colour == "RED" else "medium" if status.colour == "YELLOW" else "informational",
        description=cut(words, 4000),
        recommendation="See why with `tidegate integrations status`; what is open waits and is delivered then.",
        labels=["tidegate"],
    )
    resource = AlertResource(id=about.id, name=cut(words, 300), account=ACCOUNT, cloud="aws")
    alert = Alert(
        id=alert_id(POLICY, about.id),
        policy=policy,
        resource=resource,
        status="resolved" if green else "open",
        reason="NEW_ALERT" if before == "GREEN" else "RESOURCE_UPDATED",
        first_seen=at,
        last_seen=at,
        opened=at,
        updated=at,
        seq=seq,
    )
    kind: Transition = "resolved" if green else "opened" if before == "GREEN" else "updated"
    return Delivery(integration=hears, event=AlertEvent(id=f"{alert.id}-{seq}", seq=seq, kind=kind, at=at, alert=alert))


def _steady(before: Colour, colour: Colour) -> float:
    """Return for how long it must have been so. From RED to YELLOW takes longer: after a restart any outage is new."""
    return AWAY_S + STEADY_S if (before, colour) == ("RED", "YELLOW") else STEADY_S
