"""One message of several alerts: all of them are in it, within the limits, and one that is refused spoils no other."""

from dataclasses import replace

import pytest

from agents.sinks import SINKS
from agents.sinks._base import Item
from agents.sinks._outcome import Ok, Poison, Reply, Retry
from streams.alerts import Delivery
from tests.contract.sinks import CASES, Case, in_process

MAKERS = [case for case in CASES if case.make().digests]


def items(case: Case, count: int) -> list[Item]:
    return [Item(_numbered(case, number), {}) for number in range(1, count + 1)]


def _numbered(case: Case, number: int) -> Delivery:
    base = case.delivery("open")
    alert = replace(base.event.alert, id=f"P-{number}")
    return replace(base, event=replace(base.event, id=f"P-{number}-1", alert=alert))


def test_chats_and_webhooks_make_digests() -> None:
    assert {case.name for case in MAKERS} == {"slack", "teams", "webhook"}
    assert {name for name in SINKS if name in ("slack", "teams", "webhook")} == {case.name for case in MAKERS}


@pytest.mark.parametrize("case", MAKERS, ids=str)
async def test_all_alerts_of_a_digest_are_in_one_message(case: Case) -> None:
    client = in_process(fake := case.fake())
    sink = case.make()
    given = items(case, 12)
    outcomes = await sink.digest(given, client)
    assert all(isinstance(outcome, Ok) and "12" in outcome.words for outcome in outcomes) and len(outcomes) == 12
    assert fake.wrong == []
    assert [fake.holds(f"P-{number}") for number in range(1, 13)] == [["open"]] * 12
    assert sum(fake.decisive(call) for call in fake.calls) == 1


@pytest.mark.parametrize("case", MAKERS, ids=str)
async def test_the_largest_digest_stays_within_the_limits(case: Case) -> None:
    client = in_process(fake := case.fake())
    sink = case.make()
    long = "l" * 5000
    given = []
    for item in items(case, sink.digests):
        alert = item.delivery.event.alert
        alert = replace(alert, policy=replace(alert.policy, name=long, description=long))
        given.append(item._replace(delivery=replace(item.delivery, event=replace(item.delivery.event, alert=alert))))
    assert all(isinstance(outcome, Ok) for outcome in await sink.digest(given, client))
    assert fake.wrong == []
    assert all(fake.holds(f"P-{number}") == ["open"] for number in range(1, sink.digests + 1))


@pytest.mark.parametrize("case", MAKERS, ids=str)
async def test_a_digest_that_is_refused_is_halved_until_the_one_at_fault_is_alone(case: Case) -> None:
    client = in_process(fake := case.fake())
    too_large, never = Reply(413, {}, b"too large"), Reply(422, {}, b"never this one")
    fine = Reply(200, {}, b"")
    fake.faults.extend([too_large, never, fine])
    sink = case.make()
    given = items(case, 2)
    first, second = await sink.digest(given, client)
    assert isinstance(first, Poison) and not isinstance(second, Poison)


@pytest.mark.parametrize("case", MAKERS, ids=str)
async def test_a_digest_that_fails_is_kept_whole(case: Case) -> None:
    client = in_process(fake := case.fake())
    fake.faults.append(Reply(503, {"retry-after": "7"}, b"later"))
    outcomes = await case.make().digest(items(case, 3), client)
    assert [type(outcome) for outcome in outcomes] == [Retry] * 3
    assert all(isinstance(outcome, Retry) and outcome.after == 7.0 for outcome in outcomes)
