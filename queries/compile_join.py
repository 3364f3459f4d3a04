"""The clauses of a join and its filter to SQL: a table for each clause, with a column for each path that the filter
asks, and a condition on the table that is shown.

An alias that isn't shown stands for some row: the smallest part of the filter that holds everything said of it asks
whether there is such a row, inside a `not` too, where it isn't spoken of outside. So `not (Y.a equals X.a)` is true of
the X for which there is no Y. Rows are found by equal keys wherever the filter compares two clauses for equality.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

from queries.check import Checked
from queries.check_join import aliases_of
from queries.compile_clause import EVERYWHERE, Within, clause_select, hot_table
from queries.compile_rule import compile_filter, in_scope, opposite
from queries.fragment import Sql, join, sql
from queries.hot import Cold, Lookup
from queries.hot_table import NOTHING, Hot
from queries.join_keys import Key, containing, key_rows, keys_of
from queries.members import Members, Scope, members, names, some_array
from queries.syntax import And, Compare, Condition, Not, Or, Path, Step, Where

Aliases = frozenset[str]


def compile_join(
    checked: Checked, within: Within = EVERYWHERE, hot: Hot = NOTHING, *, by_account: bool = False
) -> tuple[Sql, Sql, Sql]:
    """Return the tables of a WITH, the condition on the one that is shown, and its name. *by_account*: only resources
    of one account belong together.
    """
    joined = _Join(checked, hot, by_account=by_account)
    condition = joined.answer()
    tables = [
        sql(
            f"{joined.tables[clause.alias]} as materialized (\n  {{0}}\n)",
            clause_select(clause, within, joined.columns(clause.alias), hot, joined.hot_columns(clause.alias)),
        )
        for clause in checked.clauses
    ]
    text = Sql(", ".join(t.text for t in tables), tuple(value for t in tables for value in t.values))
    return text, condition, Sql(joined.tables[joined.shown])


@dataclass(slots=True)
class _Hoisted:
    """A column of a clause's table: what a path, up to where it speaks of another clause, finds."""

    name: str
    found: Members
    hot: Members | None
    """The same from hot columns, where its text form is had for nothing."""

    def forms(self, found: Members) -> list[Sql]:
        """Return the columns that hold *found*."""
        value = sql(f"{{0}} as {self.name}", found.json())
        if self.hot is None:
            return [value]
        arrays = found.arrays if found.path == "$" else None
        if arrays is None:
            arrays = some_array(found.json(), Sql("a")) if found.many else Sql("false")
        return [value, sql(f"{{0}} as {self.name}t", found.text()), sql(f"{{0}} as {self.name}a", arrays)]


