"""The scheduler alone: turns, order, caps, pauses and pace, on a clock that the test moves."""

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.deliver.channel import Channel, Limits
from agents.deliver.entry import Chain, Entry, name_of
from agents.deliver.pause import CONFIG_S, RETRY_S, Pace, delay
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison, Retry

EVERY = Limits(latest=False, in_flight=4)
LATEST = Limits(latest=True, in_flight=4)


class World:
    """A channel with its chains; delays aren't spread, so that they are exact."""

    def __init__(self, limits: Limits | None = EVERY) -> None:
        self.channel = Channel("i", lambda: 1.0)
        self.channel.configure(limits)
        self.chains: dict[str, Chain] = {}
        self.ended: list[tuple[str, int]] = []
        self.sent: list[tuple[str, int]] = []
        self.now = 0.0

    def add(self, alert: str, *seqs: int, template: str = "") -> None:
        key = f"i|{template}|{alert}"
        for seq in seqs:
            chain = self.chains.setdefault(key, Chain(key.encode(), 0))
            self.ended += [_name(lost) for lost in self.channel.add(Entry(chain, seq, seq, 0, b""))]

    def take(self) -> list[Entry]:
        turn = self.channel.take(self.now)
        if turn is None:
            return []
        self.ended += [_name(lost) for lost in turn.overtaken]
        for entry in turn.entries:
            entry.attempts += 1
        self.sent += [_name(entry) for entry in turn.entries]
        return turn.entries

    def settle(self, entries: Sequence[Entry], *outcomes: Outcome) -> None:
        given = outcomes * len(entries) if len(outcomes) == 1 else outcomes
        lost = self.channel.settle(entries, given, self.now)
        self.ended += [_name(e) for e, o in zip(entries, given, strict=True) if not isinstance(o, Retry | Config)]
        self.ended += [_name(entry) for entry in lost]

    def go(self, *outcomes: Outcome) -> list[str]:
        """Make the next call, which has these outcomes; return what it sent."""
        entries = self.take()
        if entries:
            self.settle(entries, *outcomes)
        return ["-".join(map(str, _name(entry))) for entry in entries]

    def wait(self) -> float:
        """Move the clock to when something may be sent; return how long that took."""
        due = self.channel.due(self.now)
        assert due is not None
        took, self.now = due - self.now, max(due, self.now)
        return took


def _name(entry: Entry) -> tuple[str, int]:
    return entry.chain.alert, entry.seq


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (b"i||P-1|2", (b"i||P-1", 2)),
        (b"i|t|P-1|12", (b"i|t|P-1", 12)),
        (b"i|t|2", None),
        (b"i|t|P-1|x", None),
        (b"i|t|P-1|", None),
        (b"", None),
        (None, None),
    ],
)
def test_a_key_names_the_chain_and_the_number_in_it(key: bytes | None, name: tuple[bytes, int] | None) -> None:
    assert name_of(key) == name


def test_the_next_event_of_an_alert_waits_for_the_one_before_it() -> None:
    world = World()
    world.add("a", 1, 2)
    first = world.take()
    assert world.take() == []
    world.settle(first, Ok())
    assert world.go(Ok()) == ["a-2"]


def test_an_event_that_is_retried_holds_back_its_successors_and_no_other_alert() -> None:
    world = World()
    world.add("a", 1, 2)
    world.add("b", 1)
    assert world.go(Retry("503")) == ["a-1"]
    assert world.go(Ok()) == ["b-1"]
    assert world.go() == []
    assert world.wait() == RETRY_S[0]
    assert world.go(Ok()) == ["a-1"]
    assert world.go(Ok()) == ["a-2"]


def test_no_more_calls_than_the_destination_takes_are_under_way() -> None:
    world = World()
    for alert in "abcdef":
        world.add(alert, 1)
    assert [len(world.take()) for _ in range(6)] == [1, 1, 1, 1, 0, 0]


def test_a_newer_state_supersedes_what_waits() -> None:
    world = World(LATEST)
    world.add("a", 1, 2, 3)
    assert world.ended == [("a", 1), ("a", 2)]
    assert world.go(Ok()) == ["a-3"]


def test_a_newer_state_waits_for_what_is_under_way_and_supersedes_it_when_it_must_be_retried() -> None:
    world = World(LATEST)
    world.add("a", 1)
    first = world.take()
    world.add("a", 2, 3)
    assert world.ended == [("a", 2)] and world.take() == []
    world.settle(first, Retry("503"))
    assert world.ended == [("a", 2), ("a", 1)]
    world.wait()
    assert world.go(Ok()) == ["a-3"]


