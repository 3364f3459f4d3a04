"""What may come next in a query: words that go on from where it ends."""

import re
from collections.abc import Iterable
from typing import Any

from queries.catalog import ATTRIBUTES
from queries.errors import RqlError
from queries.operators import OPERATORS
from queries.run import prepared

START = "config from cloud.resource where "
_AFTER_VALUE = ("AND", "OR", "addcolumn", "limit search records to")
_LEFT = re.compile(r"[^\s()]*$")
MOST = 50


def suggested(query: str, api_names: Iterable[str] = ()) -> dict[str, Any]:
    """Return whether *query* is right as it stands, where a suggestion would go, and which there are."""
    try:
        prepared(query)
        valid = True
    except RqlError:
        valid = False
    word = _LEFT.search(query)
    begun = word.group() if word else ""
    found = [each for each in _words(query[: len(query) - len(begun)], api_names) if _goes_on(each, begun)]
    return {
        "valid": valid,
        "offset": len(query) - len(begun),
        "suggestions": found[:MOST],
        "translate": False,
        "needsOffsetUpdate": False,
        "links": "",
    }


def _words(before: str, api_names: Iterable[str]) -> list[str]:
    """Return what may stand after *before*, by the words that it ends with."""
    if not before.strip():
        return [START]
    last = before.split()[-1].lower()
    if last in ("where", "and", "or", "not", "("):
        return [*ATTRIBUTES, "json.rule = "]
    if last in ATTRIBUTES:
        return ["=", "!=", "IN (", "NOT IN ("]
    if last in ("=", "in", "(") and re.search(r"api\.name\s+\S+\s*\(?\s*$", before):
        return [f"'{name}'" for name in api_names]
    if "json.rule" in before and not last.endswith("'"):
        return [*OPERATORS, *_AFTER_VALUE]
    return list(_AFTER_VALUE)


def _goes_on(word: str, begun: str) -> bool:
    return word.lower().startswith(begun.lower())
