"""RQL conditions asked of a document in plain Python: slow, obvious, and without a line of SQL. The compiler must agree
with it.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from queries.functions import BY_SPELLING
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
from tests.queries import evaluator_functions as functions

Json = object
"""What json.loads gives."""


@dataclass(frozen=True)
class World:
    """What isn't in the document: the time, the accounts that are known, and in a join the document of each alias."""

    now: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)
    monitored: tuple[str, ...] = ()
    rows: dict[str, Json] = field(default_factory=dict)


HERE = World()


def holds(condition: Condition, document: Json, element: Json, world: World = HERE) -> bool:
    """Tell whether *condition* holds of *document*; *element* is where it stands, at first the document."""
    match condition:
        case And(parts):
            return all(holds(part, document, element, world) for part in parts)
        case Or(parts):
            return any(holds(part, document, element, world) for part in parts)
        case Not(inner):
            return not holds(inner, document, element, world)
        case Compare(Path(root, (*before, Where(word, inner))) as path, operator) if word in ("none", "all"):
            elements = list(_elements(find(Path(root, tuple(before)), document, element, world), tuple(before)))
            met = [holds(inner, document, e, world) for e in elements]
            answer = not any(met) if word == "none" else bool(met) and all(met)
            return answer if operator == "exists" else not answer
        case Compare(Path() as path, operator, right):
            choices = _choices(right, document, element, world)
            spread = any(isinstance(step, Each | AnyKey | Where) for step in path.steps)
            return asked(operator, find(path, document, element, world), choices, spread=spread)
        case Compare(Call() as left, operator, right):
            choices = _choices(right, document, element, world)
            return asked(operator, called(left, document, element, world), choices, spread=True)
        case _:
            raise AssertionError(condition)


def find(path: Path, document: Json, element: Json, world: World) -> list[Json]:
    """Return every value at *path*."""
    values = [{"$": document, "": element, "@": element, **world.rows}[path.root]]
    for n, step in enumerate(path.steps):
        values = [found for value in values for found in _step(step, value, path.steps[:n], document, world)]
    return values


def called(call: Call, document: Json, element: Json, world: World) -> list[Json]:
    """Return every value that *call* gives."""
    name = BY_SPELLING[call.name.lower()].name
    given: list[list[Json]] = []
    for argument in call.arguments:
        match argument:
            case Path():
                given.append(find(argument, document, element, world))
            case Call():
                given.append(called(argument, document, element, world))
            case Value(literal):
                given.append([literal])
            case _:
                given.append(list(_choices(argument, document, element, world)))
    if name == "_Set.isSubset":
        values = flat(given[0])
        return [all(asked("any equal", [v], given[1], spread=True) for v in values)] if values else []  # type: ignore[arg-type]
    if name == "_Set.intersection":
        others = [("value", w) for w in flat(given[1])]
        return [v for v in flat(given[0]) if (shown := text(v)) is not None and any(same(shown, w) for w in others)]
    return functions.FUNCTIONS[name](given, world.now, world.monitored)


def flat(values: list[Json]) -> list[Json]:
    """Return *values*, the elements of an array in its place."""
    return [v for value in values for v in (value if isinstance(value, list) else [value])]


def _step(step: Step, value: Json, before: tuple[Step, ...], document: Json, world: World) -> list[Json]:
    match step:
        case Key(name):
            return [value[name]] if isinstance(value, dict) and name in value else []
        case Index(number):
            return [value[number]] if isinstance(value, list) and number < len(value) else []
        case Each():
            return list(value) if isinstance(value, list) else []
        case AnyKey():
            return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
        case Where(_, condition):
            return [e for e in _elements([value], before) if holds(condition, document, e, world)]


def _elements(values: list[Json], before: tuple[Step, ...]) -> list[Json]:
    elements: list[Json] = []
    for value in values:
        if isinstance(value, list):
            elements += value
        elif isinstance(value, dict) and before and isinstance(before[-1], Each | AnyKey | Where):
            elements.append(value)
    return elements


