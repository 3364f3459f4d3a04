"""Cut a report in CSV of any size to messages that a topic takes: whole rows, each message a table of its own."""

from collections.abc import Iterable, Iterator

from agents.normalise import _csv

SIZE = 4 * 1024 * 1024
"""About how long a message gets, in bytes; one row more at the most."""

_COLUMNS = ("QID", "Finding ARN")
"""The columns that make a table one of findings: Qualys's, Inspector's."""


def looks_like_table(text: bytes) -> bool:
    """Tell whether *text*, the beginning of a file, is a table of findings, perhaps with lines above it."""
    return any(_csv.looks_like_csv(text, column) for column in _COLUMNS)


def cut(lines: Iterable[bytes], size: int = SIZE) -> Iterator[bytes]:
    """Yield the table of *lines*, each with its line break, as messages: what is above it, its head, and rows.

    A row may have line breaks within quotes. Memory is that of a message.
    """
    above: list[bytes] = []
    rows: list[bytes] = []
    length, quotes, headed = 0, 0, False
    for line in lines:
        if not headed:
            above.append(line)
            headed = looks_like_table(line)
            continue
        rows.append(line)
        length += len(line)
        quotes += line.count(b'"')
        if length >= size and quotes % 2 == 0:
            yield b"".join((*above, *rows))
            rows, length = [], 0
    if rows or above:
        yield b"".join((*above, *rows))
