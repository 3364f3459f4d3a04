"""The control plane on a real broker: written once, read by all, stale writers refused, two writers at once safe."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.control import Change, Control, Edit, Keys
from streams.control.errors import ControlError, InUse, Missing, Refused, SealError, Stale
from streams.control.topics import AUDIT_LOG
from streams.kafka import client_config
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.topics import full_name
from tests.streams.control_kinds import KINDS, LAW, LINE, keys, line, own_keys

pytestmark = pytest.mark.kafka

Open = Callable[..., Any]


@pytest.fixture
async def opened(settings: Settings) -> AsyncIterator[Open]:
    """Start controls on this test's topics; all with the same key unless one is given."""
    ours = keys()
    async with AsyncExitStack() as stack:

        async def open_(given: Keys | None = None) -> Control:
            control = Control(settings, KINDS, given or ours, clock=lambda: 1_767_225_600.0)
            stack.push_async_callback(control.stop)
            await control.start()
            return control

        yield open_


async def test_what_is_written_is_read_back_before_the_answer_and_found_after_a_restart(opened: Open) -> None:
    control = await opened()
    await control.change([Edit("line", "a", line()), Edit("rule", "r", {"name": "R", "lines": ["a"]})], by="ann")
    held = control.held("line", "a")
    assert (held.name, held.by, held.at, held.origin) == ("Line", "ann", 1_767_225_600_000, "api")
    assert control.objects("line")["a"].url.get_secret_value() == "https://hooks.example/s3cret-url"
    again = await opened()
    assert again.objects("line") == control.objects("line")
    assert again.held("rule", "r") == control.held("rule", "r")
    await again.change([Edit("rule", "r", None), Edit("line", "a", None)], by="bob")
    assert dict(again.objects("line")) == {}


async def test_a_stale_write_is_refused_with_both_versions(opened: Open) -> None:
    control = await opened()
    await control.change([Edit("line", "a", line())], by="ann")
    seen = control.held("line", "a").version
    await control.change([Edit("line", "a", {"note": "mine"}, seen, merge=True)], by="ann")
    now = control.held("line", "a").version
    assert now > seen
    for edit in (Edit("line", "a", line(), seen), Edit("line", "a", None, seen)):
        with pytest.raises(Stale, match=f"changed version {seen}, and it is at version {now} now, changed by ann"):
            await control.change([edit], by="bob")
    with pytest.raises(Stale, match="changed version 9, and it was deleted"):
        await control.change([Edit("line", "b", line(), 9)], by="bob")
    await control.change([Edit("line", "b", line(name="B"), 0)], by="bob")
    with pytest.raises(Stale) as refused:
        await control.change([Edit("line", "b", line(name="B"), 0)], by="bob")
    assert (refused.value.expected, refused.value.found) == (0, control.held("line", "b").version)
    assert control.objects("line")["a"].note == "mine"


async def test_of_many_writers_in_two_processes_none_loses_and_none_overwrites_unseen(opened: Open) -> None:
    one, other = await opened(), await opened()
    await one.change([Edit("line", "a", line(port=1))], by="x")
    await other.change([], by="x", dry_run=True)  # reads up to the end
    refused = 0

    async def count(control: Control) -> None:
        nonlocal refused
        for _ in range(4):
            while True:
                held = control.held("line", "a")
                port = control.objects("line")["a"].port + 1
                try:
                    await control.change([Edit("line", "a", {"port": port}, held.version, merge=True)], by="x")
                except Stale:
                    refused += 1
                else:
                    break

    await asyncio.gather(count(one), count(other), count(one))
    await asyncio.gather(one.change([], by="x", dry_run=True), other.change([], by="x", dry_run=True))
    assert one.objects("line")["a"].port == other.objects("line")["a"].port == 13
    assert refused > 0
    third = await opened()
    assert third.state() == one.state() == other.state()


