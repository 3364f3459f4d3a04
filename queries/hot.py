"""Hot paths: what of an API's documents stands in columns of its own, in a table beside the resources.

`state.name` is the value at a path, `tags[*].value` all values at one; `ipPermissions[?].fromPort` is what lies at
`fromPort` in each element of the arrays at `ipPermissions`, which brackets ask, and `ipPermissions[?]` the element.
A clause is asked of columns when they hold all its paths; otherwise it reads documents, and gives the same answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from queries.format import format_operand
from queries.fragment import Sql
from queries.syntax import Each, Index, Key, Path, Step

Steps = tuple[Step, ...]

ELEMENT = "[?]"
"""What stands in a hot path's text for each element of an array that a bracket asks."""


class Cold(Exception):  # no error: the documents are read then
    """A path stands in no column."""


@dataclass(frozen=True, slots=True)
class HotPath:
    """Keys, indexes and `[*]` from the document's root; *field*: from each element of the arrays there."""

    steps: Steps
    field: Steps | None = None

    def __str__(self) -> str:
        text = format_operand(Path("", self.steps))
        if self.field is None:
            return text
        inner = format_operand(Path("", self.field))
        return text + ELEMENT + ("." if inner and not inner.startswith("[") else "") + inner


class Held(NamedTuple):
    """A column's value: as JSON and as text, a list of these where *many*; *done*: how many steps of the path it is;
    *arrays*: whether some value is an array; *time*: the point in time that the text reads as, in ms, where it is held.
    """

    json: Sql
    text: Sql
    many: bool
    done: int
    arrays: Sql = Sql("false")
    time: Sql | None = None


class Lookup(Protocol):
    """What columns hold of a document, or of an element."""

    def value(self, steps: Steps) -> Held:
        """Return what lies at *steps*, or at as many of them as possible. Raises Cold."""

    def elements(self, steps: Steps) -> tuple[Sql, Callable[[Sql], "Lookup"]]:
        """Return the list of the elements at *steps*, and what an element of it holds. Raises Cold."""


class Columns:
    """The columns of a table of hot *paths*, as SQL over `h`: h0, t0, m0 are a value as JSON, as text and as a time;
    h0, t0, a0 are a list of values as JSON and as texts, and whether some is an array; e0 are elements.
    """

    def __init__(self, paths: Iterable[HotPath]) -> None:
        ordered = sorted(paths, key=str)
        self.values = list(dict.fromkeys(path.steps for path in ordered if path.field is None))
        self.arrays: dict[Steps, list[Steps]] = {}
        for path in ordered:
            if path.field is not None:
                self.arrays.setdefault(path.steps, []).append(path.field)

    def value(self, steps: Steps) -> Held:
        """As Lookup."""
        held = _held(steps, self.values, "h")
        return held if held.many else held._replace(time=Sql(held.text.text.replace(".t", ".m")))

    def elements(self, steps: Steps) -> tuple[Sql, Callable[[Sql], Lookup]]:
        """As Lookup."""
        if steps not in self.arrays:
            raise Cold
        number = list(self.arrays).index(steps)
        return Sql(f"h.e{number}"), lambda element: _Fields(self.arrays[steps], element.text)


class Asked:
    """Takes note of every path that is asked, as if all of them were hot. *whole*: a whole document was asked."""

    def __init__(self) -> None:
        self.whole = False
        self._paths: set[HotPath] = set()
        self._arrays: set[Steps] = set()

    @property
    def paths(self) -> frozenset[HotPath]:
        """What was asked; of an array of whose elements nothing was asked, the elements."""
        counted = self._arrays - {path.steps for path in self._paths if path.field is not None}
        return frozenset(self._paths | {HotPath(steps, ()) for steps in counted})

    def value(self, steps: Steps) -> Held:
        """As Lookup."""
        if not steps:
            self.whole = True
            raise Cold
        return self._note(HotPath(steps))

    def elements(self, steps: Steps) -> tuple[Sql, Callable[[Sql], Lookup]]:
        """As Lookup."""
        if not steps:
            raise Cold
        self._arrays.add(steps)
        return Sql("x"), lambda _: _AskedFields(self, steps)

    def _note(self, path: HotPath) -> Held:
        self._paths.add(path)
        steps = path.steps if path.field is None else path.field
        return Held(Sql("x"), Sql("x"), Each() in steps, len(steps))


@dataclass(frozen=True, slots=True)
class _AskedFields:
    asked: Asked
    array: Steps

    def value(self, steps: Steps) -> Held:
        return self.asked._note(HotPath(self.array, steps))  # a part of it

    def elements(self, _: Steps) -> tuple[Sql, Callable[[Sql], Lookup]]:
        raise Cold


def stands_in_column(step: Step) -> bool:
    """Tell whether *step* may be part of a hot path: a plain key, an index, `[*]`."""
    if isinstance(step, Key):
        return not any(odd in step.name for odd in ('"', "\\", ELEMENT))
    return isinstance(step, Index | Each)


class _Fields:
    def __init__(self, fields: list[Steps], element: str) -> None:
        self._fields = fields
        self._element = element

    def value(self, steps: Steps) -> Held:
        return _held(steps, self._fields, self._element)

    def elements(self, _: Steps) -> tuple[Sql, Callable[[Sql], Lookup]]:
        raise Cold


def _held(steps: Steps, there: list[Steps], owner: str) -> Held:
    for done in range(len(steps), -1, -1):
        found = steps[:done]
        if found in there and (done == len(steps) or Each() not in found):
            number, many = there.index(found), Each() in found
            value = f"{owner}.h{number}"
            arrays = f"{owner}.a{number}" if many else f"left({value}, 1) = '['"
            return Held(Sql(value), Sql(f"{owner}.t{number}"), many, done, Sql(arrays))
    raise Cold
