"""Searches as files: all rows of a search as CSV, made at once, kept for a while, fetched by the job's id."""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

import queries
from api.prisma.access import may_read, session_of
from api.prisma.backend import answer, backend
from api.prisma.failures import Failure, not_found
from api.prisma.items import Names, items
from api.prisma.search import TABLE, Search, remembered, written

reads = APIRouter(tags=["Search"], dependencies=[Depends(may_read)])

MOST = 100_000
"""The most rows of one file."""

_SLICE = 5_000
"""Rows that are looked up at a time."""


@reads.post("/search/config/jobs")
@reads.post("/search/api/v1/config/async")
async def make_file(asked: Search, request: Request) -> Response:
    """Make a file of all rows of a search, as CSV."""
    await remembered(request, asked)
    back, began, names = backend(request), time.time(), Names(backend(request).control_)

    def ask(cursor: Any) -> bytes:
        found = queries.run(cursor, asked.query, now=datetime.now(UTC), limit=MOST)
        if (found.total or 0) > len(found.rows) == MOST:
            raise Failure(400, "too_many", f"{found.total} rows: a file holds {MOST}; narrow the query")
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        known: dict[str, dict[str, Any]] = {}
        if "rrn" in found.columns:
            for first in range(0, len(rows), _SLICE):
                said = {row["rrn"]: row for row in rows[first : first + _SLICE]}
                known |= items(cursor, list(said), names, documents=False, known=said)
        return written(asked, found.columns, rows, known)

    content = await back.ask(ask)
    id = str(uuid4())
    uri = f"/search/config/jobs/{id}/download"
    job = {
        "id": id,
        "status": "READY_TO_DOWNLOAD",
        "createdBy": session_of(request).user,
        "createdOn": int(began * 1000),
        "timeTaken": int((time.time() - began) * 1000),
        "statusUri": f"/search/config/jobs/{id}/status",
        "downloadUri": uri,
        "getdownloadUri": uri,
    }
    back.jobs.put(id, {"search": job, "content": content, "type": "text/csv"})
    return answer(job)


@reads.get("/search/config/jobs/{id}/status")
@reads.get("/search/config/jobs/{id}")
async def show_status(id: str, request: Request) -> Response:
    """Say how far a job is."""
    return answer(_job(request, id)["search"])


@reads.get("/search/config/jobs/{id}/download", responses=TABLE)
async def fetch(id: str, request: Request) -> Response:
    """Fetch what a job has made."""
    return Response(_job(request, id)["content"], headers={"content-type": "text/csv"})


def _job(request: Request, id: str) -> dict[str, Any]:
    job = backend(request).jobs.get(id)
    if job is None or "search" not in job:
        raise not_found("job", id)
    return job
