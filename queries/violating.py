"""Which resources violate a policy, and by which findings: for whoever gives it tables with what changed in them."""

from collections import defaultdict
from datetime import datetime

import duckdb

from queries.check import Checked
from queries.compile import condition, finding_condition
from queries.fragment import Slot, Sql, filled, sql


class Violating:
    """A policy's statements, compiled once."""

    def __init__(self, checked: Checked) -> None:
        self._resources = sql("select r.rid from resources r where {0}", condition(checked))
        met = finding_condition(checked)
        self._findings: Sql | None = None
        if met is not None:
            self._findings = sql(
                "select distinct fr.rid, f.id from finding_resource fr join findings f using (fid) where {0}", met
            )

    def find(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> dict[int, tuple[str, ...]]:
        """Return the resources in the connection's tables that violate the policy: the ids of the findings that it
        asks for, sorted, by the resource's rid.
        """
        known = {Slot.NOW: int(now.timestamp() * 1000)}
        found = connection.execute(self._resources.text, filled(self._resources, known)).fetchall()
        if not found or self._findings is None:
            return {rid: () for (rid,) in found}
        ids = defaultdict(list)
        for rid, id in connection.execute(self._findings.text, filled(self._findings, known)).fetchall():
            ids[rid].append(id)
        return {rid: tuple(sorted(ids[rid])) for (rid,) in found}
