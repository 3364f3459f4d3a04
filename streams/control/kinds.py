"""What kinds of objects the control plane holds: each a name, a model, and what its documents refer to."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from queries.errors import nearest
from streams.control.documents import Document, Path
from streams.control.errors import Missing
from streams.control.secret_fields import may_hold_secrets, secret_paths
from streams.control.topics import control_topic
from streams.topics import Topic

Objects: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Gives the objects of a kind, by id."""

ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@:+-]{0,198}[A-Za-z0-9_+-])?", re.ASCII)
"""What an id looks like: it stands in paths of the API, in names of files and in keys."""

Id = Annotated[str, Field(pattern=rf"^{ID.pattern}$", description="Never changes; what refers to it does so by this.")]
Name = Annotated[str, Field(min_length=1, max_length=255, description="What people call it.")]


class Object(BaseModel):
    """What every object has."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    id: Id
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object. Its model has the texts `id` and `name`."""

    name: str
    """Such as `alert-rule`."""
    plural: str
    """Such as `alert-rules`: its topic is `control.alert-rules`, its path in the API /control/alert-rules."""
    about: str
    model: type[BaseModel]
    example: Document
    """One as it stands in a file, without its kind."""
    refers: Mapping[str, str] = field(default_factory=dict)
    """Where its documents name others, such as `channels[].integration`, to the kind that is named there."""
    shipped: Mapping[str, BaseModel] = field(default_factory=dict)
    """Objects that are there without being written. Only what is written of one that differs is kept."""
    names_once: bool = True
    """Whether none may be given a name that another one has."""
    check: Callable[[Any], None] = lambda _: None
    """Raises ValueError, with field and reason, for what the model alone can't tell: such an object isn't used."""
    check_new: Callable[[Any], None] = lambda _: None
    """The same for what is written now only: what other machines may see otherwise, such as their environment."""
    warn: Callable[[Any, Objects], Iterable[str]] = lambda _, __: ()
    """Yields what of an object is allowed and probably not meant. Gets the object, and objects by their kind's name."""
    elsewhere: frozenset[str] = frozenset()
    """Ids that others may name and that aren't written here: what the operator's file has."""
    find_secrets: Callable[[Document], Iterable[Path]] | None = None
    """Where secrets stand in a document; None: where the model's types say."""
    hides: tuple[str, ...] = ()
    """Fields whose values no error may show, besides those of which the types say it."""

    @property
    def topic(self) -> Topic:
        """Its topic."""
        return control_topic(self.plural, self.about)

    def secrets(self, document: Document) -> list[Path]:
        """Return where secrets stand in *document*, whether it is right or not."""
        return list(self.find_secrets(document) if self.find_secrets else secret_paths(self.model, document))

    def hidden(self) -> set[str]:
        """Return the fields whose values no error may show."""
        fields = self.model.model_fields.items()
        return {name for name, field in fields if may_hold_secrets(field.annotation)} | set(self.hides)


Kinds: TypeAlias = Mapping[str, Kind]
"""The kinds by their names."""


def find_kind(kinds: Kinds, word: str) -> Kind:
    """Return the kind that *word* names, in the singular or plural. Raises Missing with the one probably meant."""
    names = {spelling: kind for kind in kinds.values() for spelling in (kind.name, kind.plural)}
    plain = word.strip().lower().replace("_", "-")
    if plain in names:
        return names[plain]
    hint = nearest(plain, names)
    known = ", ".join(kind.plural for kind in kinds.values())
    raise Missing(f"there is no kind {word!r:.80}; {hint or f'kinds: {known}'}")
