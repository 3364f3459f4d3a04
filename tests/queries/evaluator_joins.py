"""Joins in plain Python: every combination of rows is tried."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product

from queries.check_join import aliases_of
from queries.syntax import And, Condition, Not, Or
from tests.queries.evaluator import HERE, Json, World, holds


@dataclass(frozen=True)
class Row:
    """One resource of a clause."""

    number: int
    account: str
    document: Json


def shown(
    condition: Condition | None, tables: dict[str, list[Row]], alias: str, *, by_account: bool, world: World = HERE
) -> list[int]:
    """Return the numbers of the rows of *alias* that the join shows."""
    found = []
    for row in tables[alias]:
        near = {a: [r for r in rows if not by_account or r.account == row.account] for a, rows in tables.items()}
        unspoken = set(tables) - {alias} - aliases_of(condition)
        if all(near[a] for a in unspoken) and (condition is None or _holds(condition, {alias: row}, near, world)):
            found.append(row.number)
    return found


def _holds(condition: Condition, bound: dict[str, Row], tables: dict[str, list[Row]], world: World) -> bool:
    free = aliases_of(condition) - set(bound)
    match condition:
        case Or(parts):
            return any(_holds(part, bound, tables, world) for part in parts)
        case Not(inner):
            return not _holds(inner, bound, tables, world)
        case And(parts):
            # who is spoken of in several parts, and in one that isn't negated, is one row for all of them
            times = Counter(alias for part in parts for alias in aliases_of(part) & free)
            positive = {alias for part in parts if not isinstance(part, Not) for alias in aliases_of(part)}
            shared = sorted(alias for alias in times if times[alias] > 1 and alias in positive)
            return any(
                all(_holds(part, bound | dict(zip(shared, rows, strict=True)), tables, world) for part in parts)
                for rows in product(*(tables[alias] for alias in shared))
            )
        case _:
            order = sorted(free)
            return any(
                holds(condition, None, None, replace(world, rows={a: r.document for a, r in rows.items()}))
                for rows in (
                    bound | dict(zip(order, chosen, strict=True)) for chosen in product(*(tables[a] for a in order))
                )
            )
