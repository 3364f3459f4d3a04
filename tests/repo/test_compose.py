"""The compose file and the image say what Tidegate really is: its settings, commands and ports; nobody runs as root."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from api.cli import app
from api.version import ROOT as API
from streams.embedded_config import Identity, properties
from streams.embedded_fetch import VERSION
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "kafka"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PORT = Settings.model_fields["api_port"].default

_TIME = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_VOLUME = {"type": "string", "pattern": r"^[a-z][a-z0-9_-]*:/[\w./-]+(:ro)?$"}
_CHECK = {
    "type": "object",
    "properties": {
        "test": _TEXTS | {"contains": {"const": "CMD"}},
        "retries": {"type": "integer", "minimum": 1},
        **dict.fromkeys(("interval", "timeout", "start_period", "start_interval"), _TIME),
    },
    "required": ["test", "interval", "timeout", "retries", "start_period"],
    "additionalProperties": False,
}
_SERVICE = {
    "type": "object",
    "properties": {
        "build": {"const": "."},
        "image": {"type": "string", "pattern": r"^[a-z/-]+:\d[\w.-]*$"},
        "user": {"type": "string"},
        "init": {"type": "boolean"},
        "read_only": {"type": "boolean"},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "stop_grace_period": _TIME,
        "environment": {
            "type": "object",
            "additionalProperties": {"type": "string"},
        },  # numbers would be retyped by YAML
        "ports": _TEXTS,
        "volumes": {"type": "array", "items": _VOLUME},
        "healthcheck": _CHECK,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"condition": {"enum": ["service_started", "service_healthy"]}},
                "required": ["condition"],
                "additionalProperties": False,
            },
        },
        **dict.fromkeys(("command", "tmpfs", "cap_drop", "security_opt"), _TEXTS),
    },
    "required": ["image", "user", "restart", "healthcheck", "volumes"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": _SERVICE, "minProperties": 1},
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
    "patternProperties": {"^x-": {}},
    "required": ["name", "services", "volumes"],
    "additionalProperties": False,
}
"""The part of the Compose Specification's schema that the file may use, with what is required of it here."""


def _dockerfile() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined, without comments."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for line in lines if line.strip() for name, _, rest in [line.partition(" ")]]


def _copied() -> list[str]:
    """What the Dockerfile takes from the checkout."""
    sources = [shlex.split(rest)[:-1] for name, rest in _dockerfile() if name == "COPY" and "--from" not in rest]
    return [source.removeprefix("./") for line in sources for source in line]


def test_the_image_is_built_from_all_that_the_wheel_takes_along() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    taken = {*wheel["packages"], *wheel["force-include"]}
    assert taken <= set(_copied())
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in taken} <= set(let_in)


def test_the_file_is_a_compose_file() -> None:
    jsonschema.validate(COMPOSE, SCHEMA, jsonschema.Draft202012Validator)


def test_the_schema_finds_what_is_wrong() -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"services": {"kafka": SERVICES["kafka"] | {"healthchek": {}}}},
        {"services": {"kafka": SERVICES["kafka"] | {"image": "apache/kafka"}}},
        {"services": {"kafka": {k: v for k, v in SERVICES["kafka"].items() if k != "healthcheck"}}},
        {"volume": {}},
    )
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(COMPOSE | wrong, SCHEMA, jsonschema.Draft202012Validator)


def test_broker_worker_and_query_node_are_there() -> None:
    assert set(SERVICES) == {"kafka", "worker", "node"}
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{VERSION}"
    assert {service["image"] for service in OURS.values()} == {f"tidegate:{PROJECT['version']}"}


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root_or_gains_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name == "kafka" or service["read_only"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_data_lies_in_a_volume_of_its_own(name: str) -> None:
    (volume,) = SERVICES[name]["volumes"]
    assert volume.split(":")[0] == name
    assert name in COMPOSE["volumes"]
    assert set(COMPOSE["volumes"]) == set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_commands_that_exist_with_settings_that_exist(name: str) -> None:
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert OURS[name]["command"][0] in commands
    variables = {f"TIDEGATE_{field.upper()}": field for field in Settings.model_fields}
    environment = OURS[name]["environment"]
    assert set(environment) <= set(variables)
    Settings.model_validate({variables[key]: value for key, value in environment.items()})


@pytest.mark.parametrize("name", OURS)
def test_our_services_wait_for_the_broker_at_an_address_that_it_announces(name: str) -> None:
    assert OURS[name]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    address = OURS[name]["environment"]["TIDEGATE_KAFKA_BOOTSTRAP_SERVERS"]
    assert f"PLAINTEXT://{address}" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert address in SERVICES["kafka"]["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_the_health_check_asks_the_api(name: str) -> None:
    assert f"'http://127.0.0.1:{PORT}{API}/health'" in OURS[name]["healthcheck"]["test"][-1]


def test_the_node_can_be_asked_from_this_machine() -> None:
    assert SERVICES["node"]["environment"]["TIDEGATE_API_HOST"] == "0.0.0.0"  # noqa: S104 # behind the line below
    assert SERVICES["node"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_the_broker_is_set_up_like_the_embedded_one() -> None:
    differ = {"process.roles", "node.id", "log.dirs"}
    lines = properties(Identity("", 1, 2), Path("/"), {}).splitlines()
    for key, value in (line.split("=", 1) for line in lines):
        if key not in differ and not re.search("listener|quorum", key):
            name = f"KAFKA_{key.upper().replace('.', '_')}"
            assert SERVICES["kafka"]["environment"][name] == value, name


def test_the_image_is_installed_from_the_lock_by_hash_and_runs_as_nobody_special() -> None:
    steps = _dockerfile()
    images = [rest.split()[0] for name, rest in steps if name == "FROM"]
    assert set(images) == {"python:3.12-slim"}
    last = max(n for n, (name, _) in enumerate(steps) if name == "FROM")
    final = dict(steps[last:])
    assert final["USER"] == SERVICES["worker"]["user"] == "10001:10001"
    assert final["ENTRYPOINT"] == '["tidegate"]'
    assert f"http://127.0.0.1:{PORT}{API}/health" in final["HEALTHCHECK"]
    assert final["EXPOSE"] == str(PORT)
    installs = [rest for name, rest in steps if name == "RUN" and "pip" in rest]
    assert "--require-hashes --only-binary :all: --requirement requirements.lock" in installs[0]
    assert all("--no-index" in part for rest in installs[1:] for part in rest.split("&&") if "pip " in part)
    assert not [rest for name, rest in steps if name == "ADD" or "curl" in rest or "wget" in rest]


def test_the_image_takes_what_the_checkout_has_and_the_ignore_file_lets_through() -> None:
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    assert "*" in patterns
    assert set(_copied()) == let_through
    assert all((ROOT / source).exists() for source in _copied())
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert set(packages["targets"]["wheel"]["packages"]) <= set(_copied())
