"""What Jira promises beyond the contract: the workflow, issues that people touched, errors by the field's name."""

from typing import Any

import pytest
from pydantic import ValidationError

from agents.sinks._outcome import Config, Ok, Outcome, Reply, Retry
from streams.alerts import AlertStatus
from tests.contract.sinks import ALERT, Case, InProcess, delivery, in_process, sent
from tests.fakes.jira import Jira
from tests.fakes.server import json_reply

BOTH = pytest.mark.parametrize("variant", ["", "dc"])


async def _life(client: InProcess, *states: AlertStatus, variant: str = "", entry: Any = None, **given: Any) -> Ok:
    """Deliver an alert's states one after the other, with a ledger: the last outcome."""
    outcome: Outcome = Ok(entry=entry or {})
    for seq, state in enumerate(states, 1):
        assert isinstance(outcome, Ok)
        outcome = await sent(
            Case("jira", variant).make(**given), delivery(state, seq=seq + bool(entry)), client, outcome.entry
        )
    assert isinstance(outcome, Ok), outcome
    return outcome


@BOTH
async def test_an_issue_is_resolved_and_opened_again_by_the_workflow(variant: str) -> None:
    client = in_process(fake := Jira(variant))
    closed = await _life(client, "open", "resolved", variant=variant)
    assert fake.holds(ALERT) == ["resolved"] and closed.entry == {"key": "SEC-1", "made": 1, "closed": True}
    opened = await _life(client, "open", variant=variant, entry=closed.entry)
    assert fake.issues["SEC-1"]["status"] == "To Do" and opened.entry == {"key": "SEC-1", "made": 1, "closed": False}
    assert [
        f"was {word}" in said
        for word, said in zip(("resolved", "opened"), fake.issues["SEC-1"]["comments"], strict=True)
    ]
    assert fake.wrong == []


async def test_an_issue_that_people_closed_stays_closed_with_a_comment_unless_it_is_set() -> None:
    client = in_process(fake := Jira())
    made = await _life(client, "open")
    fake.issues["SEC-1"]["status"] = "Done"
    await _life(client, "open", entry=made.entry)
    assert fake.holds(ALERT) == ["resolved"] and "was opened again" in fake.issues["SEC-1"]["comments"][-1]
    await _life(client, "open", entry=made.entry, reopen_closed_by_people=True)
    assert fake.holds(ALERT) == ["open"]


async def test_an_issue_that_people_deleted_is_made_again_once() -> None:
    client = in_process(fake := Jira())
    outcome = await _life(client, "open")
    for _ in "12":
        fake.issues["SEC-1"]["labels"] = []
        fake.issues.clear()
        outcome = await _life(client, "open", entry=outcome.entry)
    assert fake.issues == {} and "isn't made again" in outcome.words
    assert (await _life(client, "resolved", entry=outcome.entry)).words == "there is no issue to change"


async def test_an_issue_that_the_ledger_has_not_is_found_by_its_label() -> None:
    client = in_process(fake := Jira())
    await _life(client, "open")
    again = await _life(client, "open")
    assert again.words == "SEC-1 was there already" and fake.issues["SEC-1"]["comments"] == []
    await sent(Case("jira").make(), delivery("resolved"), client)
    assert fake.holds(ALERT) == ["resolved"]


@pytest.mark.parametrize("settings", [{}, {"resolve_transition": "Close"}])
async def test_a_workflow_without_such_a_transition_gets_a_comment_that_says_so(settings: dict[str, Any]) -> None:
    client = in_process(fake := Jira())
    fake.transitions["To Do"] = ["In Progress"]
    outcome = await _life(client, "open", "resolved", **settings)
    assert isinstance(outcome, Ok) and "has no transition" in outcome.warning
    assert "has no transition" in outcome.words and "but: In Progress" in fake.issues["SEC-1"]["comments"][-1]
    assert fake.holds(ALERT) == ["open"]


async def test_a_named_transition_and_a_resolution_are_taken() -> None:
    client = in_process(fake := Jira())
    await _life(client, "open", "resolved", resolve_transition="done", resolution="Won't Do")
    assert fake.holds(ALERT) == ["resolved"] and fake.wrong == []


async def test_a_field_that_becomes_required_pauses_the_template_by_name() -> None:
    client = in_process(fake := Jira())
    fake.required = {"customfield_10020": "Team"}
    outcome = await sent(Case("jira").make(), delivery(), client)
    assert outcome == Config("customfield_10020: customfield_10020 is required.", "template")
    checked = await Case("jira").make().check(client)
    assert checked == Config("the project requires 'Team': give customfield_10020 in `fields`", "template")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"project": "NONE"}, "the project NONE isn't there"),
        ({"issue_type": "Story"}, "has no 'Story', but Bug, Task"),
        ({"fields": {"Account": "1"}}, "no field Account; did you mean customfield_10010?"),
        ({"fields": {"priority": {"name": "Highest"}}}, r"'Priority' (priority) can't be 'Highest', but: High, Low"),
    ],
)
async def test_a_check_names_what_is_wrong(settings: dict[str, Any], words: str) -> None:
    outcome = await Case("jira").make(**settings).check(in_process(Jira()))
    assert isinstance(outcome, Config) and outcome.scope == "template" and words in outcome.words


async def test_a_project_that_is_gone_pauses_the_template() -> None:
    outcome = await sent(Case("jira").make(project="GONE"), delivery(), in_process(Jira()))
    assert isinstance(outcome, Config) and outcome.scope == "template" and "'GONE' does not exist" in outcome.words


async def test_a_conflict_is_tried_again() -> None:
    client = in_process(fake := Jira())
    fake.faults.append(json_reply(409, {"errorMessages": ["busy"]}))
    assert isinstance(await sent(Case("jira").make(), delivery(), client), Retry)


async def test_summary_fields_and_labels_are_filled() -> None:
    client = in_process(fake := Jira())
    given: dict[str, Any] = {
        "summary": "${Severity}: ${AlertId}",
        "labels": ["cloud"],
        "fields": {"customfield_10010": "$AccountId"},
    }
    await _life(client, "open", **given)
    (fields,) = fake.sent
    assert (fields["summary"], fields["customfield_10010"]) == (f"high: {ALERT}", "111122223333")
    assert fields["labels"] == ["cloud", "tidegate", ALERT]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"access_token": "x"}, "either login and api_token, or access_token"),
        ({"labels": ["two words"]}, "'two words' is empty or has a space"),
        ({"fields": {"a": ["${AccountID}"]}}, r"did you mean \$\{AccountId\}\?"),
        ({"summary": "${Policy}"}, r"no variable \$\{Policy\}"),
    ],
)
def test_a_wrong_setting_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Case("jira").make(**settings)


@BOTH
async def test_an_issue_that_we_closed_without_hearing_so_is_opened_again(variant: str) -> None:
    client = in_process(fake := Jira(variant))
    made = await _life(client, "open", variant=variant)
    await _life(client, "resolved", variant=variant, entry=made.entry)
    await _life(client, "open", variant=variant, entry=made.entry)  # the ledger never heard of the closing
    assert fake.holds(ALERT) == ["open"]


async def test_a_page_in_place_of_the_transitions_is_tried_again() -> None:
    client = in_process(fake := Jira())
    made = await _life(client, "open")
    fake.decisive = lambda call: "transitions" in call.path  # type: ignore[method-assign]
    fake.faults.append(Reply(200, {"content-type": "text/html"}, b"<html>Sign in</html>"))
    outcome = await sent(Case("jira").make(), delivery("resolved"), client, made.entry)
    assert isinstance(outcome, Retry) and fake.holds(ALERT) == ["open"]
