"""The rows that a search finds, page by page: a page begins after the last row of the one before, whatever was written
meanwhile.
"""

from datetime import datetime
from typing import Any, NamedTuple

import queries
from queries.run import Answer

LOOKS = 3
"""How often the place of a row is looked for that moves again and again."""


class Page(NamedTuple):
    """Rows, and where they stand: *after*, the offset behind them; None where nothing follows."""

    answer: Answer
    rows: list[tuple[Any, ...]]
    after: int | None


def page(cursor: Any, text: str, now: datetime, *, limit: int, offset: int = 0, last: str = "") -> Page:
    """Return at most *limit* rows of the search *text* that come after the rrn *last*, which stood before *offset*.

    Rows come in the order of their rrn. Where rows before it came or went, its place is looked for. Raises RqlError.
    """
    for _ in range(LOOKS if last and offset else 0):
        answer = queries.run(cursor, text, now=now, limit=limit + 1, offset=offset - 1)
        rrns = _rrns(answer)
        behind = next((number for number, rrn in enumerate(rrns) if rrn > last), len(rrns))
        total = answer.total or 0
        if (behind or offset == 1) and (behind < len(rrns) or offset - 1 + len(rrns) >= total):
            return _cut(answer, offset - 1, limit, behind)
        low, high = (offset - 1 + len(rrns), total) if behind else (0, min(offset - 1, total))
        offset = max(_place(cursor, text, now, last, low, high), 1)
    return _cut(queries.run(cursor, text, now=now, limit=limit, offset=offset), offset, limit, 0)


def _place(cursor: Any, text: str, now: datetime, last: str, low: int, high: int) -> int:
    """Return the number of the first row after *last*, which is from *low* to *high*."""
    while low < high:
        middle = (low + high) // 2
        found = _rrns(queries.run(cursor, text, now=now, limit=1, offset=middle))
        if found and found[0] <= last:
            low = middle + 1
        else:
            high = middle
    return low


def _cut(answer: Answer, start: int, limit: int, skipped: int) -> Page:
    rows = answer.rows[skipped : skipped + limit]
    end = start + skipped + len(rows)
    return Page(answer, rows, end if rows and end < (answer.total or 0) else None)


def _rrns(answer: Answer) -> list[str]:
    at = answer.columns.index("rrn")
    return [row[at] for row in answer.rows]
