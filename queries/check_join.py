"""The names of a join's clauses in its filter: `$.X.a`, and `X.a`, become paths that begin with the alias."""

from dataclasses import replace
from typing import TypeVar

from queries.errors import RqlError, nearest
from queries.parse_rule import RuleParser
from queries.syntax import (
    And,
    Call,
    Compare,
    Condition,
    Key,
    Listing,
    Not,
    Operand,
    Or,
    Path,
    Step,
    Value,
    Where,
)
from queries.tokens import QUOTES, Reader

Part = TypeVar("Part", bound=Condition | Operand)


def resolved(part: Part, aliases: tuple[str, ...], text: str, *, strict: bool = True) -> Part:
    """Return *part* with aliases as roots. Raises RqlError for a path that begins with none; unless *strict* such a
    path is left as it is.
    """
    return _Resolver(aliases, text, strict=strict).part(part, bracket=False)


def aliases_of(part: Condition | Operand | Step | None) -> frozenset[str]:
    """Return the aliases that *part*, resolved, speaks of."""
    match part:
        case And(parts) | Or(parts):
            return frozenset().union(*map(aliases_of, parts))
        case Not(inner) | Where(_, inner):
            return aliases_of(inner)
        case Compare(left, _, right):
            return aliases_of(left) | aliases_of(right)
        case Path(root, steps):
            own = frozenset({root} if root not in ("", "$", "@") else ())
            return own.union(*map(aliases_of, steps))
        case Call(_, parts) | Listing(parts):
            return frozenset().union(*map(aliases_of, parts))
        case _:
            return frozenset()


class _Resolver:
    def __init__(self, aliases: tuple[str, ...], text: str, *, strict: bool) -> None:
        self.aliases = {alias.lower(): alias for alias in aliases}
        self.text = text
        self.strict = strict

    def part(self, part: Part, *, bracket: bool) -> Part:
        match part:
            case And(parts) | Or(parts):
                return replace(part, parts=tuple(self.part(each, bracket=bracket) for each in parts))
            case Not(inner):
                return replace(part, inner=self.part(inner, bracket=bracket))
            case Compare(left, _, right):
                right = right if right is None else self.part(right, bracket=bracket)
                return replace(part, left=self.part(left, bracket=bracket), right=right)
            case Path():
                return self._path(part, bracket=bracket)  # type: ignore[return-value] # a path stays one
            case Call(_, arguments):
                return replace(part, arguments=tuple(self.part(a, bracket=bracket) for a in arguments))
            case Listing(items):
                return replace(part, items=tuple(self.part(i, bracket=bracket) for i in items))
            case Value():
                return self._value(part)  # type: ignore[return-value] # an operand stays one
            case _:
                return part

    def _path(self, path: Path, *, bracket: bool) -> Path:
        steps = tuple(
            replace(step, condition=self.part(step.condition, bracket=True)) if isinstance(step, Where) else step
            for step in path.steps
        )
        first = steps[0] if steps else None
        alias = self.aliases.get(first.name.lower()) if isinstance(first, Key) else None
        if path.root == "@" or (bracket and path.root == ""):
            return replace(path, steps=steps)
        if alias is not None and len(steps) > 1:
            return replace(path, root=alias, steps=steps[1:])
        if not self.strict:
            return replace(path, steps=steps)
        shown = self.text[path.span.start : path.span.end][:60]
        name = first.name if isinstance(first, Key) else ""
        known = ", ".join(f"$.{alias}." for alias in self.aliases.values())
        if alias is not None:
            raise RqlError(
                f"{shown} is a whole resource: filter compares what is in it",
                self.text,
                path.span,
                f"such as $.{alias}.id",
            )
        hint = nearest(name, self.aliases.values()) if len(name) > 1 else ""
        raise RqlError(f"{shown} begins with no clause's name", self.text, path.span, hint or f"begin with {known}")

    def _value(self, value: Value) -> Value | Path:
        """`== Y.groupId` without `$.` is a path, where it isn't quoted."""
        start = value.span.start
        alias, dot, rest = value.text.partition(".")
        if not (dot and rest and alias.lower() in self.aliases) or self.text[start : start + 1] in QUOTES:
            return value
        if self.text[start : value.span.end] != value.text:
            return value
        reader = Reader(self.text)
        reader.at = start
        found = RuleParser(reader).path()
        return self._path(found, bracket=False) if isinstance(found, Path) and reader.at == value.span.end else value
