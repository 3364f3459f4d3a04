"""What Service Bus promises beyond the contract: batches within the limit, a bad message alone, sessions."""

from agents.sinks._base import Item
from agents.sinks._outcome import Config, Ok, Poison
from tests.contract.sinks import Case, delivery, in_process, sent
from tests.fakes.service_bus import ServiceBus


async def test_many_messages_go_in_calls_within_the_limit() -> None:
    client = in_process(fake := ServiceBus())
    items = [Item(delivery(id=f"P-{number}", config="\\" * 20_000), {}) for number in range(20)]
    assert set(await Case("service_bus").make().deliver(items, client)) == {Ok()}
    assert fake.wrong == [] and len(fake.messages) == 20 and 2 < len(fake.calls) < 20


async def test_a_message_that_spoils_a_call_is_found_by_halves() -> None:
    client = in_process(fake := ServiceBus())
    fake.poison = {"P-5-1"}
    outcomes = await Case("service_bus").make().deliver([Item(delivery(id=f"P-{n}"), {}) for n in range(9)], client)
    assert [number for number, each in enumerate(outcomes) if isinstance(each, Poison)] == [5]
    assert len(fake.messages) == 8


async def test_a_queue_with_sessions_is_told() -> None:
    outcome = await sent(Case("service_bus").make(), delivery(), in_process(ServiceBus("sessions")))
    assert isinstance(outcome, Config) and "set `sessions`" in outcome.words


async def test_a_wrong_key_is_told() -> None:
    outcome = await sent(Case("service_bus").make(key="another"), delivery(), in_process(ServiceBus()))
    assert isinstance(outcome, Config) and "InvalidSignature" in outcome.words
