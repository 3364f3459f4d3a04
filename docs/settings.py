"""settings.md: every setting with its default and what it may be."""

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from platformdirs import user_cache_path, user_data_path
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from streams.settings import Settings

_FOLDERS = {
    user_data_path("tidegate"): "your data folder: `~/.local/share/tidegate` on Linux",
    user_cache_path("tidegate"): "your cache folder: `~/.cache/tidegate` on Linux",
}
"""Defaults that differ from machine to machine, so that the page does not."""


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Settings",
        "",
        "Printed from `streams/settings.py` by `make docs`; don't edit it here.",
        "",
        "Each is an environment variable. None is needed: without any, Tidegate runs whole on one machine,",
        "in the user's own folders. A wrong value stops the start with a sentence that names the variable.",
        "",
        "| variable | default | what it is |",
        "|---|---|---|",
    ]
    prefix = Settings.model_config.get("env_prefix", "")
    for name, setting in Settings.model_fields.items():
        about = " ".join([setting.description or "", *_allowed(setting)])
        lines.append(f"| `{prefix}{name.upper()}` | {_default(setting)} | {about.replace('|', '&#124;')} |")
    return "\n".join([*lines, ""])


def _default(setting: FieldInfo) -> str:
    value = setting.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path) and value in _FOLDERS:
        return _FOLDERS[value]
    return "none" if value in (None, "") else f"`{value}`"


def _allowed(setting: FieldInfo) -> list[str]:
    """Say in sentences which values the type and its bounds let through, and give the example."""
    said = [
        "One of " + ", ".join(f"`{choice}`" for choice in get_args(kind)) + "."
        for kind in _kinds(setting.annotation)
        if get_origin(kind) is Literal
    ]
    low = next((m.ge for m in setting.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in setting.metadata if hasattr(m, "le")), None)
    if low is not None and high is not None:
        said.append(f"{low} to {high}.")
    elif low is not None:
        said.append(f"{low} or more.")
    said += [f"For example `{example}`." for example in setting.examples or ()]
    return said


def _kinds(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
