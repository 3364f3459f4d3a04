"""Keys by which the rows of two clauses find each other: equal ones by hash, held ones by their last letters.

A text that holds another of at least GRAM letters holds its last GRAM letters, so candidates are found by hash there
too, and only they are looked at: no pair of rows is tried that has nothing in common.
"""

from dataclasses import dataclass, replace
from typing import Self

from queries.fragment import Sql, commas, sql
from queries.members import Members
from queries.predicates import canonical
from queries.syntax import Path

GRAM = 8
"""How many letters make a candidate."""


@dataclass(frozen=True, slots=True)
class Key:
    """How a comparison brings two clauses together: *equal* keys, or the text of *holder* holds the other's. *flat*:
    arrays on the left and right count as their elements.
    """

    left: Path
    right: Path
    equal: bool
    flat: tuple[bool, bool]
    holder: Path

    @classmethod
    def of(cls, operator: str, left: Path, right: Path) -> Self | None:
        """Return the key that *operator* makes, None where it makes none."""
        match operator:
            case "equals" | "is member of":
                return cls(left, right, True, (False, False), left)
            case "any equal":
                return cls(left, right, True, (True, False), left)
            case "intersects":
                return cls(left, right, True, (True, True), left)
            case "contains":
                return cls(left, right, False, (True, False), left)
            case _:
                return None

    @property
    def aliases(self) -> frozenset[str]:
        """The two clauses."""
        return frozenset({self.left.root, self.right.root})

    def seen_from(self, alias: str) -> Self:
        """Return the key with the path of *alias* on the left."""
        if self.left.root == alias:
            return self
        return replace(self, left=self.right, right=self.left, flat=self.flat[::-1])


def keys_of(found: Members, *, flat: bool) -> tuple[Sql, bool]:
    """Return the key of a row, or the list of its keys, and which of the two."""
    found = found.flat() if flat else found
    if found.plain is not None and not found.many:
        return canonical(found.text()), False
    e = next(found.names)
    if not found.many:
        return sql("list_transform([{0}], lambda {1}: {2})[1]", found.text(), e, canonical(e)), False
    return sql("list_transform({0}, lambda {1}: {2})", found.text(), e, canonical(e)), True


def key_rows(table: Sql, keys: list[tuple[Sql, bool]], where: Sql) -> Sql:
    """Return the rid, account and keys k0, k1, … of the rows of *table*, a row for each combination of keys."""
    named = [sql(f"{{0}} as k{n}", key) for n, (key, _) in enumerate(keys)]
    rows = sql("select {0} from {1} where {2}", commas([Sql("rid, account"), *named]), table, where)
    for n, (_, many) in enumerate(keys):
        if many:
            rows = sql("select * exclude ({1}), unnest({1}) as {1} from ({0}) s", rows, Sql(f"k{n}"))
    return sql("({0})", rows)


_HOLDERS = "(select rid, account, unnest({0}) as v from {1} where {2}) s"
_HELD = "select rid, account, n from (select rid, account, unnest({0}) as n from {1} where {2}) s where n is not null"
_CONTAINING = """\
{0}.rid in (
  with holders as materialized (
    select rid, account, v ->> '$' as h, left(v, 1) in ('"', '{', '[') as whole from {1}
  ), held as materialized (
    {2}
  ), a as (select distinct h, whole{3} from holders), b as (select distinct n{3} from held), pairs as (
    select h, n{3} from (
      select *, unnest(list_distinct([h[i:i + GRAM - 1] for i in range(1, length(h) - GRAM + 2)])) as g
      from a where whole
    ) join (select *, right(n, GRAM) as g from b where length(n) >= GRAM) using (g{3}) where contains(h, n)
    union all
    select h, n{4} from a join b on length(n) < GRAM and contains(h, n){5} where whole
    union all
    select h, n{4} from a join b on {6} = {7}{5} where not whole
  )
  select rid from {8}
)""".replace("GRAM", str(GRAM))


def containing(
    mine: Sql,
    other: Sql,
    found: tuple[Members, Members],
    where: tuple[Sql, Sql],
    *,
    holder_is_mine: bool,
    by_account: bool,
) -> Sql:
    """Return whether a row of *mine* has a partner in *other*, as one's text holds the other's. *found* and *where*
    are those of mine and of the other.
    """
    tables = (mine, other)
    holder, held = (0, 1) if holder_is_mine else (1, 0)
    needle = found[held]
    texts = needle.text() if needle.many else sql("[{0}]", needle.text())
    account = Sql(", account" if by_account else "")
    partners = sql(
        "{0} semi join pairs using ({1})",
        Sql("holders" if holder_is_mine else "held"),
        sql("{0}{1}", Sql("h" if holder_is_mine else "n"), account),
    )
    return sql(
        _CONTAINING,
        mine,
        sql(_HOLDERS, found[holder].flat().present(), tables[holder], where[holder]),
        sql(_HELD, texts, tables[held], where[held]),
        account,
        Sql(", a.account" if by_account else ""),
        Sql(" and a.account = b.account" if by_account else ""),
        canonical(Sql("h")),
        canonical(Sql("n")),
        partners,
    )
