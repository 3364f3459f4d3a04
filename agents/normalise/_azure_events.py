"""Azure's events about resources: what was deleted, and what was written if the event holds it. All else is a hint."""

from collections.abc import Mapping
from typing import Any

from agents.normalise._base import Items
from agents.normalise._rows import text
from agents.normalise._unpack import loads
from streams.errors import BadRecord


def told(event: Mapping[str, Any]) -> Items | None:
    """Return what an event tells as rows: one, or none where it only hints at a change. None: it is no event."""
    if type(inner := event.get("data")) is dict and text(event.get("eventType", event.get("type"))).startswith(_GRID):
        kind = text(event.get("eventType", event.get("type")))
        gone = kind.endswith("ResourceDeleteSuccess")
        return _row(inner.get("resourceUri"), event.get("eventTime", event.get("time")), gone, None)
    if text(event.get("type")).lower() == "microsoft.resources/changes":
        change = event.get("properties")
        if type(change) is not dict:
            return None
        attributes = change.get("changeAttributes")
        time = attributes.get("timestamp") if type(attributes) is dict else None
        return _row(change.get("targetResourceId"), time, text(change.get("changeType")).lower() == "delete", None)
    if "operationName" in event and ("eventTimestamp" in event or "resultType" in event or "category" in event):
        operation = _word(event["operationName"]).lower()
        done = _word(event.get("status", event.get("resultType"))).lower() in ("succeeded", "success")
        body = _body(event.get("properties")) if done and operation.endswith("/write") else None
        time = event.get("eventTimestamp", event.get("time"))
        return _row(event.get("resourceId"), time, done and operation.endswith("/delete"), body)
    return None


def _row(id: Any, time: Any, deleted: bool, config: Any) -> Items:
    if not deleted and config is None:
        return []
    if not text(id):
        raise BadRecord("resourceId", "missing, so that nobody knows what was deleted or written")
    row = {"resource_id": id, "time": time}
    return [("resourceId", row | ({"deleted": True} if deleted else {"config": config}))]


def _word(value: Any) -> str:
    """Return a word that Azure sends as text or, over REST, as `{"value": ...}`."""
    return text(value.get("value")) if type(value) is dict else text(value)


def _body(properties: Any) -> dict[str, Any] | None:
    """Return the resource that the answer of a write holds, if it holds a whole one."""
    body: Any = properties.get("responseBody") if type(properties) is dict else None
    if type(body) is str:
        try:
            body = loads(body)
        except BadRecord:
            return None
    return body if type(body) is dict and {"id", "type", "properties"} <= body.keys() else None


_GRID = "Microsoft.Resources.Resource"
