"""What a condition on the document may say: operators get what they take, functions their arguments."""

import math
from dataclasses import dataclass
from typing import get_args

from queries import addresses
from queries.catalog import ATTRIBUTES
from queries.errors import RqlError, Span, nearest
from queries.functions import BY_SPELLING, FUNCTIONS, Function, Takes
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
    ResourceList,
    Value,
    Where,
)

MOST_CALLS = 3
"""How deep calls may nest."""
MOST_PATTERNS = 1_000
"""How many texts `_IPAddress.inRange` may stand for."""
LAST_PORT = 65_535

_PORTS = {
    "equals",
    "does not equal",
    "contains",
    "does not contain",
    "is member of",
    "is not member of",
    "intersects",
    "does not intersect",
    "any equal",
    "none equal",
    "all equal",
}
"""The operators that can be asked of ports."""


@dataclass(frozen=True, slots=True)
class _Inside:
    """Where a comparison stands: in a bracket (then `@` is known)? In how many calls?"""

    bracket: bool = False
    calls: int = 0


class RuleChecker:
    """Checks conditions of the query *text*; *wrong* is what comparisons have wrong."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.wrong: list[RqlError] = []

    def error(self, message: str, span: Span, hint: str = "") -> RqlError:
        """Return an error at *span*."""
        return RqlError(message, self.text, span, hint)

    def rule(self, condition: Condition, inside: _Inside = _Inside()) -> None:
        """Put into *wrong* where *condition* can't be asked of a document."""
        match condition:
            case And(parts) | Or(parts):
                for part in parts:
                    self.rule(part, inside)
            case Not(inner):
                self.rule(inner, inside)
            case Compare():
                try:
                    self._compare(condition, inside)
                except RqlError as error:
                    self.wrong.append(error)
            case Attribute() | JsonRule() | OneFinding():
                raise AssertionError(condition)

    def operand(self, operand: Operand, inside: _Inside = _Inside(), *, quantified: bool = False) -> None:
        """Raise RqlError where *operand* finds nothing that can be compared."""
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
                        self.rule(step.condition, _Inside(bracket=True, calls=inside.calls))
            case Call():
                self._call(operand, inside)
            case ResourceList():
                raise self.error(
                    "lists that are kept elsewhere aren't answered", operand.span, "write the list out: (a, b, c)"
                )
            case Listing(items):
                for item in items:
                    self.operand(item, inside)
            case Value() | Null():
                pass

    def _compare(self, compare: Compare, inside: _Inside) -> None:
        operator = OPERATORS[compare.operator]
        self.operand(compare.left, inside, quantified=operator.name in ("exists", "does not exist"))
        if isinstance(compare.left, Path):
            self._swallowed(compare.left, inside)
        elif (function := BY_SPELLING[compare.left.name.lower()]).gives in ("ports", "texts"):
            raise self.error(
                f"{function.name} stands on the right of an operator", compare.left.span, f"such as {function.example}"
            )
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

    def _call(self, call: Call, inside: _Inside) -> None:
        function = BY_SPELLING.get(call.name.lower())
        if function is None:
            known = "known: " + ", ".join(FUNCTIONS)
            raise self.error(f"there is no function {call.name!r}", call.span, nearest(call.name, FUNCTIONS) or known)
        if inside.calls >= MOST_CALLS:
            raise self.error(f"calls are nested more than {MOST_CALLS} deep", call.span)
        least = sum(takes != "step" for takes in function.takes)
        most = 50 if "networks" in function.takes else len(function.takes)
        if not least <= len(call.arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise self.error(
                f"{function.name} takes {wanted} arguments, not {len(call.arguments)}",
                call.span,
                f"such as {function.example}",
            )
        deeper = _Inside(inside.bracket, inside.calls + 1)
        for n, argument in enumerate(call.arguments):
            self._argument(function, function.takes[min(n, len(function.takes) - 1)], argument, call, deeper)
        self._range(function, call)

    def _argument(self, function: Function, takes: Takes, argument: Operand, call: Call, inside: _Inside) -> None:
        match takes:
            case "values" | "time":
                fits = isinstance(argument, Path | Value | Call)
                if isinstance(argument, Call) and fits:
                    inner = BY_SPELLING.get(argument.name.lower())
                    fits = inner is None or inner.gives not in ("ports", "texts")
            case "network" | "networks":
                fits = isinstance(argument, Value) and addresses.bits(argument.text) is not None
            case "number" | "step":
                fits = isinstance(argument, Value) and argument.text.isdecimal() and len(argument.text) < 10
            case "pattern":
                fits = isinstance(argument, Value) and argument.text.count("%d") == 1
            case "list":
                fits = isinstance(argument, Listing)
        if not fits:
            place = call.span if isinstance(argument, Null) else argument.span
            raise self.error(f"{function.name} wants {_WANTED[takes]} here", place, f"such as {function.example}")
        self.operand(argument, inside)

    def _range(self, function: Function, call: Call) -> None:
        numbers = [int(a.text) for a in call.arguments if isinstance(a, Value) and a.text.isdecimal()]
        if function.gives == "texts" and numbers[1] - numbers[0] >= MOST_PATTERNS:
            raise self.error(f"this stands for more than {MOST_PATTERNS:,} texts", call.span)
        if function.gives == "ports" and max(numbers) > LAST_PORT:
            raise self.error(f"the last port is {LAST_PORT}", call.span)
        if function.gives == "ports" and numbers[2:] == [0]:
            raise self.error("a step of 0 leads nowhere", call.span)
        if function.gives in ("texts", "ports") and numbers[0] > numbers[1]:
            raise self.error(f"this range is empty: {numbers[0]} is more than {numbers[1]}", call.span)

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
        gives = BY_SPELLING[right.name.lower()].gives if isinstance(right, Call) else ""
        if gives == "ports" and operator.name not in _PORTS and isinstance(right, Call):
            raise self.error(f"{operator.name} can't be asked of ports", right.span, "use contains or intersects")
        if operator.takes != "amount" or isinstance(right, Path) or gives in ("numbers", "values"):
            return
        if not (isinstance(right, Value) and _is_number(right.text)):
            shown = right.text if isinstance(right, Value) else "null" if isinstance(right, Null) else "a list"
            raise self.error(f"{operator.name} wants a number or a path such as $.size, got {shown!r}", right.span)


_WANTED: dict[Takes, str] = {
    "values": "a path",
    "time": "a path or today()",
    "network": "a network such as 10.0.0.0/8",
    "networks": "a network such as 10.0.0.0/8",
    "number": "a whole number",
    "step": "a whole number",
    "pattern": "a text with one %d in it",
    "list": "a list in brackets",
}
assert set(_WANTED) == set(get_args(Takes))  # noqa: S101 # a new kind of argument needs its words


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False
