"""What a normaliser would make of a message, and what a destination would be told of an alert: nothing is sent."""

import asyncio
import time
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad, Normaliser
from agents.places import resolved_rules
from agents.sinks._payload import payload
from api.alerts import NoSuchAlert
from api.ingest import NotTaken, unpacked
from api.payload_model import AlertPayload
from api.state import Owner
from queries.errors import nearest
from streams.alerts import AlertEvent, Delivery, RuleName
from streams.codec import encode
from streams.identity import Place
from streams.partition import partition_of
from streams.store.alerts import by_id

routes = APIRouter()

MOST_BYTES = 8 * 1024 * 1024
"""The largest message that is tried."""

MOST = 1000
"""The most records that are shown of one message."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Source(_Shape):
    """One source."""

    source: str = Field(description="Its name, as POST /ingest/{source} takes it.")
    topic: str = Field(description="Its raw topic.")
    forms: list[str] = Field(description="What it understands.")


class Sources(_Shape):
    """What records are taken in from."""

    sources: list[Source] = Field(description="By name.")


class Made(_Shape):
    """A record that a message gives."""

    kind: str = Field(description="Resource, Finding, VendorAsset or Knowledge.")
    key: str = Field(description="Its key.")
    partition: int = Field(description="Where it would lie.")
    record: dict[str, Any] = Field(description="The record.")


class Wrong(_Shape):
    """An item that gives none."""

    path: str = Field(description="The field that is wrong, seen from the item; empty: all of it.")
    reason: str = Field(description="What is wrong.")
    place: str = Field(description="Where the item lies in the message; empty: it is all of it.")


class Trial(_Shape):
    """What a normaliser makes of a message."""

    source: str = Field(description="The source.")
    made: list[Made] = Field(description="At most 1,000 records.")
    refused: list[Wrong] = Field(description="What would be dead letters.")
    total: int = Field(description="How many records and refused items there are.")


@routes.get("/sources", response_model=Sources)
async def list_sources() -> Response:
    """List the sources of records, and what each understands."""
    found = [
        {"source": name, "topic": each.topic, "forms": list(each.forms)} for name, each in sorted(NORMALISERS.items())
    ]
    return _json({"sources": found})


@routes.post(
    "/sources/{source}/try",
    response_model=Trial,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "One message as the source sends it; gzip may be.",
            "content": {
                "application/json": {"schema": {}, "example": {"detail-type": "GuardDuty Finding", "detail": {}}},
                "text/plain": {"schema": {"type": "string"}},
            },
        }
    },
)
async def try_normaliser(source: str, request: Request) -> Response:
    """Show what would become of a message, record by record; nothing is kept and nothing sent."""
    normaliser = NORMALISERS.get(source)
    if normaliser is None:
        hint = nearest(source, NORMALISERS) or f"known: {', '.join(NORMALISERS)}"
        raise NotTaken(404, f"there is no source {source!r:.60}; {hint}")
    message = bytearray()
    async for piece in unpacked(request):
        message += piece
        if len(message) > MOST_BYTES:
            raise NotTaken(413, f"more than {MOST_BYTES} bytes: try one message")
    owner: Owner = request.app.state.owner
    partitions = owner.settings.partitions
    return _json(await asyncio.to_thread(_tried, normaliser, bytes(message), partitions))


@routes.get("/alerts/{id}/payload", response_model=AlertPayload)
async def show_payload(
    id: str,
    request: Request,
    integration: Annotated[str, Query(max_length=200, description="The integration that would be told.")] = "",
) -> Response:
    """Show an alert as webhooks, queues and Splunk are told of it."""

    def find(cursor: Any) -> tuple[Any, Any] | None:
        rows = by_id(cursor, [id])
        if not rows:
            return None
        config = cursor.execute(
            "select json from resources where rid = md5_number_lower(?)", [rows[0].alert.resource.rrn]
        ).fetchone()
        return rows[0].alert, orjson.loads(config[0]) if config and config[0] else None

    found = await request.app.state.readers.run(find)
    if found is None:
        raise NoSuchAlert(f"there is no alert {id!r:.60}; `tidegate alerts list` shows them")
    alert, config = found
    control = request.app.state.control
    rules = resolved_rules(control).items() if control else ()
    covering = [RuleName(id=key, name=rule.name) for key, rule in rules if rule.covers(alert.policy, alert.resource)]
    event = AlertEvent(
        id=f"{alert.id}-{alert.seq}",
        seq=alert.seq,
        kind="opened",
        at=int(time.time() * 1000),
        alert=alert,
        config=config,
    )
    return _json(payload(Delivery(integration=integration, event=event, rules=covering)))


@routes.get("/alert-payload/schema", response_model=dict[str, Any])
async def show_schema() -> Response:
    """Give the JSON schema of what webhooks, queues and Splunk are told of an alert."""
    return _json(AlertPayload.model_json_schema())


def _tried(normaliser: Normaliser, message: bytes, partitions: int) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    entries = normaliser.read(message, Place(normaliser.topic, 0, 0, int(time.time() * 1000)))
    for entry in entries:
        if isinstance(entry, Bad):
            refused.append({"path": entry.path, "reason": entry.reason, "place": entry.place})
        elif len(made) < MOST:
            account, key, value = encode(entry)
            made.append(
                {
                    "kind": type(entry).__name__,
                    "key": key.decode(errors="replace"),
                    "partition": partition_of(account, partitions),
                    "record": orjson.loads(value),
                }
            )
    return {"source": normaliser.name, "made": made, "refused": refused[:MOST], "total": len(entries)}


def _json(document: object) -> Response:
    return Response(orjson.dumps(document, default=str), media_type="application/json")
