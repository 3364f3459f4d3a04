"""What evaluations and commands do to alerts: by example, and for any sequence of both."""

from dataclasses import replace
from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import alerts as module
from agents.alerts import REMEMBERED, Alerts, Causes, Changes, PolicyChange, Violation, apply, obey, settle
from streams.alerts import Alert, AlertCommand, AlertPolicy, AlertResource, alert_id, write

POLICY = AlertPolicy(id="public", name="Bucket is public", severity="high")
RESOURCE = AlertResource(rrn="rrn:a", id="a", account="111122223333", cloud="aws", region="eu-west-1")
VIOLATION = Violation(policy=POLICY, resource=RESOURCE, config=b'{"name":"a"}')
ID = VIOLATION.alert


def _command(id: str, action: str = "dismiss", note: str = "") -> AlertCommand:
    return AlertCommand(id=id, alert=ID, account="111122223333", action=action, by="ann", note=note, at=5)  # type: ignore[arg-type] # a test's word


def _opened() -> dict[str, Alert]:
    return apply({}, settle({}, [VIOLATION], 100))


def _dismissed() -> dict[str, Alert]:
    return apply(_opened(), obey(_opened(), [_command("1", note="known")], 150))


def _resolved() -> dict[str, Alert]:
    return apply(_opened(), settle(_opened(), [], 200))


def _one(changes: Changes) -> tuple[str, str, str, int]:
    [event] = changes.events
    return event.kind, event.alert.status, event.alert.reason, event.seq


def test_a_violation_opens_an_alert() -> None:
    changes = settle({}, [VIOLATION], 100, generation=4)
    assert _one(changes) == ("opened", "open", "NEW_ALERT", 1)
    [event] = changes.events
    assert (event.id, event.at, event.alert.first_seen, event.alert.generation) == (f"{ID}-1", 100, 100, 4)
    assert orjson.loads(write(event))["config"] == {"name": "a"}


def test_time_alone_changes_nothing() -> None:
    assert settle(_opened(), [VIOLATION], 999) == Changes()


def test_a_configuration_that_still_violates_is_no_update() -> None:
    assert settle(_opened(), [replace(VIOLATION, config=b'{"name":"a","lastUsed":9}')], 999) == Changes()


@pytest.mark.parametrize(
    "other",
    [
        replace(VIOLATION, policy=replace(POLICY, severity="low")),
        replace(VIOLATION, resource=replace(RESOURCE, tags={"team": "ops"})),
        replace(VIOLATION, findings=("f",)),
    ],
)
def test_severity_tags_and_findings_are_told_as_an_update(other: Violation) -> None:
    changes = settle(_opened(), [other], 200)
    assert _one(changes) == ("updated", "open", "RESOURCE_UPDATED", 2)
    assert changes.events[0].alert.last_seen == 200
    assert settle(apply(_opened(), changes), [other], 300) == Changes()


@pytest.mark.parametrize(
    ("causes", "reason"),
    [
        (Causes(), "RESOURCE_UPDATED"),
        (Causes(deleted={"rrn:a"}), "RESOURCE_DELETED"),
        (Causes(policies={"public": "POLICY_DISABLED"}), "POLICY_DISABLED"),
        (Causes(policies={"public": "POLICY_DELETED"}, deleted={"rrn:a"}), "POLICY_DELETED"),
        (Causes(policies={"public": "POLICY_UPDATED"}), "POLICY_UPDATED"),
        (Causes(policies={"public": "POLICY_UPDATED"}, deleted={"rrn:a"}), "RESOURCE_DELETED"),
        (Causes(policies={"public": "ALERT_RULE_DELETED"}), "ALERT_RULE_DELETED"),
        (Causes(policies={"other": "POLICY_DELETED"}, deleted={"rrn:b"}), "RESOURCE_UPDATED"),
    ],
)
def test_what_is_not_violated_any_more_is_resolved_with_the_reason(causes: Causes, reason: str) -> None:
    changes = settle(_opened(), [], 200, causes=causes)
    assert _one(changes) == ("resolved", "resolved", reason, 2)
    assert changes.events[0].alert.last_seen == 100


