"""Tree to text, in one spelling: parsing the text gives the same tree again."""

import re

from queries.syntax import (
    And,
    AnyKey,
    Attribute,
    Call,
    Clause,
    Compare,
    Condition,
    Each,
    Index,
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
    Step,
    Value,
    Where,
)

_PLAIN = re.compile(r"[A-Za-z_][\w:/\-]*", re.ASCII)


def format(query: Query) -> str:
    """Return *query* as RQL."""
    parts = [_clause(clause) for clause in query.clauses]
    if query.filter:
        parts.append(f"filter '{_rule(query.filter.condition)}'")
    if query.show:
        parts.append(f"show {query.show}")
    if query.count:
        parts.append(f"count({query.count.alias}) {query.count.operator} {query.count.number}")
    if query.columns:
        parts.append("addcolumn " + " ".join(format_operand(column) for column in query.columns))
    if query.limit is not None:
        parts.append(f"limit search records to {query.limit}")
    return "; ".join(parts)


def format_operand(operand: Operand) -> str:
    """Return one side of a comparison as RQL."""
    match operand:
        case Path(root, steps):
            return _path(root, steps)
        case Value(text):
            return quote(text)
        case Null():
            return "null"
        case Listing(items):
            return f"({', '.join(format_operand(item) for item in items)})"
        case ResourceList(text):
            return f"{{{text}}}"
        case Call(name, arguments):
            return f"{name}({', '.join(format_operand(argument) for argument in arguments)})"


def quote(text: str) -> str:
    """Return *text* in quotes."""
    mark = '"' if "'" in text and '"' not in text else "'"
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def _clause(clause: Clause) -> str:
    text = f"config from cloud.resource where {_condition(clause.condition, last=True)}"
    return f"{text} as {clause.alias}" if clause.alias else text


def _condition(condition: Condition, *, last: bool) -> str:
    match condition:
        case And(parts):
            return _joined(" and ", parts, (Or, And), last=last)
        case Or(parts):
            return _joined(" or ", parts, (Or,), last=last)
        case Not(inner):
            return f"not {_wrapped(inner, (And, Or), last=last)}"
        case JsonRule(inner):
            # a rule without quotes runs to the end of its clause
            return f"json.rule = {_rule(inner)}" if last else f"json.rule = '{_rule(inner)}'"
        case Attribute(name, operator, values, argument):
            shown = name if argument is None else f"{name}({quote(argument)})"
            if operator.endswith("in"):
                return f"{shown} {operator} ({', '.join(quote(value.text) for value in values)})"
            return f"{shown} {operator}" + "".join(f" {quote(value.text)}" for value in values)
        case OneFinding(inner):
            return _condition(inner, last=last)
        case Compare():
            return _rule(condition)


def _joined(word: str, parts: tuple[Condition, ...], inner: tuple[type, ...], *, last: bool) -> str:
    end = len(parts) - 1
    return word.join(_wrapped(part, inner, last=last and n == end) for n, part in enumerate(parts))


def _wrapped(condition: Condition, kinds: tuple[type, ...], *, last: bool) -> str:
    if isinstance(condition, kinds):
        return f"({_condition(condition, last=False)})"
    return _condition(condition, last=last)


def _rule(condition: Condition) -> str:
    match condition:
        case And(parts):
            return " and ".join(f"({_rule(p)})" if isinstance(p, And | Or) else _rule(p) for p in parts)
        case Or(parts):
            return " or ".join(f"({_rule(p)})" if isinstance(p, Or) else _rule(p) for p in parts)
        case Not(inner):
            return f"not ({_rule(inner)})" if isinstance(inner, And | Or) else f"not {_rule(inner)}"
        case Compare(left, operator, right):
            return f"{format_operand(left)} {operator}" + (f" {format_operand(right)}" if right is not None else "")
        case Attribute() | JsonRule() | OneFinding():
            raise AssertionError(condition)


def _path(root: str, steps: tuple[Step, ...]) -> str:
    text = root
    for step in steps:
        text += _step(step, first=not text)
    return text


def _step(step: Step, *, first: bool) -> str:
    dot = "" if first else "."
    match step:
        case Key(name):
            plain = _PLAIN.fullmatch(name) and not (first and name.lower() == "not")
            return dot + name if plain else f"[{quote(name)}]"
        case Index(number):
            return f"[{number}]"
        case Each():
            return "[*]"
        case AnyKey():
            return f"{dot}*"
        case Where(word, condition):
            return f"[?{word}({_rule(condition)})]" if word else f"[?({_rule(condition)})]"
