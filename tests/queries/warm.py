"""Hot columns of all that a condition asks, for the properties."""

from collections.abc import Iterable
from contextlib import suppress

import duckdb

from queries.compile_rule import compile_rule
from queries.fragment import Slot, Sql, filled
from queries.hot import Asked, Cold, HotPath
from queries.hot_table import HotTable, ddl, fill, table
from queries.syntax import Condition, Each

API = "some-api"


def asked_of(condition: Condition) -> frozenset[HotPath] | None:
    """Return the paths that *condition* asks, None where it asks for the whole document."""
    note = Asked()
    with suppress(Cold):
        compile_rule(condition, Sql("r.json"), note)
    return None if note.whole else note.paths


def first_steps(path: HotPath) -> HotPath:
    """Return the hot path that *path* begins with: its first key, where it is a value."""
    return path if path.field is not None or isinstance(path.steps[0], Each) else HotPath(path.steps[:1])


def heat(connection: duckdb.DuckDBPyConnection, paths: Iterable[HotPath], number: int = 1, api: str = API) -> HotTable:
    """Make the hot table of *paths* anew, of all that the table `resources` has of *api*."""
    hot = table(number, api, dict.fromkeys(map(str, paths)))
    connection.execute(f"drop table if exists {hot.name}")
    connection.execute(ddl(hot))
    rows = [row for (row,) in connection.execute("select rowid from resources").fetchall()]
    statement = fill(hot)
    connection.execute(statement.text, filled(statement, {Slot.PENDING: rows}))
    return hot
