"""An object as it lies on its topic, its secrets sealed; and as it is held in memory."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import orjson
from pydantic import BaseModel

from streams.control.documents import Document
from streams.errors import BadRecord

Origin: TypeAlias = Literal["api", "files", "data", "shipped"]
"""Who looks after an object: the API, files that were applied, Tidegate (from data), or Tidegate (with its program)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One object. *version*: its record's offset, 0 where nothing was written; *at*: ms since 1970 UTC.

    *stored* is its document with secrets sealed, or what differs from the shipped one. *object*: the model, which keeps
    secrets as SecretStr.
    """

    kind: str
    id: str
    version: int
    at: int
    by: str
    origin: Origin
    stored: Document
    object: BaseModel

    @property
    def name(self) -> str:
        """What people call it."""
        return str(getattr(self.object, "name", "") or self.id)


def write(*, id: str, at: int, by: str, origin: Origin, stored: Document) -> bytes:
    """Return the value of an object's record."""
    return orjson.dumps({"id": id, "at": at, "by": by, "origin": origin, "document": stored})


def read(value: bytes) -> dict[str, Any]:
    """Return the fields of a record. Raises BadRecord when it is none: whoever has the rights may write to a topic."""
    try:
        fields = orjson.loads(value)
        if isinstance(fields["document"], dict) and isinstance(fields["id"], str):
            return {
                "at": int(fields.get("at", 0)),
                "by": str(fields.get("by", "")),
                "origin": fields.get("origin", "api"),
                "stored": fields["document"],
            }
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        pass
    raise BadRecord("", "no object of the control plane")
