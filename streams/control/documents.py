"""JSON documents as values: a place in one, a change of one (JSON merge patch, RFC 7396), what differs between two."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

Document: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]


class Difference(NamedTuple):
    """One place where two documents differ; ABSENT where one has nothing there."""

    path: str
    before: Any
    after: Any


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent()


def spelled(path: Path) -> str:
    """Return *path* as people write it, such as `channels[0].template`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def at(document: Any, path: Path) -> Any:
    """Return what stands at *path*, ABSENT where nothing does."""
    for part in path:
        listed = isinstance(document, list | tuple) and isinstance(part, int) and 0 <= part < len(document)
        if not listed and not (isinstance(document, dict) and part in document):
            return ABSENT
        document = document[part]
    return document


def placed(document: Any, values: Mapping[Path, Any]) -> Any:
    """Return *document* with each of *values* at its path, where something stands now; the original stays as it is."""
    for path, value in values.items():
        document = _placed(document, path, value)
    return document


def found(document: Any, pattern: str) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at a *pattern* such as `channels[].integration`, with its path; `[]`: each item of a list."""
    yield from _found(document, (), pattern.replace("[]", ".[]").split("."))


def texts(document: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text in *document* with its path."""
    if isinstance(document, str):
        yield path, document
    elif isinstance(document, dict | list):
        for part, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from texts(value, (*path, part))


def patched(document: Any, patch: Any) -> Any:
    """Return *document* changed as a JSON merge patch says: objects are merged, null takes away, others replace."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = patched(merged.get(name), value)
    return merged


def patch_between(before: Document, after: Document) -> Document:
    """Return the merge patch that leads from *before* to *after*; nulls within *after* count as nothing there."""
    patch: Document = {name: None for name in before if after.get(name) is None and before[name] is not None}
    for name, value in after.items():
        old = before.get(name)
        if value is None or value == old:
            continue
        patch[name] = patch_between(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return patch


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[Difference]:
    """Yield each place where the documents differ, in order; lists of objects item by item, other lists as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), (*path, name))
    elif _objects(before) and _objects(after):
        for index in range(max(len(before), len(after))):
            pair = (before[index : index + 1] or [ABSENT], after[index : index + 1] or [ABSENT])
            yield from differences(pair[0][0], pair[1][0], (*path, index))
    elif type(before) is not type(after) or before != after:
        yield Difference(spelled(path), before, after)


def _placed(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    if at(document, path[:1]) is ABSENT:
        return document
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = _placed(copy[path[0]], path[1:], value)
    return copy


def _found(document: Any, path: Path, pattern: list[str]) -> Iterator[tuple[Path, Any]]:
    if not pattern:
        yield path, document
    elif pattern[0] == "[]":
        for index, item in enumerate(document if isinstance(document, list) else ()):
            yield from _found(item, (*path, index), pattern[1:])
    elif isinstance(document, dict) and pattern[0] in document:
        yield from _found(document[pattern[0]], (*path, pattern[0]), pattern[1:])


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
