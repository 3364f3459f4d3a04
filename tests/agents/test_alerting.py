"""The operator's file of integrations and alert rules: read whole, or every mistake told at once."""

from pathlib import Path

import pytest

from agents.alerting import Alerting, load
from agents.rules import DEFAULT
from streams.errors import SettingsError

GOOD = """
integrations:
  - id: soc
    type: webhook
    settings: {url: "https://hooks.example.com/x", token: "env:SOC_TOKEN"}
alert_rules:
  - id: critical
    name: Critical to the SOC
    severities: [critical]
    policies: [aws-s3-public]
    channels: [{integration: soc, states: [open, resolved]}]
"""


def read(tmp_path: Path, text: str) -> Alerting:
    file = tmp_path / "alerting.yaml"
    file.write_text(text)
    return load(file, {"aws-s3-public": object()})


def test_a_file_gives_integrations_and_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOC_TOKEN", "t0p-s3cret")
    alerting = read(tmp_path, GOOD)
    assert list(alerting.integrations) == ["soc"]
    assert [rule.id for rule in alerting.rules] == ["critical"]
    assert "t0p-s3cret" not in repr(alerting)


INBOUND = """
inbound_integrations:
  - id: scanner
    name: Scanner
    type: tenable
    settings: {access_key: "env:ACCESS", secret_key: "env:SECRET"}
"""


def test_a_file_gives_vendors_that_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS", "t0p-access")
    monkeypatch.setenv("SECRET", "t0p-s3cret")
    alerting = read(tmp_path, INBOUND)
    assert alerting.inbound["scanner"].connector is not None
    assert "t0p" not in repr(alerting) + repr(alerting.inbound["scanner"].connector)


def test_an_empty_file_is_the_shipped_rule_alone(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Alerting({}, (DEFAULT,))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("integrations: [", "not YAML"),
        ("integration: []", "integration: Extra inputs are not permitted"),
        ("alert_rules: [{id: a, name: A, severity: high}]", "alert_rules[0].severity: Extra inputs"),
        ("alert_rules: [{id: a, name: A, severities: [bad]}]", "alert_rules[0].severities[0]: Input should be"),
        (GOOD.replace("integration: soc", "integration: sox"), "there is no integration 'sox'; did you mean soc?"),
        (GOOD.replace("[aws-s3-public]", "[aws-s3-pubic]"), "no policy 'aws-s3-pubic'; did you mean aws-s3-public?"),
        (GOOD.replace("webhook", "webhok"), "type: there is no destination 'webhok'; did you mean webhook?"),
        (GOOD, "the environment variable SOC_TOKEN is not set"),
        (INBOUND, "the environment variable ACCESS is not set"),
        (INBOUND.replace("tenable", "tenabel"), "there is no connector 'tenabel'; did you mean tenable?"),
        (
            INBOUND.replace("secret_key", "secretkey").replace("env:", ""),
            "settings.secretkey: tenable has no such setting",
        ),
        ("alert_rules: [{id: a, name: A}, {id: a, name: B}]", "alert_rules: the id 'a' stands there twice"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_way_out(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(SettingsError) as told:
        read(tmp_path, wrong)
    assert said in str(told.value)
    assert str(tmp_path / "alerting.yaml") in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"can't be read"):
        load(tmp_path / "none.yaml", {})
