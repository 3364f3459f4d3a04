"""Where secrets stand in a document: found by the types of the model that it is read as."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

from streams.control.documents import Path


def secret_paths(shape: Any, document: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in *document* that *shape*, a model or another type, keeps as a secret.

    What isn't as *shape* wants it is passed over where it can hold none: the model itself refuses it.
    """
    origin, inner = get_origin(shape), get_args(shape)
    if shape is SecretStr or shape is SecretBytes:
        yield path
    elif origin is Annotated:
        yield from secret_paths(inner[0], document, path)
    elif origin in (Union, types.UnionType):
        found = dict.fromkeys(place for each in inner for place in secret_paths(each, document, path))
        yield from found
    elif isinstance(shape, type) and issubclass(shape, BaseModel):
        if isinstance(document, dict):
            for name, field in shape.model_fields.items():
                for spelling in {name, field.alias or name}:
                    if spelling in document:
                        yield from secret_paths(field.annotation, document[spelling], (*path, spelling))
    elif isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(document, dict):
        for name, value in document.items():
            yield from secret_paths(inner[1], value, (*path, name))
    elif origin in (list, tuple, set, frozenset) and isinstance(document, list) and inner:
        for index, value in enumerate(document):
            yield from secret_paths(inner[0], value, (*path, index))


def may_hold_secrets(shape: Any) -> bool:
    """Say whether a value of *shape*, a model or another type, could have a secret in it."""
    if shape is SecretStr or shape is SecretBytes:
        return True
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return any(may_hold_secrets(field.annotation) for field in shape.model_fields.values())
    return any(may_hold_secrets(each) for each in get_args(shape))
