"""IAM's credential report: one CSV of an account becomes one row a user, as queries ask it."""

import csv
from collections.abc import Mapping
from typing import Any

from agents.normalise._base import Items
from agents.normalise._fields import wrong_type
from streams.errors import BadRecord

REPORT = "aws-iam-get-credential-report"


def users(row: Mapping[str, Any], content: object) -> Items:
    """Return a row for each user of the report *content*, CSV with a header. Raises BadRecord when it is none."""
    if not isinstance(content, str):
        raise wrong_type("config.Content", "text", content)
    try:
        found = list(csv.DictReader(content.splitlines(), strict=True))
    except csv.Error as wrong:
        raise BadRecord("config.Content", f"not CSV: {wrong}") from None
    if not found or "user" not in found[0]:
        raise BadRecord("config.Content", "wanted CSV with a header and a line a user")
    return [
        (f"config.Content line {number}", {**row, "resource_id": None, "config": _user(one)})
        for number, one in enumerate(found, 2)
    ]


def _user(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user's line as a document; true and false are JSON's, everything else is text (also `N/A`)."""
    return {name: _WORDS.get(value, value) for name, value in line.items() if type(name) is str and type(value) is str}


_WORDS: Mapping[str, bool | str] = {"true": True, "false": False}
