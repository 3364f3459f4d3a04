"""The condition of json.rule to SQL that is true, false or NULL of a document; NULL counts as false."""

from dataclasses import replace

from queries.fragment import Sql, join, sql
from queries.members import Members, Scope, elements, keep, members, names
from queries.operators import OPERATORS
from queries.predicates import Choice, Right
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


def compile_rule(condition: Condition, document: Sql) -> Sql:
    """Return SQL that asks *condition*, checked, of the JSON column *document*."""
    return _condition(condition, Scope(document, document, names(), _condition))


def column(path: Path | Call, document: Sql) -> Sql:
    """Return SQL for what *path* finds in *document*: JSON, an array where it may be several values."""
    assert isinstance(path, Path)  # noqa: S101 # the checker refuses calls
    found = members(path, Scope(document, document, names(), _condition))
    return sql("to_json({0})", found.present()) if found.many else found.json()


def opposite(condition: Sql) -> Sql:
    """Return SQL that is true where *condition* is false or NULL."""
    return sql("not coalesce({0}, false)", condition)


def _condition(condition: Condition, scope: Scope) -> Sql:
    match condition:
        case And(parts):
            return join(" and ", [_condition(part, scope) for part in parts])
        case Or(parts):
            return join(" or ", [_condition(part, scope) for part in parts])
        case Not(inner):
            return opposite(_condition(inner, scope))
        case Compare():
            return _compare(condition, scope)
        case Attribute() | JsonRule() | OneFinding():
            raise AssertionError(condition)


def _compare(compare: Compare, scope: Scope) -> Sql:
    assert isinstance(compare.left, Path)  # noqa: S101 # the checker refuses calls
    operator = OPERATORS[compare.operator]
    positive = OPERATORS[operator.negates] if operator.negates else operator
    match compare.left.steps:
        case (*_, Where(("none" | "all") as word, condition)):
            answer = _quantified(compare.left, word, condition, scope)
        case _:
            assert positive.predicate is not None  # noqa: S101 # an operator has one or negates one that has
            answer = positive.predicate(members(compare.left, scope), _right(compare.right, scope))
    return opposite(answer) if operator.negates else answer


def _quantified(path: Path, word: str, condition: Condition, scope: Scope) -> Sql:
    before = path.steps[:-1]
    found = members(replace(path, steps=before), scope)
    found = elements(found, after_wildcard=bool(before) and isinstance(before[-1], Each | AnyKey | Where))
    kept = keep(found, condition, scope)
    if word == "none":
        return sql("coalesce(len({0}), 0) = 0", kept.json())
    return sql("(len({0}) > 0 and len({0}) = len({1}))", found.json(), kept.json())


def _right(right: Operand | None, scope: Scope) -> Right:
    match right:
        case None:
            return ()
        case Listing(items):
            return tuple(_choice(item, scope) for item in items)
        case _:
            return (_choice(right, scope),)


def _choice(operand: Operand, scope: Scope) -> Choice:
    match operand:
        case Value() | Null():
            return operand
        case Path():
            return members(operand, scope)
        case Listing() | Call() | ResourceList():
            raise AssertionError(operand)


__all__ = ["Members", "column", "compile_rule", "opposite"]