@pytest.mark.parametrize(
    ("causes", "reason"),
    [(Causes(), "RESOURCE_UPDATED"), (Causes(policies={"public": "POLICY_UPDATED"}), "POLICY_UPDATED")],
)
def test_a_violation_that_returns_opens_the_same_alert(causes: Causes, reason: str) -> None:
    changes = settle(_resolved(), [VIOLATION], 300, causes=causes)
    assert _one(changes) == ("reopened", "open", reason, 3)
    alert = changes.events[0].alert
    assert (alert.id, alert.first_seen, alert.opened, alert.updated, alert.last_seen) == (ID, 100, 100, 300, 300)
    assert [(step.at, step.status, step.reason) for step in alert.history] == [
        (100, "open", "NEW_ALERT"),
        (200, "resolved", "RESOURCE_UPDATED"),
        (300, "open", reason),
    ]
    assert alert.since == 300


@pytest.mark.parametrize("causes", [Causes(), Causes(deleted={"rrn:a"}, policies={"public": "POLICY_DELETED"})])
def test_a_dismissed_alert_stays_so_when_its_violation_ends_and_returns(causes: Causes) -> None:
    assert settle(_dismissed(), [], 200, causes=causes) == Changes()
    assert settle(_dismissed(), [VIOLATION], 300) == Changes()
    changes = settle(_dismissed(), [replace(VIOLATION, findings=("f",))], 400)
    assert _one(changes) == ("updated", "dismissed", "USER_DISMISSED", 3)


def test_a_user_dismisses_and_reopens() -> None:
    [alert] = _dismissed().values()
    assert (alert.status, alert.reason, alert.dismissed_by, alert.dismissal_note) == (
        "dismissed",
        "USER_DISMISSED",
        "ann",
        "known",
    )
    changes = obey(_dismissed(), [_command("2", "reopen")], 300)
    assert _one(changes) == ("reopened", "open", "USER_REOPENED", 3)
    assert (changes.events[0].by, changes.events[0].alert.dismissal_note) == ("ann", "")


def _snoozed(until: int = 500) -> dict[str, Alert]:
    return apply(_opened(), obey(_opened(), [replace(_command("1", "snooze", "later"), until=until)], 150))


def test_a_user_snoozes_until_a_time_and_an_evaluation_leaves_it_so() -> None:
    [alert] = _snoozed().values()
    assert (alert.status, alert.reason, alert.snoozed_until, alert.dismissal_note) == (
        "snoozed",
        "USER_DISMISSED",
        500,
        "later",
    )
    assert settle(_snoozed(), [], 200) == Changes()
    assert settle(_snoozed(), [VIOLATION], 200) == Changes()
    assert obey(_snoozed(), [replace(_command("2", "snooze", "later"), until=500)], 160).events == ()
    longer = obey(_snoozed(), [replace(_command("3", "snooze", "later"), until=900)], 160)
    assert (_one(longer), longer.alerts[0].snoozed_until) == (("snoozed", "snoozed", "USER_DISMISSED", 3), 900)


def test_a_snoozed_alert_wakes_at_its_time_once_and_not_before() -> None:
    wake = _command("wake-500", "wake")
    assert obey(_snoozed(), [wake], 499) == Changes()
    changes = obey(_snoozed(), [wake, wake], 500)
    assert _one(changes) == ("reopened", "open", "SNOOZED_AUTO_REOPEN", 3)
    assert changes.alerts[0].snoozed_until is None
    assert obey(_snoozed(900), [wake], 500) == Changes()
    assert obey(_dismissed(), [wake], 500) == Changes()
    assert obey({}, [replace(wake, alert="P-1")], 500).events == ()


def test_a_snooze_into_the_past_is_refused() -> None:
    [refusal] = obey(_opened(), [replace(_command("1", "snooze"), until=150)], 150).refusals
    assert refusal.words == f"{ID}: until: the time to snooze it for is over: 150"


