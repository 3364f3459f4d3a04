"""Integrations: a destination under an id of its own, with the settings that make it a sink."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import override

from agents.sinks import SINKS
from agents.sinks._base import Sink
from queries.errors import nearest
from streams.control.errors import Refused
from streams.errors import TidegateError

Plugin = TypeVar("Plugin", bound=BaseModel)
Plugins: TypeAlias = Mapping[str, type[Plugin]]


class IntegrationError(TidegateError):
    """An integration can't be used; the text names it, the setting, and the way out."""


class Plugged(BaseModel):
    """A plug-in with the settings that an operator gave it, under an id of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    id: str = Field(pattern=r"^[^|\s]{1,100}$")
    """Names it for ever: what refers to it does so by this. No blanks, no `|`."""
    name: str = ""
    """For people; empty: the id."""
    type: str
    """The plug-in's name."""
    enabled: bool = True
    settings: dict[str, Any] = Field(default_factory=dict, repr=False)
    """The plug-in's settings. `env:NAME` and `file:/path` in place of a text stand for what is there."""
    follows: bool = Field(default=True, exclude=True, repr=False)
    """Whether `env:` and `file:` are followed: not where a user of the API, who isn't the operator, wrote the settings.
    """

    def made(self, kinds: Plugins[Plugin], noun: str) -> Plugin:
        """Return the plug-in, made of the settings. *noun*: what people call such ones.

        Raises IntegrationError, a line for each thing that is wrong.
        """
        kind = kinds.get(self.type)
        if kind is None:
            hint = nearest(self.type, kinds) or f"there are {', '.join(sorted(kinds))}"
            raise IntegrationError(f"{self._where}: type: there is no {noun} {self.type!r:.60}; {hint}")
        settings = {name: self._followed(value, f"settings.{name}") for name, value in self.settings.items()}
        try:
            return kind.model_validate(settings)
        except ValidationError as error:
            lines = [_line(each, kind) for each in error.errors(include_url=False, include_context=False)]
            raise IntegrationError("\n".join(f"{self._where}: {line}" for line in lines)) from None

    def check(self) -> None:
        """Raise Refused, for whoever writes it, unless the settings are those of its plug-in."""
        try:
            self.plug()
        except IntegrationError as wrong:
            raise Refused([line.removeprefix(f"{self._where}: ") for line in str(wrong).splitlines()]) from None

    def plug(self) -> object:
        """Return what the settings make. Raises IntegrationError, a line for each thing that is wrong."""
        raise NotImplementedError

    @property
    def _where(self) -> str:
        return f"integration {self.id} ({self.type})"

    def _followed(self, value: Any, path: str) -> Any:
        """Return *value* with every reference in its texts replaced. Texts that are SecretStr already stay."""
        if isinstance(value, Mapping):
            return {name: self._followed(each, f"{path}.{name}") for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._followed(each, f"{path}.{number}") for number, each in enumerate(value)]
        if not isinstance(value, str) or not value.startswith(("env:", "file:")):
            return value
        kind, _, name = value.partition(":")
        if not self.follows:
            raise IntegrationError(f"{self._where}: {path}: {kind}: is followed in the operator's file only")
        try:
            return _variable(name) if kind == "env" else _content(name)
        except IntegrationError as wrong:
            raise IntegrationError(f"{self._where}: {path}: {wrong}") from None


class Integration(Plugged):
    """One destination that an operator set up."""

    type: str
    """The destination: a name of docs/destinations.md."""
    enabled: bool = True
    """When it isn't, its deliveries stay open and wait."""

    @cached_property
    def sink(self) -> Sink:
        """The destination, made of the settings. Raises IntegrationError, a line for each thing that is wrong."""
        return self.made(SINKS, "destination")

    @override
    def plug(self) -> Sink:
        return self.sink


def _variable(name: str) -> str:
    if not os.environ.get(name):
        raise IntegrationError(f"the environment variable {name} is not set")
    return os.environ[name]


def _content(name: str) -> str:
    """Return what the file holds, without the line break at its end that editors add."""
    path = Path(name)
    if not path.is_absolute():
        raise IntegrationError(f"file:{name}: give the whole path, such as file:/run/secrets/{path.name or 'key'}")
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise IntegrationError(f"can't read {path}: {why}") from None
    if not text:
        raise IntegrationError(f"{path} is empty")
    return text


def _line(error: ErrorDetails, kind: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in ("settings", *error["loc"]))
    if error["type"] == "missing":
        field = kind.model_fields.get(str(error["loc"][0]))
        return f"{path}: missing" + (f"; it is: {field.description}" if field and field.description else "")
    if error["type"] == "extra_forbidden":
        hint = nearest(str(error["loc"][-1]), kind.model_fields) or f"there are {', '.join(kind.model_fields)}"
        return f"{path}: {getattr(kind, 'name', 'it')} has no such setting; {hint}"
    return f"{path}: {error['msg'].removeprefix('Value error, ')}"
