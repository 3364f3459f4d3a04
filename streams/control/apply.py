"""Objects as files say them: edits that make it so, and errors that name the file."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from streams.control.documents import Document
from streams.control.errors import Missing, Refused
from streams.control.kinds import Kinds, find_kind
from streams.control.plan import Edit, State


class Given(NamedTuple):
    """One object of a file. *source*: where it stands."""

    kind: str
    document: Document
    source: str = ""


def edits(kinds: Kinds, state: State, given: Sequence[Given], *, prune: bool) -> tuple[list[Edit], dict[str, str]]:
    """Return the edits that make the objects of *state* those of *given*, in the order of *kinds*; and their sources.

    *prune*: delete what files made before and what isn't among *given*. Raises Refused with a line for each object that
    has no kind, no id and no name.
    """
    wrong: list[str] = []
    made: list[Edit] = []
    sources: dict[str, str] = {}
    for each in given:
        try:
            kind = find_kind(kinds, each.kind).name
        except Missing as missing:
            wrong.append(f"{_where(each.source)}{missing}")
            continue
        id = each.document.get("id") or _id_of(state, kind, each.document.get("name"))
        if id and not isinstance(id, str):
            wrong.append(f"{_where(each.source)}{kind}: id: {id!r:.80}: wanted a text: put it in quotes")
            continue
        if not id:
            wrong.append(f"{_where(each.source)}{kind}: id: missing, and no name to make it of")
            continue
        label = f"{kind} {id}"
        sources[label] = f"{sources[label]} and {each.source}" if label in sources else each.source
        made.append(Edit(kind, id, {**each.document, "id": id}))
    if wrong:
        raise Refused(wrong)
    order = {name: number for number, name in enumerate(kinds)}
    made += _pruned(state, made) if prune else ()
    return sorted(made, key=lambda edit: (order[edit.kind], edit.id)), sources


def with_sources(refused: Refused, sources: dict[str, str]) -> Refused:
    """Return *refused* with the place of the object before each of its lines; *sources*: from `edits`."""
    return Refused([f"{_where(sources.get(line.partition(':')[0], ''))}{line}" for line in refused.lines])


def slug(name: str) -> str:
    """Return an id made of a *name*: lower-case letters, digits and hyphens; empty where it has none of these."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100].strip("-")


def _id_of(state: State, kind: str, name: Any) -> str:
    if not isinstance(name, str):
        return ""
    return next((id for id, held in state[kind].items() if held.name == name), slug(name))


def _pruned(state: State, made: Sequence[Edit]) -> Iterator[Edit]:
    kept = {(edit.kind, edit.id) for edit in made}
    for kind, objects in state.items():
        for id, held in objects.items():
            if held.origin == "files" and (kind, id) not in kept:
                yield Edit(kind, id, None)


def _where(source: str) -> str:
    return f"{source}: " if source else ""
