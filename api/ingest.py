"""Bulk ingest by HTTP: JSON lines to a source's topic, answered once Kafka has acknowledged them all."""

import asyncio
import itertools
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.normalise import NORMALISERS
from api.state import Owner
from queries.errors import nearest
from streams.errors import BrokerError, TidegateError
from streams.produce import BatchProducer, Record
from streams.settings import Settings
from streams.topics import MAX_MESSAGE, full_name

MOST_BYTES = 1024 * 1024 * 1024
"""The most that one request may hold once it's unpacked."""

LINE_MOST = MAX_MESSAGE - 512
"""The longest line, in bytes: what a message of the topic may hold."""

PATIENCE_S = 30.0
"""How long the next part of a body may take to come, in seconds."""

_SLICE = 8 * 1024 * 1024
_PIECE = 256 * 1024


class NotTaken(TidegateError):
    """A body can't be taken. *status*: in HTTP; *taken*: how many lines before it were acknowledged."""

    def __init__(self, status: int, message: str, taken: int = 0) -> None:
        super().__init__(f"{message}; {taken} lines before it were acknowledged" if taken else message)
        self.status = status


class Taken(BaseModel):
    """What Kafka has acknowledged."""

    model_config = ConfigDict(extra="forbid")

    topic: str = Field(description="Where it lies.")
    messages: int = Field(description="How many messages.")
    bytes: int = Field(description="Their size together.")


class Sender:
    """One producer for all requests, started by the first and again after the broker was away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: BatchProducer | None = None
        self._starting = asyncio.Lock()
        self._next = itertools.count()

    async def send(self, topic: str, values: list[bytes]) -> None:
        """Send *values* to *topic*, its full name, and return once all are acknowledged. Raises BrokerError."""
        producer = await self._ready()
        try:
            count = await producer.partitions(topic)
            records: list[Record] = [(next(self._next) % count, None, value) for value in values]
            await producer.send(topic, records)
        except BrokerError:
            if self._producer is producer:
                self._producer = None
                await producer.stop()
            raise

    async def stop(self) -> None:
        """Disconnect; stopping twice is safe."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _ready(self) -> BatchProducer:
        async with self._starting:
            if self._producer is None:
                producer = BatchProducer(self._settings)
                await producer.start()
                self._producer = producer
            return self._producer


def may_send(request: Request) -> None:
    """Refuse who may not send records in. Raises NotTaken."""
    session = request.scope["session"]
    if session.role not in ("admin", "ingest-only"):
        raise NotTaken(403, f"{session.user} is {session.role}; this takes the role admin or ingest-only")


routes = APIRouter(dependencies=[Depends(may_send)])


@routes.post(
    "/ingest/{source}",
    status_code=202,
    response_model=Taken,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "JSON lines, a message a line; or one JSON document (application/json). gzip may be.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "application/json": {"schema": {}},
            },
        }
    },
)
async def ingest(source: str, request: Request) -> Response:
    """Take records in; 202 once Kafka has acknowledged them. After an error the body may be sent again as it was."""
    normaliser = NORMALISERS.get(source)
    if normaliser is None:
        hint = nearest(source, NORMALISERS) or f"known: {', '.join(NORMALISERS)}"
        raise NotTaken(404, f"there is no source {source!r:.60}; {hint}")
    owner: Owner = request.app.state.owner
    sender: Sender = request.app.state.sender
    topic = full_name(owner.settings, normaliser.topic)
    whole = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    taken = size = held = 0
    waiting: list[bytes] = []
    lines = _lines(unpacked(request), whole)
    while True:
        try:
            line = await anext(lines, None)
        except NotTaken as wrong:
            raise NotTaken(wrong.status, f"line {taken + len(waiting) + 1}: {wrong}", taken) from None
        if line is not None:
            waiting.append(line)
            held += len(line)
        if waiting and (line is None or held >= _SLICE):
            await sender.send(topic, waiting)
            taken, size = taken + len(waiting), size + held
            waiting, held = [], 0
        if line is None:
            break
    if not taken:
        raise NotTaken(400, "the body is empty: wanted JSON lines")
    return Response(
        orjson.dumps({"topic": topic, "messages": taken, "bytes": size}), 202, media_type="application/json"
    )


async def unpacked(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in small pieces, unpacked where it is gzip. Raises NotTaken."""
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", ""):
        raise NotTaken(415, f"Content-Encoding: {packed!r:.40}: wanted gzip, or none")
    opened: Any = zlib.decompressobj(31) if packed == "gzip" else None
    size = 0
    chunks = request.stream().__aiter__()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks, None), PATIENCE_S)
        except TimeoutError:
            raise NotTaken(408, f"nothing came for {PATIENCE_S:g} s") from None
        if chunk is None:
            break
        while chunk:
            piece = chunk
            try:
                if opened is None:
                    chunk = b""
                else:
                    piece = opened.decompress(chunk, _PIECE)
                    chunk = opened.unconsumed_tail
                    if opened.eof:
                        chunk, opened = opened.unused_data, zlib.decompressobj(31)
            except zlib.error as wrong:
                raise NotTaken(400, f"not gzip: {wrong}") from None
            size += len(piece)
            if size > MOST_BYTES:
                raise NotTaken(413, f"more than {MOST_BYTES} bytes: send it in several requests")
            yield piece


async def _lines(pieces: AsyncIterator[bytes], whole: bool) -> AsyncIterator[bytes]:
    """Yield the lines of a body that aren't blank; all of it as one where *whole*. Raises NotTaken."""
    rest = bytearray()
    async for piece in pieces:
        rest += piece
        if not whole and b"\n" in piece:
            *lines, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            for line in lines:
                if line.strip():
                    yield _fitting(line.strip())
        if len(rest) > LINE_MOST:
            raise NotTaken(413, f"longer than {LINE_MOST} bytes: a topic takes no longer message")
    if rest.strip():
        yield _fitting(bytes(rest).strip())


def _fitting(line: bytes) -> bytes:
    if len(line) > LINE_MOST:
        raise NotTaken(413, f"longer than {LINE_MOST} bytes: a topic takes no longer message")
    return line
