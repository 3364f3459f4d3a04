"""Which objects come with Tidegate: deleting one of them takes back what was changed, and it stays."""

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.control_state import control_of

routes = APIRouter()


class Shipped(BaseModel):
    """The objects of a kind that come with Tidegate."""

    ids: list[str] = Field(description="Their ids.")


@routes.get("/shipped/{kind}", response_model=Shipped)
async def list_shipped(kind: str, request: Request) -> Response:
    """List the ids of the objects of a kind that come with Tidegate, changed here or not."""
    return Response(
        orjson.dumps({"ids": sorted(control_of(request).kind(kind).shipped)}), media_type="application/json"
    )
