"""What goes into the control paths of the API and comes out of them; docs/api.md and OpenAPI are printed from here."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnyObject(BaseModel):
    """The object's fields, as docs/kinds.md lists them for its kind."""

    model_config = ConfigDict(extra="allow")


class KindInfo(_Shape):
    """One kind of object."""

    kind: str = Field(description="Its name in the singular.")
    plural: str = Field(description="Its name in paths.")
    about: str = Field(description="What it holds.")
    count: int = Field(description="How many there are.")


class KindList(_Shape):
    """The kinds, and what can't be used."""

    kinds: list[KindInfo] = Field(description="In the order in which they build on each other.")
    problems: list[str] = Field(description="Objects that can't be used, each with the reason.")


class ObjectInfo(_Shape):
    """One object."""

    kind: str = Field(description="Its kind.")
    id: str = Field(description="Its id, which never changes.")
    name: str = Field(description="What people call it.")
    version: int = Field(description="Changes with every change: send it as If-Match. 0: as it comes with Tidegate.")
    changed_at: int | None = Field(description="When it was changed last, in ms since 1970 UTC.")
    changed_by: str = Field(description="Who changed it last.")
    origin: Literal["api", "files", "data", "shipped"] = Field(
        description="Who looks after it: the API, applied files, or Tidegate itself."
    )
    object: dict[str, Any] = Field(description="Its fields; a secret shows as asterisks, which written back keep it.")


class ObjectList(_Shape):
    """All objects of a kind."""

    objects: list[ObjectInfo] = Field(description="By id.")


class OneObject(ObjectInfo):
    """One object, and what refers to it."""

    used_by: list[str] = Field(description="What names it: kind, id and field.")
    warnings: list[str] = Field(description="What is allowed, and probably not meant.")


class ChangeInfo(_Shape):
    """What a change did, or would do, to one object."""

    kind: str = Field(description="Its kind.")
    id: str = Field(description="Its id.")
    name: str = Field(description="What people call it.")
    action: Literal["created", "changed", "deleted", "unchanged"] = Field(description="What happened to it.")
    version: int = Field(description="The version that it had before; 0: none.")
    differences: list[dict[str, Any]] = Field(description="`path`, `before`, `after` of each field; secrets masked.")
    warnings: list[str] = Field(description="What is allowed, and probably not meant.")


class Changes(_Shape):
    """What was changed, as one."""

    changes: list[ChangeInfo] = Field(description="Every object that was asked about, and those that were pruned.")
    dry_run: bool = Field(description="True when nothing was written.")


class Document(_Shape):
    """One object of a file."""

    kind: str = Field(description="Its kind, in the singular or plural.")
    document: dict[str, Any] = Field(
        description="Its fields. Without `id`: the one of that name, else made of the name."
    )
    source: str = Field(default="", description="Where it stands, for errors.")


class ApplyOrder(_Shape):
    """Objects as they are to be, written as one or not at all."""

    objects: list[Document] = Field(description="The objects.", max_length=5000)
    dry_run: bool = Field(default=False, description="Only say what would change.")
    prune: bool = Field(default=False, description="Delete what was applied before and isn't among them any more.")
    seen: dict[str, int] = Field(
        default_factory=dict,
        description="Versions that a dry run showed, by kind and id with a blank: others now refuse.",
    )


class Rotated(_Shape):
    """A new key, and everything sealed with it."""

    key: str = Field(description="The name of the key that seals now.")
    resealed: int = Field(description="How many objects were written again.")
    replaced: bool = Field(description="Whether the old keys are gone: not the operator's, nor with `problems`.")
    problems: list[str] = Field(description="Objects that can't be read, and so were not sealed again.")


class AccessKeyOrder(_Shape):
    """An access key to make."""

    user: str = Field(description="The id of its user.")
    name: str = Field(description="What people call it.", min_length=1)
    expires: AwareDatetime | None = Field(default=None, description="When it stops working; when absent, never.")


class NewAccessKey(_Shape):
    """An access key with its secret, which is never shown again."""

    id: str = Field(description="Its id: the user name of a login.")
    secret: str = Field(description="Its secret: the password of a login.")


class Tested(_Shape):
    """What came of a call that shows whether an integration's settings are right."""

    ok: bool = Field(description="Whether they are.")
    outcome: str = Field(description="What kind of answer it was.")
    message: str = Field(description="What it said.")


class AuditLine(BaseModel):
    """One change."""

    model_config = ConfigDict(extra="ignore")

    at: int = Field(description="When, in ms since 1970 UTC.")
    by: str = Field(description="Who.")
    action: str = Field(description="created, changed, deleted, or resealed: everything, with another key.")
    kind: str = Field(default="", description="Of what kind.")
    id: str = Field(default="", description="Of which object.")
    name: str = Field(default="", description="What people call it.")
    changes: list[dict[str, Any]] = Field(default=[], description="`path`, `before`, `after`; secrets masked.")


class AuditLog(_Shape):
    """The newest changes."""

    lines: list[AuditLine] = Field(description="The newest first.")