async def test_edits_are_one_all_or_nothing(opened: Open, settings: Settings) -> None:
    control = await opened()
    with pytest.raises(Refused, match=r"rule r: lines\[0\]: there is no line 'b'; known: a"):
        await control.change([Edit("line", "a", line()), Edit("rule", "r", {"name": "R", "lines": ["b"]})], by="ann")
    assert dict(control.objects("line")) == {}
    assert await _all(settings, full_name(settings, LINE.topic)) == []
    await control.change([Edit("rule", "r", {"name": "R", "lines": ["a"]}), Edit("line", "a", line())], by="ann")
    with pytest.raises(InUse, match=r"line a can't go: rule r \(lines\[0\]\) would name what isn't there"):
        await control.change([Edit("line", "a", None)], by="ann")
    with pytest.raises(Missing):
        await control.change([Edit("rule", "none", None)], by="ann")
    await control.change([Edit("line", "a", None), Edit("rule", "r", None)], by="ann")


async def test_writing_the_same_again_writes_nothing(opened: Open, settings: Settings) -> None:
    control = await opened()
    await control.change([Edit("line", "a", line(extra={"k": "v"}))], by="ann")
    before = control.held("line", "a").version
    assert [p.action for p in await control.change([Edit("line", "a", line(extra={"k": "v"}, port=443))], by="b")] == [
        "unchanged"
    ]
    assert control.held("line", "a").version == before
    assert len(await _all(settings, full_name(settings, AUDIT_LOG))) == 1


async def test_what_comes_with_the_program_keeps_only_what_was_changed(opened: Open, settings: Settings) -> None:
    control = await opened()
    assert set(control.objects("law")) == {"first", "second"}
    await control.change([Edit("law", "first", {"enabled": False}, 0, merge=True)], by="ann")
    assert control.objects("law")["first"].enabled is False
    stored = [orjson.loads(value)["document"] for _, value in await _all(settings, full_name(settings, LAW.topic))]
    assert stored == [{"enabled": False}]
    with pytest.raises(Refused, match="law second: it comes with Tidegate and can't go: set `enabled: false`"):
        await control.change([Edit("law", "second", None)], by="ann")
    again = await opened()
    assert again.objects("law")["first"].text == "Thou shalt"
    assert again.objects("law")["first"].enabled is False
    done = await again.change([Edit("law", "first", None)], by="ann")
    assert (done[0].action, again.objects("law")["first"].enabled) == ("deleted", True)


async def test_every_change_is_logged_with_who_when_and_what_but_no_secret(opened: Open, settings: Settings) -> None:
    control = await opened()
    await control.change([Edit("line", "a", line())], by="ann")
    await control.change(
        [Edit("line", "a", {"port": 8443, "url": "https://hooks.example/oth3r"}, merge=True)], by="bob"
    )
    await control.change([Edit("line", "a", None)], by="eve")
    lines = [orjson.loads(value) for _, value in await _all(settings, full_name(settings, AUDIT_LOG))]
    assert [(each["by"], each["action"], each["kind"], each["id"], each["name"]) for each in lines] == [
        ("ann", "created", "line", "a", "Line"),
        ("bob", "changed", "line", "a", "Line"),
        ("eve", "deleted", "line", "a", "Line"),
    ]
    assert {each["at"] for each in lines} == {1_767_225_600_000}
    assert lines[1]["changes"] == [
        {"path": "url", "before": "**********", "after": "********** (another)"},
        {"path": "port", "before": 443, "after": 8443},
    ]
    assert b"s3cret" not in b"".join(orjson.dumps(each) for each in lines)


