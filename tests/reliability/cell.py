"""One cell of the matrix: a destination, a fault, many alerts' lives, and what the destination holds in the end."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from agents.integrations import Integration
from agents.sinks import SINKS
from streams.admin import ensure_topics
from streams.alerts import AlertResource, AlertStatus, Delivery
from streams.produce import BatchProducer
from streams.settings import Settings, load
from streams.topics import DEAD_LETTERS
from tests.agents.delivering import TOPICS, Host, send, still_open, topic
from tests.contract.sinks import Case, in_process, sent
from tests.fakes.server import Fake
from tests.faults.harness import Process
from tests.reliability.faults import SECONDS, Fault, serving

LIFE: tuple[AlertStatus, ...] = ("open", "resolved", "open")
INTEGRATION = "it"
ACCOUNTS = 20
ONE_ACCOUNT = ("security_hub", "google_cscc")
"""Those that take alerts of their own account only."""


DEDUPLICATED = frozenset(
    ("webhook", "pagerduty", "jira", "servicenow", "xsoar", "security_hub", "google_cscc", "service_bus", "sqs-fifo")
)
"""Where nothing comes twice: they know an event by its id, or it is looked for before it is made."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the destination holds, against what it should."""

    lost: int
    """Events that it was never told of; of one that keeps the latest state: alerts that it doesn't have."""
    doubles: int
    """Messages beside the first of their event; tickets beside the first of their alert."""
    wrong: int
    """Alerts that don't end as they should."""
    dead: int
    """Dead letters."""
    refused: int
    """Requests that the vendor would refuse."""
    seconds: float


async def run(case: Case, fault: Fault, settings: Settings, alerts: int) -> Found:
    """Let *alerts* alerts open, resolve and open again while *fault* strikes."""
    await sent(case.make(), case.delivery(), in_process(case.fake()))  # a double may read megabytes of schema first
    began, fake = time.monotonic(), case.fake()
    await ensure_topics(settings, TOPICS)
    async with serving(fake, fault) as url:
        with unpaced():
            await _RUNS.get(fault.name, _alone)(case, fault, settings, alerts, fake, url)
        await _until(lambda: _nothing_open(settings), 120)
    dead = len(await topic(settings, DEAD_LETTERS))
    return replace(compared(case, fake, alerts), dead=dead, seconds=time.monotonic() - began)


def compared(case: Case, fake: Fake, alerts: int) -> Found:
    """Compare what *fake* holds with what was to be told."""
    every = SINKS[case.name].keeps == "every event"
    lost = doubles = wrong = 0
    for number in range(alerts):
        held = ["open" if state == "ACTIVE" else state for state in fake.holds(f"P-{number}")]
        if every and str(case) != "slack-bot":  # it keeps one message an alert current
            for state in set(LIFE):
                missing = LIFE.count(state) - held.count(state)
                lost, doubles = lost + max(missing, 0), doubles + max(-missing, 0)
        else:
            standing = held.count("open") if case.name == "pagerduty" else len(held)
            lost, doubles = lost + (not held), doubles + max(standing - 1, 0)
        wrong += not held or ("open" not in held if every else held[-1] != LIFE[-1])
    return Found(lost, doubles, wrong, 0, len(fake.wrong), 0.0)


def deliveries(case: Case, alerts: int, seq: int) -> Iterator[Delivery]:
    """Yield event *seq* of every alert."""
    for number in range(alerts):
        base = case.delivery(LIFE[seq - 1], id=f"P-{number}", seq=seq)
        alert = replace(base.event.alert, resource=_resource(case, base.event.alert.resource, number))
        event = replace(base.event, alert=alert, at=int(time.time() * 1000))
        yield replace(base, integration=INTEGRATION, event=event)


def integration(case: Case, url: str, name: str = "") -> Integration:
    """Return the integration that leads to *url*."""
    return Integration(id=INTEGRATION, name=name, type=case.name, settings=case.settings(url))


@contextmanager
def unpaced() -> Iterator[None]:
    """Call as fast as destinations answer, and wait only so long: their published limits would take hours."""
    before = {kind: (kind.per_second, kind.seconds) for kind in SINKS.values()}
    for kind in SINKS.values():
        kind.per_second, kind.seconds = None, SECONDS
    try:
        yield
    finally:
        for kind, (per_second, seconds) in before.items():
            kind.per_second, kind.seconds = per_second, seconds


