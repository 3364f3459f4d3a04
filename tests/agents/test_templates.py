"""Notification templates: what they make of an alert, what is wrong with them, and what they can't do."""

import time
from typing import Any

import pytest

from agents.sinks.jira import Jira
from agents.templates import LONGEST, check, prepared, preview, rendered
from streams.control.errors import Refused
from streams.control.saved import NotificationTemplate, TemplateField
from tests.contract.sinks import delivery

JIRA = Jira.model_validate(
    {"host_url": "https://acme.atlassian.net", "login": "a@example.com", "api_token": "t0ken", "project": "SEC"}
)


def template(text: str, state: str = "open", **field: Any) -> NotificationTemplate:
    one = TemplateField(field="summary", value=text, **field)
    return NotificationTemplate.model_validate({"id": "t", "name": "T", "type": "jira", state: (one,)})


def shown(text: str, **field: Any) -> str:
    (one,) = preview(template(text, **field), delivery())
    assert one.fault is None, one.fault
    return one.text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "plain"),
        ("{{ alert.policy.name | upper }}: $AlertId", f"S3 BUCKET IS PUBLIC: {delivery().event.alert.id}"),
        ("{% for k, v in alert.resource.tags | items %}{{ k }}={{ v }};{% endfor %}", "team=ops;"),
        ("{{ PolicyLabels | join(' ') }} {{ Severity }}", "s3 high"),
        ("{% if config.public %}public{% else %}private{% endif %}", "public"),
        ("{{ config.nothing | default('none') }}", "none"),
        ("{{ config | tojson }}", '{"name":"logs","public":true}'),
        ("{{ 0 | time }} {{ 2 * 3 }}", "1970-01-01T00:00:00+00:00 6"),
        ("{{ 'a-b' | replace('-', '+') }}", "a+b"),
    ],
)
def test_a_text_is_rendered_with_what_the_alert_says(text: str, made: str) -> None:
    assert shown(text) == made


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n{{ alrt.id }}", 2, "there is no 'alrt'; did you mean alert?"),
        ("a\nb\n{{ alert.colour }}", 3, "no attribute 'colour'"),
        ("a\n{% if %}", 2, "Expected an expression"),
        ("{{ alert.id | shout }}", 1, "No filter named 'shout'"),
        ("{{ 1 // 0 }}", 1, "division"),
        ("{{ ''.__class__ }}", 1, "unsafe"),
        ("{{ alert['__init__'] }}", 1, "unsafe"),
        ("{{ alert.id.center(9) }}", 1, "only loops, conditions and filters"),
        ("{{ range(9) }}", 1, "only loops, conditions and filters"),
        ("{% set a = 1 %}", 1, "only loops, conditions and filters"),
        ("{% include 'x' %}", 1, "only loops, conditions and filters"),
        ("{{ 'a' * 99999999 }}", 1, "whole numbers"),
        ("{{ 9 ** 9 }}", 1, "no **"),
        ("{{ '%99999999d' % 1 }}", 1, "no %"),
        ("{{ 'a' | attr('x') }}", 1, "No filter named 'attr'"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_line_and_nothing_else_can_be_done(text: str, line: int, said: str) -> None:
    (one,) = preview(template(text), delivery())
    assert one.fault is not None
    assert (one.text, one.fault.state, one.fault.field, one.fault.line) == (text, "open", "summary", line)
    assert said in one.fault.words


def test_nothing_grows_large_or_takes_long() -> None:
    names = "{% for a in alert.findings %}" * 3 + "{% endfor %}" * 3
    began = time.process_time()
    grown = "{{ 'aaaaaaaaaa'" + " | replace('a', 'aaaaaaaaaa')" * 9 + " }}"
    for text, said in ((names, "a loop within a loop within a loop"), (grown, f"more than {LONGEST}")):
        (one,) = preview(template(text), delivery())
        assert one.fault is not None and said in one.fault.words
    assert time.process_time() - began < 5


def test_a_field_is_cut_to_its_length_and_a_value_is_never_taken_for_a_variable() -> None:
    assert shown("{{ alert.policy.name }}", max_length=10).endswith("[cut]")
    assert shown("{{ '$' ~ '{Nope}' }}") == "$ {Nope}"


def test_a_template_that_no_alert_could_be_rendered_by_is_refused_when_it_is_written() -> None:
    check(template("{{ alert.may_be_there }} $AlertId ${PolicyName}"))
    for text, said in (
        ("x\n{{ alrt }}", "open: summary: line 2: there is no 'alrt'"),
        ("${Polcy}", "did you mean ${PolicyId}?"),
    ):
        with pytest.raises(Refused) as refused:
            check(template(text))
        assert said in str(refused.value)


def test_a_destination_gets_its_fields_rendered_and_its_own_form_where_that_fails() -> None:
    sink, said = prepared(JIRA, template("{{ alert.policy.severity }} of $AccountId"), delivery())
    assert (sink.summary, said) == ("high of $AccountId", "")  # type: ignore[attr-defined] # it is a Jira
    sink, said = prepared(JIRA, template("a\n{{ alert.colour }}"), delivery())
    assert sink is JIRA
    assert said.startswith("the template t can't be used: open: summary: line 2: ")
    off = template("x").model_copy(update={"enabled": False})
    assert prepared(JIRA, off, delivery())[0] is JIRA
    assert prepared(JIRA, None, delivery()) == (JIRA, "")


def test_a_fault_in_another_states_field_keeps_nobody_from_being_told() -> None:
    broken = template("{{ alert.colour }}", "resolved")
    assert rendered(broken, delivery()).resolved[0].value == "{{ alert.colour }}"
    with pytest.raises(ValueError, match="resolved: summary: line 1"):
        rendered(broken, delivery("resolved"))
