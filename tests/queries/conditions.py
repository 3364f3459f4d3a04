"""Random documents and random conditions, for the properties."""

from functools import cache

from hypothesis import strategies as st

from queries.operators import OPERATORS
from queries.predicates import TYPES
from queries.syntax import (
    And,
    AnyKey,
    Call,
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
    "20-25",
    "2025-11-30T12:00:00Z",
    "2026-03-31T23:30:00.25-08:00",
    "2024-02-29",
    "Nov 7, 2016 9:34:21 AM",
    "1767000000",
    "N/A",
    "10.0.0.1",
    "10.1.0.0/16",
    "0.0.0.0/0",
    "2001:db8::1/64",
    "::1",
    "111111111111",
    "arn:aws:iam::222222222222:root",
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
    plain = paths(inside=inside, depth=depth)
    left = st.one_of(plain, plain, plain, calls(inside=inside, deeper=True))
    right = paths(inside=inside, depth=0, rooted=True) | calls(inside=inside, deeper=True)
    numbers = st.sampled_from(NUMBERS).map(lambda number: Value(str(number)))
    lists = st.lists(values, min_size=1, max_size=3).map(lambda items: Listing(tuple(items)))
    rights: dict[str, st.SearchStrategy[Operand | None]] = {
        "nothing": st.none(),
        "value": values | right,
        "values": values | lists | right,
        "amount": numbers | paths(inside=inside, depth=0, rooted=True) | ages(inside=inside),
        "type": st.sampled_from(list(TYPES)).map(Value),
    }
    by_taking = [
        st.builds(
            Compare, left, st.sampled_from([o.name for o in OPERATORS.values() if o.takes == takes]), rights[takes]
        )
        for takes in rights
    ]
    ported = sorted(name for name in OPERATORS if name in PORTED)
    by_taking.append(st.builds(Compare, plain, st.sampled_from(ported), ports))
    prefixed = st.just(Call("_IPAddress.inRange", (Value("10.%d."), Value("0"), Value("2"))))
    by_taking.append(st.builds(Compare, plain, st.sampled_from(("any start with", "contains", "intersects")), prefixed))
    if not depth:
        return st.one_of(by_taking)
    last = st.builds(Where, st.sampled_from(("none", "all")), conditions(inside=True, depth=depth - 1))
    quantified = st.builds(
        lambda path, where, operator: Compare(Path(path.root, (*path.steps, where)), operator),
        plain,
        last,
        st.sampled_from(("exists", "does not exist")),
    )
    return st.one_of(*by_taking, quantified)


ports = st.sampled_from(((22, 22), (20, 25), (0, 65535), (20, 40, 5))).map(
    lambda numbers: Call("_Port.inRange", tuple(Value(str(number)) for number in numbers))
)
PORTED = {
    *("equals", "does not equal", "contains", "does not contain", "is member of", "intersects"),
    *("any equal", "none equal", "all equal"),
}


@cache
def ages(*, inside: bool) -> st.SearchStrategy[Call]:
    """Calls that give numbers."""
    one = st.builds(
        lambda word, path: Call(f"_DateTime.ageIn{word}", (path,)),
        st.sampled_from(("Days", "Months", "Years")),
        paths(inside=inside, depth=0, argument=True),
    )
    times = paths(inside=inside, depth=0, argument=True) | st.just(Call("today", ())) | texts.map(Value)
    two = st.tuples(times, times).map(lambda both: Call("_DateTime.daysBetween", both))
    return one | two


@cache
def calls(*, inside: bool, deeper: bool) -> st.SearchStrategy[Call]:
    """Calls of every function but those that stand on the right only."""
    path = paths(inside=inside, depth=0, argument=True)
    argument = path | calls(inside=inside, deeper=False) if deeper else path
    networks = st.sampled_from(("10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::/0")).map(Value)
    lists = st.lists(values, min_size=1, max_size=3).map(lambda items: Listing(tuple(items)))
    monitored = argument.map(lambda a: Call("_AWSCloudAccount.isRedLockMonitored", (a,)))
    names = st.sampled_from(("inCIDRRange", "areAllInCIDRRange", "areAnyOutsideCIDRRange"))
    addresses = st.builds(lambda name, a, n: Call(f"_IPAddress.{name}", (a, n)), names, argument, networks)
    outside = st.builds(lambda a, n, m: Call("_IPAddress.areAnyOutsideCIDRRange", (a, n, m)), path, networks, networks)
    word = st.sampled_from(("intersection", "union"))
    sets = st.builds(lambda w, a, b: Call(f"_Set.{w}", (a, b)), word, argument, path | texts.map(Value))
    subset = st.builds(lambda a, listing: Call("_Set.isSubset", (a, listing)), argument, lists)
    return st.one_of(ages(inside=inside), monitored, addresses, outside, sets, subset)


@cache
def paths(*, inside: bool, depth: int, rooted: bool = False, argument: bool = False) -> st.SearchStrategy[Path]:
    """Paths; *rooted*: those that may stand on the right, so they begin with `$` or `@`; *argument*: those that may
    stand in a call, where `*` would be a value.
    """
    roots = (["$"] if rooted else ["", "", "$"]) + (["@"] if inside else [])
    steps: st.SearchStrategy[Step] = (
        keys.map(Key) | keys.map(Key) | st.sampled_from((Each(), AnyKey(), Index(0), Index(1)))
    )
    if depth:
        steps = steps | st.builds(Where, st.sampled_from(("any", "")), conditions(inside=True, depth=depth - 1))
    found = st.builds(Path, st.sampled_from(roots), st.lists(steps, min_size=1, max_size=3).map(tuple))
    return found.filter(lambda path: path.root != "" or not isinstance(path.steps[0], AnyKey)) if argument else found