def test_why_a_single_alert_ends_goes_before_what_happened_to_its_policy() -> None:
    causes = Causes(policies={"public": "POLICY_UPDATED"}, alerts={ID: "ALERT_RULE_DISABLED"})
    assert _one(settle(_opened(), [], 200, causes=causes)) == ("resolved", "resolved", "ALERT_RULE_DISABLED", 2)


def test_a_command_that_is_read_again_changes_nothing() -> None:
    commands = [_command("1", note="known"), _command("2", "reopen")]
    after = apply(_opened(), obey(_opened(), commands, 150))
    assert obey(after, commands, 400) == Changes()


def test_a_command_that_cannot_be_obeyed_is_refused_in_words() -> None:
    [resolved] = obey(_resolved(), [_command("1")], 300).refusals
    assert resolved.words == f"{ID} is resolved (RESOURCE_UPDATED): nothing to dismiss"
    [nothing] = obey({}, [_command("1")], 300).refusals
    assert nothing.words == f"there is no alert {ID}"


def test_an_alert_of_a_later_owner_is_left_alone() -> None:
    theirs = {ID: replace(_opened()[ID], generation=7)}
    assert settle(theirs, [], 200, generation=6) == Changes()
    assert obey(theirs, [_command("1")], 200, generation=6) == Changes()
    assert settle(theirs, [], 200, generation=7).events != ()


def test_rows_of_one_violation_are_one_alert_with_all_findings() -> None:
    rows = [replace(VIOLATION, findings=(finding,)) for finding in ("g", "f", "g")]
    [event] = settle({}, rows, 100).events
    assert event.alert.findings == ["f", "g"]


def test_two_subjects_with_one_id_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "alert_id", lambda _policy, _subject: "P-1")
    other = replace(VIOLATION, resource=replace(RESOURCE, rrn="rrn:b", id="b"))
    fresh = settle({}, [other, VIOLATION], 100)
    assert [event.alert.resource.rrn for event in fresh.events] == ["rrn:a"]
    [collision] = fresh.collisions
    assert (collision.kept, collision.dropped) == (("public", "rrn:a"), ("public", "rrn:b"))
    kept = settle(apply({}, settle({}, [other], 50)), [VIOLATION, other], 100)
    assert (kept.events, [one.dropped for one in kept.collisions]) == ((), [("public", "rrn:a")])


POLICIES = st.sampled_from(["public", "open-port"])
VIOLATIONS = st.builds(
    Violation,
    policy=st.builds(AlertPolicy, id=POLICIES, name=st.just("n"), severity=st.sampled_from(["low", "high"])),
    resource=st.builds(
        lambda rrn, name: AlertResource(rrn=rrn, id=rrn, name=name, account="1", cloud="aws"),
        st.sampled_from(["rrn:a", "rrn:b", "rrn:c"]),
        st.sampled_from(["", "x"]),
    ),
    findings=st.lists(st.sampled_from("fgh"), max_size=2).map(tuple),
    config=st.sampled_from([None, b"{}", b'{"a":1}']),
)
CHANGES: st.SearchStrategy[PolicyChange] = st.sampled_from(["POLICY_UPDATED", "POLICY_DISABLED", "ALERT_RULE_UPDATED"])
CAUSES = st.builds(
    Causes, policies=st.dictionaries(POLICIES, CHANGES), deleted=st.frozensets(st.sampled_from(["rrn:a", "rrn:b"]))
)
ROUNDS = st.lists(st.tuples(st.lists(VIOLATIONS, max_size=6), CAUSES), min_size=1, max_size=5)
COMMANDS = st.lists(
    st.builds(
        AlertCommand,
        id=st.uuids().map(str),
        alert=st.builds(alert_id, POLICIES, st.sampled_from(["rrn:a", "rrn:b", "rrn:c"])),
        account=st.just("1"),
        action=st.sampled_from(["dismiss", "reopen", "snooze"]),
        by=st.just("ann"),
        note=st.sampled_from(["", "known"]),
        at=st.just(1),
        until=st.sampled_from([10, 5000]),
    ),
    max_size=4,
)


