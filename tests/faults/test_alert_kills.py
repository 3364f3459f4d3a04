"""A worker that dies three times amid changes of alerts ends with the alerts of one that lives, and tells every change.

`TIDEGATE_TEST_ALERT_CHANGES=10000 pytest tests/faults/test_alert_kills.py` makes that many.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from aiohttp import web

from streams.admin import watermarks
from streams.alerts import Alert, AlertEvent, read
from streams.settings import Settings
from streams.topics import ALERT_EVENTS, ALERTS, full_name
from tests.agents.delivering import Receiver
from tests.faults.harness import Process
from tests.faults.test_alerts import POLICY, on_topic, send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(1800)]

CHANGES = int(os.environ.get("TIDEGATE_TEST_ALERT_CHANGES", "400"))
ROUNDS = 4
"""In each, every alert changes once: opened, resolved, reopened, resolved."""
COUNT = CHANGES // ROUNDS
KILLS = {1: 0.25, 2: 0.5, 3: 0.75}
"""Round to how much of it the receiver answers before the worker is killed."""
ALERTING = """\
integrations: [{{id: hook, type: webhook, settings: {{url: "{url}"}}}}]
alert_rules: [{{id: all, name: All, channels: [{{integration: hook, states: [open, resolved]}}]}}]
"""
T = TypeVar("T")


class Outcome(NamedTuple):
    """What came of the changes, without times: *alerts* by resource, *events* as topics and receiver have them."""

    alerts: dict[str, Any]
    written: list[str]
    taken: list[str]


class Gate:
    """Answers so many requests, and lets further ones wait until it is opened."""

    def __init__(self) -> None:
        self.left = inf
        self.waiting = False

    async def answer(self, _request: web.Request, _number: int) -> web.Response:
        while self.left < 1:
            self.waiting = True
            await asyncio.sleep(0.02)
        self.left -= 1
        return web.Response(status=202)

    def open(self) -> None:
        self.left, self.waiting = inf, False


@contextmanager
def listening(gate: Gate) -> Iterator[Receiver]:
    """A receiver in a thread of its own, so that it answers while the test waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def there(what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, loop).result(30)

    receiver = Receiver(gate.answer)
    there(receiver.start())
    try:
        yield receiver
    finally:
        there(receiver.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def life(settings: Settings, kills: dict[int, float]) -> Outcome:
    """Change every alert in each round, and kill the worker in those of *kills*."""
    folder = settings.data.parent / f"{settings.data.name}-policies"
    folder.mkdir()
    (folder / "loud.yaml").write_text(POLICY)
    gate = Gate()
    with listening(gate) as receiver:
        alerting = folder.with_suffix(".yaml")
        alerting.write_text(ALERTING.format(url=receiver.url))
        settings = settings.model_copy(
            update={"policies": folder, "alerting": alerting, "allowed_networks": "127.0.0.0/8"}
        )

        def told(least: float) -> Callable[[], bool]:
            return lambda: len(set(_taken(receiver))) >= least

        def everything(turn: int) -> Callable[[], bool]:
            return lambda: told(turn * COUNT)() and _written(settings) >= turn * COUNT

        turn = 0
        for last in (*kills, ROUNDS):  # the same worker until it is killed
            with Process(settings) as worker:
                if turn:
                    worker.wait_for(everything(turn), 600)
                while turn < last:
                    turn += 1
                    if turn in kills:
                        gate.left = int(kills[turn] * COUNT)
                    send(settings, turn, [turn % 2 == 1] * COUNT)
                    if turn in kills:
                        worker.wait_for(lambda: gate.waiting, 600)
                        worker.kill()
                        assert not told(turn * COUNT)(), "it died in the middle"
                        gate.open()
                    else:
                        worker.wait_for(everything(turn), 600)
                if turn == ROUNDS:
                    worker.stop()
        alerts = {}
        for _, value in on_topic(settings, ALERTS):
            one = read(Alert, value)[0]
            steps = [(step.status, step.reason) for step in one.history]
            alerts[one.resource.rrn] = (one.id, one.status, one.reason, one.seq, steps)
        return Outcome(alerts, [event.id for event in _events(settings)], _taken(receiver))


def _taken(receiver: Receiver) -> list[str]:
    """Return the ids of the events that it took, without the test messages of a channel that was away."""
    return [id for id in receiver.taken if not id.startswith("P-0-")]


def _events(settings: Settings) -> list[AlertEvent]:
    return [read(AlertEvent, value)[0] for _, value in on_topic(settings, ALERT_EVENTS)]


def _written(settings: Settings) -> int:
    marks = asyncio.run(watermarks(settings, [full_name(settings, ALERT_EVENTS)]))
    return sum(each.end - each.begin for each in marks.values())


def test_killed_three_times_amid_changes_alerts_are_those_of_a_life_without_kills(
    settings: Settings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    other = {"data": tmp_path / "unhurt", "topic_prefix": f"{settings.topic_prefix}unhurt."}
    unhurt = life(settings.model_copy(update=other), {})
    killed = life(settings, KILLS)
    assert killed.alerts == unhurt.alerts and len(killed.alerts) == COUNT
    assert sorted(set(killed.written)) == sorted(unhurt.written) and len(unhurt.written) == ROUNDS * COUNT
    for each in (unhurt, killed):
        assert set(each.written) - set(each.taken) == set(), "each change was told"
        assert set(each.taken) - set(each.written) == set(), "and nothing else"
    written_twice = len(killed.written) - len(set(killed.written))
    told_twice = len(killed.taken) - len(set(killed.taken))
    record_property("changes", ROUNDS * COUNT)
    record_property("events written twice", written_twice)
    record_property("deliveries made twice", told_twice)
    print(f"{ROUNDS * COUNT} changes, 3 kills: {written_twice} written twice, {told_twice} told twice")  # noqa: T201
    assert written_twice == 0
    assert len(unhurt.taken) == len(set(unhurt.taken))
    assert told_twice <= len(KILLS) * COUNT, "of a round, no more than there was is told again"
