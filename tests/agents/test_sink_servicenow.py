"""What ServiceNow promises beyond the contract: states, records that people touched, tokens, errors by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from agents.sinks._outcome import Config, Ok, Outcome, Retry
from streams.alerts import AlertStatus
from tests.contract.sinks import ALERT, NOW, Case, InProcess, delivery, in_process, sent
from tests.fakes.server import json_reply
from tests.fakes.servicenow import ServiceNow


async def _life(client: InProcess, *states: AlertStatus, variant: str = "", entry: Any = None, **given: Any) -> Ok:
    """Deliver an alert's states one after the other, with a ledger: the last outcome."""
    outcome: Outcome = Ok(entry=entry or {})
    sink = Case("servicenow", variant).make(**given)
    for seq, state in enumerate(states, 1):
        assert isinstance(outcome, Ok), outcome
        outcome = await sent(sink, delivery(state, seq=seq + bool(entry)), client, outcome.entry)
    assert isinstance(outcome, Ok), outcome
    return outcome


async def _rows(fake: ServiceNow) -> list[str]:
    assert fake.wrong == []
    return [row["state"] for row in fake.rows.values()]


@pytest.mark.parametrize(("variant", "closed", "open_"), [("", "6", "2"), ("security", "3", "16")])
async def test_a_record_is_resolved_and_opened_again(variant: str, closed: str, open_: str) -> None:
    client = in_process(fake := ServiceNow(variant))
    outcome = await _life(client, "open", "dismissed", "resolved", variant=variant)
    assert await _rows(fake) == [closed]
    await _life(client, "open", variant=variant, entry=outcome.entry)
    assert await _rows(fake) == [open_]


async def test_opening_again_makes_another_record_where_that_is_set_or_the_first_one_is_final() -> None:
    client = in_process(fake := ServiceNow())
    outcome = await _life(client, "open", "resolved")
    outcome = await _life(client, "open", entry=outcome.entry, create_on_reopen=True)
    assert await _rows(fake) == ["6", "1"]
    fake.rows[f"{2:032x}"]["state"] = "7"
    await _life(client, "open", entry={**(outcome.entry or {}), "closed": True})
    assert await _rows(fake) == ["6", "7", "1"]


async def test_a_record_that_people_closed_stays_closed_with_a_note_unless_it_is_set() -> None:
    client = in_process(fake := ServiceNow())
    made = await _life(client, "open")
    fake.rows[f"{1:032x}"]["state"] = "6"
    await _life(client, "open", entry=made.entry)
    assert await _rows(fake) == ["6"] and "was opened again" in fake.rows[f"{1:032x}"]["notes"][-1]
    await _life(client, "open", entry=made.entry, reopen_closed_by_people=True)
    assert await _rows(fake) == ["2"]


async def test_a_rule_that_forbids_the_new_state_gets_a_note_that_says_so() -> None:
    client = in_process(fake := ServiceNow())
    made = await _life(client, "open")
    fake.rule = "Only on Mondays"
    outcome = await _life(client, "resolved", entry=made.entry)
    assert "Only on Mondays" in outcome.warning and "Only on Mondays" in fake.rows[f"{1:032x}"]["notes"][-1]
    assert await _rows(fake) == ["1"]
    fake.rule = ""
    await _life(client, "resolved", entry=outcome.entry)
    assert await _rows(fake) == ["6"]


async def test_a_record_that_people_deleted_is_made_again_once() -> None:
    client = in_process(fake := ServiceNow())
    outcome = await _life(client, "open")
    for _ in "12":
        fake.rows.clear()
        outcome = await _life(client, "open", entry=outcome.entry)
    assert fake.rows == {} and "isn't made again" in outcome.words
    assert (await _life(client, "resolved", entry=outcome.entry)).words == "there is no record to change"


async def test_a_record_that_the_ledger_has_not_is_found_by_its_correlation_id() -> None:
    client = in_process(fake := ServiceNow())
    await _life(client, "open")
    assert (await _life(client, "open")).words == "INC0000001 was there already"
    await sent(Case("servicenow").make(), delivery("resolved"), client)
    assert await _rows(fake) == ["6"]


