"""Every setting is described once, and whatever else names one names a real one."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.settings import Settings

ROOT = Path(__file__).parents[2]
VARIABLES = {f"TIDEGATE_{name.upper()}" for name in Settings.model_fields}
MENTIONS = [
    p
    for name in ("docker-compose.yml", "Dockerfile", "README.md", "CONTRIBUTING.md", "docs/architecture.md")
    if (p := ROOT / name).exists()
]


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_a_setting_says_in_a_sentence_what_it_is(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description, f"{name} has no description"
    assert description[0].isupper()
    assert description.endswith("."), description


def test_the_settings_page_lists_each_and_no_other() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(TIDEGATE_\w+)` \|", page, re.MULTILINE)) == VARIABLES


@pytest.mark.parametrize("path", MENTIONS, ids=lambda p: p.name)
def test_a_variable_that_is_named_elsewhere_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"TIDEGATE_[A-Z0-9_]*[A-Z0-9]", path.read_text(encoding="utf-8")))
    prefixes = {name for name in named if any(v.startswith(f"{name}_") for v in VARIABLES)}  # TIDEGATE_KAFKA_*
    assert named - prefixes <= VARIABLES


def test_a_password_is_never_shown() -> None:
    secret = {name for name, setting in Settings.model_fields.items() if isinstance(setting.default, SecretStr)}
    assert secret >= {name for name in Settings.model_fields if "password" in name or "token" in name}
    settings = Settings(kafka_sasl_password=SecretStr("sesame"))
    assert "sesame" not in repr(settings) + str(settings) + settings.model_dump_json()
