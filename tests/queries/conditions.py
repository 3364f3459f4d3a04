"""Random documents and random conditions, for the properties."""

from functools import cache

from hypothesis import strategies as st

from queries.operators import OPERATORS
from queries.predicates import TYPES
from queries.syntax import (
    And,
    AnyKey,
    Compare,
    Condition,
    Each,
    Index,
    Key,
    Listing,
    Not,
    Null,
    Operand,
    Or,
    Path,
    Step,
    Value,
    Where,
)

KEYS = ("a", "b", "c", "a.b", "x y", "it's", 'so "so"', "back\\slash", "not", "é", "~/1", "*", "$", "0")
TEXTS = (
    "",
    "a",
    "b",
    "ab",
    "Ab",
    "a b",
    "é",
    "true",
    "TRUE",
    "null",
    "1",
    "1.0",
    "01",
    "22",
    "-1",
    "{}",
    "[]",
    "it's",
    'a"b',
    "\\",
    "%",
    "1,2",
)
NUMBERS = (0, 1, 2, 22, -1, 1.0, 0.5, 443)

keys = st.sampled_from(KEYS[:4]) | st.sampled_from(KEYS)
texts = st.sampled_from(TEXTS)
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | texts
documents: st.SearchStrategy[object] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(keys, documents, max_size=5)

values: st.SearchStrategy[Operand] = (
    st.builds(Value, texts) | st.builds(Value, st.sampled_from(NUMBERS).map(str)) | st.just(Null())
)


@cache
def conditions(*, inside: bool = False, depth: int = 2) -> st.SearchStrategy[Condition]:
    """Conditions of json.rule; *inside* a bracket the root `@` is known; brackets nest at most *depth* deep."""
    one = compares(inside=inside, depth=depth)
    few = st.lists(one | one.map(Not), min_size=2, max_size=3).map(tuple)
    groups = few.map(And) | few.map(Or)
    return (
        one
        | one
        | one.map(Not)
        | groups
        | groups.map(Not)
        | st.tuples(groups, one).map(And)
        | st.tuples(one, groups).map(Or)
    )


@cache
def compares(*, inside: bool, depth: int) -> st.SearchStrategy[Compare]:
    """Comparisons, of every operator."""
    left, right = paths(inside=inside, depth=depth), paths(inside=inside, depth=0, rooted=True)
    numbers = st.sampled_from(NUMBERS).map(lambda number: Value(str(number)))
    lists = st.lists(values, min_size=1, max_size=3).map(lambda items: Listing(tuple(items)))
    rights: dict[str, st.SearchStrategy[Operand | None]] = {
        "nothing": st.none(),
        "value": values | right,
        "values": values | lists | right,
        "amount": numbers | right,
        "type": st.sampled_from(list(TYPES)).map(Value),
    }
    by_taking = [
        st.builds(
            Compare, left, st.sampled_from([o.name for o in OPERATORS.values() if o.takes == takes]), rights[takes]
        )
        for takes in rights
    ]
    if not depth:
        return st.one_of(by_taking)
    last = st.builds(Where, st.sampled_from(("none", "all")), conditions(inside=True, depth=depth - 1))
    quantified = st.builds(
        lambda path, where, operator: Compare(Path(path.root, (*path.steps, where)), operator),
        left,
        last,
        st.sampled_from(("exists", "does not exist")),
    )
    return st.one_of(*by_taking, quantified)


@cache
def paths(*, inside: bool, depth: int, rooted: bool = False) -> st.SearchStrategy[Path]:
    """Paths; *rooted*: those that may stand on the right, so they begin with `$` or `@`."""
    roots = (["$"] if rooted else ["", "", "$"]) + (["@"] if inside else [])
    steps: st.SearchStrategy[Step] = (
        keys.map(Key) | keys.map(Key) | st.sampled_from((Each(), AnyKey(), Index(0), Index(1)))
    )
    if depth:
        steps = steps | st.builds(Where, st.sampled_from(("any", "")), conditions(inside=True, depth=depth - 1))
    return st.builds(Path, st.sampled_from(roots), st.lists(steps, min_size=1, max_size=3).map(tuple))
