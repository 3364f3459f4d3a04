"""What a normaliser is: a pure function from a raw message's bytes to records, and to what is wrong with the rest."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec
import orjson

from agents.normalise._fields import wrong_type
from agents.normalise._inventory import inventory
from agents.normalise._unpack import Document, loads, unpack
from streams.errors import BadRecord
from streams.identity import Place
from streams.records import Record
from streams.topics import MAX_MESSAGE

Kind: TypeAlias = Literal["findings", "configs"]
Item: TypeAlias = Mapping[str, Any]
Items: TypeAlias = Sequence[tuple[str, Any]]
"""Items of a document, each with its place there, such as Findings[3]; an empty place: it's the whole document."""

MAX_ITEM = MAX_MESSAGE - 256 * 1024
"""The most that the documents of a record may take on a topic, in bytes; the rest is for its other fields."""


@dataclass(frozen=True, slots=True)
class Bad:
    """One item that gives no record."""

    path: str
    """The field that is wrong, seen from the item; empty when the item can't be read at all."""
    reason: str
    place: str
    """Where it lies in its message; empty: it is all of it."""
    item: bytes
    """Its bytes, ready to be sent again alone."""


class Normaliser(ABC):
    """Reads one source's raw messages. The file name is its name, and with *kind* it names its raw topic."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    topic: ClassVar[str]
    forms: ClassVar[tuple[str, ...]]
    """What it understands, a phrase a form: docs/sources.md prints them."""

    def __init_subclass__(cls) -> None:
        cls.name = cls.__module__.rpartition(".")[2]
        cls.topic = f"raw.{cls.kind}.{cls.name}"

    @abstractmethod
    def items(self, document: Item) -> Items:
        """Return the items of *document*, out of their envelope. Raises BadRecord when it is no form that is known."""

    @abstractmethod
    def record(self, item: Item, place: Place, index: int) -> Record:
        """Return what *item*, the *index*-th of its message, says; *item* stays as it is. Raises BadRecord."""

    def documents(self, message: bytes | None) -> list[Document] | Iterator[Document]:
        """Return the JSON documents of *message*; a source with other formats turns them into such documents.

        Raises BadRecord when there is none.
        """
        return unpack(message)

    def read(self, value: bytes | None, place: Place) -> list[Record | Bad]:
        """Return one entry for each item of the message *value*, in order: its record, or what is wrong with it.

        Never raises for bad data; a defect of a normaliser costs the item that shows it, and no other. The documents of
        a record are JSON fragments, so that they are written once.
        """
        records: list[Record | Bad] = []
        for where, item, raw in self._parts(value):
            try:
                if type(item) is not dict:
                    raise item if isinstance(item, Exception) else wrong_type("", "an object", item)
                if "inventory" in item:
                    records.append(inventory(self.name, item, place, len(records), self.record))
                else:
                    records.append(self.record(item, place, len(records)))
            except Exception as wrong:  # noqa: BLE001 (one item must not stop the stream: see _bad)
                records.append(_bad(wrong, where, raw or _written(item, value or b"")))
        return records

    def _parts(self, value: bytes | None) -> "Iterable[_Part]":
        try:
            documents = self.documents(value)
        except BadRecord as wrong:
            return [("", wrong, value or b"")]
        if type(documents) is list:
            return self._parts_of(documents[0])
        return chain.from_iterable(map(self._parts_of, documents))

    def _parts_of(self, found: Document) -> "list[_Part]":
        where, document, raw = found
        if type(document) is not list:
            return self._within(document, where, raw)
        parts: list[_Part] = []
        for index, element in enumerate(document):
            parts += self._within(element, f"{where}[{index}]", _written(element, raw))
        return parts

    def _within(self, document: Any, where: str, raw: bytes) -> "list[_Part]":
        """Return the items of *document*, or the reason why it has none. *raw* are its bytes."""
        if type(document) is not dict:
            return [(where, document, raw)]
        try:
            if document.get("Type") == "Notification" and type(document.get("Message")) is str:  # wrapped by SNS
                text = document["Message"].encode()
                return self._within(loads(text), _joined(where, "Message"), text)
            if "inventory" in document:
                return [(where, document, raw)]
            return [
                (_joined(where, place), item, None) if place else (where, item, raw)
                for place, item in self.items(document)
            ]
        except Exception as wrong:  # noqa: BLE001 (as in read)
            return [(where, wrong, raw or _written(document, raw))]


def fragment(document: Any) -> orjson.Fragment:
    """Return the only document of a record as JSON; raises as `fragments` does."""
    text = _json(document)
    return orjson.Fragment(text) if len(text) <= MAX_ITEM else fragments(document)[0]


def fragments(*documents: Any) -> list[orjson.Fragment]:
    """Return the documents of one record as JSON.

    Raises BadRecord when one can't be JSON again, nested too deep or with integers above 64 bits, or all are too large.
    """
    texts = [_json(document) for document in documents]
    if (size := sum(map(len, texts))) > MAX_ITEM:
        raise BadRecord("", f"too large: {size} bytes of JSON in a record, the most is {MAX_ITEM}")
    return [orjson.Fragment(text) for text in texts]


def _json(document: Any) -> bytes:
    try:
        return orjson.dumps([[document]])[
            2:-2
        ]  # two levels to spare: whoever reads it must be able to wrap and write it
    except TypeError as wrong:
        raise BadRecord("", _UNWRITABLE.get(str(wrong), f"can't be written as JSON: {wrong}")) from None


_Part: TypeAlias = tuple[str, Any, bytes | None]
"""A place; an item, or the exception that tells why there is none; its bytes, or None: write the item."""


def _joined(outer: str, inner: str) -> str:
    return f"{outer}: {inner}" if outer else inner


def _bad(wrong: Exception, where: str, raw: bytes) -> Bad:
    """Say what is wrong with the item of bytes *raw*. Anything but a BadRecord is our mistake, and told as one."""
    if isinstance(wrong, BadRecord):
        return Bad(wrong.path, wrong.reason, where, raw)
    if isinstance(wrong, MemoryError):
        raise wrong  # no item's fault: the process has to stop
    return Bad("", f"a defect of the normaliser: {type(wrong).__name__}: {wrong}"[:500], where, raw)


def _written(item: Any, otherwise: bytes) -> bytes:
    """Return the JSON of one item of a message, or *otherwise* when it can't be written alone."""
    for dumps in (orjson.dumps, msgspec.json.encode):  # msgspec writes integers of any size
        try:
            return dumps(item)
        except (TypeError, ValueError, OverflowError, RecursionError):
            continue
    return otherwise


_UNWRITABLE = {
    "Integer exceeds 64-bit range": "holds an integer above 64 bits",
    "Recursion limit reached": "nested too deep: the most is 250 levels",
}
