"""What the routes work with: the store, the control plane, and what is remembered between two requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from api.prisma.access import Access, session_of
from api.prisma.failures import Failure
from api.prisma.remembered import Remembered
from api.prisma.signing import Signer
from api.reader import Readers
from api.state import Owner
from streams.control import Control, Edit
from streams.control.plan import State

T = TypeVar("T")
Edits = list[Edit]


class Shape(BaseModel):
    """A body. Fields that aren't known are passed over: clients send back what they were answered."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Backend:
    """All of it, on the state of the app."""

    owner: Owner
    readers: Readers
    control_: Control | None
    signer: Signer
    access: Access
    searches: Remembered[dict[str, Any]] = field(default_factory=lambda: Remembered(1000))
    """Recent searches by id."""
    lists: Remembered[Sequence[int]] = field(default_factory=lambda: Remembered(32))
    """The alerts of lists that are being paged through, by the list's id."""
    jobs: Remembered[dict[str, Any]] = field(default_factory=lambda: Remembered(16))
    """Files that were made to be fetched, by the job's id."""

    @property
    def control(self) -> Control:
        """The control plane. Raises Failure where it isn't started."""
        if self.control_ is None:
            raise Failure(503, "unavailable", "the control plane isn't started in this process")
        return self.control_

    async def ask(self, question: Callable[[Any], T]) -> T:
        """Return what *question* makes of a cursor on the store."""
        return await self.readers.run(question)


def backend(request: Request) -> Backend:
    """Return what the routes of *request* work with."""
    found: Backend = request.app.state.backend
    return found


async def change(request: Request, wanted: Edits | Callable[[State], Edits]) -> None:
    """Write edits as one, in the name of who asks; who may not write `env:` and `file:`."""
    session = session_of(request)
    await backend(request).control.change(wanted, by=session.user, operator=not session.key)


def answer(document: object, status: int = 200) -> Response:
    """Return *document* as JSON."""
    return Response(orjson.dumps(document, default=str, option=_PLAIN), status, media_type="application/json")


def nothing(status: int = 200) -> Response:
    """Return an answer without a body."""
    return Response(status_code=status)


_PLAIN = orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS
