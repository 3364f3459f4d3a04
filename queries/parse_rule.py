"""The condition of json.rule, of a bracket `[?...]` and of `filter`: text to tree, by recursive descent."""

import re

from queries.errors import RqlError, Span, nearest
from queries.operators import ELSEWHERE, OPERATORS, Operator
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
    ResourceList,
    Step,
    Value,
    Where,
)
from queries.tokens import QUOTES, Reader, Token

MAX_DEPTH = 60
"""How deep round brackets and `not` may nest."""
MAX_BRACKETS = 5
"""How deep `[?...]` may nest: DuckDB takes three times as long to read the statement with each level more."""
MAX_STEPS = 40
"""How many steps a path may have."""
MAX_CONDITIONS = 1_000
"""How many comparisons a query may have."""

_CALL = re.compile(r"(_?[A-Za-z][\w]*(?:\.[A-Za-z]\w*)*|_[\w.]+)\(")
_INDEX = re.compile(r"[0-9]{1,9}", re.ASCII)
_QUANTIFIER = re.compile(r"(any|none|all)(?=\s*\()", re.IGNORECASE)
_PATH_ARGUMENT = re.compile(r"[$@\[_A-Za-z]")
_ADDRESS = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(/[0-9]+)?|[0-9.]+(/[0-9]+)?")


def _spelled() -> tuple[re.Pattern[str], dict[str, Operator]]:
    by_spelling = {"".join(s.lower().split()): operator for operator in OPERATORS.values() for s in operator.spellings}
    spellings = sorted((s for o in OPERATORS.values() for s in o.spellings), key=len, reverse=True)
    end = r"(?![\w.:\-])"
    alternatives = [
        r"\s+".join(_sign(part) for part in spelling.split()) + (end if spelling[-1].isalpha() else "")
        for spelling in spellings
    ]
    return re.compile("|".join(alternatives), re.IGNORECASE), by_spelling


def _sign(part: str) -> str:
    return r"!\s*" + re.escape(part[1:]) if part.startswith("!") else re.escape(part)


_OPERATOR, _BY_SPELLING = _spelled()
_ELSEWHERE = re.compile("|".join(rf"{word}\b" for word in sorted(ELSEWHERE, key=len)[::-1]), re.IGNORECASE)


