"""What an editor of RQL asks: how a query may go on, what is wrong with it, and how it is written in one spelling."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from queries.complete import complete
from queries.format import format as formatted
from queries.parse import parse
from queries.run import prepared

routes = APIRouter()


class Begun(BaseModel):
    """A query that is being written."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(
        max_length=100_000, description="The text so far.", examples=["config from cloud.resource where c"]
    )
    position: int | None = Field(
        default=None, ge=0, description="Where the cursor stands, in characters; absent: the end."
    )


class Written(BaseModel):
    """A whole query."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(max_length=100_000, description="The query.")


class Candidate(BaseModel):
    """What may stand in the query from `start` up to the cursor."""

    text: str = Field(description="The text.")
    start: int = Field(description="Where it begins, in characters.")
    kind: str = Field(description="keyword, attribute, operator, value, path or function.")
    doc: str = Field(description="What it is.")


class Candidates(BaseModel):
    """How a query may go on, the likeliest first."""

    candidates: list[Candidate] = Field(description="At most 50.")


class Formatted(BaseModel):
    """A query that is right, in one spelling."""

    query: str = Field(description="The query.")


@routes.post("/rql/complete", response_model=Candidates)
async def complete_query(begun: Begun, request: Request) -> Response:
    """Say how a query may go on at the cursor; values and paths come from what is stored."""
    found = await request.app.state.readers.run(lambda cursor: complete(begun.query, begun.position, cursor))
    return _json({"candidates": [each._asdict() for each in found]})


@routes.post("/rql/format", response_model=Formatted)
async def format_query(written: Written) -> Response:
    """Check a query, and write it in one spelling."""
    prepared(written.query)
    return _json({"query": formatted(parse(written.query))})


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
