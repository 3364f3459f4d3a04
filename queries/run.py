"""An RQL query in, an answer out."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Timer
from typing import Any

import duckdb

from queries.check import Checked, CheckedClause, check
from queries.compile import COUNT_COLUMNS, FINDING_COLUMNS, RESOURCE_COLUMNS, prepare, slots, total_of
from queries.compile_clause import api_name
from queries.complete import known_paths
from queries.errors import RqlError, Span, nearest
from queries.format import format_operand
from queries.fragment import Slot, Sql, filled
from queries.hot_asked import asked
from queries.hot_state import COLD, OFTEN, State, one_moment, state
from queries.hot_table import NOTHING, Hot
from queries.parse import parse
from queries.syntax import And, Attribute, Compare, Condition, Each, JsonRule, Key, Not, Or, Path

MOST_ROWS = 100_000
"""The most rows that one answer holds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and what is to know about them. *total*: how many there are in all; None where that wasn't counted.
    *whole*: rows holds them all. *notes*: what may explain a surprising answer. *took_ms*: time in the database, in
    milliseconds.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    total: int | None
    whole: bool
    took_ms: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A query at every stage: *formatted* in one spelling, the checked tree, the SQL and its values; and the paths that
    it asks, by api.name: whether each is hot.
    """

    formatted: str
    checked: Checked
    sql: Sql
    paths: dict[str, dict[str, bool]]


def run(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    *,
    now: datetime,
    limit: int = 100,
    offset: int = 0,
    timeout: float | None = None,
    by_account: bool = False,
) -> Answer:
    """Answer *text* from the tables that *connection* sees: at most *limit* rows from number *offset* on, in the order
    of their rrn.

    *timeout* is in seconds. *by_account*: only resources of one account are joined, as policies do. The connection must
    serve nobody else meanwhile: pass a cursor. Raises RqlError.
    """
    checked, _ = prepared(text, by_account=by_account)
    limit = max(0, min(limit, MOST_ROWS))
    with one_moment(connection):
        there = _state(connection, checked)
        _, statement = prepared(text, by_account=by_account, hot=there.hot)
        known = slots(checked, now, limit=limit, offset=offset, pending=there.pending)
        if Slot.MONITORED in statement.values:
            known[Slot.MONITORED] = monitored_accounts(connection)
        start = time.monotonic()
        rows = _execute(connection, statement, known, text, timeout) if limit else []
        total = int(rows[0][-1]) if rows else 0
        if not rows and (offset or not limit):
            counted = total_of(checked, there.hot, by_account=by_account)
            total = int(_execute(connection, counted, known, text, timeout)[0][0])
        took = (time.monotonic() - start) * 1000
        notes = () if total else _notes(connection, checked)
    if not there.hot.tables:
        OFTEN.note(text, took)
    columns, width = _columns(checked)
    shown = [row[:width] + tuple(_read(value) for value in row[width : len(columns)]) for row in rows]
    return Answer(columns, shown, total, offset + len(rows) >= total and not offset, took, notes)


@lru_cache(maxsize=1024)
def prepared(text: str, *, by_account: bool = False, hot: Hot = NOTHING) -> tuple[Checked, Sql]:
    """Return *text* checked, and its statement with slots for what changes from run to run. Raises RqlError."""
    checked = check(parse(text))
    return checked, prepare(checked, hot, by_account=by_account)


def monitored_accounts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the accounts from which there are resources."""
    found = connection.execute("select distinct account from resources where not deleted").fetchall()
    return sorted(str(account) for (account,) in found)


def _columns(checked: Checked) -> tuple[tuple[str, ...], int]:
    """Return the names of the columns, and how many of them stand before those of addcolumn."""
    if checked.query.count:
        return COUNT_COLUMNS, len(COUNT_COLUMNS)
    own = RESOURCE_COLUMNS + (FINDING_COLUMNS if checked.findings else ())
    return own + tuple(format_operand(path) for path in checked.query.columns), len(own)