class RuleParser:
    """Reads conditions from *reader*, which the parser of the whole query shares."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.depth = 0
        self.brackets = 0
        self.conditions = 0

    def condition(self) -> Condition:
        """Read `a or b`; `and` binds tighter than `or`. Raises RqlError."""
        parts = [self._and()]
        while self.reader.keyword("or") or self.reader.symbol("||"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def path(self) -> Path | Call:
        """Read a path or a call of a function. Raises RqlError."""
        reader = self.reader
        start = reader.blanks()
        if (call := self._call()) is not None:
            return call
        root = reader.ahead() if reader.ahead() in ("$", "@") else ""
        reader.at += len(root)
        steps: list[Step] = []
        if not root:
            steps.append(self._first_step())
        while True:
            at = reader.at
            if reader.ahead() == "[":
                steps.append(self._bracket())
            elif reader.ahead() == ".":
                reader.at += 1
                steps.append(self._after_dot(at))
            else:
                break
            if len(steps) > MAX_STEPS:
                raise self.error(f"a path may have {MAX_STEPS} steps", Span(start, reader.at))
        return Path(root, tuple(steps), Span(start, reader.at))

    def error(self, message: str, span: Span | None = None, hint: str = "") -> RqlError:
        """Return an error at *span*, or at what comes next."""
        return RqlError(message, self.reader.text, span or self.reader.rest(), hint)

    def nested(self, span: Span) -> None:
        """Count one bracket more. Raises RqlError when there are too many."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"this is nested more than {MAX_DEPTH} deep", span)

    def what_comes(self) -> str:
        """Name what comes next, for a message."""
        span = self.reader.rest()
        word = self.reader.text[span.start : span.end]
        return repr(word) if word else "the end of the query"

    def _and(self) -> Condition:
        parts = [self._not()]
        while self.reader.keyword("and") or self.reader.symbol("&&") or self.reader.symbol("&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Condition:
        reader = self.reader
        start = reader.blanks()
        if reader.keyword("not") or (reader.ahead() == "!" and reader.symbol("!")):
            self.nested(Span(start, reader.at))
            inner = self._not()
            self.depth -= 1
            return Not(inner, Span(start, reader.at))
        if opened := reader.symbol("("):
            self.nested(opened.span)
            inner = self.condition()
            self.depth -= 1
            if not reader.symbol(")"):
                raise self._unclosed(opened)
            return inner
        return self._comparison()

    def _unclosed(self, opened: Token) -> RqlError:
        if self.reader.rest().start == self.reader.rest().end or self.reader.ahead() in (";", *self.reader.closer):
            return self.error("this bracket is never closed", opened.span, "close it with )")
        return self.error(f"wanted and, or, or ), got {self.what_comes()}", hint=self._after_value())

    def _after_value(self) -> str:
        return "a value with blanks needs quotes" if self.reader.ahead().isalnum() else ""

    def _comparison(self) -> Condition:
        reader = self.reader
        start = reader.blanks()
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise self.error(f"a query may have {MAX_CONDITIONS} comparisons, this one has more")
        left = self.path()
        found = reader.pattern(_OPERATOR)
        if found is None:
            if isinstance(left, Path) and left.root == "@":  # [?(@.tags)] asks whether it is there
                return Compare(left, "exists", None, left.span)
            raise self._no_operator(left)
        operator = _BY_SPELLING["".join(found.text.lower().split())]
        right = self._right(operator)
        return Compare(left, operator.name, right, Span(start, reader.at))

    def _no_operator(self, left: Path | Call) -> RqlError:
        if (elsewhere := self.reader.pattern(_ELSEWHERE)) is not None:
            return self.error(
                f"{elsewhere.text!r} is no operator of json.rule",
                elsewhere.span,
                ELSEWHERE[" ".join(elsewhere.text.lower().split())],
            )
        span = self.reader.rest()
        shown = self.reader.text[left.span.start : left.span.end]
        message = f"wanted an operator after {shown[:80]}, got {self.what_comes()}"
        following = " ".join(self.reader.text[span.start : span.start + 80].split()[:3])
        hint = next((n for n in (nearest(following, OPERATORS), nearest(following.split(" ")[0], OPERATORS)) if n), "")
        return self.error(message, span, hint or "such as equals, contains, exists, is true, is member of")

    def _right(self, operator: Operator) -> Operand | None:
        match operator.takes:
            case "nothing":
                return None
            case "type":
                name = self.reader.quoted() or self.reader.bare()
                if name is None:
                    raise self._no_value(operator)
                return Value(name.text, name.span)
            case _:
                return self._operand(operator)

    def _operand(self, operator: Operator) -> Operand:
        reader = self.reader
        reader.blanks()
        if reader.ahead() == "(":
            return self._listing()
        if reader.ahead(2) in ("$.", "$[", "@.", "@["):
            return self.path()
        if (call := self._call()) is not None:
            return call
        if (named := self._resource_list()) is not None:
            return named
        if reader.closer and reader.ahead() in reader.closer and not self._quoted_value_follows():
            raise self._no_value(operator)
        if (quoted := reader.quoted()) is not None:
            return Value(quoted.text, quoted.span)
        if (bare := reader.bare()) is not None:
            return Null(bare.span) if bare.text == "null" else Value(bare.text, bare.span)
        raise self._no_value(operator)

    def _no_value(self, operator: Operator) -> RqlError:
        return self.error(f"wanted a value after {operator.name!r}, got {self.what_comes()}")

    def _quoted_value_follows(self) -> bool:
        """Tell whether the quote that comes next opens a value: another one must come to end the rule."""
        return any(c in self.reader.text[self.reader.at + 1 :] for c in self.reader.closer)

    def _listing(self) -> Listing:
        reader = self.reader
        opened = reader.symbol("(")
        assert opened is not None  # noqa: S101 # the caller saw it
        items: list[Operand] = []
        while True:
            items.append(self._item())
            if reader.symbol(","):
                continue
            if reader.symbol(")"):
                return Listing(tuple(items), Span(opened.span.start, reader.at))
            raise self.error(
                f"wanted , or ) in this list, got {self.what_comes()}", hint=f"it began with {opened.text}"
            )

    def _item(self) -> Operand:
        reader = self.reader
        if (call := self._call()) is not None:
            return call
        if (named := self._resource_list()) is not None:
            return named
        if (quoted := reader.quoted()) is not None:
            return Value(quoted.text, quoted.span)
        if (bare := reader.bare(in_list=True)) is not None:
            return Null(bare.span) if bare.text == "null" else Value(bare.text, bare.span)
        raise self.error(f"wanted a value in this list, got {self.what_comes()}")

    def _resource_list(self) -> ResourceList | None:
        reader = self.reader
        start = reader.blanks()
        if reader.ahead() != "{" or reader.text[start + 1 : start + 2] not in QUOTES:
            return None
        end = reader.text.find("}", start)
        if end < 0:
            raise self.error("this bracket is never closed", Span(start, start + 1), "close it with }")
        reader.at = end + 1
        return ResourceList(reader.text[start + 1 : end], Span(start, end + 1))

    def _call(self) -> Call | None:
        reader = self.reader
        start = reader.blanks()
        match = _CALL.match(reader.text, start)
        if match is None:
            return None
        self.nested(Span(start, match.end()))
        reader.at = match.end()
        arguments: list[Operand] = []
        while not reader.symbol(")"):
            if arguments and not reader.symbol(","):
                raise self.error(f"wanted , or ) in the call of {match.group(1)}, got {self.what_comes()}")
            arguments.append(self._argument(match.group(1)))
        self.depth -= 1
        return Call(match.group(1), tuple(arguments), Span(start, reader.at))

    def _argument(self, function: str) -> Operand:
        reader = self.reader
        reader.blanks()
        if reader.ahead() == "(":
            return self._listing()
        if (call := self._call()) is not None:
            return call
        if (quoted := reader.quoted()) is not None:
            return Value(quoted.text, quoted.span)
        address = _ADDRESS.match(reader.text, reader.at)
        if _PATH_ARGUMENT.match(reader.ahead()) and not (address and address.group()):
            return self.path()
        if (bare := reader.bare(in_list=True)) is not None:
            return Value(bare.text, bare.span)
        raise self.error(f"wanted an argument of {function}, got {self.what_comes()}")

    def _first_step(self) -> Step:
        reader = self.reader
        if reader.ahead() == "[":
            return self._bracket()
        if (step := self._plain_step()) is not None:
            return step
        raise self.error(f"wanted a path such as state.name, got {self.what_comes()}")

    def _after_dot(self, dot: int) -> Step:
        reader = self.reader
        here = reader.at
        if reader.blanks() != here and reader.ahead() != "[":  # blanks may follow only in `[*]. ['name']`
            raise self.error("wanted a key after this dot", Span(dot, dot + 1))
        if reader.ahead() == "[":
            return self._bracket()
        if (step := self._plain_step()) is not None:
            return step
        raise self.error(f"wanted a key after this dot, got {self.what_comes()}", Span(dot, dot + 1))

    def _plain_step(self) -> Step | None:
        reader = self.reader
        for mark in ("*", "{}"):
            if reader.ahead(len(mark)) == mark:
                reader.at += len(mark)
                return AnyKey()
        key = reader.key()
        return Key(key.text) if key else None

    def _bracket(self) -> Step:
        reader = self.reader
        opened = Span(reader.at, reader.at + 1)
        reader.at += 1
        step = self._in_bracket(opened)
        if not reader.symbol("]"):
            if reader.rest().start == reader.rest().end:
                raise self.error("this bracket is never closed", opened, "close it with ]")
            raise self.error(f"wanted ], got {self.what_comes()}")
        return step

    def _in_bracket(self, opened: Span) -> Step:
        reader = self.reader
        if reader.symbol("*"):
            return Each()
        if (number := reader.pattern(_INDEX)) is not None:
            return Index(int(number.text))
        if reader.symbol("?"):
            return self._where(opened)
        if (quoted := reader.quoted()) is not None:
            if not quoted.text:
                raise self.error("an empty key can't be asked for", quoted.span)
            return Key(quoted.text)
        raise self.error(
            f"wanted *, a number, 'a key' or ? in this bracket, got {self.what_comes()}",
            hint="such as rules[*], rules[0], ['a.b'], rules[?any( port equals 22 )]",
        )

    def _where(self, opened: Span) -> Where:
        word = self.reader.pattern(_QUANTIFIER)
        self.nested(opened)
        self.brackets += 1
        if self.brackets > MAX_BRACKETS:
            raise self.error(f"[? ] is nested more than {MAX_BRACKETS} deep", opened)
        condition = self.condition()
        self.brackets -= 1
        self.depth -= 1
        return Where(word.text.lower() if word else "", condition)  # type: ignore[arg-type] # any, none, all by the pattern
