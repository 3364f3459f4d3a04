"""Cut a scanner's XML of any size to messages that a topic takes: whole hosts, each message a document of its own."""

from collections.abc import Iterable, Iterator
from xml.parsers import expat

from agents.normalise._xml import declares_nothing

SIZE = 4 * 1024 * 1024
"""About how long a message gets, in bytes; one record more at the most."""

_CUT_AT = {
    "HOST_LIST_VM_DETECTION_OUTPUT": "HOST",
    "HOST_LIST_OUTPUT": "HOST",
    "KNOWLEDGE_BASE_VULN_LIST_OUTPUT": "VULN",
    "ServiceResponse": "HostAsset",
    "NessusClientData_v2": "ReportHost",
    "SCAN": "IP",
}
"""The elements that can stand in any message, by the root of their document. Others need what comes after them."""


def cut(chunks: Iterable[bytes], size: int = SIZE) -> Iterator[bytes]:
    """Yield the document that *chunks* make up as messages: what is before the first record, records, closing tags.

    A document that is short, can't be cut or isn't well-formed is one message, or its rest is: whoever reads it tells
    what is wrong. Memory is that of a message.
    """
    knife = _Knife()
    for chunk in chunks:
        yield from knife.feed(chunk, size)
    yield knife.rest()


class _Knife:
    """Lets expat tell where records begin, and cuts there."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._base = 0
        """Where the buffer begins in the document."""
        self._starts: list[int] = []
        """Where records begin, of those that aren't cut off yet."""
        self._path: list[str] = []
        self._element = ""
        self._head: bytes | None = None
        self._tail = b""
        self._parser: expat.XMLParserType | None = expat.ParserCreate()
        declares_nothing(self._parser)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, chunk: bytes, size: int) -> Iterator[bytes]:
        if not self._buffer and b"\0" in chunk[:8]:
            self._parser = None  # UTF-16: closing tags would have to be as well
        self._buffer += chunk
        if self._parser is not None:
            try:
                self._parser.Parse(chunk, False)
            except Exception:  # noqa: BLE001 (the reader of the message tells what is wrong)
                self._parser = None
        while len(self._buffer) > size and len(self._starts) > 1:
            yield self._message(size)

    def rest(self) -> bytes:
        """Return the last message."""
        return (self._head or b"") + bytes(self._buffer)

    def _message(self, size: int) -> bytes:
        """Return the records of the buffer that fit in *size*, one at the least."""
        if self._head is None:
            self._head = bytes(self._buffer[: self._starts[0] - self._base])
            del self._buffer[: len(self._head)]
            self._base = self._starts[0]
        fit = 1
        while fit + 1 < len(self._starts) and self._starts[fit + 1] - self._base <= size:
            fit += 1
        end = self._starts[fit]
        message = self._head + bytes(self._buffer[: end - self._base]) + self._tail
        del self._buffer[: end - self._base]
        del self._starts[:fit]
        self._base = end
        return message

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self._element = _CUT_AT.get(tag, "")
        if tag == self._element and self._parser is not None:
            if not self._tail:
                self._tail = "".join(f"</{name}>" for name in reversed(self._path)).encode()
            self._starts.append(self._parser.CurrentByteIndex)
        self._path.append(tag)

    def _end(self, tag: str) -> None:
        self._path.pop()