async def test_a_token_is_kept_until_its_end_and_fetched_anew_when_it_is_refused() -> None:
    client = in_process(fake := ServiceNow("oauth"))
    sink = Case("servicenow", "oauth").make()
    for number in range(3):
        assert isinstance(await sent(sink, delivery(id=f"P-{number}"), client), Ok)
    assert fake.tokens == 1
    fake.tokens = 7  # somebody revoked it
    assert isinstance(await sent(sink, delivery(id="P-4"), client), Ok)
    assert fake.tokens == 8
    later = InProcess(client.session, clock=lambda: NOW + 1750.0, fake=fake)
    assert isinstance(await sent(sink, delivery(id="P-5"), later), Ok)
    assert fake.tokens == 9


async def test_a_wrong_client_is_told() -> None:
    sink = Case("servicenow", "oauth").make(**{"client_secret": "another"})
    outcome = await sent(sink, delivery(), in_process(ServiceNow("oauth")))
    assert outcome == Config("no token: HTTP 401: invalid_client access_denied")


async def test_a_field_that_becomes_mandatory_pauses_the_template_by_name() -> None:
    client = in_process(fake := ServiceNow())
    fake.mandatory.append("caller_id")
    outcome = await sent(Case("servicenow").make(), delivery(), client)
    assert isinstance(outcome, Config) and outcome.scope == "template" and "mandatory: caller_id" in outcome.words
    checked = await Case("servicenow").make().check(client)
    assert checked == Config("incident requires caller_id: give it in `fields`", "template")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"close_code": "Fixed"}, "close_code can't be 'Fixed', but: Resolved by caller, Solution provided"),
        ({"table": "sn_si_incident"}, "HTTP 403: sn_si_incident: Operation Failed: ACL"),
        ({"password": "another"}, "HTTP 401"),
    ],
)
async def test_a_check_names_what_is_wrong(settings: dict[str, Any], words: str) -> None:
    outcome = await Case("servicenow").make(**settings).check(in_process(ServiceNow()))
    assert isinstance(outcome, Config) and words in outcome.words


async def test_an_instance_that_sleeps_is_tried_again() -> None:
    client = in_process(fake := ServiceNow())
    fake.always = json_reply(200, "Your instance is hibernating")
    assert isinstance(await sent(Case("servicenow").make(), delivery(), client), Retry)


async def test_a_note_is_no_html_in_a_journal() -> None:
    client = in_process(fake := ServiceNow())
    sink = Case("servicenow").make()
    opened = await sent(sink, delivery(), client)
    assert isinstance(opened, Ok)
    note = "[CODE]<script>1</script>[/code]"
    assert isinstance(await sent(sink, delivery("dismissed", dismissal_note=note), client, opened.entry), Ok)
    assert fake.wrong == [] and "[ code]<script>" in fake.rows[f"{1:032x}"]["notes"][0]


async def test_an_event_clears_what_its_key_opened() -> None:
    client = in_process(fake := ServiceNow("event"))
    await _life(client, "open", "resolved", variant="event")
    assert [each["severity"] for each in fake.events[ALERT]] == ["2", "0"] and fake.wrong == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"login": ""}, "wanted login and password, client_id and client_secret, or all four"),
        ({"client_id": "x"}, "wanted login and password, client_id and client_secret, or all four"),
        ({"fields": {"a": "${AccountID}"}}, r"did you mean \$\{AccountId\}\?"),
    ],
)
def test_a_wrong_setting_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Case("servicenow").make(**settings)


async def test_a_record_that_we_closed_without_hearing_so_is_opened_again() -> None:
    client = in_process(fake := ServiceNow())
    made = await _life(client, "open")
    await _life(client, "resolved", entry=made.entry)
    await _life(client, "open", entry=made.entry)  # the ledger never heard of the closing
    assert await _rows(fake) == ["2"]
