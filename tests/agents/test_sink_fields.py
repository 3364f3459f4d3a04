"""Notification templates give tickets their fields, by the names that Prisma Cloud has for them."""

from typing import Any

import pytest

from agents.sinks._base import Sink
from agents.sinks._outcome import Ok
from agents.sinks.jira import Jira
from agents.sinks.servicenow import ServiceNow
from streams.control.saved import NotificationTemplate
from tests.contract.sinks import ALERT, Case, delivery, in_process, sent
from tests.fakes.jira import Jira as JiraFake
from tests.fakes.servicenow import ServiceNow as ServiceNowFake


def _template(type: str, **states: list[dict[str, Any]]) -> NotificationTemplate:
    return NotificationTemplate.model_validate({"id": "t", "name": "T", "type": type} | states)


JIRA = _template(
    "jira",
    basic=[{"field": "project", "value": "SEC"}, {"field": "issueType", "value": "Bug"}],
    open=[
        {"field": "summary", "value": "$Severity: ${PolicyName}"},
        {"field": "description", "value": "${PolicyDescription}\nIn ${AccountId}."},
        {"field": "labels", "value": "cloud, triage"},
        {"field": "priority", "type": "list", "value": "High", "options": [{"id": "2", "name": "High"}]},
        {"field": "customfield_10010", "value": "$AccountId"},
        {"field": "customfield_10011", "type": "list", "value": "Gold"},
        {"field": "customfield_10012", "type": "integer", "value": "7"},
        {"field": "customfield_10013", "type": "array", "value": "a, b"},
        {"field": "components", "value": ""},
    ],
    resolved=[{"field": "state", "value": "Done"}, {"field": "resolution", "value": "Won't Do"}],
)


async def _life(sink: Sink, client: Any) -> None:
    opened = await sent(sink, delivery(), client)
    assert isinstance(opened, Ok), opened
    assert isinstance(await sent(sink, delivery("resolved"), client, opened.entry), Ok)


async def test_an_issue_has_the_fields_of_its_template() -> None:
    client = in_process(fake := JiraFake())
    sink = Case("jira").make(project="OTHER").templated(JIRA)
    await _life(sink, client)
    (fields,) = fake.sent
    assert fields["summary"] == "high: S3 bucket is public" and fields["issuetype"] == {"name": "Bug"}
    assert fields["labels"] == ["cloud", "triage", "tidegate", ALERT] and fields["priority"] == {"id": "2"}
    assert [fields[f"customfield_1001{number}"] for number in range(4)] == [
        "111122223333",
        {"value": "Gold"},
        7,
        ["a", "b"],
    ]
    assert "In 111122223333." in str(fields["description"])
    assert fake.holds(ALERT) == ["resolved"] and fake.wrong == []


async def test_a_record_has_the_fields_of_its_template() -> None:
    template = _template(
        "service_now",
        basic=[{"field": "incidentType", "value": "incident"}],
        open=[
            {"field": "createIncidentOnAlertReOpen", "type": "bool", "value": "true"},
            {"field": "short_description", "value": "$AlertId"},
            {"field": "assignment_group", "value": "Cloud security"},
        ],
        resolved=[
            {"field": "state", "value": "6"},
            {"field": "close_code", "value": "Solution provided"},
            {"field": "u_outcome", "value": "$Reason"},
        ],
    )
    client = in_process(fake := ServiceNowFake())
    sink = Case("servicenow").make().templated(template)
    assert isinstance(sink, ServiceNow) and sink.create_on_reopen
    await _life(sink, client)
    (row,) = fake.rows.values()
    assert (row["short_description"], row["assignment_group"]) == (ALERT, "Cloud security")
    assert (row["state"], row["close_code"], row["u_outcome"]) == ("6", "Solution provided", "RESOURCE_UPDATED")
    assert fake.wrong == []


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({"open": [{"field": "summary", "label": "Summary", "required": True}]}, "required field Summary has no value"),
        ({"open": [{"field": "summary", "value": "${AlertIds}"}]}, r"no variable \$\{AlertIds\}"),
        ({"open": [{"field": "a", "type": "integer", "value": "x"}]}, "the field a wants a number, not 'x'"),
        ({"resolved": [{"field": "assignee", "value": "me"}]}, "resolved: the field assignee can't be set then; state"),
        ({"snoozed": [{"field": "state", "value": "me"}]}, "snoozed: the field state can't be set then"),
    ],
)
def test_a_template_that_does_not_fit_is_refused_by_the_field(states: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Case("jira").make().templated(_template("jira", **states))


def test_a_destination_without_templates_says_so() -> None:
    with pytest.raises(ValueError, match="slack takes no notification templates"):
        Case("slack").make().templated(JIRA)


def test_a_template_leaves_the_credentials_and_shows_none() -> None:
    sink = Case("jira").make().templated(JIRA)
    assert isinstance(sink, Jira) and sink.api_token.get_secret_value() == "ATATT-s3cret"
    assert "s3cret" not in repr(sink) + repr(sink.given())
