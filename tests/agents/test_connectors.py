"""Every connector: all comes in, killed after any page, throttled or refused; and its settings say what they are."""

from random import Random

import pytest

from agents.connectors import CONNECTORS
from agents.connectors._base import Halted, checked
from agents.sinks._outcome import Config, Ok, Reply, Retry
from streams.control.secret_fields import may_hold_secrets
from tests.agents.pulling import DOUBLES, NOW, SECRETS, fill, scene, there
from tests.fakes.server import Lost

NAMES = sorted(CONNECTORS)
COUNTS = {"guardduty": 110, "inspector": 120, "qualys": 9, "tenable": 9}


def more(name: str) -> dict[str, int]:
    return {"hosts": 2} if name == "qualys" else {}


def test_every_connector_has_a_double() -> None:
    assert set(NAMES) == set(DOUBLES)


@pytest.mark.parametrize("name", NAMES)
async def test_the_first_pull_brings_all_there_is(name: str) -> None:
    async with scene(name, **more(name)) as here:
        fill(name, here.fake, 0, COUNTS[name], NOW - 86_400 * 20)
        pages = await here.pull({})
        assert len(here.ids(pages)) == there(name, here.fake)
        assert sum(page.items for page in pages) >= len(here.ids(pages)) - 20 * (name == "qualys")
        assert here.fake.wrong == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_pull_that_is_killed_after_any_page_goes_on_and_misses_nothing(name: str) -> None:
    async with scene(name, **more(name)) as here:
        fill(name, here.fake, 0, COUNTS[name], NOW - 86_400 * 20)
        whole = here.ids(await here.pull({}))
        length = len(await here.pull({}))
        for killed in range(1, length):
            before = await here.again().pull({}, killed)
            after = await here.again().pull(before[-1].checkpoint)
            assert here.ids([*before, *after]) == whole, killed
        assert here.fake.wrong == []


@pytest.mark.parametrize("name", NAMES)
async def test_the_second_pull_brings_what_is_new_and_not_all_again(name: str) -> None:
    async with scene(name, **more(name)) as here:
        fill(name, here.fake, 0, COUNTS[name], NOW - 86_400 * 20)
        done = await here.pull({})
        here.fake.now = NOW + 86_400
        if name == "qualys":
            here.fake.hosts[4500] = [(38000, "Fixed", "2026-03-03T00:00:00Z")]
            here.fake.assets[8500] = "2026-03-03T00:00:00Z"
        else:
            fill(name, here.fake, 1000, 2, NOW + 80_000)
        again = await here.pull(done[-1].checkpoint)
        new = here.ids(again) - here.ids(done)
        assert len(new) == {"qualys": 3, "tenable": 4}.get(name, 2)  # a host is an asset, too
        assert len(here.ids(again)) < len(here.ids(done)) / 2 + 5
        assert here.fake.wrong == []


@pytest.mark.parametrize("name", NAMES)
async def test_with_a_quarter_of_all_calls_failing_nothing_is_lost(name: str) -> None:
    async with scene(name, **more(name)) as here:
        fill(name, here.fake, 0, COUNTS[name], NOW - 86_400 * 20)
        here.fake.chance = Random(7)
        checkpoint: dict[str, object] = {}
        pages, outcomes = [], []
        for _ in range(60):
            try:
                async for page in here.connector.pull(checkpoint, here.way):
                    checkpoint = dict(page.checkpoint)
                    pages.append(page)
            except Halted as halted:
                outcomes.append(halted.outcome)
            else:
                break
        else:
            pytest.fail(f"it never came to an end: {outcomes[-1]}")
        assert all(isinstance(outcome, Retry) for outcome in outcomes)
        assert len(here.ids(pages)) == there(name, here.fake)


@pytest.mark.parametrize("name", NAMES)
async def test_a_vendor_that_asks_to_wait_is_waited_for(name: str) -> None:
    async with scene(name, **more(name)) as here:
        fill(name, here.fake, 0, 2, NOW - 86_400)
        here.fake.faults.extend([Reply(429, {"retry-after": "7"}), Lost(), Reply(503, {})])
        assert len(here.ids(await here.pull({}))) == there(name, here.fake)
        assert 7.0 in here.waits


