"""Texts with variables: `${AlertId}` or `$AlertId` within them gives way to the alert's own."""

import re
from difflib import get_close_matches
from typing import Any

from agents.sinks._payload import VARIABLE, VARIABLES


def filled(template: Any, values: dict[str, str]) -> Any:
    """Return *template* with each variable in its texts replaced: what a value holds stays text, never JSON."""
    if isinstance(template, str):
        return VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), template)
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    if isinstance(template, dict):
        return {name: filled(each, values) for name, each in template.items()}
    return template


def check_template(text: str) -> str:
    """Return *text*. Raises ValueError, with the nearest name, when it has a `${Name}` that is no variable."""
    for name in (match[1] for match in re.finditer(r"\$\{(\w+)\}", text)):
        if name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, 1)
            raise ValueError(f"no variable ${{{name}}}" + (f"; did you mean ${{{near[0]}}}?" if near else ""))
    return text


def check_all(template: Any) -> None:
    """Raise ValueError when a text anywhere in *template* has a `${Name}` that is no variable."""
    if isinstance(template, str):
        check_template(template)
    elif isinstance(template, dict | list):
        for each in template.values() if isinstance(template, dict) else template:
            check_all(each)
