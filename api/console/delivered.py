"""What was sent of one alert: deliveries that are open, and how the others ended, read from the delivery log."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.alerts import NoSuchAlert
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.partition import partition_of
from streams.settings import Settings
from streams.store.alerts import by_id
from streams.topics import DELIVERY_LOG, full_name

routes = APIRouter()

SCANNED = 20_000
"""Records of the log that are looked at, the newest ones."""

PATIENCE_S = 8.0


class Delivered(BaseModel):
    """One delivery of an alert. Times: ms since 1970 UTC; 0: never."""

    integration: str = Field(description="The integration's id.")
    name: str = Field(description="What people call it.")
    template: str = Field(description="The notification template's id; empty: the destination's own form.")
    seq: int = Field(description="The number of the alert's event.")
    outcome: str = Field(
        description="How it ended: `delivered`, `superseded`, `dead-letter`, `not-applicable`, `dropped`, `withdrawn`;"
        " or the state of one that is open, such as `waiting`, `retrying` or `paused`."
    )
    open: bool = Field(description="Whether it goes on.")
    words: str = Field(description="What the destination said, or why.")
    attempts: int = Field(description="How often it was tried.")
    at: int = Field(description="When it ended; of an open one, when it was tried last or asked for.")


class DeliveredList(BaseModel):
    """What was sent of an alert, the newest first."""

    deliveries: list[Delivered] = Field(description="Open ones first.")
    whole: bool = Field(description="False: older lines of the log weren't read.")


@routes.get("/alerts/{id}/deliveries", response_model=DeliveredList)
async def list_alert_deliveries(
    id: str,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most deliveries that ended.")] = 100,
) -> Response:
    """List where an alert was sent to, and what came of it."""
    state = request.app.state
    rows = await state.readers.run(lambda cursor: by_id(cursor, [id]))
    if not rows:
        raise NoSuchAlert(f"there is no alert {id!r:.60}; `tidegate alerts list` shows them")
    names = {key: each.name for key, each in state.control.objects("integration").items()} if state.control else {}
    deliverer = getattr(state.owner, "deliverer", None)
    open_ = [asdict(each) for each in deliverer.open(None) if each.alert == id] if deliverer is not None else []
    ended, whole = await read(state.owner.settings, id, rows[0].alert.resource.account)
    shown = [
        _line(each, names, outcome=each["state"], open=True, at=each["last"] or each["since"]) for each in open_[:limit]
    ]
    shown += [_line(each, names, outcome=each["outcome"], open=False, at=each["ended"]) for each in ended[:limit]]
    return Response(orjson.dumps({"deliveries": shown, "whole": whole}), media_type="application/json")


async def read(settings: Settings, alert: str, account: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the lines of the delivery log about *alert*, the newest first, and whether these are all."""
    part = TopicPartition(full_name(settings, DELIVERY_LOG), partition_of(account, settings.partitions))
    consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False, fetch_max_wait_ms=100)
    try:
        await consumer.start()
        await asyncio.sleep(0)  # or a stop at once would cancel a task that hasn't begun, and pass that on
        consumer.assign([part])
        begin, end = (await consumer.beginning_offsets([part]))[part], (await consumer.end_offsets([part]))[part]
        start = max(begin, end - SCANNED)
        consumer.seek(part, start)
        found = await asyncio.wait_for(_found(consumer, part, end, alert), PATIENCE_S)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"topic {part.topic}: {error!r}") from error
    finally:
        await consumer.stop()
    return found[::-1], start == begin


async def _found(consumer: Any, part: TopicPartition, end: int, alert: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    named = b"|" + alert.encode() + b"|"
    while await consumer.position(part) < end:
        records = (await consumer.getmany(part, timeout_ms=100)).get(part, ())
        found += [orjson.loads(each.value) for each in records if each.key and each.value and named in each.key]
    return found


def _line(each: dict[str, Any], names: dict[str, str], **more: Any) -> dict[str, Any]:
    kept = {name: each[name] for name in ("integration", "template", "seq", "words", "attempts")}
    return {**kept, "name": names.get(each["integration"], each["integration"]), **more}