@pytest.mark.parametrize("name", NAMES)
async def test_a_vendor_that_asks_for_a_long_wait_ends_the_pull_until_then(name: str) -> None:
    async with scene(name, **more(name)) as here:
        fill(name, here.fake, 0, 2, NOW - 86_400)
        here.fake.always = Reply(429, {"retry-after": "1800"})
        with pytest.raises(Halted) as halted:
            await here.pull({})
        assert isinstance(halted.value.outcome, Retry)
        assert sum(here.waits) < 60


@pytest.mark.parametrize("name", NAMES)
async def test_the_check_says_that_it_works(name: str) -> None:
    async with scene(name) as here:
        fill(name, here.fake, 0, 2, NOW - 86_400)
        outcome = await checked(here.connector, here.way)
        assert isinstance(outcome, Ok), outcome
        assert outcome.words
        assert here.fake.wrong == []


@pytest.mark.parametrize("name", NAMES)
async def test_wrong_credentials_are_told_in_words_without_a_secret(name: str) -> None:
    wrong = {"secret_key": "x" * 40} if name in ("guardduty", "inspector") else {}
    wrong |= {"password": "y" * 20} if name == "qualys" else {}
    wrong |= {"secret_key": "z" * 64} if name == "tenable" else {}
    async with scene(name, **wrong) as here:
        for outcome in (await checked(here.connector, here.way), (await _halted(here)).outcome):
            assert isinstance(outcome, Config), outcome
            assert not any(secret in outcome.words for secret in (*SECRETS[name], *wrong.values()))
            assert outcome.words


async def _halted(here: object) -> Halted:
    with pytest.raises(Halted) as halted:
        await here.pull({})  # type: ignore[attr-defined]
    return halted.value


@pytest.mark.parametrize("name", NAMES)
async def test_a_secret_that_the_vendor_repeats_is_not_told(name: str) -> None:
    async with scene(name) as here:
        here.fake.always = Reply(400, {}, f"bad: {' '.join(SECRETS[name])}".encode())
        outcome = await checked(here.connector, here.way)
        assert not any(secret in outcome.words for secret in SECRETS[name])


NONSENSE = [
    b"", b"null", b"[]", b"{}", b"{", b"<x/>", b"<", b"\xff\xfe", b'{"findings": 3}',
    b'{"findingIds": [1], "nextToken": "x"}', b'{"detectorIds": "x"}', b'{"export_uuid": 7}', b'{"status": []}',
    b'{"status": "FINISHED", "chunks_available": 3}', b"<SIMPLE_RETURN>", b"<ServiceResponse><responseCode>",
    b"<regionName>eu-west-1</regionName>",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_no_answer_of_the_vendor_ends_the_pull_and_is_told(name: str) -> None:
    more = {"regions": ["eu-west-1"]} if name in ("guardduty", "inspector") else {}
    async with scene(name, **more) as here:
        for body in NONSENSE:
            here.fake.always = Reply(200, {"content-type": "application/json"}, body)
            outcome = await checked(here.connector, here.way)
            assert outcome.words
            pages, halted = await here.pull_until_halted({})
            assert str(halted)
            assert not any(page.items for page in pages)


@pytest.mark.parametrize("name", NAMES)
def test_settings_say_what_they_are_and_hide_their_secrets(name: str) -> None:
    kind = CONNECTORS[name]
    examples = {field: info.examples[0] for field, info in kind.model_fields.items() if info.examples}
    made = kind.model_validate(examples)
    for field, info in kind.model_fields.items():
        assert info.description, field
        assert not info.is_required() or info.examples, field
        if may_hold_secrets(info.annotation):
            assert examples[field] not in repr(made)
    assert not any(secret in made.tenant for secret in (str(examples[f]) for f in examples if "secret" in f))
    assert kind.source
    assert kind.prisma
    assert kind.__doc__
