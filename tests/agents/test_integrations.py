"""An integration becomes a sink, or says in words which setting is wrong, and never shows a secret."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from agents.integrations import Integration, IntegrationError
from agents.sinks.pagerduty import PagerDuty
from agents.sinks.webhook import Webhook

KEY = "R0UT1NGKEY0000000000000000000000"


def pagerduty(**settings: Any) -> Integration:
    return Integration(id="ops", type="pagerduty", settings=settings)


def test_settings_become_the_sink_once() -> None:
    integration = pagerduty(integration_key=KEY, region="eu")
    assert isinstance(integration.sink, PagerDuty) and integration.sink.region == "eu"
    assert integration.sink is integration.sink


def test_a_secret_stands_in_the_environment_or_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPS_KEY", KEY)
    file = tmp_path / "token"
    file.write_text("f1le-t0ken\n", encoding="utf-8")
    sink = pagerduty(integration_key="env:OPS_KEY").sink
    assert isinstance(sink, PagerDuty) and sink.integration_key.get_secret_value() == KEY
    hook = Integration(
        id="hook", type="webhook", settings={"url": "https://x.example", "headers": {"X-Key": f"file:{file}"}}
    ).sink
    assert isinstance(hook, Webhook) and hook.headers["X-Key"].get_secret_value() == "f1le-t0ken"


def test_what_is_a_secret_already_is_taken_as_it_is() -> None:
    sink = pagerduty(integration_key=SecretStr(KEY)).sink
    assert isinstance(sink, PagerDuty) and sink.integration_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("type_", "settings", "words"),
    [
        (
            "pagerdutty",
            {},
            "integration i (pagerdutty): type: there is no destination 'pagerdutty'; did you mean pagerd",
        ),
        ("pagerduty", {}, "settings.integration_key: missing; it is: Integration key of an Events API v2 integration"),
        ("pagerduty", {"integration_key": "k"}, "settings.integration_key: wanted 32 letters and digits, got 1 charac"),
        ("pagerduty", {"integration_key": KEY, "regio": "eu"}, "pagerduty has no such setting; did you mean region?"),
        ("pagerduty", {"integration_key": "env:NOT_THERE"}, "settings.integration_key: the environment variable NOT_"),
        ("webhook", {"url": "file:/not/there"}, "settings.url: can't read /not/there: No such file or directory"),
        ("webhook", {"url": "file:relative"}, "give the whole path, such as file:/run/secrets/relative"),
        ("webhook", {"url": "x", "headers": {"a": "env:NOT_THERE"}}, "settings.headers.a: the environment variable"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_the_way_out(type_: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(IntegrationError) as wrong:
        _ = Integration(id="i", type=type_, settings=settings).sink
    assert words in str(wrong.value)


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(IntegrationError) as wrong:
        _ = pagerduty(integration_key="k", region="mars", more=1).sink
    assert len(str(wrong.value).splitlines()) == 3


def test_no_secret_is_shown_by_an_integration_or_its_error() -> None:
    integration = pagerduty(integration_key="s3cret", region="mars")
    with pytest.raises(IntegrationError) as wrong:
        _ = integration.sink
    assert "s3cret" not in repr(integration) + str(wrong.value)


def test_a_reference_is_not_followed_where_a_user_of_the_api_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", "s3cret")
    written = Integration(id="i", type="webhook", settings={"url": "env:BROKER_PASSWORD"}, follows=False)
    with pytest.raises(IntegrationError, match=r"settings\.url: env: is followed in the operator's file only"):
        _ = written.sink


@pytest.mark.parametrize("id_", ["", "a|b", "a b", "x" * 101])
def test_an_id_that_no_key_can_hold_is_refused(id_: str) -> None:
    with pytest.raises(ValidationError):
        Integration(id=id_, type="webhook")
