"""Who violates policies among the resources of a connection, many policies in one pass, and by which findings."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from queries.check import Checked
from queries.compile import finding_condition
from queries.fragment import Slot, Sql, filled, sql


def violating(
    connection: duckdb.DuckDBPyConnection, conditions: Mapping[str, Sql], now: datetime, accounts: list[str]
) -> dict[str, list[int]]:
    """Return for each policy's id, of those with any, the rids of the resources that meet its condition.

    One statement, whatever the number of policies: planning is most of what a few resources cost. *accounts*: those
    that are known, for functions that ask.
    """
    if not conditions:
        return {}
    known: dict[Slot, Any] = {Slot.NOW: int(now.timestamp() * 1000), Slot.MONITORED: accounts}
    columns = ", ".join(f"({each.text})" for each in conditions.values())
    values = [value for each in conditions.values() for value in filled(each, known)]
    found: dict[str, list[int]] = defaultdict(list)
    for rid, *met in connection.execute(f"select r.rid, {columns} from resources r", values).fetchall():  # noqa: S608 # compiled
        for id, is_met in zip(conditions, met, strict=True):
            if is_met:
                found[id].append(rid)
    return dict(found)


def asks_accounts(condition: Sql) -> bool:
    """Tell whether a condition depends on which accounts are known."""
    return Slot.MONITORED in condition.values


class FindingsOf:
    """A policy's statement, compiled once."""

    def __init__(self, checked: Checked) -> None:
        met = finding_condition(checked)
        self._statement = None
        if met is not None:
            self._statement = sql(
                "select distinct fr.rid, f.id from finding_resource fr join findings f using (fid) where {0}", met
            )

    def find(self, connection: duckdb.DuckDBPyConnection) -> dict[int, list[str]]:
        """Return the ids of the findings that the policy asks for, sorted, by the rid of each resource that has any."""
        ids: dict[int, list[str]] = defaultdict(list)
        if self._statement is not None:
            for rid, id in connection.execute(self._statement.text, self._statement.values).fetchall():
                ids[rid].append(id)
        return {rid: sorted(found) for rid, found in ids.items()}