class _Join:
    def __init__(self, checked: Checked, hot: Hot, *, by_account: bool) -> None:
        self.checked = checked
        self.hot = {clause.alias: hot_table(clause, hot) for clause in checked.clauses}
        self.by_account = by_account
        self.shown = checked.clauses[checked.shown].alias
        self.tables = {clause.alias: f"c{n}" for n, clause in enumerate(checked.clauses)}
        self.lambdas = names()
        self._hoisted: dict[tuple[str, tuple[Step, ...]], _Hoisted] = {}

    def answer(self) -> Sql:
        shown = frozenset({self.shown})
        parts = [self.formula(self.checked.filter, shown)] if self.checked.filter else []
        spoken = aliases_of(self.checked.filter)
        parts += [self.some({alias}, [], shown) for alias in self.tables if alias not in spoken | shown]
        return join(" and ", parts) if parts else Sql("true")

    def columns(self, alias: str) -> tuple[Sql, ...]:
        """Return what the table of *alias* holds, from its documents."""
        return (*_OWN, *(form for column in self._of(alias) for form in column.forms(column.found)))

    def hot_columns(self, alias: str) -> tuple[Sql, ...] | None:
        """Return the same from hot columns, None where these don't hold all of it."""
        found = list(_OWN)
        for column in self._of(alias):
            if column.hot is None:
                return None
            found += column.forms(column.hot)
        return tuple(found)

    def formula(self, condition: Condition, bound: Aliases) -> Sql:
        """Return *condition* as SQL over the rows of *bound*."""
        free = aliases_of(condition) - bound
        match condition:
            case Or(parts):
                return join(" or ", [self.formula(part, bound) for part in parts])
            case Not(inner):
                return opposite(self.formula(inner, bound))
            case And(parts):
                said = Counter(alias for part in parts for alias in aliases_of(part) & free)
                positive = frozenset().union(*(aliases_of(part) for part in parts if not isinstance(part, Not)))
                shared = frozenset(alias for alias, times in said.items() if times > 1) & positive
                together = [part for part in parts if aliases_of(part) & shared]
                apart = [self.formula(part, bound) for part in parts if not aliases_of(part) & shared]
                return join(" and ", [*([self.some(shared, together, bound)] if shared else []), *apart])
            case _ if free:
                return self.some(free, [condition], bound)
            case _:
                return compile_filter(condition, self.hoisted, self.lambdas)

    def some(self, new: Aliases | set[str], parts: list[Condition], bound: Aliases) -> Sql:
        """Return whether there are rows of *new* for which all *parts* hold."""
        spoken: Aliases = frozenset().union(*map(aliases_of, parts)) if parts else frozenset()
        outer = (bound & spoken) | (frozenset({self.shown}) if self.by_account else frozenset())
        inside = outer | new
        keys = {n: key for n, part in enumerate(parts) if (key := self.key(part)) and key.aliases <= inside}
        rest = [part for n, part in enumerate(parts) if n not in keys]
        if len(new) == 1 and len(outer) == 1 and all(len(aliases_of(part) & inside) < 2 for part in rest):
            (mine,), (other,) = outer, new
            found = [key.seen_from(mine) for key in keys.values()]
            if found and all(key.equal for key in found):
                return self.semi(mine, other, found, rest)
            if len(found) == 1:
                return self.contained(mine, other, found[0], rest)
            if not found and self.by_account:
                return self.semi(mine, other, [], rest)
        conditions = [self.formula(part, inside) for part in parts]
        order = sorted(inside)
        if self.by_account:
            conditions += [self._same_account(order[0], alias) for alias in order[1:]]
        source = Sql(", ".join(self.tables[alias] for alias in order))
        where = join(" and ", conditions) if conditions else Sql("true")
        if not outer:
            return sql("exists (select 1 from {0} where {1})", source, where)
        rids = [f"{self.tables[alias]}.rid" for alias in sorted(outer)]
        # several columns are one value: DuckDB refuses `(a, b) in (...)` inside a subquery
        row = Sql(rids[0] if len(rids) == 1 else f"[{', '.join(rids)}]")
        return sql("{0} in (select {0} from {1} where {2})", row, source, where)

    def semi(self, mine: str, other: str, keys: list[Key], rest: list[Condition]) -> Sql:
        """Return whether the row of *mine* has a partner with equal keys."""
        sides: list[Sql] = []
        for alias, paths in ((mine, [key.left for key in keys]), (other, [key.right for key in keys])):
            found = [
                keys_of(self.members(path), flat=key.flat[len(sides)]) for path, key in zip(paths, keys, strict=True)
            ]
            sides.append(key_rows(Sql(self.tables[alias]), found, self._one_sided(alias, rest)))
        equal = [Sql(f"mine.k{n} = other.k{n}") for n in range(len(keys))]
        equal += [Sql("mine.account = other.account")] if self.by_account else []
        return sql(
            "{0}.rid in (select mine.rid from {1} mine semi join {2} other on {3})",
            Sql(self.tables[mine]),
            sides[0],
            sides[1],
            join(" and ", equal),
        )

    def contained(self, mine: str, other: str, key: Key, rest: list[Condition]) -> Sql:
        """Return whether the row of *mine* has a partner of which one holds the other in its text."""
        left, right = self.members(key.left), self.members(key.right)
        sides = (self._one_sided(mine, rest), self._one_sided(other, rest))
        return containing(
            Sql(self.tables[mine]),
            Sql(self.tables[other]),
            (left, right),
            sides,
            holder_is_mine=key.holder == key.left,
            by_account=self.by_account,
        )

    def key(self, part: Condition) -> Key | None:
        """Return how *part* brings two clauses together, None where it doesn't do so by keys."""
        if not isinstance(part, Compare) or not isinstance(part.left, Path) or not isinstance(part.right, Path):
            return None
        if any(isinstance(s, Where) and s.word in ("none", "all") for s in part.left.steps):
            return None
        left, right = aliases_of(part.left), aliases_of(part.right)
        if len(left) != 1 or len(right) != 1 or left == right:
            return None
        return Key.of(part.operator, part.left, part.right)

    def members(self, path: Path) -> Members:
        found, done = self.hoisted(path)
        assert done == len(path.steps)  # noqa: S101 # keys speak of one clause each
        return found

    def hoisted(self, path: Path) -> tuple[Members, int]:
        """Return what the steps of *path* that speak of no other clause find, as a column of its table."""
        done = next(
            (
                n
                for n, s in enumerate(path.steps)
                if aliases_of(s) or (isinstance(s, Where) and s.word in ("none", "all"))
            ),
            len(path.steps),
        )
        steps = path.steps[:done]
        at = (path.root, steps)
        if at not in self._hoisted:
            found, table, hot = _read(steps), self.hot[path.root], None
            if table is not None:
                with suppress(Cold):
                    hot = _read(steps, table.columns)
            self._hoisted[at] = _Hoisted(f"p{len(self._hoisted)}", found, hot)
        column = self._hoisted[at]
        base, many = Sql(f"{self.tables[path.root]}.{column.name}"), column.found.many
        held = Members(base, self.lambdas, listed=many, gaps=many)
        if column.hot is None:
            return held, done
        arrays = Sql(base.text + "a") if many else sql("left({0}, 1) = '['", base)
        return replace(held, plain=Sql(base.text + "t"), arrays=arrays), done

    def _of(self, alias: str) -> list[_Hoisted]:
        return [column for (own, _), column in self._hoisted.items() if own == alias]

    def _one_sided(self, alias: str, rest: list[Condition]) -> Sql:
        """Return what *rest*, of which no part speaks of two rows at once, asks of the row of *alias*."""
        own = [part for part in rest if alias in aliases_of(part)]
        return join(" and ", [self.formula(part, frozenset({alias})) for part in own]) if own else Sql("true")

    def _same_account(self, one: str, other: str) -> Sql:
        return Sql(f"{self.tables[one]}.account = {self.tables[other]}.account")


_OWN = (Sql("r.rid, r.rrn, r.account, r.region"),)


def _read(steps: tuple[Step, ...], hot: Lookup | None = None) -> Members:
    document = Sql("r.json")
    return members(Path("$", steps), Scope(document, document, names(), in_scope, hot_root=hot))
