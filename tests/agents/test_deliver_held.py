"""What waits for its time, and goes as one message: held, gathered, taken back; it survives the worker."""

import asyncio
import time
from dataclasses import replace

import pytest

from agents.deliver.channel import Channel, Limits
from agents.deliver.entry import Chain, Entry
from agents.deliver.holding import AT_ONCE, Held, held_of
from agents.sinks._outcome import Ok, Poison, Retry
from streams.alerts import Delivery, write
from streams.settings import Settings
from tests.agents.delivering import Host, Receiver, log, made, still_open, webhook
from tests.contract.sinks import delivery

DIGESTING = Limits(latest=False, in_flight=2, digests=3)


def channel(limits: Limits) -> Channel:
    made = Channel("i", lambda: 1.0)
    made.configure(limits)
    made.ahead = 1_000.0
    return made


def entry(alert: str, held: Held = AT_ONCE, seq: int = 1, chain: Chain | None = None) -> Entry:
    return Entry(chain or Chain(f"i||{alert}".encode(), 0), seq, seq, 0, b"", held)


def sent(channel: Channel, now: float) -> list[str]:
    turn = channel.take(now)
    if turn is None:
        return []
    channel.settle(turn.entries, [Ok()] * len(turn.entries), now)
    return [f"{each.chain.alert}-{each.seq}" for each in turn.entries]


def test_the_end_of_a_record_tells_whether_it_is_held() -> None:
    base = delivery("open")
    assert held_of(write(base)) is AT_ONCE
    held = replace(base, not_before=7, digest="r daily", withdraws=True)
    assert held_of(write(held)) == held_of(write(held, {"later": 1})) == Held(7, "r daily", True)
    assert held_of(write(base, {"later": 1})) is AT_ONCE
    assert held_of(b"no record") is AT_ONCE


def test_nothing_is_sent_before_its_time() -> None:
    world = channel(Limits(latest=False))
    world.add(entry("late", Held(1_060_000)))
    world.add(entry("now"))
    assert sent(world, 0.0) == ["now-1"]
    assert sent(world, 59.0) == [] and world.due(59.0) == pytest.approx(60.0)
    assert sent(world, 60.0) == ["late-1"]


def test_what_is_held_is_no_probe_of_a_pause() -> None:
    world = channel(Limits(latest=False, in_flight=1))
    world.add(entry("held", Held(2_000_000)))
    world.add(entry("a"))
    turn = world.take(0.0)
    assert turn is not None
    world.settle(turn.entries, [Retry("slow down", 5.0)], 0.0)
    assert sent(world, 4.0) == []
    assert sent(world, 6.0) == ["a-1"]


def test_an_event_behind_a_held_one_waits_unless_only_the_latest_state_counts() -> None:
    chain, other = Chain(b"i||a", 0), Chain(b"i||a", 0)
    every, latest = channel(Limits(latest=False)), channel(Limits(latest=True))
    every.add(entry("a", Held(1_060_000), 1, chain))
    every.add(entry("a", AT_ONCE, 2, chain))
    assert sent(every, 0.0) == [] and sent(every, 60.0) == ["a-1"] and sent(every, 60.0) == ["a-2"]
    latest.add(entry("a", Held(1_060_000), 1, other))
    assert [lost.seq for lost in latest.add(entry("a", AT_ONCE, 2, other))] == [1]
    assert sent(latest, 0.0) == ["a-2"]
    assert sent(latest, 60.0) == []


def test_a_digest_gathers_its_group_up_to_the_limit() -> None:
    world = channel(DIGESTING)
    for alert in "abcd":
        world.add(entry(alert, Held(1_001_000, "r daily")))
    world.add(entry("x", Held(1_001_000, "other daily")))
    world.add(entry("y"))
    assert sent(world, 0.0) == ["y-1"]
    turns = [sent(world, 1.0) for _ in range(3)]
    assert turns == [["a-1", "b-1", "c-1"], ["d-1"], ["x-1"]]


def test_a_destination_without_digests_sends_them_one_by_one() -> None:
    world = channel(Limits(latest=False, in_flight=2))
    for alert in "ab":
        world.add(entry(alert, Held(1_001_000, "r daily")))
    assert [sent(world, 1.0), sent(world, 1.0)] == [["a-1"], ["b-1"]]


def held(alert: int, seq: int = 1, seconds: float = 600, digest: str = "", *, withdraws: bool = False) -> Delivery:
    when = 0 if withdraws else int((time.time() + seconds) * 1000)
    base = made("hook", alert, seq, "resolved" if withdraws else "open")
    return replace(base, not_before=when, digest=digest, withdraws=withdraws)


@pytest.mark.kafka
def test_what_is_held_survives_its_worker_and_goes_as_one_message_when_its_time_comes(settings: Settings) -> None:
    async def run() -> None:
        async with Receiver() as receiver:
            async with Host(settings, webhook("hook", receiver)) as host:
                time_of_all = held(0, seconds=2).not_before  # a digest has one: the rule's schedule sets it
                daily = [replace(held(n, digest="r daily"), not_before=time_of_all) for n in range(5)]
                await host.send([*daily, held(9), made("hook", 7)])
                await host.until(lambda: host.deliverer.counts["delivered"] >= 1)
                assert {each.state for each in host.deliverer.open() if each.alert == "P-9"} == {"held"}
            async with Host(settings, webhook("hook", receiver)) as host:
                await host.until(lambda: len(receiver.taken) == 2 and len(host.opened()) == 1)
                assert host.opened() == ["P-9-1"]
            assert [len(body) for body in receiver.bodies] == [1, 5]

    asyncio.run(run())


@pytest.mark.kafka
def test_what_is_taken_back_before_its_time_is_never_sent(settings: Settings) -> None:
    async def run() -> None:
        async with Receiver() as receiver, Host(settings, webhook("hook", receiver)) as host:
            await host.send([held(1), held(2)])
            await host.until(lambda: len(host.opened()) == 2)
            await host.send([held(1, 2, withdraws=True), held(3, 2, withdraws=True)])
            await host.until(lambda: host.deliverer.counts["withdrawn"] == 3)
            assert host.opened() == ["P-2-1"] and receiver.ids == []
            await host.deliverer.closed()
            assert await still_open(settings) == {b"hook||P-2|1"}
            assert sorted((line["alert"], line["outcome"]) for line in await log(settings)) == [
                ("P-1", "withdrawn"),
                ("P-1", "withdrawn"),
                ("P-3", "withdrawn"),
            ]

    asyncio.run(run())


def test_a_poison_of_one_is_no_retry_of_others() -> None:
    world = channel(DIGESTING)
    for alert in "ab":
        world.add(entry(alert, Held(1, "g")))
    turn = world.take(0.0)
    assert turn is not None and turn.digest == "g"
    world.settle(turn.entries, [Ok(), Poison("never")], 0.0)
    assert world.take(0.0) is None and world.due(0.0) is None