def test_what_waited_for_a_disabled_integration_is_superseded_when_it_comes_back() -> None:
    world = World(None)
    world.add("a", 1, 2)
    assert world.take() == [] and world.channel.due(0) is None
    world.channel.configure(LATEST)
    assert world.go(Ok()) == ["a-2"] and world.ended == [("a", 1), ("a", 2)]


def test_several_alerts_share_a_call_of_one_template() -> None:
    world = World(Limits(latest=False, batch=3, in_flight=4))
    for alert in "abcde":
        world.add(alert, 1, 2, template="u" if alert == "b" else "t")
    assert [entry.chain.alert for entry in world.take()] == ["a", "c", "d"]
    assert [entry.chain.alert for entry in world.take()] == ["b"]
    assert [entry.chain.alert for entry in world.take()] == ["e"]


def test_the_items_of_a_batch_are_settled_one_by_one() -> None:
    world = World(Limits(latest=False, batch=3, in_flight=1))
    for alert in "abc":
        world.add(alert, 1)
    assert world.go(Ok(), Retry("throttled"), Poison("too long")) == ["a-1", "b-1", "c-1"]
    assert world.ended == [("a", 1), ("c", 1)]
    world.wait()
    assert world.go(Ok()) == ["b-1"]


def test_a_destination_that_fails_for_three_alerts_is_tried_with_one_at_growing_intervals() -> None:
    world = World()
    for alert in "abcdefgh":
        world.add(alert, 1)
    for _ in range(3):
        world.go(Retry("refused"))
    assert world.go() == []
    waits = []
    for _ in range(12):
        waits.append(round(world.wait(), 3))
        assert len(world.go(Retry("refused"))) == 1
        assert world.go() == []
    assert waits == [*RETRY_S, RETRY_S[-1], RETRY_S[-1]]


def test_when_a_destination_is_back_all_that_waited_goes_at_once_the_eldest_first() -> None:
    world = World()
    for alert in "abcde":
        world.add(alert, 1)
    for _ in range(3):
        world.go(Retry("refused"))
    world.wait()
    assert world.go(Ok()) == ["d-1"]
    assert [world.go(Ok()) for _ in range(5)] == [["a-1"], ["b-1"], ["c-1"], ["e-1"], []]


def test_one_delivery_that_always_fails_does_not_pause_the_others() -> None:
    world = World()
    world.add("bad", 1)
    for number in range(200):
        world.add(str(number), 1)
        while entries := world.take():
            world.settle(entries, Retry("500") if entries[0].chain.alert == "bad" else Ok())
        assert world.channel.pause is None
        world.now += 1
    assert len(world.ended) == 200
    assert 8 <= world.sent.count(("bad", 1)) <= 10, "its own delays have grown"


def test_what_a_destination_asks_to_wait_is_waited_by_all() -> None:
    world = World()
    for alert in "abc":
        world.add(alert, 1)
    world.go(Retry("429", after=7.0))
    assert world.go() == []
    assert 7.0 <= world.wait() <= 7.71
    assert world.go(Ok()) == ["b-1"]
    assert world.go(Ok()) == ["a-1"]
    assert world.go(Ok()) == ["c-1"]


def test_refused_settings_pause_the_integration_until_one_delivery_goes_through() -> None:
    world = World()
    for alert in "abc":
        world.add(alert, 1)
    world.go(Config("401"))
    assert world.go() == [] and world.wait() == CONFIG_S[0]
    assert world.go(Config("401")) == ["b-1"]
    assert world.go() == [] and world.wait() == CONFIG_S[1]
    assert world.go(Ok()) == ["c-1"]
    assert [world.go(Ok()), world.go(Ok())] == [["a-1"], ["b-1"]]


def test_changed_settings_are_tried_at_once() -> None:
    world = World()
    world.add("a", 1)
    world.go(Config("401"))
    world.channel.configure(EVERY)
    assert world.go(Ok()) == ["a-1"]


def test_a_refused_template_pauses_alone() -> None:
    world = World()
    for alert in "ab":
        world.add(alert, 1, template="bad")
    for alert in "cd":
        world.add(alert, 1, template="good")
    assert world.go(Config("no such channel", "template")) == ["a-1"]
    assert [world.go(Ok()), world.go(Ok()), world.go()] == [["c-1"], ["d-1"], []]
    assert world.wait() == CONFIG_S[0]
    assert world.go(Config("no such channel", "template")) == ["a-1"]
    assert world.wait() == CONFIG_S[1]
    assert world.go(Ok()) == ["b-1"]
    assert world.go(Ok()) == ["a-1"]


