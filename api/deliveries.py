"""Deliveries as the API and the command line give them: what is open, why it waits, how others ended."""

import heapq
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from agents.deliver import Deliverer, Open
from agents.deliver.status import Colour
from streams.errors import TidegateError

routes = APIRouter()


class NoDeliveries(TidegateError):
    """This process makes no deliveries."""


class _Delivers(Protocol):
    @property
    def deliverer(self) -> Deliverer:
        """The worker's delivery agent."""


class DeliveryLine(BaseModel):
    """An open delivery. Times: milliseconds since 1970 UTC; 0: never."""

    integration: str = Field(description="The integration's id.")
    template: str = Field(description="The notification template's id; empty: the destination's own form.")
    alert: str = Field(description="The alert's id.")
    seq: int = Field(description="The number of the alert's event.")
    state: str = Field(
        description="`sending`; `waiting` for its turn; `held` until its time; `behind` an earlier event of the alert;"
        " `retrying`; `paused`; `reading`: the partition isn't read to its end yet."
    )
    since: int = Field(description="When it was asked for.")
    attempts: int = Field(description="How often it was tried.")
    first: int = Field(description="When it was tried first.")
    last: int = Field(description="When it was tried last.")
    words: str = Field(description="What the destination said last, or why nothing is sent.")


class IntegrationLine(BaseModel):
    """An integration that has had deliveries, or a check, since this process started."""

    integration: str = Field(description="Its id.")
    open: int = Field(description="How many deliveries are open.")
    sending: int = Field(description="How many calls are under way.")
    state: str = Field(
        description="`open`; `paused`: it refuses the settings; `away`; `asked` to wait; `missing`; `disabled`;"
        " `broken`: the settings can't be used."
    )
    words: str = Field(description="Why, in its own words.")
    next_try: float | None = Field(description="Seconds until the next attempt, where it is paused.")
    status: Colour = Field(
        description="`GREEN`: it delivers, and all its templates are right; `YELLOW`: somebody should look; `RED`:"
        " nothing is delivered; `OFF`: it is disabled."
    )
    reason: str = Field(description="Why it isn't green.")


class Deliveries(BaseModel):
    """Open deliveries, the oldest first, and the integrations that they are for."""

    deliveries: list[DeliveryLine] = Field(description="At most `limit`.")
    total: int = Field(description="How many are open.")
    integrations: list[IntegrationLine] = Field(description="By id.")
    counts: dict[str, int] = Field(
        description="Since this process started: how deliveries ended; how many attempts were `retried` or `refused`."
    )
    whole: bool = Field(description="True when every account is in it.")


@routes.get("/deliveries", response_model=Deliveries)
async def list_deliveries(
    request: Request,
    open: Annotated[bool, Query(description="False: only the counts.")] = True,
    integration: Annotated[str | None, Query(description="Only of the integration with this id.")] = None,
    limit: Annotated[int, Query(ge=0, le=10_000, description="Most deliveries; `total` counts all of them.")] = 100,
) -> Response:
    """List what is open, the oldest first, and say why it waits."""
    owner = request.app.state.owner
    found = listing(_deliverer(owner), integration, limit if open else 0)
    return Response(orjson.dumps(found | {"whole": bool(owner.ownership()["all"])}), media_type="application/json")


def listing(deliverer: Deliverer, integration: str | None, limit: int) -> dict[str, Any]:
    """Return `deliveries`, `total`, `integrations` and `counts`, of one integration or of all."""
    ways = [each for each in deliverer.routes() if integration in (None, each.integration)]
    first = _oldest(deliverer.open(integration), limit)
    return {
        "deliveries": [asdict(each) for each in first],
        "total": sum(each.open for each in ways),
        "integrations": [asdict(each) for each in ways],
        "counts": dict(deliverer.counts),
    }


def _oldest(found: Iterable[Open], limit: int) -> list[Open]:
    return heapq.nsmallest(limit, found, key=_age) if limit else []


def _age(each: Open) -> tuple[int, str, str, int]:
    return each.since, each.integration, each.alert, each.seq


def _deliverer(owner: _Delivers) -> Deliverer:
    deliverer: Deliverer | None = getattr(owner, "deliverer", None)
    if deliverer is None:
        raise NoDeliveries("this process makes no deliveries: ask a worker")
    return deliverer
