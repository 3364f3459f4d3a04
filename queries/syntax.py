"""What an RQL query is once parsed: frozen shapes and no behaviour.

Positions are kept for messages and don't count when two trees are compared.
"""

from dataclasses import dataclass, field
from typing import Literal as Choice

from queries.errors import Span

NOWHERE = Span(0, 0)
"""The position of what was not read from a text."""


@dataclass(frozen=True, slots=True)
class Key:
    """`.name` or `['name']`: the value of one key."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[3]`: one element of an array, counted from 0."""

    number: int


@dataclass(frozen=True, slots=True)
class Each:
    """`[*]`: every element of an array."""


@dataclass(frozen=True, slots=True)
class AnyKey:
    """`.*` or `.{}`: the value of every key of an object, every element of an array."""


@dataclass(frozen=True, slots=True)
class Where:
    """`[?any(...)]`, `[?none(...)]`, `[?all(...)]`, `[?(...)]`: the elements that meet *condition*."""

    word: Choice["any", "none", "all", ""]
    condition: "Condition"


Step = Key | Index | Each | AnyKey | Where


@dataclass(frozen=True, slots=True)
class Path:
    """A way into the document. *root*: `$` from the resource, `@` from the element, empty from wherever the condition
    stands; in a checked filter the alias whose resource it is.
    """

    root: str
    steps: tuple[Step, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A literal, as text: RQL compares it with texts, numbers and booleans of the document alike."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Null:
    """The bare word `null`."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """`(a, b, c)`."""

    items: tuple["Operand", ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResourceList:
    """`{'Name'.keys}`: a list that is kept elsewhere, by name."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`_DateTime.ageInDays(launchTime)`."""

    name: str
    arguments: tuple["Operand", ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Operand = Path | Value | Null | Listing | ResourceList | Call


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison inside json.rule: *operator* is a name of OPERATORS; *right* is None where it takes nothing."""

    left: Path | Call
    operator: str
    right: Operand | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One comparison outside json.rule: `cloud.type = 'aws'`, `tag('k') in ('a', 'b')`. *argument* is the tag's key."""

    name: str
    operator: Choice["=", "!=", "in", "not in", "exists", "does not exist"]
    values: tuple[Value, ...] = ()
    argument: str | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class JsonRule:
    """`json.rule = ...`: what the document must meet."""

    condition: "Condition"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of *inner*."""

    inner: "Condition"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of *parts*."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of *parts*."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class OneFinding:
    """One finding meets *condition*, which is of finding.* only. Made by the checker, never by the parser."""

    condition: "Condition"


Condition = And | Or | Not | Compare | Attribute | JsonRule | OneFinding


@dataclass(frozen=True, slots=True)
class Clause:
    """`config from cloud.resource where ... as X`. *alias* is empty where there is none."""

    condition: Condition
    alias: str = ""
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Count:
    """`count(X) less than 1`."""

    alias: str
    operator: Choice["equals", "does not equal", "greater than", "less than"]
    number: int
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """`filter '...'`: how the resources of a join belong together."""

    condition: Condition
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query: one clause, or the two or three of a join and what follows them."""

    clauses: tuple[Clause, ...]
    filter: Filter | None = None
    show: str = ""
    count: Count | None = None
    columns: tuple[Path | Call, ...] = ()
    limit: int | None = None
    text: str = field(default="", compare=False, repr=False)
