"""The values that a path finds in a document, as SQL: one JSON value at most, or a list of them.

Missing is SQL NULL (or an entry NULL of the list), JSON null is the text `null`: the two stay apart. In text form both
are NULL. A test is SQL that is true, false or NULL; NULL counts as false everywhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from queries.fragment import Sql, bind, sql
from queries.hot import Lookup, stands_in_column
from queries.syntax import AnyKey, Condition, Each, Index, Key, Path, Step, Where

Test = Callable[[Sql], Sql]


def names() -> Iterator[Sql]:
    """Return names for the parameters of lambdas, each used once in a statement."""
    return (Sql(f"e{n}") for n in count(1))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a condition stands: the document, the element that a bracket looks at, and how to compile a condition
    inside it. *hoisted*, in a join: what the first steps of a path that begins with an alias find, and how many steps
    those are. *hot_root*, *hot_element*: the columns that hold what is asked of the document and of the element.
    """

    root: Sql
    element: Sql
    names: Iterator[Sql]
    compile: Callable[[Condition, "Scope"], Sql]
    hoisted: Callable[[Path], tuple["Members", int]] | None = None
    hot_root: Lookup | None = None
    hot_element: Lookup | None = None


@dataclass(frozen=True, slots=True)
class Members:
    """What lies at *path* in *base*. *listed*: base is a list of values; *gaps*: it may hold NULL; *spread*: path has a
    wildcard. *plain*, *arrays*, *time*: base as text, whether some value of it is an array, and base as a time in ms,
    where there are such columns. *quick*: the number that the one value is, and a test on which that depends.
    """

    base: Sql
    names: Iterator[Sql]
    path: str = "$"
    listed: bool = False
    spread: bool = False
    gaps: bool = False
    plain: Sql | None = None
    arrays: Sql | None = None
    time: Sql | None = None
    quick: tuple[Sql, Sql] | None = None

    @property
    def many(self) -> bool:
        """True for a list of values, false for one value at most."""
        return self.listed or self.spread

    def json(self) -> Sql:
        """Return the value or the list as JSON."""
        return self.base if self.path == "$" else self._extract("json_extract")

    def text(self) -> Sql:
        """Return the value or the list as text: strings without quotes, everything else as JSON writes it."""
        if self.plain is not None and self.path == "$":
            return self.plain
        return self._extract("json_extract_string")

    def some(self, test: Test, *, as_text: bool = True) -> Sql:
        """Return whether *test* holds for some value, as text or as JSON."""
        values = self.text() if as_text else self.json()
        if not self.many:
            return test(values)
        e = next(self.names)
        return sql("len(list_filter({0}, lambda {1}: {2})) > 0", values, e, test(e))

    def every(self, test: Test) -> Sql:
        """Return whether there are values and *test* holds for each, as JSON."""
        e, present = next(self.names), self.present()
        fails = sql("list_filter({0}, lambda {1}: not coalesce({2}, false))", present, e, test(e))
        return sql("(len({0}) > 0 and len({1}) = 0)", present, fails)

    def present(self) -> Sql:
        """Return the list of the values that are there, as JSON; [] where there is none."""
        values = self.json() if self.many else sql("[{0}]", self.json())
        if self.many and not self._gaps:
            return sql("coalesce({0}, [])", values)
        e = next(self.names)
        return sql("coalesce(list_filter({0}, lambda {1}: {1} is not null), [])", values, e)

    def there(self) -> Sql:
        """Return whether there is a value, be it null."""
        if not self.many:
            return sql("{0} is not null", self.json())
        if self._gaps:
            return self.some(lambda value: sql("{0} is not null", value), as_text=False)
        return sql("len({0}) > 0", self.json())

    def flat(self) -> "Members":
        """Return the values, those of an array in its place."""
        e = next(self.names)
        spread = "case left({0}, 1) when '[' then json_extract({0}, '$[*]') else [{0}] end"
        values = self.json() if self.many else sql("[{0}]", self.json())  # a lambda reads the value once
        found = self._listed(
            sql("flatten(list_transform({0}, lambda {1}: {2}))", values, e, sql(spread, e)),
            gaps=self._gaps or not self.many,
        )
        return found if self.plain is None or self.path != "$" else replace(found, plain=self._flat_text(found))

    def _flat_text(self, flat: "Members") -> Sql:
        """Return the text form of *flat*: where no value is an array, and nearly always none is, that of this."""
        texts = self.text() if self.many else sql("[{0}]", self.text())
        return sql("case when {0} then {1} else {2} end", self.arrays or Sql("true"), flat.text(), texts)

    @property
    def _gaps(self) -> bool:
        return self.listed and not self.spread and (self.gaps or self.path != "$")

    def _listed(self, base: Sql, *, gaps: bool) -> "Members":
        return Members(base, self.names, listed=True, gaps=gaps)

    def _extract(self, function: str) -> Sql:
        if not self.listed:
            return sql(f"{function}({{0}}, {{1}})", self.base, bind(self.path))
        e = next(self.names)
        each = sql(f"list_transform({{0}}, lambda {{1}}: {function}({{1}}, {{2}}))", self.base, e, bind(self.path))
        return sql("flatten({0})", each) if self.spread else each


