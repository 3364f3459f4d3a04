"""The operator's file of integrations and alert rules: read whole, or refused with a line for each mistake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.inbound import InboundIntegration
from agents.integrations import Integration, IntegrationError
from agents.rules import DEFAULT, AlertRule
from queries.errors import nearest
from streams.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Alerting:
    """Who hears of which alerts. Without rules, alerts are raised and told to nobody."""

    integrations: Mapping[str, Integration] = field(default_factory=dict)
    """By id."""
    rules: tuple[AlertRule, ...] = (DEFAULT,)
    inbound: Mapping[str, InboundIntegration] = field(default_factory=dict)
    """The vendors that are asked for findings, by id."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    integrations: tuple[Integration, ...] = ()
    inbound_integrations: tuple[InboundIntegration, ...] = ()
    alert_rules: tuple[AlertRule, ...] = Field(default=(DEFAULT,))


def load(path: Path, policies: Mapping[str, object]) -> Alerting:
    """Return what the file at *path* says. *policies*: those that rules may name, by id.

    Raises SettingsError: no such file, not YAML, a wrong key or value, a name that nothing has, an integration whose
    settings can't be used.
    """
    try:
        said: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _File.model_validate(said or {})
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: can't be read: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not YAML: {error}") from None
    except ValidationError as error:
        lines = (_line(each["loc"], each["msg"]) for each in error.errors(include_url=False, include_context=False))
        raise SettingsError("\n".join(f"{path}: {line}" for line in lines)) from None
    wrongs = [*_doubles(file), *_missing(file, policies), *_unusable(file)]
    if wrongs:
        raise SettingsError("\n".join(f"{path}: {wrong}" for wrong in wrongs))
    inbound = {one.id: one for one in file.inbound_integrations}
    return Alerting({one.id: one for one in file.integrations}, file.alert_rules, inbound)


def _line(place: tuple[int | str, ...], message: str) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
    return f"{where}: {message}" if where else message


def _doubles(file: _File) -> list[str]:
    wrongs = []
    for noun, ids in (
        ("integrations", [one.id for one in file.integrations]),
        ("inbound_integrations", [one.id for one in file.inbound_integrations]),
        ("alert_rules", [one.id for one in file.alert_rules]),
    ):
        wrongs += [f"{noun}: the id {id!r} stands there twice" for id in sorted({i for i in ids if ids.count(i) > 1})]
    return wrongs


def _missing(file: _File, policies: Mapping[str, object]) -> list[str]:
    integrations = [one.id for one in file.integrations]
    wrongs = []
    for rule in file.alert_rules:
        for channel in rule.channels:
            if channel.integration not in integrations:
                hint = nearest(channel.integration, integrations) or f"there are {', '.join(integrations) or 'none'}"
                wrongs.append(f"alert rule {rule.id}: there is no integration {channel.integration!r}; {hint}")
        for policy in (*rule.policies, *rule.excluded_policies):
            if policy not in policies:
                hint = nearest(policy, policies) or "see `tidegate policies list`"
                wrongs.append(f"alert rule {rule.id}: there is no policy {policy!r}; {hint}")
    return wrongs


def _unusable(file: _File) -> list[str]:
    wrongs = []
    for one in file.integrations:
        try:
            _ = one.sink
        except IntegrationError as wrong:
            wrongs += str(wrong).splitlines()
    for each in file.inbound_integrations:
        try:
            _ = each.connector
        except IntegrationError as wrong:
            wrongs += str(wrong).splitlines()
    return wrongs