class NullWord:
    """The bare word null on the right."""


Choice = NullWord | tuple[str, Json]
"""null, ("literal", its text), ("value", what another path found) or ("ports", their numbers)."""


def _choices(right: Operand | None, document: Json, element: Json, world: World) -> list[Choice]:
    match right:
        case None:
            return []
        case Null():
            return [NullWord()]
        case Value(text):
            return [("literal", text)]
        case Path():
            return [("value", value) for value in find(right, document, element, world)]
        case Call(name, arguments) if name == "_IPAddress.inRange":
            pattern, *ends = [a.text for a in arguments if isinstance(a, Value)]
            return [("literal", pattern.replace("%d", str(n))) for n in range(int(ends[0]), int(ends[1]) + 1)]
        case Call(name, arguments) if name == "_Port.inRange":
            numbers = [int(a.text) for a in arguments if isinstance(a, Value)]
            return [("ports", range(numbers[0], numbers[1] + 1, *numbers[2:]))]
        case Call():
            return [("value", value) for value in called(right, document, element, world)]
        case Listing(items):
            return [choice for item in items for choice in _choices(item, document, element, world)]
        case _:
            raise AssertionError(right)


_OPPOSITES = {
    "does not equal": "equals",
    "does not equal ignore case": "equal ignore case",
    "does not contain": "contains",
    "does not start with": "starts with",
    "does not end with": "ends with",
    "does not exist": "exists",
    "is not empty": "is empty",
    "is not member of": "is member of",
    "does not intersect": "intersects",
    "!isType": "isType",
    "size does not equal": "size equals",
    "length does not equal": "length equals",
    "number of words does not equal": "number of words equals",
}
_QUANTIFIED = {
    "equal": "equals",
    "start with": "starts with",
    "end with": "ends with",
    "empty": "is empty",
    "true": "is true",
    "false": "is false",
}


def asked(operator: str, values: list[Json], choices: list[Choice], *, spread: bool) -> bool:
    """Tell whether *values*, found by one path, stand in relation *operator* to *choices*. *spread*: the path had a
    wildcard.
    """
    if operator in _OPPOSITES:
        return not asked(_OPPOSITES[operator], values, choices, spread=spread)
    if operator.startswith("size "):
        relation = operator.removeprefix("size ")
        value = values[0] if values else None
        size = len(values) if spread else len(value) if isinstance(value, list | dict) else 0
        return any(related(relation, size, amount(choice)) for choice in choices)
    word, _, rest = operator.partition(" ")
    if word in ("any", "none", "all"):
        met = [asked(_QUANTIFIED[rest], [v], choices, spread=False) for v in flat(values)]  # null is only what is null
        return any(met) if word == "any" else not any(met) if word == "none" else bool(met) and all(met)
    if operator in ("equals", "is member of"):
        nulls = [
            c for c in choices if isinstance(c, NullWord) or (operator == "is member of" and c == ("literal", "null"))
        ]
        if nulls and (not values or any(v is None for v in values)):
            return True
        choices, operator = [c for c in choices if c not in nulls], "equals"
    if operator == "intersects":
        values = flat(values)
        choices = _flat(choices)
        if any(isinstance(c, NullWord) for c in choices) and any(v is None for v in values):
            return True
        choices, operator = [c for c in choices if not isinstance(c, NullWord)], "equals"
    if not choices:
        return any(_unary(operator, value) for value in values)
    return any(_binary(operator, value, choice) for value in values for choice in choices)


def _flat(choices: list[Choice]) -> list[Choice]:
    flat: list[Choice] = []
    for choice in choices:
        if not isinstance(choice, NullWord) and choice[0] == "value" and isinstance(choice[1], list):
            flat += [("value", v) for v in choice[1]]
        else:
            flat.append(choice)
    return flat


def _unary(operator: str, value: Json) -> bool:
    match operator:
        case "exists":
            return True
        case "is empty":
            return value == "" or value == [] or value == {}
        case "is true" | "is false":
            shown = text(value)
            return shown is not None and shown.lower() == operator.removeprefix("is ")
        case _:
            return False  # the operator compares, and the path on the right found nothing


