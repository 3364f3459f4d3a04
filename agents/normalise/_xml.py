"""XML as JSON documents, an element at a time: nothing is fetched, no entity is declared, memory stays small.

An element with neither attributes nor children is its text without blanks around it; any other one is an object of its
children, of its attributes as `@name`, and of its text as `#text`. Children of one name are a list.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple
from xml.parsers import expat

from agents.normalise._unpack import Document
from streams.errors import BadRecord

CHUNK = 64 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 200_000
"""The most elements of one record."""

MAX_OUTSIDE = 1_000
"""How many elements outside of records are kept; they only say what an answer without records means."""


class Shape(NamedTuple):
    """What the records of a document are."""

    records: frozenset[str]
    """Elements that are records."""
    context: str = ""
    """The element around them whose own fields belong to each of them; it is a record itself when it ends."""
    lists: frozenset[str] = frozenset()
    """Elements within the context that hold records, and nothing else that's worth keeping."""


def looks_like_xml(text: bytes) -> bool:
    """Tell whether *text* begins as XML does, in any encoding."""
    return text[:64].replace(b"\0", b"").lstrip(b" \t\r\n\xef\xbb\xbf\xff\xfe")[:1] == b"<"


def documents(text: bytes, shapes: Mapping[str, Shape]) -> Iterator[Document]:
    """Yield the records of *text* by the shape of its root: `{"HOST": {...}, "DETECTION": {...}}`, each with its place.

    A document without records is yielded as one: `{"SIMPLE_RETURN": {...}}`. What can't be read is yielded as BadRecord
    after the records before it.
    """
    reader = _Reader(shapes)
    count = 0
    try:
        for at in range(0, len(text), CHUNK):
            for where, document in reader.feed(_printable(text, at), at + CHUNK >= len(text)):
                count += 1
                yield (where, document, b"")
    except BadRecord as wrong:
        yield ("", wrong, text)
    except (expat.ExpatError, LookupError, ValueError) as wrong:  # the last two tell of encodings
        yield ("", BadRecord("", f"not XML: {wrong}"), text)
    else:
        if not count:
            yield ("", reader.outside, text)


def declares_nothing(parser: expat.XMLParserType) -> None:
    """Let *parser* raise BadRecord for a document that declares anything itself: entities above all."""
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _entity


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects that stand where one or many elements may: one, many or none."""
    if type(value) is dict:
        return [value]
    return [one for one in value if type(one) is dict] if type(value) is list else []


def text_of(value: Any) -> str:
    """Return the text of an element, with or without attributes; of many the first one's."""
    if type(value) is str:
        return value
    if type(value) is list:
        value = value[0] if value else ""
    if type(value) is dict:
        value = value.get("#text")
    return value if type(value) is str else ""


class _Reader:
    """Feeds expat, and builds the records from what it says."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self._shape = Shape(frozenset())
        self._ready: list[tuple[str, dict[str, Any]]] = []
        self._stack: list[dict[str, Any]] = []
        self._path: list[str] = []
        self._parts: list[str] = []
        self._root = ""
        self._within = 0
        """The depth of the record that is being read; 0: none."""
        self._around = 0
        """The depth of the context."""
        self._own: dict[str, Any] | None = None
        """The fields of the context, as its first record found them."""
        self._numbers = [0, 0]
        """How many contexts there were, and records of this one."""
        self._elements = 0
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = CHUNK
        declares_nothing(parser)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._parts.append
        self._parser = parser

    @property
    def outside(self) -> dict[str, Any]:
        """Return the document without its records."""
        return {self._root: self._stack[0] if self._stack else {}}

    def feed(self, chunk: bytes, final: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield place and document of the records that end within *chunk*."""
        try:
            self._parser.Parse(chunk, final)
        finally:
            yield from self._ready
            self._ready.clear()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        depth = len(self._stack) + 1
        if depth == 1:
            self._root = tag
            if tag not in self._shapes:
                known = ", ".join(islice(self._shapes, 8))
                raise BadRecord("", f"XML of a form that isn't known: {tag:.80}; wanted one of {known}")
            self._shape = self._shapes[tag]
        elif depth > MAX_DEPTH:
            raise BadRecord("", f"nested too deep: the most is {MAX_DEPTH} elements")
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise BadRecord("", f"too many elements in one record: the most is {MAX_ELEMENTS}")
        if not self._within:
            if tag == self._shape.context:
                self._around, self._own, self._elements = depth, None, 0
                self._numbers = [self._numbers[0] + 1, 0]
            elif tag in self._shape.records and (self._around or not self._shape.context):
                self._within, self._elements = depth, 0
        self._parts.clear()
        self._path.append(tag)
        self._stack.append({f"@{name}": value for name, value in attributes.items()} if attributes else {})

    def _end(self, tag: str) -> None:
        depth = len(self._stack)
        if depth == 1:  # the root stays: `outside` shows it
            return
        fields: Any = self._stack.pop()
        self._path.pop()
        text = "".join(self._parts).strip()
        self._parts.clear()
        if not fields:
            fields = text
        elif text:
            fields["#text"] = text
        if depth == self._within:
            self._record(tag, fields)
        elif depth == self._around:
            self._around = 0
            self._ready.append((f"{tag}[{self._numbers[0] - 1}]", {tag: fields}))
        elif self._kept(tag):
            _attach(self._stack[-1], tag, fields)

    def _record(self, tag: str, fields: Any) -> None:
        self._within, self._elements = 0, 0
        number = self._numbers[1]
        self._numbers[1] += 1
        if not self._around:
            self._ready.append((f"{tag}[{number}]", {tag: fields}))
            return
        if self._own is None:
            self._own = dict(self._stack[self._around - 1])
        context = self._shape.context
        between = range(self._around, len(self._stack))  # such as a scan's categories, whose attributes have the port
        around = {self._path[at]: self._stack[at] for at in between if self._stack[at]}
        where = f"{context}[{self._numbers[0] - 1}]: {tag}[{number}]"
        self._ready.append((where, {context: self._own, **around, tag: fields}))

    def _kept(self, tag: str) -> bool:
        if self._within:
            return True
        if self._around:
            return tag not in self._shape.lists
        return self._elements <= MAX_OUTSIDE


def _attach(parent: dict[str, Any], tag: str, value: Any) -> None:
    if tag not in parent:
        parent[tag] = value
    elif type(parent[tag]) is list:
        parent[tag].append(value)
    else:
        parent[tag] = [parent[tag], value]


def _printable(text: bytes, at: int) -> bytes:
    """Return a chunk without the control characters that scanners copy from what they see, and XML has no place for."""
    chunk = text[at : at + CHUNK]
    if b"\0" in text[:8]:  # UTF-16: half of its bytes
        return chunk
    return chunk.translate(None, _CONTROLS)


def _doctype(name: str, system: str | None, public: str | None, has_internal: int) -> None:
    if has_internal:
        raise BadRecord("", "not accepted: a DOCTYPE that declares anything itself")


def _entity(*_: Any) -> None:
    raise BadRecord("", "not accepted: a declaration of an entity")


_CONTROLS = bytes(one for one in range(32) if one not in (9, 10, 13))
