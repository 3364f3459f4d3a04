"""A piece of SQL and the values of its question marks: the only thing from which statements are made."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple


class Slot(Enum):
    """A value that is known only when the statement runs, so that one compiled statement serves for all runs."""

    NOW = "the time that ages count from, in ms since 1970 UTC"
    LIMIT = "the most rows, or None"
    OFFSET = "the number of the first row"
    ACCOUNTS = "the accounts that are asked, a list"
    RIDS = "the resources that are asked, a list"
    MONITORED = "the accounts that the tables know, a list"
    PENDING = "the numbers of the rows that hot columns don't hold yet, a list"


Bound = str | int | float | bool | Slot
"""What may stand for a question mark."""

_HOLE = re.compile(r"\{(\d)\}")


class Sql(NamedTuple):
    """SQL text and the values of its question marks, in order."""

    text: str
    values: tuple[Bound, ...] = ()


def sql(template: str, *parts: Sql) -> Sql:
    """Return *template*, which is our own text, with `{0}`, `{1}`, … replaced by *parts*; a part may be used more than
    once.
    """
    values: list[Bound] = []
    text: list[str] = []
    at = 0
    for hole in _HOLE.finditer(template):
        part = parts[int(hole.group(1))]
        text += (template[at : hole.start()], part.text)
        values += part.values
        at = hole.end()
    text.append(template[at:])
    return Sql("".join(text), tuple(values))


def bind(value: Bound) -> Sql:
    """Return a question mark that stands for *value*."""
    return Sql("?", (value,))


def filled(statement: Sql, known: Mapping[Slot, Any]) -> list[Any]:
    """Return the values of *statement*, each slot replaced by what is *known* for it."""
    return [known[value] if isinstance(value, Slot) else value for value in statement.values]


def join(word: str, parts: list[Sql]) -> Sql:
    """Return *parts* with *word* between them; each is put in brackets where there are several."""
    if len(parts) == 1:
        return parts[0]
    return Sql(word.join(f"({p.text})" for p in parts), tuple(v for p in parts for v in p.values))


def commas(parts: list[Sql]) -> Sql:
    """Return *parts* as a list for `in (...)` or `select ...`."""
    return Sql(", ".join(p.text for p in parts), tuple(v for p in parts for v in p.values))
