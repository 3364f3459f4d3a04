"""What is wrong with a question, said so that its author can repair it at once.

QueryError
├── RqlError     the RQL is wrong or asks for what isn't answered: where, why, and what was probably meant
├── SqlError     the SQL of a user is wrong, not allowed, too large or too slow
└── PolicyError  the file of a policy is wrong: stop at start
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Where something stands in the query: from *start* up to, not including, *end*, counted in characters."""

    start: int
    end: int


class QueryError(Exception):
    """Base of all; `str()` is the whole message for a person."""


class RqlError(QueryError):
    """A query that can't be answered. *message* says why, *span* where in *text*, *hint* the way out; *also* are the
    other mistakes that were found in it.
    """

    def __init__(self, message: str, text: str, span: Span, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.span = span
        self.hint = hint
        self.also: tuple[RqlError, ...] = ()

    @classmethod
    def together(cls, errors: Sequence["RqlError"]) -> "RqlError":
        """Return one error that tells all *errors*, of which there is one at least, in the order of their places."""
        each = {(e.message, e.span): e for error in errors for e in (error, *error.also)}
        first, *others = sorted(each.values(), key=lambda error: error.span.start)
        first.also = tuple(others)
        for other in others:
            other.also = ()
        return first

    @property
    def line(self) -> int:
        """The line that holds the mistake, counted from 1."""
        return self.text.count("\n", 0, self.span.start) + 1

    @property
    def column(self) -> int:
        """The character of that line, counted from 1."""
        return self.span.start - self.text.rfind("\n", 0, self.span.start)

    def __str__(self) -> str:
        """Draw the line with a caret under each mistake."""
        return "\n\n".join(error._drawn() for error in (self, *self.also))

    def _drawn(self) -> str:
        start = self.text.rfind("\n", 0, self.span.start) + 1
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else len(self.text)]
        at = self.span.start - start
        width = max(1, min(self.span.end, start + len(line)) - self.span.start)
        shown, at, width = _window(line, at, width)
        drawn = (
            f"{self.message}\n  at line {self.line}, column {self.column}:\n\n    {shown}\n    {' ' * at}{'^' * width}"
        )
        return f"{drawn}\n\n{self.hint}" if self.hint else drawn


class SqlError(QueryError):
    """A user's SQL can't be run. The text says why; *position* is the character where DuckDB found it, from 0."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class PolicyError(QueryError):
    """Policies can't be read. The text has a line for each thing that is wrong: file, field, value and the way out."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?` for the name in *known* that is most like *word*, or empty text."""
    names = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower()[:100], names, n=1, cutoff=0.6)
    return f"did you mean {names[found[0]]}?" if found else ""


_WIDTH = 110


def _window(line: str, at: int, width: int) -> tuple[str, int, int]:
    """Cut a long line to the part round the mistake, with marks where something was left out; one cell a character."""
    line = "".join(" " if not c.isprintable() else c for c in line)
    left = max(0, at - 70) if len(line) > _WIDTH else 0
    right = min(len(line), left + _WIDTH)
    before = "…" if left else ""
    after = "…" if right < len(line) else ""
    return before + line[left:right] + after, at - left + len(before), min(width, max(1, right - at))
