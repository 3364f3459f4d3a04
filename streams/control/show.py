"""Objects as people and programs may see them: secrets masked, and what a change changes."""

from typing import Any

from pydantic import BaseModel

from streams.control.documents import ABSENT, Difference, Document, at, differences, placed
from streams.control.kinds import Kind
from streams.control.record import Held
from streams.control.seal import MASK, is_reference

CHANGED = MASK + " (another)"
"""What a change shows for a secret that it replaces."""


def shown(kind: Kind, object: BaseModel, *, brief: bool = False) -> Document:
    """Return *object* as JSON, secrets masked and references as they are. *brief*: without what is as by default."""
    document: Document = object.model_dump(mode="json", exclude_defaults=brief)
    clear = object.model_dump(mode="python", exclude_defaults=brief)
    values = {}
    for path in kind.secrets(document):
        text = at(clear, path)
        text = text.get_secret_value() if hasattr(text, "get_secret_value") else text
        if isinstance(text, str):
            values[path] = text if is_reference(text) or not text else MASK
    return dict(placed(document, values))


def described(kind: Kind, held: Held, *, brief: bool = False) -> dict[str, Any]:
    """Return all that is known of an object, ready for JSON, secrets masked."""
    return {
        "kind": kind.name,
        "id": held.id,
        "name": held.name,
        "version": held.version,
        "changed_at": held.at or None,
        "changed_by": held.by,
        "origin": held.origin,
        "object": shown(kind, held.object, brief=brief),
    }


def changed(kind: Kind, before: BaseModel | None, after: BaseModel | None) -> list[Difference]:
    """Return where two versions of an object differ, secrets masked; None: it isn't there."""
    old = shown(kind, before, brief=after is None) if before else {}
    new = shown(kind, after, brief=before is None) if after else {}
    if before and after:
        swapped = {
            path: CHANGED
            for path in kind.secrets(new)
            if at(new, path) == at(old, path) == MASK and at(before.model_dump(), path) != at(after.model_dump(), path)
        }
        new = dict(placed(new, swapped))
    return list(differences(old, new))


def as_json(each: Difference) -> dict[str, Any]:
    """Return a difference ready for JSON; a side where nothing is has no key."""
    sides = {"before": each.before, "after": each.after}
    return {"path": each.path, **{name: value for name, value in sides.items() if value is not ABSENT}}
