"""Golden cases: `python -m tests.queries.golden` prints them anew from the queries in tests/data; review the
difference.

A case of tests/data/queries is a query, its SQL with its values, and its rows over the small store, divided by lines of
`---`.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from queries import RqlError, explain, run
from tests.queries.small import store

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LINE = "\n---\n"


def queries() -> list[Path]:
    """Return the golden queries."""
    return sorted((DATA / "queries").glob("*.rql"))


def errors() -> list[Path]:
    """Return the queries that are wrong; the message lies beside each, as .txt."""
    return sorted((DATA / "errors").glob("*.rql"))


def printed(path: Path, tables: duckdb.DuckDBPyConnection) -> str:
    """Return what the golden query *path* must hold."""
    text = path.read_text().split(_LINE)[0].strip("\n")
    sql = explain(text, NOW).sql
    values = json.dumps(sql.values, ensure_ascii=False)
    answer = run(tables, text, now=NOW)
    rows = "\n".join(json.dumps(row, ensure_ascii=False) for row in (answer.columns, *answer.rows))
    return _LINE.join((text, f"{sql.text}\n{values}", rows)) + "\n"


def message(path: Path) -> str:
    """Return the whole message about the wrong query *path*."""
    text = path.read_text().removesuffix("\n")
    try:
        explain(text, NOW)
    except RqlError as error:
        return f"{error}\n"
    return "no error\n"


def main() -> None:
    """Write every golden file anew."""
    with store() as tables:
        for path in queries():
            path.write_text(printed(path, tables))
    for path in errors():
        path.with_suffix(".txt").write_text(message(path))
    sys.stdout.write(f"{len(queries())} queries, {len(errors())} errors\n")


if __name__ == "__main__":
    main()
