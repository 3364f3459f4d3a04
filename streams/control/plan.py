"""What a set of edits would change, decided as one: versions, documents, names and references; nothing is written here.

objects as they are, edits -> plan -> what to write and what it changes, or all that is wrong
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

import orjson
from pydantic import BaseModel

from queries.errors import nearest
from streams.control.check import opened, read, refuse_references, revealed, sealed, unmasked
from streams.control.documents import Difference, Document, found, patch_between, patched, spelled
from streams.control.errors import InUse, Missing, Refused, Stale
from streams.control.kinds import Kind, Kinds
from streams.control.record import Held, Origin
from streams.control.seal import Keys
from streams.control.show import changed

State: TypeAlias = Mapping[str, Mapping[str, Held]]
"""All objects, by kind and id, the shipped ones too."""

LARGEST = 512 * 1024
"""The most bytes of an object as JSON, secrets in clear: with these sealed, a record of 1 MiB still holds it."""

Action: TypeAlias = Literal["created", "changed", "deleted", "unchanged"]


class Edit(NamedTuple):
    """What somebody wants of one object: *document* None deletes it, *merge* changes only what the document says.

    *version*: the one that they have seen, 0 for none; None: whatever is there.
    """

    kind: str
    id: str
    document: Document | None
    version: int | None = None
    merge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What comes of one edit. *stored*: what its record will hold, None for a tombstone; *written* whether one is."""

    kind: Kind
    id: str
    action: Action
    before: Held | None
    after: BaseModel | None
    stored: Document | None
    written: bool
    differences: Sequence[Difference]
    warnings: Sequence[str] = ()


def plan(
    kinds: Kinds,
    keys: Keys,
    state: State,
    edits: Sequence[Edit],
    origin: Origin,
    *,
    operator: bool = True,
    unusable: Container[tuple[str, str]] = (),
) -> list[Planned]:
    """Return what *edits* change in *state*, in their order; *operator*: whether they may write references.

    *unusable*: objects that are there but can't be read, by kind and id: they can be deleted and written anew.

    Raises Missing, Stale, SealError, Refused with all that is wrong, InUse.
    """
    times = Counter((edit.kind, edit.id) for edit in edits)
    wrong = [
        f"{kind} {id}: it is there {count} times: name all but one otherwise, or leave them out"
        for (kind, id), count in times.items()
        if count > 1
    ]
    for edit in edits:
        _check_version(edit, state[edit.kind].get(edit.id))
    done = []
    for edit in edits:
        held = state[edit.kind].get(edit.id)
        try:
            if edit.document is None:
                done.append(_deleted(kinds[edit.kind], held, edit.id, (edit.kind, edit.id) in unusable))
            else:
                done.append(
                    _planned(kinds[edit.kind], keys, held, edit.id, edit.document, edit.merge, origin, operator)
                )
        except Refused as refused:
            wrong += refused.lines
    if wrong:
        raise Refused(wrong)
    after = _after(state, done)
    if wrong := [*_same_names(kinds, done, after), *_dangling(kinds, done, after)]:
        raise Refused(wrong)
    if wrong := list(_in_use(kinds, done, after)):
        raise InUse("\n".join(wrong))
    return [
        replace(each, warnings=tuple(each.kind.warn(each.after, after.__getitem__))) if each.after else each
        for each in done
    ]


def _check_version(edit: Edit, held: Held | None) -> None:
    found = held.version if held else 0
    if edit.version is None or edit.version == found:
        return
    if held is None:
        now = "it was deleted"
    else:
        now = f"it is at version {found}" + (f" now, changed by {held.by}" if held.by else " now")
    raise Stale(
        f"{edit.kind} {edit.id}: you changed version {edit.version}, and {now}: read it again, and change that",
        edit.version,
        found,
    )


def _deleted(kind: Kind, held: Held | None, id: str, unusable: bool) -> Planned:
    shipped = kind.shipped.get(id)
    if not unusable and held is None:
        raise Missing(f"there is no {kind.name} {id}")
    if not unusable and held is not None and not held.version:
        raise Refused([f"{kind.name} {id}: it comes with Tidegate and can't go: set `enabled: false`"])
    return Planned(
        kind=kind,
        id=id,
        action="deleted",
        before=held,
        after=shipped,
        stored=None,
        written=True,
        differences=changed(kind, held.object if held else None, shipped),
    )