def test_an_answer_that_is_none_of_the_destinations_ends_no_pause() -> None:
    world = World()
    for alert in "ab":
        world.add(alert, 1)
    world.go(Config("401"))
    world.wait()
    assert world.go(NotApplicable("another account")) == ["b-1"]
    assert world.channel.pause is not None
    assert world.go(Ok()) == ["a-1"]
    assert world.channel.pause is None


def test_a_call_that_is_broken_off_leaves_its_delivery_first_in_its_chain() -> None:
    world = World()
    world.add("a", 1, 2)
    world.channel.cancelled(world.take())
    assert world.channel.calls == 0
    assert world.go(Ok()) == ["a-1"]


def test_a_dropped_chain_is_never_sent_again_whatever_comes_of_what_is_under_way() -> None:
    world = World()
    world.add("a", 1, 2)
    first = world.take()
    world.channel.drop(first[0].chain)
    world.settle(first, Retry("503"))
    world.now = 1000
    assert world.go() == [] and world.channel.due(world.now) is None


def test_the_pace_of_a_destination_is_kept() -> None:
    world = World(Limits(latest=False, in_flight=100, per_second=5))
    for alert in range(50):
        world.add(str(alert), 1)
    while len(world.sent) < 50:
        if not world.go(Ok()):
            world.wait()
    assert 9.5 <= world.now <= 10


def test_a_pace_lets_a_fifth_of_a_second_go_at_once() -> None:
    pace = Pace(50)
    for _ in range(10):
        assert pace.ready(100.0) == 100.0
        pace.spend()
    assert pace.ready(100.0) == pytest.approx(100.02)


def test_delays_grow_to_five_minutes_and_are_spread() -> None:
    assert delay(RETRY_S, 1, 1) == 0.5
    assert (delay(RETRY_S, 99, 0), delay(RETRY_S, 99, 1)) == (225, 300)


OUTCOMES: list[Outcome] = [Ok(), Ok(), Retry("r"), Retry("r", 3.0), Config("c"), Config("c", "template")]
OUTCOMES += [Poison("p"), NotApplicable("n")]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans(), st.integers(1, 3), st.sampled_from([None, 2.0]))
def test_whatever_comes_every_delivery_ends_once_in_order(
    data: st.DataObject, latest: bool, batch: int, per_second: float | None
) -> None:
    limits = Limits(latest=latest, batch=batch, in_flight=3, per_second=per_second)
    world = World(limits)
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    under_way: list[list[Entry]] = []
    added = 0

    def settle_one(outcomes: st.SearchStrategy[Outcome]) -> None:
        entries = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
        world.settle(entries, *(data.draw(outcomes) for _ in entries))

    for step in data.draw(st.lists(st.sampled_from("aaattsswc"), max_size=40)):
        if step == "a":
            alert = data.draw(st.sampled_from("xyz"))
            template = {"x": "t", "y": "t", "z": "u"}[alert]
            numbers[alert, template] += 1
            world.add(alert, numbers[alert, template], template=template)
            added += 1
        elif step == "t":
            under_way += [entries] if (entries := world.take()) else []
        elif step == "s" and under_way:
            settle_one(st.sampled_from(OUTCOMES))
        elif step == "w":
            world.now += data.draw(st.floats(0, 20))
        elif step == "c":
            world.channel.configure(data.draw(st.sampled_from([limits, None])))
        busy = [entry.chain.key for entries in under_way for entry in entries]
        assert len(busy) == len(set(busy)) and len(under_way) <= 3
    world.channel.configure(limits)
    for _ in range(10_000):
        if entries := world.take():
            under_way.append(entries)
        elif under_way:
            settle_one(st.just(Ok()))
        elif world.channel.due(world.now) is None:
            break
        else:
            world.wait()
    assert len(world.ended) == added == len(set(world.ended))
    for alert in "xyz":
        sent = [seq for name, seq in world.sent if name == alert]
        assert sent == sorted(sent), "an event overtook an earlier one"
        if latest and sent:
            assert sent[-1] == max(numbers[key] for key in numbers if key[0] == alert)


def test_a_queue_that_moves_stays_in_memory_and_one_that_hangs_does_not() -> None:
    world = World()
    for number in range(100):
        world.add(str(number), 1)
    world.channel.pulse(1)
    for _ in range(20):
        world.go(Ok())
    world.channel.pulse(2)
    assert world.channel.smooth
    under_way = world.take()
    for second in range(3, 8):
        world.channel.pulse(second)
    assert not world.channel.smooth and world.channel.waits(under_way[0].chain)
