"""The condition of json.rule to SQL that is true, false or NULL of a document; NULL counts as false."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from queries import addresses
from queries.fragment import Sql, join, sql
from queries.functions import BY_SPELLING, Given, Takes, literal, patterned
from queries.hot import Cold, Lookup
from queries.members import Members, Scope, elements, keep, members, names, plain_steps
from queries.operators import OPERATORS
from queries.predicates import Ports, Right
from queries.prefilter import prefilter
from queries.syntax import (
    And,
    AnyKey,
    Attribute,
    Call,
    Compare,
    Condition,
    Each,
    JsonRule,
    Listing,
    Not,
    Null,
    OneFinding,
    Operand,
    Or,
    Path,
    ResourceList,
    Value,
    Where,
)


def compile_rule(condition: Condition, document: Sql, hot: Lookup | None = None) -> Sql:
    """Return SQL that asks *condition*, checked, of the JSON column *document*, or of the columns that *hot* knows.
    Raises Cold where these don't hold all of it.
    """
    if hot is not None:
        return in_scope(condition, Scope(document, document, names(), in_scope, hot_root=hot, hot_element=hot))
    rule = in_scope(condition, Scope(document, document, names(), in_scope))
    likely = prefilter(condition, document)
    return rule if likely is None else sql("case when {0} then {1} end", likely, rule)


def compile_filter(condition: Condition, hoisted: Callable[[Path], tuple[Members, int]], lambdas: Iterator[Sql]) -> Sql:
    """Return SQL that asks *condition* of resources of several clauses, whose paths *hoisted* finds."""
    nowhere = Sql("null::json")
    return in_scope(condition, Scope(nowhere, nowhere, lambdas, in_scope, hoisted))


def column(path: Path | Call, document: Sql) -> Sql:
    """Return SQL for what *path* finds in *document*: JSON, an array where it may be several values."""
    if isinstance(path, Path) and path.root not in ("", "@"):  # the alias that is shown
        path = replace(path, root="$")
    found = _found(path, Scope(document, document, names(), in_scope))
    if isinstance(path, Call) and found.many:
        return sql("{0}[1]", found.present())
    return sql("to_json({0})", found.present()) if found.many else found.json()


def opposite(condition: Sql) -> Sql:
    """Return SQL that is true where *condition* is false or NULL."""
    return sql("not coalesce({0}, false)", condition)


def in_scope(condition: Condition, scope: Scope) -> Sql:
    """Return SQL for *condition* where it stands."""
    match condition:
        case And(parts):
            met = [in_scope(part, scope) for part in parts]
            return join(" and ", met) if scope.element is scope.root else _cheap_first(met)
        case Or(parts):
            return join(" or ", [in_scope(part, scope) for part in parts])
        case Not(inner):
            return opposite(in_scope(inner, scope))
        case Compare():
            return _compare(condition, scope)
        case Attribute() | JsonRule() | OneFinding():
            raise AssertionError(condition)


def _cheap_first(met: list[Sql]) -> Sql:
    """Return whether all *met* hold of an element: in a lambda, `and` asks everything of every element."""
    lists = [each for each in met if "lambda" in each.text]
    cheap = [each for each in met if "lambda" not in each.text]
    if not lists or not cheap:
        return join(" and ", met)
    return sql("case when {0} then {1} end", join(" and ", cheap), join(" and ", lists))


def _compare(compare: Compare, scope: Scope) -> Sql:
    operator = OPERATORS[compare.operator]
    positive = OPERATORS[operator.negates] if operator.negates else operator
    match compare.left:
        case Path(_, (*_, Where(("none" | "all") as word, condition))) as path:
            answer = _quantified(path, word, condition, scope)
        case Path(_, (*_, Where(word, condition))) as path if positive.name == "exists" and _hot(path, scope):
            answer = _quantified(path, word, condition, scope)
        case left:
            assert positive.predicate is not None  # noqa: S101 # an operator has one or negates one that has
            answer = positive.predicate(_found(left, scope), _right(compare.right, scope))
    return opposite(answer) if operator.negates else answer


def _quantified(path: Path, word: str, condition: Condition, scope: Scope) -> Sql:
    found, kept = _bracketed(path, condition, scope)
    if word == "none":
        return sql("coalesce(len({0}), 0) = 0", kept.json())
    if word == "all":
        return sql("(len({0}) > 0 and len({0}) = len({1}))", found.json(), kept.json())
    return sql("len({0}) > 0", kept.json())


def _bracketed(path: Path, condition: Condition, scope: Scope) -> tuple[Members, Members]:
    """Return the elements that the last step of *path* looks at, and those of them that meet its *condition*."""
    before = path.steps[:-1]
    hot = _hot(path, scope)
    if hot is not None and plain_steps(before) == len(before):
        with suppress(Cold):
            column, inside = hot.elements(before)
            found = Members(column, scope.names, listed=True)
            return found, keep(found, condition, scope, inside)
    found = members(replace(path, steps=before), scope)
    found = elements(found, after_wildcard=bool(before) and isinstance(before[-1], Each | AnyKey | Where))
    return found, keep(found, condition, scope)


def _hot(path: Path, scope: Scope) -> Lookup | None:
    if path.root not in ("", "$", "@"):
        return None
    return scope.hot_root if path.root == "$" else scope.hot_element


def _right(right: Operand | None, scope: Scope) -> Right:
    match right:
        case None:
            return ()
        case Listing(items):
            return tuple(choice for item in items for choice in _choices(item, scope))
        case _:
            return _choices(right, scope)


def _choices(operand: Operand, scope: Scope) -> Right:
    match operand:
        case Value() | Null():
            return (operand,)
        case Path():
            return (members(operand, scope),)
        case Call(name, (Value(pattern), Value(first), Value(last))) if BY_SPELLING[name.lower()].gives == "texts":
            return tuple(Value(text) for text in patterned(pattern, int(first), int(last)))
        case Call():
            return (_called(operand, scope),)
        case Listing() | ResourceList():
            raise AssertionError(operand)


def _found(operand: Path | Call, scope: Scope) -> Members:
    if isinstance(operand, Path):
        return members(operand, scope)
    found = _called(operand, scope)
    assert isinstance(found, Members)  # noqa: S101 # the checker refuses ports on the left
    return found


def _called(call: Call, scope: Scope) -> Members | Ports:
    function = BY_SPELLING[call.name.lower()]
    takes = (*function.takes, *function.takes[-1:] * len(call.arguments))
    given = tuple(_given(kind, argument, scope) for kind, argument in zip(takes, call.arguments, strict=False))
    return function.sql(*given) if function.takes else function.sql(_nothing(scope))


def _given(takes: Takes, argument: Operand, scope: Scope) -> Given:
    match takes, argument:
        case (("values" | "time"), (Path() | Call())):
            return _found(argument, scope)
        case (("values" | "time"), Value(text)):
            return literal(text, _nothing(scope))
        case (("network" | "networks"), Value(text)):
            return addresses.bits(text) or ""
        case (("number" | "step"), Value(text)):
            return int(text)
        case "list", _:
            return _right(argument, scope)
    raise AssertionError(argument)


def _nothing(scope: Scope) -> Members:
    return Members(Sql("null::json"), scope.names)
