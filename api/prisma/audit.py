"""Who changed what: the log of changes, as clients know it."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.prisma import times
from api.prisma.access import may_read
from api.prisma.backend import answer, backend
from streams.control.audit import newest

reads = APIRouter(tags=["Audit logs"], dependencies=[Depends(may_read)])

MOST = 10_000
"""The most lines of one answer."""


@reads.get("/audit/redlock")
async def list_changes(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most lines to answer.")] = 1000,
) -> Response:
    """List who changed what, the newest first; `timeType`, `timeAmount` and `timeUnit` say since when."""
    start, end = times.read(times.from_query(request.query_params), int(time.time() * 1000))

    def wanted(line: dict[str, Any]) -> bool:
        return start <= int(line.get("at", 0)) <= end

    lines = await newest(backend(request).owner.settings, limit=limit, wanted=wanted)
    return answer([_shown(line) for line in lines])


def _shown(line: dict[str, Any]) -> dict[str, Any]:
    done = _ACTIONS.get(line["action"], line["action"].upper())
    name, kind = line.get("name") or line.get("id", ""), line.get("kind", "").replace("-", " ")
    return {
        "timestamp": line["at"],
        "user": line["by"],
        "ipAddress": "",
        "actionType": done,
        "resourceType": kind.title(),
        "resourceName": name,
        "action": f"'{line['by']}' {line['action']} {kind} '{name}'",
        "result": "Successful",
    }


_ACTIONS = {"created": "CREATE", "changed": "UPDATE", "deleted": "DELETE"}
"""The product's words for what happened."""
