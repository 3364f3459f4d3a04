"""The child process that runs one SQL statement of a user, and ends. It is started by path, isolated: standard library
and duckdb only.

One JSON line in: {"database", "text", "limit"}; one out: {"columns", "rows", "whole", "took_ms"} or {"error",
"position"}. Nothing that a statement does outlives its process. What holds it: - the file is opened read-only, then
external access is shut, then the local file system, then the settings: in this order, because read-only alone lets COPY
overwrite the very file, also from inside a WITH; - RLIMIT_AS, because DuckDB's own memory limit doesn't count what a
single value takes; RLIMIT_FSIZE 0: no file grows; - the parent kills it at the timeout, because interrupt() isn't heard
everywhere.
"""

import contextlib
import json
import re
import resource
import sys
import time
from typing import Any

import duckdb

ADDRESS_SPACE = 2 * 1024**3
"""The most memory that the process may map, in bytes."""
OUTPUT = 32 * 1024**2
"""The largest answer, in bytes of JSON."""

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "512MB",
    "threads": 1,
    "temp_directory": "",
    "max_temp_directory_size": "0KB",
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "python_enable_replacements": False,
    "errors_as_json": True,
}
_LOCKS = (
    "set enable_external_access = false",
    "set disabled_filesystems = 'LocalFileSystem'",
    "set lock_configuration = true",
)
TABLES = ("resources", "findings", "alerts")
INSIDE = {"part", "aid", "version", "record", "generation", "parts"}
"""Columns that only the store needs."""
_QUOTED = re.compile(r'"([a-z0-9][a-z0-9.-]*)"')
_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


def main() -> None:
    """Answer the one request on standard input."""
    for limit, most in (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a system may have no such limit
            resource.setrlimit(limit, (most, most))
    line = sys.stdin.buffer.readline()
    if not line:
        return  # the parent is gone
    request = json.loads(line)
    try:
        answer = _answer(**request)
    except duckdb.Error as error:
        answer = _refusal(error)
    except MemoryError:
        answer = {"error": "this needs more memory than a query may have", "position": None}
    text = json.dumps(answer, default=_plain).encode()
    if len(text) > OUTPUT:
        message = f"the answer is larger than {OUTPUT:,} bytes: ask for less"
        text = json.dumps({"error": message, "position": None}).encode()
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.buffer.flush()


def _answer(database: str, text: str, limit: int) -> dict[str, Any]:
    with duckdb.connect(database, read_only=True, config=_CONFIG) as connection:
        _make_views(connection, text)
        for lock in _LOCKS:
            connection.execute(lock)
        statements = connection.extract_statements(text)
        if len(statements) != 1:
            many = "one statement is answered at a time" if statements else "there is no statement here"
            return {"error": many, "position": None}
        if statements[0].type not in _READING:
            kind = statements[0].type.name
            message = f"{kind} isn't answered: SELECT, EXPLAIN, DESCRIBE, SHOW and SUMMARIZE are"
            return {"error": message, "position": 0}
        start = time.monotonic()
        rows = connection.execute(statements[0]).fetchmany(limit + 1)
        took = (time.monotonic() - start) * 1000
        columns = [column[0] for column in connection.description or ()]
        return {"columns": columns, "rows": rows[:limit], "whole": len(rows) <= limit, "took_ms": took}


def _make_views(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Put views in front of the tables that people ask, without what only the store needs; and one for each api.name
    that *text* names in double quotes: `select json from "aws-ec2-describe-instances"`.
    """
    own = '"' + str(connection.execute("select current_database()").fetchall()[0][0]).replace('"', '""') + '"'
    rows = connection.execute(
        "select table_name, list(column_name order by column_index) from duckdb_columns()"
        " where database_name = current_database() and schema_name = 'main' group by table_name"
    ).fetchall()
    there = {str(table): [str(column) for column in columns] for table, columns in rows}
    for table in TABLES:
        hidden = [column for column in there.get(table, ()) if column in INSIDE]
        if hidden:
            shown = f"select * exclude ({', '.join(hidden)}) from {own}.main.{table}"  # noqa: S608 # names of ours
            connection.execute(f"create temp view {table} as {shown}")
    names = sorted(set(_QUOTED.findall(text)) - set(there))
    if names and "api_name" in there.get("resources", ()):
        found = connection.execute(
            "select distinct api_name from resources where api_name in (select unnest(?::varchar[]))", [names]
        ).fetchall()
        for (name,) in found:
            rows_of = f"select * from resources where api_name = '{name}'"  # noqa: S608 # as _QUOTED has it: no quotes
            connection.execute(f'create temp view "{name}" as {rows_of}')


def _refusal(error: duckdb.Error) -> dict[str, Any]:
    """DuckDB gives its errors as JSON, because the settings ask for it; some come as text all the same."""
    try:
        told = json.loads(str(error)[str(error).index("{") :])  # before it stands the kind of the error
        kind, message = told.get("exception_type", ""), told["exception_message"]
        position = int(told["position"]) if "position" in told else None
    except (ValueError, KeyError, TypeError):
        kind, message, position = "", str(error), None
    if kind == "Out of Memory" or isinstance(error, duckdb.OutOfMemoryException):
        message = "this needs more memory than a query may have"
    elif kind == "Permission" or "disabled by configuration" in message or "configuration has been locked" in message:
        message = f"this isn't allowed here: {message}"
    return {"error": message, "position": position}


def _plain(value: Any) -> Any:
    """Turn what JSON has no word for into text: times in ISO form, bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else str(value)


if __name__ == "__main__":
    main()
