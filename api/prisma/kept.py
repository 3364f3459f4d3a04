"""Objects of the control plane with their forms: what the client said beyond the object's own fields."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import Request

from api.prisma.access import session_of
from api.prisma.backend import backend
from api.prisma.failures import not_found
from streams.control import Control, Edit
from streams.control.record import Held

FORM = "client-form"


class Kept(NamedTuple):
    """An object and its form. Times are in ms since 1970 UTC."""

    id: str
    object: Any
    fields: Mapping[str, Any]
    made_at: int
    made_by: str
    changed_at: int
    changed_by: str
    shipped: bool


def kept(control: Control, kind: str, id: str, what: str) -> Kept:
    """Return the object *id*, which clients call *what*. Raises Failure where it isn't there."""
    held = control.state()[kind].get(id)
    if held is None:
        raise not_found(what, id)
    return _kept(control, kind, held)


def all_kept(control: Control, kind: str) -> list[Kept]:
    """Return every object of *kind*, by name."""
    found = [_kept(control, kind, held) for held in control.state()[kind].values()]
    return sorted(found, key=lambda each: (each.object.name, each.id))


def saving(request: Request, kind: str, id: str, document: dict[str, Any], fields: Mapping[str, Any]) -> list[Edit]:
    """Return the edits that write an object, *document*, with its form."""
    control = backend(request).control
    before = control.objects(FORM).get(_id(kind, id))
    there = control.state()[kind].get(id)
    at = before.made_at if before and there else there.at if there else int(time.time() * 1000)
    by = before.made_by if before and there else there.by if there else session_of(request).user
    form = {"name": document["name"], "made_at": at, "made_by": by, "fields": dict(fields)}
    return [Edit(kind, id, document), Edit(FORM, _id(kind, id), form)]


def removing(control: Control, kind: str, id: str) -> list[Edit]:
    """Return the edits that delete an object with its form."""
    edits = [Edit(kind, id, None)]
    if _id(kind, id) in control.objects(FORM):
        edits.append(Edit(FORM, _id(kind, id), None))
    return edits


def _kept(control: Control, kind: str, held: Held) -> Kept:
    form = control.objects(FORM).get(_id(kind, held.id))
    return Kept(
        held.id,
        held.object,
        form.fields if form else {},
        form.made_at if form else held.at,
        form.made_by if form else held.by,
        held.at,
        held.by,
        held.origin == "shipped" or held.id in control.kinds[kind].shipped,
    )


def _id(kind: str, id: str) -> str:
    return f"{kind}:{id}"