def _state(rounds: list[tuple[list[Violation], Causes]], commands: list[AlertCommand]) -> dict[str, Alert]:
    alerts: dict[str, Alert] = {}
    for now, (violations, causes) in enumerate(rounds):
        alerts = apply(alerts, settle(alerts, violations, now, causes=causes))
    return apply(alerts, obey(alerts, commands, 50))


STATES = st.builds(_state, ROUNDS, COMMANDS)


def _bytes(changes: Changes) -> list[bytes]:
    return [write(event) for event in changes.events]


@given(STATES, st.lists(VIOLATIONS, max_size=6), CAUSES)
def test_settling_again_and_applying_again_change_nothing(
    alerts: dict[str, Alert], violations: list[Violation], causes: Causes
) -> None:
    changes = settle(alerts, violations, 100, causes=causes)
    after = apply(alerts, changes)
    assert apply(after, changes) == after
    assert {alert.id for alert in changes.alerts} == {event.alert.id for event in changes.events}
    assert settle(after, violations, 200, causes=causes).events == ()


@given(STATES, st.lists(VIOLATIONS, max_size=6), CAUSES, st.randoms(use_true_random=False))
def test_the_order_of_violations_does_not_matter(
    alerts: dict[str, Alert], violations: list[Violation], causes: Causes, chance: Random
) -> None:
    shuffled = list(violations)
    chance.shuffle(shuffled)
    assert _bytes(settle(alerts, shuffled, 100, causes=causes)) == _bytes(
        settle(alerts, violations, 100, causes=causes)
    )


@given(STATES, st.lists(VIOLATIONS, max_size=6), CAUSES)
def test_seq_grows_by_one_and_the_id_stays(alerts: Alerts, violations: list[Violation], causes: Causes) -> None:
    for event in settle(alerts, violations, 100, causes=causes).events:
        alert = event.alert
        assert event.seq == alert.seq == (alerts[alert.id].seq if alert.id in alerts else 0) + 1
        assert alert.id == alert_id(alert.policy.id, alert.resource.subject)


@given(STATES, ROUNDS)
def test_an_evaluation_never_takes_back_a_users_word(
    alerts: dict[str, Alert], rounds: list[tuple[list[Violation], Causes]]
) -> None:
    after = alerts
    for violations, causes in rounds:
        after = apply(after, settle(after, violations, 100, causes=causes))
    for id, alert in alerts.items():
        if alert.status in ("dismissed", "snoozed"):
            assert (after[id].status, after[id].dismissal_note) == (alert.status, alert.dismissal_note)
            assert after[id].snoozed_until == alert.snoozed_until


@given(STATES, st.lists(VIOLATIONS, max_size=6), CAUSES)
def test_afterwards_what_is_violated_is_open_or_dismissed_and_the_rest_is_not_open(
    alerts: dict[str, Alert], violations: list[Violation], causes: Causes
) -> None:
    after = apply(alerts, settle(alerts, violations, 100, causes=causes))
    violated = {violation.alert for violation in violations}
    assert all(after[id].status != "resolved" for id in violated)
    assert {id for id, alert in after.items() if alert.status == "open"} <= violated


@given(STATES, COMMANDS, st.lists(COMMANDS, max_size=2))
def test_commands_read_twice_change_nothing_even_after_others(
    alerts: dict[str, Alert], commands: list[AlertCommand], others: list[list[AlertCommand]]
) -> None:
    after = apply(alerts, obey(alerts, commands, 100))
    for more in others:
        after = apply(after, obey(after, more, 150))
    if all(len(alert.commands) < REMEMBERED for alert in after.values()):
        again = obey(after, commands, 200)
        assert (again.alerts, again.events) == ((), ())