def _binary(operator: str, value: Json, choice: Choice) -> bool:
    shown = text(value)
    if operator == "isType":
        assert not isinstance(choice, NullWord)
        return is_type(value, str(choice[1]).lower())
    if not isinstance(choice, NullWord) and choice[0] == "ports":
        values = value if isinstance(value, list) and operator == "contains" else [value]
        return any(functions.in_ports(text(v), choice[1]) for v in values)
    if operator == "contains":
        return contains(value, ("literal", "null") if isinstance(choice, NullWord) else choice)
    if shown is None:
        return False
    if operator == "equals":
        assert not isinstance(choice, NullWord)
        return same(shown, choice)
    other = "null" if isinstance(choice, NullWord) else text(choice[1])
    if operator == "equal ignore case":
        return other is not None and shown.lower() == other.lower()
    if operator == "starts with":
        return other is not None and shown.startswith(other)
    if operator == "ends with":
        return other is not None and shown.endswith(other)
    if operator.startswith("length "):
        return related(operator.removeprefix("length "), len(shown), amount(choice))
    if operator.startswith("number of words "):
        count = len(re.findall(r"\S+", shown, re.ASCII))
        return related(operator.removeprefix("number of words "), count, amount(choice))
    return related(operator, number(shown), amount(choice))


def contains(value: Json, choice: tuple[str, Json]) -> bool:
    """A text or object holds it in its text, a number or boolean is it, an array has an element that is or holds it."""
    if isinstance(value, list):
        return any(_held(element, choice, whole=(str, dict, list)) for element in value)
    return _held(value, choice, whole=(str, dict))


def _held(value: Json, choice: tuple[str, Json], whole: tuple[type, ...]) -> bool:
    shown, needle = text(value), text(choice[1])
    if shown is None or needle is None:
        return False
    if choice[0] == "literal":
        if needle.lower() in ("true", "false"):
            return needle.lower() in shown.lower()
        if literal_number(needle) is None:
            return needle in shown
    return needle in shown if isinstance(value, whole) else same(shown, choice)


def same(shown: str, choice: tuple[str, Json]) -> bool:
    """Tell whether a value shown as *shown* equals *choice*."""
    other = text(choice[1])
    if other is None:
        return False
    if choice[0] == "literal":
        if other.lower() in ("true", "false"):
            return shown.lower() == other.lower()
        if literal_number(other) is None:
            return shown == other
        return shown in (other, _written(other), _written(other) + ".0")
    if shown == other:
        return True
    one, two = literal_number(shown), literal_number(other)
    return one is not None and one == two


def _written(literal: str) -> str:
    value = float(literal)
    return str(int(value)) if value.is_integer() else repr(value)


def text(value: Json) -> str | None:
    """A text as it is, null as None, anything else as JSON writes it."""
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def number(shown: str | None) -> float | None:
    """The number that a text reads as."""
    try:
        return float(shown) if shown is not None else None
    except ValueError:
        return None


def literal_number(literal: str) -> float | None:
    """The number that a literal is, where it is written as JSON writes numbers."""
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", literal, re.ASCII):
        return None
    return float(literal) if abs(float(literal)) < 2**53 else None


def amount(choice: Choice) -> float | None:
    """The number on the right of a comparison."""
    return None if isinstance(choice, NullWord) else number(text(choice[1]))


def related(relation: str, left: float | None, right: float | None) -> bool:
    """Tell whether two numbers stand in *relation*; nothing stands in any relation to no number."""
    if left is None or right is None:
        return False
    return {
        "equals": left == right,
        "greater than": left > right,
        "less than": left < right,
        ">=": left >= right,
        "<=": left <= right,
    }[relation]


def is_type(value: Json, name: str) -> bool:
    """Tell whether *value* has the JSON type *name*."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "integer": is_number and isinstance(value, int),
        "number": is_number,
    }[name]