async def test_changes_are_told_to_who_wants_to_know_in_every_process(opened: Open) -> None:
    writer, reader = await opened(), await opened()
    told: list[Change] = []

    def tell(changes: Sequence[Change]) -> None:
        told.extend(changes)
        assert all(reader.objects(each.kind).get(each.id) == each.after for each in changes)

    end = reader.on_change(tell)
    stream = reader.changes()
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await writer.change([Edit("line", "a", line())], by="ann")
    await reader.change([], by="ann", dry_run=True)  # or it might read both at once, which is no change
    await writer.change([Edit("line", "a", None)], by="ann")
    assert [each.id for each in await asyncio.wait_for(first, 10)] == ["a"]
    await reader.change([], by="ann", dry_run=True)
    assert [(each.before is None, each.after is None) for each in told] == [(True, False), (False, True)]
    end()
    await stream.aclose()
    await writer.change([Edit("line", "b", line())], by="ann")
    await reader.change([], by="ann", dry_run=True)
    assert len(told) == 2


async def test_without_the_key_an_object_is_told_and_written_again_it_works(opened: Open) -> None:
    control = await opened()
    await control.change([Edit("line", "a", line()), Edit("line", "b", line(name="B", url="env:HOOK"))], by="ann")
    other = await opened(keys())
    assert set(other.objects("line")) == {"b"}
    assert "line a: url: sealed with key" in other.problems["line", "a"]
    with pytest.raises(ControlError, match="isn't among the 1 keys here"):
        other.held("line", "a")
    await other.change([Edit("line", "a", None)], by="ann")
    assert (set(other.objects("line")), dict(other.problems)) == ({"b"}, {})
    await other.change([Edit("line", "a", line())], by="ann")
    assert (set(other.objects("line")), dict(other.problems)) == ({"a", "b"}, {})
    none = await opened(Keys([]))
    assert set(none.objects("line")) == {"b"}
    with pytest.raises(SealError, match="set TIDEGATE_SECRETS_KEY or TIDEGATE_SECRETS_KEY_FILE"):
        await none.change([Edit("line", "c", line(name="C"))], by="ann")


async def test_keys_are_replaced_and_everything_sealed_again(opened: Open, settings: Settings, tmp_path: Any) -> None:
    control = await opened(own_keys(tmp_path))
    beside = await opened(own_keys(tmp_path))
    await control.change([Edit("line", "a", line()), Edit("line", "b", line(name="B", url="file:/x"))], by="ann")
    old = control.keys.current
    control.keys.add()
    assert await control.reseal(by="ann") == 1
    control.keys.forget()
    assert control.keys.current != old
    values = [value.decode() for _, value in await _all(settings, full_name(settings, LINE.topic))]
    assert [old in value for value in values] == [True, False, False]
    await beside.change([], by="x", dry_run=True)
    assert beside.objects("line")["a"] == (await opened(own_keys(tmp_path))).objects("line")["a"]
    assert await control.reseal(by="ann") == 0


async def test_what_is_no_object_is_told_and_does_no_harm(opened: Open, settings: Settings) -> None:
    control = await opened()
    await control.change([Edit("line", "a", line())], by="ann")
    async with BatchProducer(settings) as producer:
        await producer.send(
            full_name(settings, LINE.topic),
            [
                (0, b"a", b"not JSON"),
                (0, b"b", b'{"id":"b","document":{"name":"B","url":"u","colour":1}}'),
            ],
        )
    await control.change([], by="x", dry_run=True)
    assert dict(control.objects("line")) == {}
    assert control.problems["line", "b"] == (
        "line b: colour: there is no such field; known: name, url, port, headers, extra, note"
    )
    await control.change([Edit("line", "a", line())], by="ann")
    assert set(control.objects("line")) == {"a"}


async def _all(settings: Settings, topic: str) -> list[tuple[bytes | None, bytes]]:
    """Return what is committed on a topic."""
    part = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(**client_config(settings), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([part])
        await consumer.seek_to_beginning(part)
        end = (await consumer.end_offsets([part]))[part]
        found = []
        while await consumer.position(part) < end:
            batch = await consumer.getmany(part, timeout_ms=100)
            found += [(record.key, record.value) for record in batch.get(part, ())]
        return found
    finally:
        await consumer.stop()
