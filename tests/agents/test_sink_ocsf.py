"""OCSF as the form of an alert: every event is one of its class, in any state, of any size."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from agents.sinks._ocsf import COMPLIANCE, DETECTION, finding, fit_finding
from agents.sinks._payload import sample
from streams.alerts import AlertEvent, AlertResource, AlertStatus, Delivery, Requirement, RuleName
from streams.records import Cloud, Severity
from tests.contract.sinks import POLICY, RESOURCE, delivery, make
from tests.fakes.forms import validator

STATES: tuple[AlertStatus, ...] = ("open", "dismissed", "snoozed", "resolved")
STANDARD = replace(POLICY, compliance=[Requirement(standard="CIS", requirement=n) for n in ("2.1", "2.2")])


def told(given: Delivery) -> dict[str, Any]:
    """Return the event as it arrives, held to OCSF's schema."""
    event: dict[str, Any] = orjson.loads(orjson.dumps(finding(given)))
    validator(event["class_uid"]).validate(event)
    return event


def with_findings(given: Delivery, ids: list[str]) -> Delivery:
    return replace(given, event=replace(given.event, alert=replace(given.event.alert, findings=ids)))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp", "alibaba"])
def test_a_policy_of_configurations_makes_a_compliance_finding(state: AlertStatus, cloud: Cloud) -> None:
    event = told(delivery(state, policy=STANDARD, resource=replace(RESOURCE, cloud=cloud, created=1_700_000_000_000)))
    assert (event["class_uid"], event["category_uid"]) == (COMPLIANCE, 2)
    assert event["compliance"]["requirements"] == ["CIS 2.1", "CIS 2.2"]
    assert event["compliance"]["status"] == ("Pass" if state == "resolved" else "Fail")
    assert event["resources"][0]["data"] == {"name": "logs", "public": True}


@pytest.mark.parametrize("state", STATES)
def test_a_policy_of_findings_makes_a_detection_finding(state: AlertStatus) -> None:
    event = told(with_findings(delivery(state), [f"f{n}" for n in range(250)]))
    assert (event["class_uid"], event["is_alert"]) == (DETECTION, True)
    assert (len(event["finding_info"]["related_events"]), event["finding_info"]["related_events_count"]) == (100, 250)
    assert "compliance" not in event


@pytest.mark.parametrize(
    ("state", "activity", "status"),
    [("open", 1, 1), ("dismissed", 2, 3), ("snoozed", 2, 3), ("resolved", 3, 4)],
)
def test_a_state_is_an_activity_and_a_status(state: AlertStatus, activity: int, status: int) -> None:
    event = told(delivery(state))
    assert (event["activity_id"], event["type_uid"], event["status_id"]) == (activity, 200300 + activity, status)
    assert event["unmapped"]["alert_status"] == state


def test_an_alert_that_opens_again_is_an_update_of_what_was_told() -> None:
    first, again = told(delivery()), told(delivery(seq=3))
    assert (again["activity_id"], again["status_id"], again["metadata"]["sequence"]) == (2, 1, 3)
    assert again["finding_info"]["uid"] == first["finding_info"]["uid"]
    assert again["metadata"]["uid"] != first["metadata"]["uid"]


@pytest.mark.parametrize(
    ("severity", "id"), [("informational", 1), ("low", 2), ("medium", 3), ("high", 4), ("critical", 5)]
)
def test_severities_have_their_numbers(severity: Severity, id: int) -> None:
    assert told(delivery(policy=replace(POLICY, severity=severity)))["severity_id"] == id


def test_what_has_next_to_nothing_is_an_event_as_well() -> None:
    account = AlertResource(id="111122223333", account="111122223333", cloud="aws")
    assert told(delivery(resource=account, config=None))["resources"] == [
        {"uid": "111122223333", "name": "111122223333"}
    ]
    assert told(sample(1_767_225_600_000))["finding_info"]["uid"] == "P-0"


@pytest.mark.parametrize("most", [150_000, 20_000, 8_000, 4_000, 2_600])
@pytest.mark.parametrize("found", [0, 250])
def test_what_is_too_long_is_cut_to_a_valid_event_whose_ids_are_whole(most: int, found: int) -> None:
    policy = replace(STANDARD, description="d" * 50_000, recommendation="r" * 50_000, labels=["l" * 50] * 100)
    tags = {f"tag{n}": "v" * 100 for n in range(200)}
    given = delivery(policy=policy, resource=replace(RESOURCE, tags=tags), config={"text": "c" * 60_000})
    given = replace(given, rules=[RuleName(id=f"r{n}", name="A rule") for n in range(50)])
    whole = finding(with_findings(given, [f"finding-{n}" for n in range(found)]))
    before = orjson.dumps(whole)
    cut = fit_finding(whole, most)
    assert cut is not None and len(orjson.dumps(cut)) <= most
    validator(cut["class_uid"]).validate(cut)
    assert orjson.dumps(whole) == before
    assert (cut["finding_info"]["uid"], cut["metadata"]["uid"]) == (given.event.alert.id, given.event.id)
    assert cut["resources"][0]["uid"] == RESOURCE.id
    assert cut["resources"][0]["data"] == "[left out: 60011 bytes]"


def test_an_event_whose_ids_alone_are_too_long_is_not_cut() -> None:
    assert fit_finding(finding(delivery()), 500) is None


def test_a_custom_payload_is_a_form_of_its_own() -> None:
    with pytest.raises(ValueError, match="format: ocsf and a custom payload: wanted one of them"):
        make("webhook", format="ocsf", custom_payload='{"a": "b"}')


def test_an_event_of_another_kind_than_open_or_close_is_an_update() -> None:
    given = delivery()
    event: AlertEvent = replace(given.event, kind="updated")
    assert told(replace(given, event=event))["activity_name"] == "Update"
