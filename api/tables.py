"""Rows of an answer as CSV or Arrow, where a client asks for that."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import Request

CSV, ARROW = "text/csv", "application/vnd.apache.arrow.stream"
TYPES = (CSV, ARROW)


def wanted(request: Request) -> str:
    """Return which of TYPES the Accept header names; empty: JSON."""
    accepted = request.headers.get("accept", "")
    return next((each for each in TYPES if each in accepted), "")


def table(kind: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return *rows* in the form *kind*; what is no plain value is written as JSON text."""
    return _csv(columns, rows) if kind == CSV else _arrow(columns, rows)


def plain(cell: Any) -> str:
    """Return *cell* as text that no spreadsheet takes for a formula."""
    text = "" if cell is None else cell if isinstance(cell, str) else str(_flat(cell))
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and isinstance(cell, str) else text


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _arrow(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    import pyarrow as pa

    arrays = []
    for at in range(len(columns)):
        values = [_flat(row[at]) for row in rows]
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # of several types
            arrays.append(pa.array([None if each is None else str(each) for each in values]))
    made = pa.Table.from_arrays(arrays, names=list(columns))
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made)
    return sink.getvalue()


def _flat(cell: Any) -> Any:
    if isinstance(cell, dict | list | tuple):
        return orjson.dumps(cell, default=str).decode()
    return cell
