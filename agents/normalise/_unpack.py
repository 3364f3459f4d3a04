"""From a message's bytes to JSON documents: gzip, byte order mark, one document or JSON lines."""

import zlib
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from streams.errors import BadRecord

MAX_UNPACKED = 32 * 1024 * 1024
"""How much a gzip message may unpack to, in bytes. It bounds a worker's memory."""


Document: TypeAlias = tuple[str, Any, bytes]
"""A place such as `line 7`, empty: the whole message; what it says, or the BadRecord that tells why not; its bytes."""


def unpack(message: bytes | None, text: bytes = b"") -> list[Document] | Iterator[Document]:
    """Return the document of *message* in a list, or its JSON lines one by one. Raises BadRecord when none can be read.

    *text* is what it holds, from whoever has unpacked it already. A message that isn't one document is read as JSON
    lines if it looks like them: then a broken line spoils no other.
    """
    text = text or unpacked(message)
    try:
        return [("", _loads(text), message or text)]
    except _UNREADABLE as wrong:
        lines = _lines(text)
        if not lines:
            raise BadRecord("", reason(wrong, text)) from None
        return map(_document, lines)  # one at a time: a parsed line is ten times as large as its text


def unpacked(message: bytes | None) -> bytes:
    """Return what *message* holds, out of gzip and without byte order mark. Raises BadRecord."""
    if not message:
        raise BadRecord("", "empty message")
    text = _gunzip(message) if message[:2] == _GZIP else message
    return text[3:] if text[:3] == _BOM else text


def reason(wrong: Exception, text: bytes = b"") -> str:
    """Return in words why JSON can't be read or written again."""
    if isinstance(wrong, RecursionError):
        return "not usable JSON: nested too deep"
    if isinstance(wrong, UnicodeDecodeError):
        return f"not JSON: byte {wrong.start} isn't UTF-8"
    if text and not text.strip():
        return "empty message"
    said = str(wrong)
    return f"not JSON: {_PLAINER.get(said, said.removeprefix('JSON is malformed: '))}"


def loads(text: bytes | str) -> Any:
    """Return what the JSON *text* says, integers of any size exact. Raises BadRecord, with the reason."""
    try:
        return _loads(text)
    except _UNREADABLE as wrong:
        raise BadRecord("", reason(wrong)) from None


def _gunzip(message: bytes) -> bytes:
    """Return the unpacked members of a gzip file, MAX_UNPACKED bytes at the most."""
    parts: list[bytes] = []
    left = MAX_UNPACKED
    while message:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(message, left + 1)
        except zlib.error as wrong:
            raise BadRecord("", f"broken gzip: {wrong}") from None
        left -= len(part)
        if left < 0:
            raise BadRecord("", f"unpacks to more than {MAX_UNPACKED} bytes: send fewer items a message")
        if not unpacker.eof:
            raise BadRecord("", "broken gzip: it ends too early")
        parts.append(part)
        message = unpacker.unused_data.lstrip(b"\0")  # tar and some uploaders pad with zeros
    return b"".join(parts)


def _lines(text: bytes) -> list[tuple[int, bytes]]:
    """Return number and bytes of the lines that aren't blank, or nothing when *text* doesn't look like JSON lines.

    It does when most lines start an object of their own; one document with line breaks has few of them, even cut off.
    """
    if b"\n" not in text:
        return []
    stripped = ((number, line.rstrip(b"\r \t")) for number, line in enumerate(text.split(b"\n"), 1))
    lines = [(number, line) for number, line in stripped if line]
    objects = sum(line[:1] == b"{" and len(line) > 1 for _, line in lines)
    return lines if 2 * objects > len(lines) and lines[0][1][:1] != b"[" else []


def _document(numbered: tuple[int, bytes]) -> Document:
    number, line = numbered
    try:
        return (f"line {number}", _loads(line), line)
    except _UNREADABLE as wrong:
        return (f"line {number}", BadRecord("", reason(wrong)), line)


_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_loads = msgspec.json.Decoder().decode  # as fast as orjson, which makes floats of integers above 64 bits
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_PLAINER = {"Input data was truncated": "it ends too early, or half of a surrogate pair stands alone"}
