"""CSV as JSON documents, a row at a time: the reports that scanners write for people, with lines above their table."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from agents.normalise._unpack import MAX_UNPACKED, Document
from streams.errors import BadRecord

Row: TypeAlias = Mapping[str, str]
"""The cells of a row that aren't empty, by the names of their columns."""

csv.field_size_limit(MAX_UNPACKED)  # a scan's output may be longer than the 128 KiB of the default


def looks_like_csv(text: bytes, column: str) -> bool:
    """Tell whether one of the first lines of *text* is the head of a table with *column*, as in ASCII."""
    return _head(text[:65_536].splitlines(), column) is not None


def documents(text: bytes, column: str, document: Callable[[Row], dict[str, Any]]) -> Iterator[Document]:
    """Yield what *document* makes of each row below the head, with its place such as `line 7`.

    Rows as long as the head are records; the lines of summaries above and below aren't. What can't be read is yielded
    as BadRecord after the rows before it.
    """
    try:
        lines = text.decode().splitlines(keepends=True)
    except UnicodeDecodeError as wrong:
        yield ("", BadRecord("", f"not CSV: byte {wrong.start} isn't UTF-8"), text)
        return
    at = _head([line.encode() for line in lines[:200]], column) or 0
    rows = csv.reader(io.StringIO("".join(lines[at:]), newline=""), strict=True)
    try:
        head = [name.strip() for name in next(rows)]
        for row in rows:
            if len(row) == len(head):
                yield (f"line {at + rows.line_num}", document(_cells(head, row)), b"")
    except csv.Error as wrong:
        yield ("", BadRecord("", f"not CSV: line {at + rows.line_num}: {wrong}"), text)


def _cells(head: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    return {name: cell for name, value in zip(head, row, strict=True) if (cell := value.strip()) and name}


def _head(lines: Sequence[bytes], column: str) -> int | None:
    """Return the number of the line that names the columns."""
    for number, line in enumerate(lines[:200]):
        cells = [cell.strip().strip(b'"') for cell in line.split(b",")]
        if len(cells) > 3 and column.encode() in cells:
            return number
    return None
