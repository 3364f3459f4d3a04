"""Lists of alerts as files: made at once, kept for a while, fetched by the job's id."""

import csv
import io
import time
from typing import Any, Literal
from uuid import uuid4

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.prisma.access import may_read, session_of
from api.prisma.alert_filters import condition, sources
from api.prisma.alert_lists import alerts, chosen, shown
from api.prisma.alerts import Detailed, ListBody, asked_of
from api.prisma.backend import answer, backend
from api.prisma.failures import Failure, not_found
from api.prisma.search import TABLE
from api.tables import plain

reads = APIRouter(tags=["Alerts"], dependencies=[Depends(may_read)])

MOST = 100_000
"""The most alerts of one file."""

Form = Literal["csv", "jobs"]

_CELLS: dict[str, Any] = {
    "Alert ID": lambda each: each["id"],
    "Policy Name": lambda each: each["policy"]["name"],
    "Policy Severity": lambda each: each["policy"]["severity"],
    "Policy Type": lambda each: each["policy"]["policyType"],
    "Alert Status": lambda each: each["status"],
    "Reason": lambda each: each["reason"],
    "Alert Time": lambda each: each["alertTime"],
    "Last Updated": lambda each: each["lastUpdated"],
    "Cloud Type": lambda each: each["resource"]["cloudType"],
    "Cloud Account Id": lambda each: each["resource"]["accountId"],
    "Cloud Account Name": lambda each: each["resource"]["account"],
    "Region": lambda each: each["resource"]["regionId"],
    "Service": lambda each: each["resource"]["cloudServiceName"],
    "Resource Type": lambda each: each["resource"]["resourceType"],
    "Resource ID": lambda each: each["resource"]["id"],
    "Resource Name": lambda each: each["resource"]["name"],
    "RRN": lambda each: each["resource"]["rrn"],
    "Dismissal Note": lambda each: each.get("dismissalNote", ""),
}


@reads.post("/alert/csv")
async def make_table(asked: ListBody, request: Request, detailed: Detailed = False) -> Response:
    """Make a table of alerts, as CSV."""
    return await _made(request, "csv", asked, detailed)


@reads.post("/alert/jobs")
async def make_list(asked: ListBody, request: Request, detailed: Detailed = False) -> Response:
    """Make a list of alerts, as JSON."""
    return await _made(request, "jobs", asked, detailed)


@reads.get("/alert/csv/{id}/status")
@reads.get("/alert/jobs/{id}/status")
async def show_status(id: str, request: Request) -> Response:
    """Say how far a job is."""
    return answer(_job(request, id)["status"])


@reads.get("/alert/csv/{id}/download", responses=TABLE)
@reads.get("/alert/jobs/{id}/download", responses=TABLE)
async def fetch(id: str, request: Request) -> Response:
    """Fetch what a job has made."""
    job = _job(request, id)
    return Response(job["content"], headers={"content-type": job["type"]})


async def _made(request: Request, form: Form, asked: ListBody, detailed: bool) -> Response:
    back = backend(request)
    began = time.time()
    wanted = asked_of(asked, detailed=detailed)
    met = condition(wanted.filters, wanted.range, int(began * 1000), sources(back.control))

    def ask(cursor: Any) -> tuple[int, bytes]:
        ids = chosen(cursor, met)
        if len(ids) > MOST:
            raise Failure(400, "too_many", f"{len(ids)} alerts: a file holds {MOST}; narrow it by filters or timeRange")
        items = shown(back, alerts(cursor, ids), detailed=wanted.detailed)
        return len(items), _table(items) if form == "csv" else orjson.dumps(items)

    count, content = await back.ask(ask)
    id = str(uuid4())
    status = {
        "id": id,
        "status": "READY_TO_DOWNLOAD",
        "recordCount": count,
        "createdBy": session_of(request).user,
        "createdOn": int(began * 1000),
        "lastModified": int(time.time() * 1000),
        "timeTaken": int((time.time() - began) * 1000),
        "statusUri": f"/alert/{form}/{id}/status",
        "downloadUri": f"/alert/{form}/{id}/download",
    }
    kind = "text/csv" if form == "csv" else "application/json"
    back.jobs.put(id, {"status": status, "content": content, "type": kind})
    return answer(status)


def _job(request: Request, id: str) -> dict[str, Any]:
    job = backend(request).jobs.get(id)
    if job is None or "status" not in job:
        raise not_found("job", id)
    return job


def _table(items: list[Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CELLS)
    for each in items:
        writer.writerow([plain(cell(each)) for cell in _CELLS.values()])
    return text.getvalue().encode()
