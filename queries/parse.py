"""Text to tree: the query, its clauses, attributes and what follows them. Conditions on the document are read by
parse_rule.
"""

import re

from queries.catalog import ATTRIBUTES
from queries.errors import RqlError, Span, nearest
from queries.parse_rule import RuleParser
from queries.syntax import And, Attribute, Call, Clause, Condition, Count, Filter, JsonRule, Not, Or, Path, Query, Value
from queries.tokens import QUOTES, Reader, Token

MAX_LENGTH = 200_000
"""The longest query, in characters."""

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {
    "event": "event queries (audit logs)",
    "network": "network queries (flow logs)",
    "iam": "IAM queries (permissions)",
    "vulnerability": "vulnerability queries",
    "asset": "asset queries",
    "application": "application queries",
}
_COUNTS = {
    "equals": "equals",
    "==": "equals",
    "=": "equals",
    "does not equal": "does not equal",
    "!=": "does not equal",
    "greater than": "greater than",
    ">": "greater than",
    "less than": "less than",
    "<": "less than",
}
_COUNT_OPERATOR = re.compile(r"does\s+not\s+equal|greater\s+than|less\s+than|equals|==|!=|=|>|<", re.IGNORECASE)
_COMPARED = re.compile(r"!\s*=|==?")


def parse(text: str) -> Query:
    """Return the tree of *text*. Raises RqlError, which says where it went wrong."""
    if len(text) > MAX_LENGTH:
        raise RqlError(f"a query may have {MAX_LENGTH:,} characters, this one has {len(text):,}", "", Span(0, 0))
    lone = _LONE_SURROGATE.search(text)
    if lone is not None:
        raise RqlError("this character is half of one", "", Span(0, 0), f"character {lone.start() + 1} of the query")
    parser = _Parser(text)
    try:
        query = parser.query()
    except RqlError as error:
        raise RqlError.together([*parser.wrong, error]) from None
    if parser.wrong:
        raise RqlError.together(parser.wrong)
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self.reader = Reader(text)
        self.rules = RuleParser(self.reader)
        self.error = self.rules.error
        self.wrong: list[RqlError] = []

    def query(self) -> Query:
        clauses = [self._clause()]
        filter_: Filter | None = None
        show = ""
        count: Count | None = None
        columns: tuple[Path | Call, ...] = ()
        limit: int | None = None
        while not self._ended():
            reader = self.reader
            if reader.symbol(";"):
                continue
            if self._starts_clause() and not (filter_ or show or count or columns or limit):
                clauses.append(self._clause())
            elif word := self._once("filter", filter_):
                filter_ = self._filter(word)
            elif self._once("show", show):
                show = self._alias("show").text
            elif word := self._once("count", count):
                count = self._count(word)
            elif self._once("addcolumn", columns):
                columns = self._columns()
            elif self._once("limit", limit):
                limit = self._limit()
            else:
                raise self._unexpected()
        return Query(tuple(clauses), filter_, show, count, columns, limit, self.reader.text)

    def _once(self, word: str, there: object) -> Token | None:
        found = self.reader.keyword(word)
        if found and there is not None and there not in ("", ()):
            hint = "join the conditions with and" if word == "filter" else f"take one {word} out"
            raise self.error(f"{word} stands here a second time", found.span, hint)
        return found

    def _ended(self) -> bool:
        return self.reader.blanks() >= len(self.reader.text)

    def _starts_clause(self) -> bool:
        return self.reader.text[self.reader.blanks() :][:6].lower() == "config"

    def _clause(self) -> Clause:
        reader = self.reader
        start = reader.blanks()
        self._prefix()
        if word := reader.keyword("and") or reader.keyword("or"):
            raise self.error("wanted a condition after where", word.span, f"take out this {word.text}")
        condition = self._condition()
        alias = self._alias("as").text if reader.keyword("as") else ""
        return Clause(condition, alias, Span(start, reader.at))

    def _prefix(self) -> None:
        reader = self.reader
        start = reader.blanks()
        kind = reader.word()
        name = kind.text.lower() if kind else ""
        if name in _KINDS:
            raise self._other_kind(name, start)
        if name != "config":
            span = kind.span if kind else reader.rest()
            raise self.error(
                "an RQL query begins with config from cloud.resource where" if kind else "wanted a query",
                span,
                "config from cloud.resource where api.name = 'aws-ec2-describe-instances'",
            )
        if reader.keyword("from"):
            source = reader.word()
            if source is not None and source.text.lower() in _KINDS:
                raise self._other_kind(source.text.lower(), start)
            if source is None or source.text.lower() != "cloud.resource":
                raise self.error(
                    "wanted cloud.resource after config from",
                    source.span if source else None,
                    "config from cloud.resource where ...",
                )
        if not reader.keyword("where"):
            raise self.error(f"wanted where, got {self.rules.what_comes()}")

    def _other_kind(self, name: str, start: int) -> RqlError:
        message = f"{_KINDS[name]} aren't answered here: this system answers config queries"
        return self.error(message, Span(start, self.reader.at), "config from cloud.resource where ...")

    def _condition(self) -> Condition:
        parts = [self._and()]
        while self.reader.keyword("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Condition:
        parts = [self._not()]
        while self.reader.keyword("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Condition:
        reader = self.reader
        start = reader.blanks()
        if reader.keyword("not"):
            self.rules.nested(Span(start, reader.at))
            inner = self._not()
            self.rules.depth -= 1
            return Not(inner, Span(start, reader.at))
        if opened := reader.symbol("("):
            self.rules.nested(opened.span)
            inner = self._condition()
            self.rules.depth -= 1
            if not reader.symbol(")"):
                raise self.error("this bracket is never closed", opened.span, "close it with )")
            return inner
        return self._attribute()

    def _attribute(self) -> Condition:
        reader = self.reader
        name = reader.word()
        if name is None:
            raise self.error(f"wanted an attribute such as api.name, got {self.rules.what_comes()}")
        lower = name.text.lower()
        if lower == "json.rule":
            return self._json_rule(name)
        if lower not in ATTRIBUTES:
            known = "known: " + ", ".join([*sorted(ATTRIBUTES), "json.rule"])
            hint = nearest(name.text, [*ATTRIBUTES, "json.rule"])
            self.wrong.append(self.error(f"there is no attribute {name.text!r}", name.span, hint or known))
            if self._ended():
                raise self.wrong.pop()
        argument = self._argument(name) if lower in ATTRIBUTES and ATTRIBUTES[lower].argument else None
        return self._compared(name, lower, argument)

    def _compared(self, name: Token, lower: str, argument: str | None) -> Attribute:
        reader = self.reader
        start = name.span.start
        for operator, words in (
            ("not in", ("not", "in")),
            ("does not exist", ("does", "not", "exist")),
            ("exists", ("exists",)),
            ("in", ("in",)),
        ):
            if not reader.keyword(*words):
                continue
            values = self._values() if operator.endswith("in") else ()
            return Attribute(lower, operator, values, argument, Span(start, reader.at))  # type: ignore[arg-type] # listed above
        if (sign := reader.pattern(_COMPARED)) is not None:
            value = self._value(name.text)
            return Attribute(lower, "!=" if "!" in sign.text else "=", (value,), argument, Span(start, reader.at))
        raise self.error(f"wanted =, !=, in or not in after {name.text}, got {self.rules.what_comes()}")

    def _argument(self, name: Token) -> str:
        reader = self.reader
        if not reader.symbol("("):
            raise self.error(f"wanted the key in brackets after {name.text}", hint=f"{name.text}('owner') = 'me'")
        key = reader.quoted() or reader.bare(in_list=True)
        if key is None or not reader.symbol(")"):
            raise self.error(f"wanted the key in brackets after {name.text}", hint=f"{name.text}('owner') = 'me'")
        return key.text

    def _value(self, after: str) -> Value:
        found = self.reader.quoted() or self.reader.bare()
        if found is None:
            raise self.error(f"wanted a value for {after}, got {self.rules.what_comes()}")
        return Value(found.text, found.span)

    def _values(self) -> tuple[Value, ...]:
        reader = self.reader
        opened = reader.symbol("(")
        if opened is None:
            raise self.error(f"wanted a list, got {self.rules.what_comes()}", hint="in ( 'a', 'b' )")
        values: list[Value] = []
        while True:
            found = reader.quoted() or reader.bare(in_list=True)
            if found is None:
                raise self.error(f"wanted a value in this list, got {self.rules.what_comes()}")
            values.append(Value(found.text, found.span))
            if reader.symbol(","):
                continue
            if reader.symbol(")"):
                return tuple(values)
            raise self.error(f"wanted , or ) in this list, got {self.rules.what_comes()}")

    def _json_rule(self, name: Token) -> JsonRule:
        if not self.reader.pattern(_COMPARED):
            raise self.error(f"wanted = after json.rule, got {self.rules.what_comes()}")
        condition = self._maybe_quoted()
        return JsonRule(condition, Span(name.span.start, self.reader.at))

    def _maybe_quoted(self) -> Condition:
        """Read a condition that may stand in quotes as a whole. Its own texts may use the same quotes: they stand where
        a value must.
        """
        reader = self.reader
        start = reader.blanks()
        closer = QUOTES.get(reader.ahead(), "")
        if not closer:
            return self.rules.condition()
        reader.at += 1
        reader.closer = closer
        condition = self.rules.condition()
        if reader.ahead() not in closer and (reader.blanks() == len(reader.text) or reader.ahead() not in closer):
            if self._ended():
                raise self.error("this quote is never closed", Span(start, start + 1), f"close it with {closer[0]}")
            raise self._unexpected()
        reader.at += 1
        reader.closer = ""
        return condition

    def _filter(self, word: Token) -> Filter:
        return Filter(self._maybe_quoted(), Span(word.span.start, self.reader.at))

    def _alias(self, after: str) -> Token:
        alias = self.reader.word()
        if alias is None or not alias.text.isalnum():
            raise self.error(f"wanted a name such as X after {after}", alias.span if alias else None)
        return alias

    def _count(self, word: Token) -> Count:
        reader = self.reader
        if not reader.symbol("("):
            raise self.error("wanted an alias in brackets after count", hint="count(X) less than 1")
        alias = self._alias("count(")
        if not reader.symbol(")"):
            raise self.error("wanted )")
        sign = reader.pattern(_COUNT_OPERATOR)
        number = reader.pattern(_NUMBER)
        if sign is None or number is None:
            raise self.error("wanted a comparison with a number after count", hint="count(X) less than 1")
        operator = _COUNTS[" ".join(sign.text.lower().split())]
        return Count(alias.text, operator, int(number.text), Span(word.span.start, reader.at))  # type: ignore[arg-type] # from _COUNTS

    def _columns(self) -> tuple[Path | Call, ...]:
        columns = [self.rules.path()]
        while not self._ended() and self.reader.ahead() != ";":
            self.reader.symbol(",")
            columns.append(self.rules.path())
        return tuple(columns)

    def _limit(self) -> int:
        if not self.reader.keyword("search", "records", "to"):
            raise self.error("wanted search records to and a number after limit", hint="limit search records to 100")
        number = self.reader.pattern(_NUMBER)
        if number is None:
            raise self.error("wanted a number of records", hint="limit search records to 100")
        return int(number.text)

    def _unexpected(self) -> RqlError:
        span = self.reader.rest()
        character = self.reader.text[span.start : span.start + 1]
        if character in (")", "]"):
            return self.error(f"this {character} closes nothing", span, "take it out, or open it before")
        if character in QUOTES:
            return self.error("this quote was never opened", span, "take it out, or put one where the text begins")
        hint = "a value with blanks needs quotes" if character.isalnum() else ""
        return self.error(f"didn't expect {self.rules.what_comes()} here", span, hint)
