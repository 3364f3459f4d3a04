"""Cut a file, gzip or plain, into messages: a JSON document, items of an array, JSON lines, records of XML or CSV."""

import gzip
import io
import itertools
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from json import JSONDecoder
from typing import BinaryIO, NamedTuple

import orjson

from streams.errors import TidegateError

CHUNK = 64 * 1024
"""How much of a file is read at a time, in bytes, where it's cut."""


class Message(NamedTuple):
    """One message: its bytes as they lay in the file, and where."""

    value: bytes
    place: str
    """`file:line 7`, `file:[3]`, or `file`."""


class FileError(TidegateError):
    """A file can't be read, or there is nothing in it."""


def messages(name: str) -> Iterator[Message]:
    """Yield the messages of the file *name* (`-`: standard input), reading JSON lines line by line.

    What isn't JSON is handed on as it is, so that it ends up as a dead letter with its reason. Raises FileError.
    """
    shown = "standard input" if name == "-" else name
    count = 0
    try:
        with _open(name) as file:
            for message in _cut(shown, file):
                count += 1
                yield message
    except (OSError, EOFError) as error:
        raise FileError(f"{shown}: {getattr(error, 'strerror', None) or error}") from error
    if not count:
        raise FileError(f"{shown}: empty, nothing to send")


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        file: BinaryIO = sys.stdin.buffer if name == "-" else stack.enter_context(open(name, "rb"))
        buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var]
        packed = buffered.peek(2)[:2] == b"\x1f\x8b"
        yield stack.enter_context(gzip.GzipFile(fileobj=buffered)) if packed else buffered  # type: ignore[misc]


def _cut(shown: str, file: BinaryIO) -> Iterator[Message]:
    if _ahead(file)[:64].lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"<":  # it may be one line of any length
        yield from _pieces(shown, file)
        return
    number, head = 0, []
    for line in file:
        number += 1
        head.append(line)
        if line.strip():
            break
    else:
        return
    first = head[-1].strip().removeprefix(b"\xef\xbb\xbf")
    if not first.startswith(b"[") and _is_json(first):
        yield Message(first, f"{shown}:line {number}")
        yield from _lines(shown, file, number + 1)
        return
    if first[:1] not in (b"{", b"[") and _is_table(first, file):
        yield from _tables(shown, head, file)
        return
    whole = (first + b"\n" + file.read()).strip()
    if first.startswith(b"["):
        yield from _items(shown, whole)
    elif b"\n" in whole and not _is_json(whole) and _is_json(whole[len(first) :].lstrip().split(b"\n", 1)[0]):
        yield from _lines(shown, whole.split(b"\n"), number)  # JSON lines whose first line is broken
    else:
        yield Message(whole, shown)


def _lines(shown: str, lines: Iterable[bytes], number: int) -> Iterator[Message]:
    for at, line in enumerate(lines, number):
        if value := line.strip():
            yield Message(value, f"{shown}:line {at}")


def _pieces(shown: str, file: BinaryIO) -> Iterator[Message]:
    """Yield XML as messages of whole records, so that a file of any size is sent and read in little memory."""
    from agents.normalise._xml_cut import cut

    yield from _numbered(shown, cut(_chunks(file)))


def _is_table(first: bytes, file: BinaryIO) -> bool:
    """Tell whether a file is a report in CSV, by its first lines."""
    from agents.normalise._csv_cut import looks_like_table

    return looks_like_table(first + b"\n" + _ahead(file))


def _tables(shown: str, head: list[bytes], file: BinaryIO) -> Iterator[Message]:
    """Yield CSV as messages of whole rows below their head."""
    from agents.normalise._csv_cut import cut

    yield from _numbered(shown, cut(itertools.chain(head, file)))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the file piece by piece, without the blanks that may not stand before XML."""
    begun = False
    while chunk := file.read(CHUNK):
        yield chunk if begun else chunk.lstrip()
        begun = True


def _ahead(file: BinaryIO) -> bytes:
    """Return what comes next in *file*, some kilobytes, without reading on."""
    return file.peek(CHUNK) if isinstance(file, io.BufferedReader | gzip.GzipFile) else b""


def _numbered(shown: str, values: Iterable[bytes]) -> Iterator[Message]:
    for number, value in enumerate(values):
        yield Message(value, shown if number == 0 else f"{shown}:part {number + 1}")


def _items(shown: str, whole: bytes) -> Iterator[Message]:
    """Yield each item of an array, its bytes unchanged; all of it as one when it isn't one whole array."""
    found: list[Message] = []
    decoder = JSONDecoder()
    try:
        text = whole.decode()
        at = _blank(text, 1)
        while text[at] != "]":
            _, end = decoder.raw_decode(text, at)
            found.append(Message(text[at:end].encode(), f"{shown}:[{len(found)}]"))
            at = _blank(text, end)
            if text[at] == ",":
                at = _blank(text, at + 1)
                if text[at] == "]":
                    raise ValueError("a comma is followed by an item")
            elif text[at] != "]":
                raise ValueError("an item is followed by a comma")
        if text[at + 1 :].strip():
            raise ValueError("an array ends its document")
    except (ValueError, IndexError, RecursionError):
        yield Message(whole, shown)
    else:
        yield from found


def _blank(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _is_json(line: bytes) -> bool:
    line = line.strip()
    if not line.startswith(b"{"):
        return False
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
