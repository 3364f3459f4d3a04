"""Tree to checked tree: every name is known, every value can be compared, every finding condition knows its finding."""

from dataclasses import dataclass, replace

from queries.catalog import SEVERITIES, STATUSES, kind_of
from queries.check_join import aliases_of, resolved
from queries.check_rule import RuleChecker
from queries.errors import RqlError, Span, nearest
from queries.syntax import (
    And,
    Attribute,
    Call,
    Clause,
    Compare,
    Condition,
    JsonRule,
    Not,
    OneFinding,
    Or,
    Path,
    Query,
)

MOST_CLAUSES = 3
"""How many clauses a join may have."""

_CLOUDS = ("aws", "azure", "gcp", "alibaba_cloud", "oci", "ibm")
_ALLOWED = {
    "cloud.type": (*_CLOUDS, "alibaba", "alibaba-cloud"),
    "resource.status": STATUSES,
    "finding.severity": SEVERITIES,
}


@dataclass(frozen=True, slots=True)
class CheckedClause:
    """A clause that can be answered. *condition* has its finding conditions gathered; *findings* are those that a row
    of the answer is there for. *any_status*: the clause itself says whether it wants deleted resources.
    """

    alias: str
    condition: Condition
    findings: tuple[OneFinding, ...]
    any_status: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that can be answered: its *clauses*, how a join's belong together (the paths of *filter* begin with
    aliases), the number of the clause whose resources are *shown* or counted, and the added *columns*.
    """

    query: Query
    clauses: tuple[CheckedClause, ...]
    filter: Condition | None
    shown: int
    columns: tuple[Path | Call, ...]

    @property
    def condition(self) -> Condition:
        """The condition of the clause that is shown."""
        return self.clauses[self.shown].condition

    @property
    def findings(self) -> tuple[OneFinding, ...]:
        """The finding conditions of the clause that is shown."""
        return self.clauses[self.shown].findings

    @property
    def any_status(self) -> bool:
        """Whether the clause that is shown says itself if it wants deleted resources."""
        return self.clauses[self.shown].any_status

    @property
    def single(self) -> bool:
        """Whether each resource is judged by itself: no join, no count."""
        return len(self.clauses) == 1 and not self.query.count


def check(query: Query) -> Checked:
    """Return *query* checked. Raises RqlError for what is wrong and for what isn't answered."""
    checker = _Checker(query.text)
    checker.shape(query)
    clauses = tuple(checker.clause(clause) for clause in query.clauses)
    aliases = tuple(clause.alias for clause in clauses if clause.alias)
    filter_ = checker.filter(query.filter.condition, aliases) if query.filter else None
    if checker.wrong or checker.rules.wrong:
        raise RqlError.together([*checker.wrong, *checker.rules.wrong])
    shown = checker.shown(query)
    columns = tuple(checker.column(column, aliases, clauses[shown].alias) for column in query.columns)
    return Checked(query, clauses, filter_, shown, columns)


class _Checker:
    def __init__(self, text: str) -> None:
        self.text = text
        self.rules = RuleChecker(text)
        self.wrong: list[RqlError] = []

    def error(self, message: str, span: Span, hint: str = "") -> RqlError:
        return RqlError(message, self.text, span, hint)

    def shape(self, query: Query) -> None:
        """Refuse clauses that can't belong together."""
        if len(query.clauses) > MOST_CLAUSES:
            raise self.error(f"a join has at most {MOST_CLAUSES} clauses", query.clauses[MOST_CLAUSES].span)
        seen: set[str] = set()
        for clause, name in zip(query.clauses, "XYZ", strict=False):
            if len(query.clauses) > 1 and not clause.alias:
                end = Span(clause.span.end - 1, clause.span.end)
                raise self.error("each clause of a join needs a name", end, f"write as {name} after it")
            if clause.alias in seen:
                raise self.error(f"two clauses are called {clause.alias}", clause.span, "give each its own name")
            seen.add(clause.alias)
        if query.filter and not query.clauses[0].alias:
            raise self.error("filter speaks of clauses by name", query.filter.span, "write as X after the clause")
        if query.count and query.columns:
            raise self.error("addcolumn can't be used with count", query.count.span, "take one of them out")

    def shown(self, query: Query) -> int:
        """Return the number of the clause that is shown or counted: the first where the query doesn't say."""
        names = [clause.alias for clause in query.clauses]
        for word, alias in (("show", query.show), ("count", query.count.alias if query.count else "")):
            if alias and alias not in names:
                known = [name for name in names if name]
                hint = f"known: {', '.join(known)}" if known else f"write as {alias} after the clause"
                raise self.error(f"{word} names {alias!r}, but no clause is called so", self._place(alias), hint)
        if query.count and query.show and query.show != query.count.alias:
            raise self.error(
                f"show {query.show} and count({query.count.alias}) speak of different clauses",
                query.count.span,
                f"count({query.show})",
            )
        alias = query.count.alias if query.count else query.show
        return names.index(alias) if alias else 0

    def _place(self, alias: str) -> Span:
        at = max(self.text.rfind(alias), 0)
        return Span(at, at + len(alias))

    def clause(self, clause: Clause) -> CheckedClause:
        condition = _gather(self.condition(clause.condition))
        asks_status = any(a.name == "resource.status" for a in _attributes(condition))
        return CheckedClause(clause.alias, condition, tuple(_positive(condition)), asks_status)

    def filter(self, condition: Condition, aliases: tuple[str, ...]) -> Condition:
        found = resolved(condition, aliases, self.text)
        self.rules.rule(found)
        return found

    def condition(self, condition: Condition) -> Condition:
        match condition:
            case And(parts):
                return And(tuple(self.condition(part) for part in parts))
            case Or(parts):
                return Or(tuple(self.condition(part) for part in parts))
            case Not(inner):
                return replace(condition, inner=self.condition(inner))
            case Attribute():
                try:
                    self.attribute(condition)
                except RqlError as error:
                    self.wrong.append(error)
            case JsonRule(inner):
                self.rules.rule(inner)
            case Compare() | OneFinding():
                raise AssertionError(condition)
        return condition

    def attribute(self, attribute: Attribute) -> None:
        kind = kind_of(attribute)
        if attribute.operator in ("exists", "does not exist") and kind.looks != "tag":
            raise self.error(
                f"{attribute.name} can't be asked with {attribute.operator}", attribute.span, "use =, !=, in or not in"
            )
        for value in attribute.values:
            allowed = _ALLOWED.get(kind.name)
            if allowed and value.text.strip().lower() not in allowed:
                hint = nearest(value.text, allowed) or "known: " + ", ".join(allowed)
                raise self.error(f"{attribute.name} is never {value.text!r}", value.span, hint)
            if not value.text.strip() and kind.looks != "tag":
                raise self.error(f"{attribute.name} is never empty", value.span)

    def column(self, column: Path | Call, aliases: tuple[str, ...], shown: str) -> Path | Call:
        found = resolved(column, aliases, self.text, strict=False)
        others = aliases_of(found) - {shown}
        if others:
            raise self.error(
                f"this column is of {min(others)}, but the answer shows {shown}",
                column.span,
                f"take a path of {shown}, or write show {min(others)}",
            )
        self.rules.operand(found)
        return found


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
