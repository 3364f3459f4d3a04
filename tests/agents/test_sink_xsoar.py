"""What XSOAR promises beyond the contract: closing, opening again, incidents that people touched, versions."""

from typing import Any

import pytest
from pydantic import ValidationError

from agents.sinks._outcome import Ok, Outcome, Retry
from streams.alerts import AlertStatus
from tests.contract.sinks import ALERT, Case, InProcess, delivery, in_process, sent
from tests.fakes.server import json_reply
from tests.fakes.xsoar import Xsoar


async def _life(client: InProcess, *states: AlertStatus, entry: Any = None, **given: Any) -> Ok:
    """Deliver an alert's states one after the other, with a ledger: the last outcome."""
    outcome: Outcome = Ok(entry=entry or {})
    sink = Case("xsoar").make(**given)
    for seq, state in enumerate(states, 1):
        assert isinstance(outcome, Ok), outcome
        outcome = await sent(sink, delivery(state, seq=seq + bool(entry)), client, outcome.entry)
    assert isinstance(outcome, Ok), outcome
    return outcome


async def test_an_incident_is_closed_and_opened_again_and_loses_nothing() -> None:
    client = in_process(fake := Xsoar())
    outcome = await _life(client, "open", "dismissed", "resolved")
    assert fake.incidents["1"]["status"] == 2 and fake.incidents["1"]["closeReason"] == "Resolved"
    await _life(client, "open", entry=outcome.entry)
    assert fake.incidents["1"]["status"] == 1 and fake.wrong == []
    assert fake.incidents["1"]["customFields"] == {"cloudaccount": "111122223333"} and fake.incidents["1"]["labels"]


async def test_an_incident_that_people_closed_stays_closed_unless_it_is_set() -> None:
    client = in_process(fake := Xsoar())
    made = await _life(client, "open")
    fake.incidents["1"]["status"] = 2
    await _life(client, "open", entry=made.entry)
    assert fake.holds(ALERT) == ["resolved"]
    await _life(client, "open", entry=made.entry, reopen_closed_by_people=True)
    assert fake.holds(ALERT) == ["open"]


async def test_an_incident_that_people_deleted_is_made_again_once() -> None:
    client = in_process(fake := Xsoar())
    outcome = await _life(client, "open")
    for _ in "12":
        fake.incidents.clear()
        outcome = await _life(client, "open", entry=outcome.entry)
    assert fake.incidents == {} and "isn't made again" in outcome.words
    assert (await _life(client, "resolved", entry=outcome.entry)).words == "there is no incident to change"


async def test_an_incident_that_the_ledger_has_not_is_found_by_its_name_and_no_other_is() -> None:
    client = in_process(fake := Xsoar())
    await _life(client, "open")
    assert (await _life(client, "open")).words == "incident 1 was there already"
    fake.incidents["1"]["name"] = f"About {ALERT}: a note of somebody's"
    await _life(client, "open")
    assert len(fake.incidents) == 2


async def test_an_incident_that_somebody_changed_in_between_is_read_again() -> None:
    client = in_process(fake := Xsoar())
    made = await _life(client, "open")
    fake.faults.append(json_reply(400, {"id": "errOptimisticLock", "title": "DB Version error"}))
    assert isinstance(await sent(Case("xsoar").make(), delivery("dismissed"), client, made.entry), Retry)


@pytest.mark.parametrize("version", ["8", 8, 8.0, "8.0"])
def test_its_version_is_understood_as_people_write_it(version: Any) -> None:
    assert Case("xsoar").make(version=version, api_key_id=12) == Case("xsoar").make(version="8")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"api_key_id": ""}, "version 8 wants the key's id"),
        ({"custom_fields": {"a": "${AccountID}"}}, r"did you mean \$\{AccountId\}\?"),
    ],
)
def test_a_wrong_setting_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Case("xsoar").make(**settings)


async def test_an_incident_that_we_closed_without_hearing_so_is_opened_again() -> None:
    client = in_process(fake := Xsoar())
    made = await _life(client, "open")
    await _life(client, "resolved", entry=made.entry)
    await _life(client, "open", entry=made.entry)  # the ledger never heard of the closing
    assert fake.holds(ALERT) == ["open"]