def some_array(values: Sql, e: Sql) -> Sql:
    """Return whether some of the JSON *values*, a list, is an array; *e* is a name for a lambda."""
    return sql("len(list_filter({0}, lambda {1}: left({1}, 1) = '[')) > 0", values, e)


def members(path: Path, scope: Scope) -> Members:
    """Return what *path* finds; its last step, when that is `[?none()]` or `[?all()]`, is left to the caller."""
    if path.root not in ("", "$", "@") and scope.hoisted is not None:
        found, done = scope.hoisted(path)
        return _walk(found, path.steps, done, scope)
    hot = scope.hot_root if path.root == "$" else scope.hot_element
    if hot is not None:
        held = hot.value(path.steps[: plain_steps(path.steps)])
        found = Members(held.json, scope.names, listed=held.many, plain=held.text, arrays=held.arrays, time=held.time)
        return _walk(found, path.steps, held.done, scope)
    base = scope.element if path.root != "$" else scope.root
    if base is scope.root and not (path.steps and isinstance(path.steps[0], Key | Index | Each)):
        base = sql("json_extract({0}, '$')", base)  # the document as JSON writes it, however it was stored
    return _walk(Members(base, scope.names), path.steps, 0, scope)


def plain_steps(steps: tuple[Step, ...]) -> int:
    """Return how many of *steps*, from the first on, a column may hold."""
    return next((n for n, step in enumerate(steps) if not stands_in_column(step)), len(steps))


def _walk(found: Members, steps: tuple[Step, ...], done: int, scope: Scope) -> Members:
    previous: Step | None = steps[done - 1] if done else None
    for step in steps[done:]:
        match step:
            case Key(name) if '"' in name or "\\" in name:  # a JSON pointer has no trouble with these
                found = replace(Members(found.json(), scope.names, listed=found.many), path=_pointer(name))
                found = Members(found.json(), scope.names, listed=found.many, gaps=True)
            case Key(name):
                found = replace(found, path=f'{found.path}."{name}"')
            case Index(number):
                found = replace(found, path=f"{found.path}[{number}]")
            case Each():
                found = replace(found, path=f"{found.path}[*]", spread=True)
            case AnyKey():
                found = _children(found)
            case Where(word, condition):
                found = elements(found, after_wildcard=isinstance(previous, Each | AnyKey | Where))
                if word in ("any", ""):
                    found = keep(found, condition, scope)
        previous = step
    return found


def elements(found: Members, *, after_wildcard: bool) -> Members:
    """Return the elements of the arrays in *found*; after a wildcard or another bracket an object is asked itself."""
    if not found.many:
        return Members(replace(found, path=f"{found.path}[*]", spread=True).json(), found.names, listed=True)
    e = next(found.names)
    itself = "when '{' then [{1}] " if after_wildcard else ""
    inner = f"case left({{1}}, 1) when '[' then json_extract({{1}}, '$[*]') {itself}else [] end"
    return Members(
        sql(f"flatten(list_transform({{0}}, lambda {{1}}: {inner}))", found.json(), e), found.names, listed=True
    )


def keep(found: Members, condition: Condition, scope: Scope, inside: Callable[[Sql], Lookup] | None = None) -> Members:
    """Return the elements that meet *condition*. *inside*: what columns hold of one, where it isn't JSON."""
    e = next(scope.names)
    test = scope.compile(condition, replace(scope, element=e, hot_element=inside(e) if inside else None))
    return Members(sql("list_filter({0}, lambda {1}: {2})", found.json(), e, test), found.names, listed=True)


def _children(found: Members) -> Members:
    e = next(found.names)
    inner = (
        "case left({0}, 1) when '{' then json_extract({0}, '$.*') when '[' then json_extract({0}, '$[*]') else [] end"
    )
    if not found.many:
        return Members(sql(inner, found.json()), found.names, listed=True)
    return Members(
        sql("flatten(list_transform({0}, lambda {1}: {2}))", found.json(), e, sql(inner, e)), found.names, listed=True
    )


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
