"""A piece of SQL and the values of its question marks: the only thing from which statements are made."""

import re
from typing import NamedTuple

Bound = str | int | float | bool
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


def join(word: str, parts: list[Sql]) -> Sql:
    """Return *parts* with *word* between them; each is put in brackets where there are several."""
    if len(parts) == 1:
        return parts[0]
    return Sql(word.join(f"({p.text})" for p in parts), tuple(v for p in parts for v in p.values))


def commas(parts: list[Sql]) -> Sql:
    """Return *parts* as a list for `in (...)` or `select ...`."""
    return Sql(", ".join(p.text for p in parts), tuple(v for p in parts for v in p.values))
