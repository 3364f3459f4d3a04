"""Answers to RQL as the API and the command line give them."""

from dataclasses import asdict
from datetime import datetime
from pprint import pformat
from typing import Any

import queries

TIMEOUT_S = 60.0
"""How long a query may take, in seconds."""


def rql(
    connection: Any, text: str, now: datetime, *, limit: int, explain: bool, timeout_s: float | None = TIMEOUT_S
) -> dict[str, Any]:
    """Return the rows of the answer to *text*, or how it is come by. Raises RqlError, also when *timeout_s* is over."""
    if explain:
        return {"explain": _explain(connection, text, now)}
    return rows(queries.run(connection, text, now=now, limit=limit, timeout=timeout_s))


def rows(answer: Any) -> dict[str, Any]:
    """Return the part of an answer (of queries.run or queries.sql) that comes from the query."""
    return {
        "columns": list(answer.columns),
        "rows": [list(row) for row in answer.rows],
        "total": answer.total,
        "complete": answer.whole,
        "took_ms": round(answer.took_ms, 1),
        "notes": list(answer.notes),
    }


def _explain(connection: Any, text: str, now: datetime) -> dict[str, Any]:
    found = queries.explain(text, now, connection)
    plan = connection.execute("explain " + found.sql.text, found.sql.values).fetchall()
    return {
        "query": found.formatted,
        "hot": found.paths,
        "tree": pformat(asdict(found.checked.query), sort_dicts=False, width=110),
        "sql": found.sql.text,
        "values": list(found.sql.values),
        "plan": "\n".join(str(row[-1]) for row in plan),
    }