def _resource(case: Case, resource: AlertResource, number: int) -> AlertResource:
    if case.name in ONE_ACCOUNT:
        return resource
    return replace(resource, account=f"{number % ACCOUNTS:012d}")


async def _waves(producer: BatchProducer, settings: Settings, case: Case, alerts: int, told: Callable[[], int]) -> None:
    """Lay the events down: the next of each alert while half of those before are still open."""
    for seq in range(1, len(LIFE) + 1):
        until = time.monotonic() + 60
        while told() < alerts * (seq - 1.5) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await send(producer, settings, deliveries(case, alerts, seq))


async def _alone(case: Case, fault: Fault, settings: Settings, alerts: int, fake: Fake, url: str) -> None:
    """One worker; what is broken is repaired after the outage."""
    async with Host(settings, integration(case, url)) as host:
        sending = asyncio.create_task(_waves(host.producer, settings, case, alerts, lambda: _ended(host)))
        if fault.name == "revoked":
            await _until(lambda: _true(fault.began is not None), 30)
            await asyncio.sleep(0.2 + fault.outage)
            fault.repaired = True
            host.integrations[INTEGRATION] = integration(case, url, "saved again")
        await sending
        await host.until(lambda: _ended(host) >= alerts * len(LIFE), 60 + 4 * fault.outage + alerts / 5)
        await host.deliverer.closed()


async def _killed(case: Case, fault: Fault, settings: Settings, alerts: int, fake: Fake, url: str) -> None:
    """A worker in a process of its own, killed in the middle; then another."""
    arguments = (json.dumps(integration(case, url).model_dump(mode="json")),)
    async with BatchProducer(settings) as producer:
        first = Process(settings, module="tests.reliability.cell", arguments=arguments)
        with first:
            batch = SINKS[case.name].batch
            sending = asyncio.create_task(_waves(producer, settings, case, alerts, lambda: len(fake.calls) * batch))
            await _until(lambda: _true(len(fake.calls) * batch >= alerts), 90)
            first.kill()
        await sending
        later = settings
        if fault.name == "emptied":
            later = settings.model_copy(update={"data": settings.data.with_name("another")})
        with Process(later, module="tests.reliability.cell", arguments=arguments):
            await _until(lambda: _nothing_open(settings), 120 + alerts / 5)


async def _moved(case: Case, fault: Fault, settings: Settings, alerts: int, fake: Fake, url: str) -> None:
    """Two workers: partitions go from one to the other in the middle."""
    other = settings.model_copy(update={"data": settings.data.with_name("other")})
    own = integration(case, url)
    async with Host(settings, own) as first, Host(other, own, partitions=()) as second:
        sending = asyncio.create_task(_waves(first.producer, settings, case, alerts, lambda: _ended(first)))
        await _until(lambda: _true(_ended(first) >= alerts // 2), 60)
        half = set(range(settings.partitions)) if case.name in ONE_ACCOUNT else set(range(0, settings.partitions, 2))
        await first.give_up(half)
        await second.assign(half)
        await sending
        await _until(lambda: _nothing_open(settings), 120 + alerts / 5)


_Run = Callable[[Case, Fault, Settings, int, Fake, str], Awaitable[None]]
_RUNS: dict[str, _Run] = {"killed": _killed, "emptied": _killed, "moved": _moved}


def _ended(host: Host) -> int:
    counts = host.deliverer.counts
    return sum(counts[end] for end in ("delivered", "superseded", "dead-letter", "not-applicable"))


async def _true(value: bool) -> bool:
    return value


async def _nothing_open(settings: Settings) -> bool:
    return not await still_open(settings)


async def _until(what: Callable[[], Awaitable[bool]], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < until, f"not within {seconds} s"
        await asyncio.sleep(0.05)


async def _main(own: Integration) -> None:
    """Deliver what lies open until killed, with the settings of the environment."""
    with unpaced():
        async with Host(load(), own) as host:
            await asyncio.wait({host.running}, timeout=600)
            await host.running


if __name__ == "__main__":
    asyncio.run(_main(Integration.model_validate_json(sys.argv[1])))
