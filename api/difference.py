"""How one JSON document differs from another: the places that were added, removed or changed."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

import orjson

MOST = 200
"""Differences that are told of one pair of documents."""


def differences(before: Any, after: Any, most: int = MOST) -> list[dict[str, Any]]:
    """Return `path`, `before` and `after` of each place that differs, in the documents' order; at most *most*.

    A path is written as RQL writes it: `ipPermissions[0].toPort`, `tags['a.b']`. What wasn't there has no `before`,
    what is gone no `after`. Elements of a list are matched by what they hold, so that one more in front changes nothing
    but itself; a path numbers them as they are now, those that are gone as they were.
    """
    found: list[dict[str, Any]] = []
    for difference in _differ("", before, after):
        if len(found) == most:
            break
        found.append(difference)
    return found


def _differ(path: str, before: Any, after: Any) -> Iterator[dict[str, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before | after:
            at = _member(path, name)
            if name not in after:
                yield {"path": at, "before": before[name]}
            elif name not in before:
                yield {"path": at, "after": after[name]}
            else:
                yield from _differ(at, before[name], after[name])
    elif isinstance(before, list) and isinstance(after, list):
        yield from _differ_lists(path, before, after)
    elif before != after or type(before) is not type(after):
        yield {"path": path, "before": before, "after": after}


def _differ_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[dict[str, Any]]:
    was, now = ([orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in side] for side in (before, after))
    if sorted(was) == sorted(now):
        if was != now:
            yield {"path": path, "before": before, "after": after}
        return
    for what, b0, b1, a0, a1 in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        both = min(b1 - b0, a1 - a0)
        for step in range(both):
            yield from _differ(f"{path}[{a0 + step}]", before[b0 + step], after[a0 + step])
        for place in range(b0 + both, b1):
            yield {"path": f"{path}[{place}]", "before": before[place]}
        for place in range(a0 + both, a1):
            yield {"path": f"{path}[{place}]", "after": after[place]}


def _member(path: str, name: str) -> str:
    if not name.replace("_", "a").replace("-", "a").isalnum():
        return f"{path}['{name}']"
    return f"{path}.{name}" if path else name
