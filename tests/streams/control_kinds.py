"""Three kinds of objects that tests of the control plane need: one with secrets, one that refers, one shipped."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from streams.control.kinds import Kind, Object
from streams.control.seal import Keys, new_key


class Header(BaseModel):
    """A header whose value is secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: SecretStr


class Line(Object):
    """A way out, with secrets at three depths."""

    url: SecretStr
    port: int = Field(default=443, ge=1)
    headers: tuple[Header, ...] = ()
    extra: dict[str, SecretStr] = Field(default_factory=dict)
    note: str = ""


class Rule(Object):
    """Refers to lines and to laws."""

    lines: tuple[str, ...] = ()
    law: str = ""


class Law(Object):
    """Some come with the program."""

    text: str = Field(description="What it says.")
    enabled: bool = True
    labels: tuple[str, ...] = ()


LINE = Kind(name="line", plural="lines", about="ways out", model=Line, example={})
RULE = Kind(
    name="rule", plural="rules", about="rules", model=Rule, example={}, refers={"lines[]": "line", "law": "law"}
)
LAW = Kind(
    name="law",
    plural="laws",
    about="laws",
    model=Law,
    example={},
    shipped={id: Law(id=id, name=id.title(), text="Thou shalt", labels=("old",)) for id in ("first", "second")},
)
KINDS = {kind.name: kind for kind in (LINE, RULE, LAW)}


def keys() -> Keys:
    """A key of the operator's."""
    return Keys([new_key()])


def own_keys(folder: Path) -> Keys:
    """A key that Tidegate made in *folder*."""
    return Keys.load("", None, folder / "secrets.key", create=True)


def line(**fields: Any) -> dict[str, Any]:
    """The document of a line."""
    return {"name": "Line", "url": "https://hooks.example/s3cret-url", **fields}