def _read(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def _execute(
    connection: duckdb.DuckDBPyConnection, statement: Sql, known: dict[Slot, Any], text: str, timeout: float | None
) -> list[tuple[Any, ...]]:
    timer = Timer(timeout, connection.interrupt) if timeout is not None else None
    if timer:
        timer.start()
    try:
        return connection.execute(statement.text, filled(statement, known)).fetchall()
    except duckdb.OutOfMemoryException:
        raise RqlError("this needs more memory than the store may take", text, Span(0, len(text.rstrip()))) from None
    except duckdb.InterruptException:
        whole = Span(0, len(text.rstrip()))
        raise RqlError(
            f"no answer within {timeout:g} seconds", text, whole, "name an api.name: it asks fewer resources"
        ) from None
    finally:
        if timer:
            timer.cancel()


def _notes(connection: duckdb.DuckDBPyConnection, checked: Checked) -> tuple[str, ...]:
    """Say which api.name of the query no resource has."""
    attributes = [a for clause in checked.clauses for a in _required(clause.condition)]
    asked = dict.fromkeys(v.text.strip() for a in attributes if a.name == "api.name" for v in a.values)
    if not asked:
        return ()
    known = [str(row[0]) for row in connection.execute("select distinct api_name from resources").fetchall()]
    notes = []
    for name in asked:
        if name not in known:
            hint = nearest(name, known)
            notes.append(f"no resource has api.name {name!r}" + (f": {hint}" if hint else ""))
    return tuple(notes) or tuple(note for clause in checked.clauses for note in _path_notes(connection, clause))


def _path_notes(connection: duckdb.DuckDBPyConnection, clause: CheckedClause) -> list[str]:
    """Say which path of a clause no document has, where one has a path that is almost the same."""
    apis = [v.text.strip() for a in _required(clause.condition) if a.name == "api.name" for v in a.values]
    parts = clause.condition.parts if isinstance(clause.condition, And) else (clause.condition,)
    asked = {path for part in parts if isinstance(part, JsonRule) for path in _plain_paths(part.condition)}
    if len(apis) != 1 or not asked:
        return []
    known = known_paths(apis[0], connection)
    lost = sorted(asked - set(known))
    hints = [(path, nearest(path, known)) for path in lost]
    return [f"no resource of {apis[0]} has {path}: {hint}" for path, hint in hints if hint]


def _plain_paths(condition: Condition) -> set[str]:
    match condition:
        case And(parts) | Or(parts):
            return set().union(*map(_plain_paths, parts))
        case Not(inner):
            return _plain_paths(inner)
        case Compare(Path(_, steps)) if all(isinstance(step, Key | Each) for step in steps):
            return {format_operand(Path("", steps))}
        case _:
            return set()


def _required(condition: Condition) -> list[Attribute]:
    parts = condition.parts if isinstance(condition, And) else (condition,)
    return [p for p in parts if isinstance(p, Attribute) and p.operator in ("=", "in")]


def explain(text: str, now: datetime, connection: duckdb.DuckDBPyConnection | None = None) -> Explained:
    """Return *text* at every stage, without running it: as the tables that *connection* sees would be asked. Raises
    RqlError.
    """
    from queries.format import format  # the name would hide the builtin in this module

    checked = check(parse(text))
    there = COLD if connection is None else _state(connection, checked)
    statement = prepare(checked, there.hot)
    values = tuple(filled(statement, slots(checked, now, pending=there.pending)))
    hot = {name: set(table.paths) for name, table in there.hot.tables.items()}
    paths = {
        name: {str(path): path in hot.get(name, ()) for path in sorted(asked_, key=str)}
        for name, asked_ in asked(checked).items()
    }
    return Explained(format(checked.query), checked, statement._replace(values=values), paths)


def _state(connection: duckdb.DuckDBPyConnection, checked: Checked) -> State:
    return state(connection, {name for clause in checked.clauses if (name := api_name(clause)) is not None})
