"""By which findings resources violate a policy: the ones that it asks for."""

from collections import defaultdict

import duckdb

from queries.check import Checked
from queries.compile import finding_condition
from queries.fragment import sql


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