def _planned(
    kind: Kind,
    keys: Keys,
    held: Held | None,
    id: str,
    wanted: Document,
    merge: bool,
    origin: Origin,
    operator: bool,
) -> Planned:
    shipped = kind.shipped.get(id)
    before = _whole(kind, keys, held)
    if merge and held is None:
        raise Missing(f"there is no {kind.name} {id} to change")
    document = patched(before, wanted) if merge else wanted
    seen = revealed(kind, held.object) if held else {}
    document = unmasked(kind, id, document, seen)
    if not operator:
        refuse_references(kind, id, document, seen)
    after = read(kind, id, document)
    same = held is not None and after == held.object
    if shipped is not None:
        stored = patch_between(shipped.model_dump(mode="json"), after.model_dump(mode="json"))
    else:
        stored = {name: value for name, value in document.items() if name != "id"}
    _check_size(kind, id, stored)
    return Planned(
        kind=kind,
        id=id,
        action="unchanged" if same else "changed" if held else "created",
        before=held,
        after=after,
        stored=sealed(kind, id, stored, keys),
        written=not same or (held is not None and origin == "files" != held.origin),
        differences=[] if same else changed(kind, held.object if held else None, after),
    )


def _check_size(kind: Kind, id: str, stored: Document) -> None:
    """Raise Refused for what no record can hold."""
    try:
        size = len(orjson.dumps(stored))
    except TypeError as error:
        raise Refused([f"{kind.name} {id}: it can't be kept as JSON: {error}"]) from None
    if size > LARGEST:
        raise Refused([f"{kind.name} {id}: it has {size} bytes as JSON, the most is {LARGEST}"])


def _whole(kind: Kind, keys: Keys, held: Held | None) -> Document:
    """Return an object's document with its secrets in clear."""
    if held is None:
        return {}
    if held.id in kind.shipped:
        return held.object.model_dump(mode="json")
    return opened(kind, held.id, held.stored, keys)


def _after(state: State, done: Iterable[Planned]) -> dict[str, dict[str, BaseModel]]:
    """Return the objects as they will be, by kind and id."""
    after = {kind: {id: held.object for id, held in objects.items()} for kind, objects in state.items()}
    for each in done:
        if each.after is None:
            after[each.kind.name].pop(each.id, None)
        else:
            after[each.kind.name][each.id] = each.after
    return after


def _same_names(kinds: Kinds, done: Iterable[Planned], after: Mapping[str, Mapping[str, BaseModel]]) -> Iterator[str]:
    for name in dict.fromkeys(each.kind.name for each in done if each.kind.names_once):
        owners: dict[str, list[str]] = {}
        for id, made in after[name].items():
            owners.setdefault(getattr(made, "name", "") or id, []).append(id)
        touched = {each.id for each in done if each.kind.name == name and _renamed(each)}
        for called, ids in owners.items():
            if len(ids) > 1 and touched & set(ids):
                yield f"{name} {', '.join(ids)}: name: {called!r:.80} is the name of all of them: each needs its own"


def _renamed(each: Planned) -> bool:
    return each.before is None or getattr(each.after, "name", "") != getattr(each.before.object, "name", "")


def _dangling(kinds: Kinds, done: Iterable[Planned], after: Mapping[str, Mapping[str, BaseModel]]) -> Iterator[str]:
    """Yield a line for each reference of a changed object that leads nowhere."""
    for each in done:
        if each.after is None:
            continue
        for path, wanted, id in references(each.kind, each.after):
            if id not in after[wanted] and id not in kinds[wanted].elsewhere:
                names = {getattr(made, "name", ""): other for other, made in after[wanted].items()}
                if id in names:
                    hint = f"that is the name of {names[id]}: write the id"
                else:
                    near = (
                        nearest(id, [*after[wanted], *kinds[wanted].elsewhere, *names])
                        .removeprefix("did you mean ")
                        .removesuffix("?")
                    )
                    meant = f"{names[near]} ({near})" if near in names else near
                    known = ", ".join(sorted({*after[wanted], *kinds[wanted].elsewhere})[:8]) or "none is there"
                    hint = f"did you mean {meant}?" if near else f"known: {known}"
                yield f"{each.kind.name} {each.id}: {path}: there is no {wanted} {id!r:.80}; {hint}"


def _in_use(kinds: Kinds, done: Iterable[Planned], after: Mapping[str, Mapping[str, BaseModel]]) -> Iterator[str]:
    """Yield a line for each object that goes and that others refer to."""
    gone = {(each.kind.name, each.id) for each in done if each.after is None}
    users: dict[tuple[str, str], list[str]] = {}
    for kind in kinds.values() if gone else ():
        for id, made in after[kind.name].items():
            for path, wanted, other in references(kind, made):
                if (wanted, other) in gone and other not in kinds[wanted].elsewhere:
                    users.setdefault((wanted, other), []).append(f"{kind.name} {id} ({path})")
    for (name, id), by in users.items():
        more = f" and {len(by) - 5} more" if len(by) > 5 else ""
        yield f"{name} {id} can't go: {', '.join(by[:5])}{more} would name what isn't there: change them first"


def references(kind: Kind, made: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Yield each reference of an object: where it stands, the kind and the id that it names."""
    if not kind.refers:
        return
    document = made.model_dump(mode="json")
    for pattern, wanted in kind.refers.items():
        for path, id in found(document, pattern):
            if isinstance(id, str) and id:
                yield spelled(path), wanted, id
