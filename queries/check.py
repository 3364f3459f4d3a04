"""Tree to checked tree: every name is known, every value can be compared, every finding condition knows its finding."""

import math
from dataclasses import dataclass, replace

from queries.catalog import ATTRIBUTES, SEVERITIES, STATUSES, kind_of
from queries.errors import RqlError, Span, nearest
from queries.functions import FUNCTIONS
from queries.operators import OPERATORS, Operator
from queries.predicates import TYPES
from queries.syntax import (
    And,
    Attribute,
    Call,
    Compare,
    Condition,
    JsonRule,
    Key,
    Listing,
    Not,
    Null,
    OneFinding,
    Operand,
    Or,
    Path,
    Query,
    ResourceList,
    Value,
    Where,
)

_CLOUDS = ("aws", "azure", "gcp", "alibaba_cloud", "oci", "ibm")
_ALLOWED = {
    "cloud.type": (*_CLOUDS, "alibaba", "alibaba-cloud"),
    "resource.status": STATUSES,
    "finding.severity": SEVERITIES,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that can be answered. *condition* has its finding conditions gathered; *findings* are those that a row of
    the answer is there for. *any_status*: the query itself says whether it wants deleted resources.
    """

    query: Query
    condition: Condition
    findings: tuple[OneFinding, ...]
    any_status: bool


def check(query: Query) -> Checked:
    """Return *query* checked. Raises RqlError for what is wrong and for what isn't answered (yet)."""
    checker = _Checker(query.text)
    checker.shape(query)
    condition = _gather(checker.condition(query.clauses[0].condition))
    for column in query.columns:
        checker.column(column)
    asks_status = any(a.name == "resource.status" for a in _attributes(condition))
    return Checked(query, condition, tuple(_positive(condition)), asks_status)


@dataclass(frozen=True, slots=True)
class _Inside:
    """Where a comparison stands: in a bracket (then `@` is known)?"""

    bracket: bool = False


class _Checker:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, message: str, span: Span, hint: str = "") -> RqlError:
        return RqlError(message, self.text, span, hint)

    def shape(self, query: Query) -> None:
        """Refuse what needs more than one clause."""
        if len(query.clauses) > 1:
            raise self.error("joins aren't answered yet", query.clauses[1].span, "ask with a single config clause")
        if query.filter:
            raise self.error("filter belongs to joins, which aren't answered yet", query.filter.span)
        if query.count:
            raise self.error("count isn't answered yet", query.count.span, "an answer says how many there are")
        alias = query.clauses[0].alias
        if query.show and query.show != alias:
            raise self.error(
                f"there is no alias {query.show!r}", query.clauses[0].span, f"write as {query.show} after it"
            )

    def condition(self, condition: Condition) -> Condition:
        match condition:
            case And(parts):
                return And(tuple(self.condition(part) for part in parts))
            case Or(parts):
                return Or(tuple(self.condition(part) for part in parts))
            case Not(inner):
                return replace(condition, inner=self.condition(inner))
            case Attribute():
                self.attribute(condition)
            case JsonRule(inner):
                self.rule(inner, _Inside())
            case Compare() | OneFinding():
                raise AssertionError(condition)
        return condition

    def attribute(self, attribute: Attribute) -> None:
        kind = kind_of(attribute)
        if kind.refused:
            raise self.error(kind.refused, attribute.span)
        if attribute.operator in ("exists", "does not exist") and kind.looks != "tag":
            raise self.error(
                f"{attribute.name} can't be asked with {attribute.operator}", attribute.span, "use =, !=, in or not in"
            )
        if attribute.argument in ("All", "Any"):
            raise self.error(
                f"tag({attribute.argument}) isn't answered yet", attribute.span, "name the key: tag('owner')"
            )
        for value in attribute.values:
            allowed = _ALLOWED.get(kind.name)
            if allowed and value.text.strip().lower() not in allowed:
                hint = nearest(value.text, allowed) or "known: " + ", ".join(allowed)
                raise self.error(f"{attribute.name} is never {value.text!r}", value.span, hint)
            if not value.text.strip() and kind.looks != "tag":
                raise self.error(f"{attribute.name} is never empty", value.span)

    def rule(self, condition: Condition, inside: _Inside) -> None:
        match condition:
            case And(parts) | Or(parts):
                for part in parts:
                    self.rule(part, inside)
            case Not(inner):
                self.rule(inner, inside)
            case Compare():
                self.compare(condition, inside)
            case Attribute() | JsonRule() | OneFinding():
                raise AssertionError(condition)

    def compare(self, compare: Compare, inside: _Inside) -> None:
        operator = OPERATORS[compare.operator]
        self.operand(compare.left, inside, quantified=operator.name in ("exists", "does not exist"))
        if isinstance(compare.left, Path):
            self._swallowed(compare.left, inside)
        if compare.right is None:
            return
        self.operand(compare.right, inside)
        if isinstance(compare.right, Listing):
            for item in compare.right.items:
                self._fits(operator, item)
            if operator.takes in ("value", "amount") and len(compare.right.items) != 1:
                raise self.error(f"{operator.name} takes one value", compare.right.span, "use is member of for a list")
        else:
            self._fits(operator, compare.right)

    def operand(self, operand: Operand, inside: _Inside, *, quantified: bool = False) -> None:
        match operand:
            case Path(root, steps):
                if root == "@" and not inside.bracket:
                    raise self.error("@ is the element that a bracket looks at; there is none here", operand.span)
                for n, step in enumerate(steps):
                    if isinstance(step, Where):
                        if step.word in ("none", "all") and not (quantified and n == len(steps) - 1):
                            raise self.error(
                                f"[?{step.word}( )] must be the end of the path, and exists or does not exist follow",
                                operand.span,
                            )
                        self.rule(step.condition, _Inside(bracket=True))
            case Call(name):
                if name not in FUNCTIONS:
                    raise self.error(f"there is no function {name!r}", operand.span, nearest(name, FUNCTIONS))
                raise self.error(f"functions aren't answered yet, and this query calls {name}", operand.span)
            case ResourceList():
                raise self.error("resource lists aren't answered yet", operand.span, "write the list out: (a, b, c)")
            case Listing(items):
                for item in items:
                    self.operand(item, inside)
            case Value() | Null():
                pass

    def column(self, column: Path | Call) -> None:
        self.operand(column, _Inside())

    def _swallowed(self, path: Path, inside: _Inside) -> None:
        """`json.rule = a exists and cloud.type = 'aws'`: the rule has swallowed an attribute."""
        keys = [step.name for step in path.steps if isinstance(step, Key)]
        name = ".".join(keys).lower()
        if inside.bracket or path.root or len(keys) != len(path.steps) or name not in ATTRIBUTES or "." not in name:
            return
        raise self.error(
            f"{name} is an attribute, but json.rule without quotes runs to the end, so it is read as a path",
            path.span,
            f"put {name} before json.rule, or put the rule in quotes",
        )

    def _fits(self, operator: Operator, right: Operand) -> None:
        if operator.takes == "type" and isinstance(right, Value) and right.text.lower() not in TYPES:
            raise self.error(f"there is no JSON type {right.text!r}", right.span, nearest(right.text, TYPES))
        if operator.takes != "amount" or isinstance(right, Path):
            return
        if not (isinstance(right, Value) and _is_number(right.text)):
            shown = right.text if isinstance(right, Value) else "null"
            raise self.error(f"{operator.name} wants a number or a path such as $.size, got {shown!r}", right.span)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def _attributes(condition: Condition) -> list[Attribute]:
    match condition:
        case And(parts) | Or(parts):
            return [a for part in parts for a in _attributes(part)]
        case Not(inner) | OneFinding(inner):
            return _attributes(inner)
        case Attribute():
            return [condition]
        case _:
            return []


def _of_findings(condition: Condition) -> bool:
    """Tell whether *condition* is of finding.* alone, without a `not` that would speak of the resource."""
    match condition:
        case And(parts) | Or(parts):
            return all(_of_findings(part) for part in parts)
        case Attribute():
            return kind_of(condition).looks == "finding"
        case _:
            return False


def _gather(condition: Condition) -> Condition:
    """Put the finding conditions of each `and` together: one finding must meet them all."""
    if _of_findings(condition):
        return OneFinding(condition)
    match condition:
        case And(parts):
            own = [part for part in parts if _of_findings(part)]
            others = [_gather(part) for part in parts if not _of_findings(part)]
            gathered = [OneFinding(own[0] if len(own) == 1 else And(tuple(own)))] if own else []
            return And((*gathered, *others))
        case Or(parts):
            return Or(tuple(_gather(part) for part in parts))
        case Not(inner):
            return replace(condition, inner=_gather(inner))
        case _:
            return condition


def _positive(condition: Condition) -> list[OneFinding]:
    match condition:
        case And(parts) | Or(parts):
            return [found for part in parts for found in _positive(part)]
        case OneFinding():
            return [condition]
        case _:
            return []
