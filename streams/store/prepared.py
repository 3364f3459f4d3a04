"""Statements that DuckDB plans once: planning is most of what a small batch would cost.

Its Python client plans each statement anew, and so does DuckDB wherever a statement reads a table of its own. What only
parses what it is given, and inserts that, is planned once when it is prepared in SQL. There, an argument stands in the
text: so it is rows of numbers and of base64, and nothing else reaches SQL from here.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import md5
from typing import Any

import duckdb


class Prepared:
    """The prepared statements of one connection."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        self._names: dict[str, str] = {}

    def run(self, sql: str, rows: Iterable[Iterable[int | bytes]]) -> list[tuple[Any, ...]]:
        """Execute *sql*, which reads *rows* (one at least) from ROWS, and return its rows. Bytes are UTF-8."""
        name = self._names.get(sql)
        if name is None:
            # another Prepared may share the connection: by what it is, a name means one thing
            name = f"prepared_{md5(sql.encode(), usedforsecurity=False).hexdigest()}"
            self._db.execute(f"prepare {name} as {sql}")
            self._names[sql] = name
        return self._db.execute(f"execute {name}('{_text(rows)}')").fetchall()


ROWS = "(select string_split(unnest(string_split($1, chr(10))), ' ') as f)"
"""The rows that a statement is given, as a relation for SQL: `number` and `text` are its columns."""


def number(place: int, type: str) -> str:
    """Return SQL for the field at *place*, from 1, of a row: a number."""
    return f"f[{place}]::{type}"


def text(place: int) -> str:
    """Return SQL for the field at *place*, from 1, of a row: a text."""
    return f"decode(from_base64(f[{place}]))"


def _text(rows: Iterable[Iterable[int | bytes]]) -> str:
    return "\n".join(" ".join(str(v) if isinstance(v, int) else b64encode(v).decode() for v in row) for row in rows)
