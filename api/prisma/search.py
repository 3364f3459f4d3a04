"""Searches in RQL: the first page, the pages after it, as CSV, and what may come next in a query."""

import csv
import io
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from api.prisma import times
from api.prisma.access import may_read, session_of
from api.prisma.backend import Backend, Shape, answer, backend
from api.prisma.failures import bad, not_found, unsupported
from api.prisma.found import page
from api.prisma.items import Names, items
from api.prisma.suggest import suggested
from api.tables import plain
from queries.run import prepared

reads = APIRouter(tags=["Search"], dependencies=[Depends(may_read)])

MOST = 10_000
"""The most rows of a page."""
TABLE: dict[int | str, dict[str, Any]] = {200: {"description": "The answer.", "content": {"text/csv": {}}}}
_API_NAMES = "select distinct api_name from resources where not deleted order by 1"
_OWN = ("account", "region", "api.name", "id", "name", "rrn")


class Sort(Shape):
    """An order of rows."""

    field: str = "id"
    direction: str = "asc"


class Search(Shape):
    """A search."""

    query: str = Field(
        max_length=100_000,
        description="The query, in RQL.",
        examples=["config from cloud.resource where api.name = 'aws-ec2-describe-instances'"],
    )
    time_range: dict[str, Any] | None = Field(
        default=None, description="Kept with the search; rows are as they are now.", examples=[times.ALL]
    )
    limit: int = Field(default=100, ge=0, description="Most rows of a page; at most 10,000 come.")
    id: str | None = Field(default=None, max_length=200, description="Of a search that is made again.")
    with_resource_json: bool = Field(default=False, description="Whether each row holds its configuration, as `data`.")
    heuristic_search: bool = Field(default=False, description="Passed over.")
    skip_result: bool = Field(default=False, description="Only check the query and remember it.")
    sort: list[Sort] | None = Field(default=None, description="Rows come in the order of their rrn.")
    search_name: str | None = Field(default=None, max_length=255, description="What the search is called.")
    search_description: str | None = Field(default=None, max_length=4000, description="What it is for.")
    page_token: str | None = Field(default=None, description="Of the page before: the next one comes.")
    next_page_token: str | None = Field(default=None, description="The same.")


class Next(Shape):
    """A page after the first."""

    page_token: str = Field(description="`nextPageToken` of the page before; it holds the query.")
    limit: int | None = Field(default=None, ge=1, description="Most rows; as the search said when absent.")
    with_resource_json: bool | None = Field(default=None, description="As the search said when absent.")


class Asked(Shape):
    """The beginning of a query."""

    query: str = Field(default="", max_length=100_000, description="The query so far.")


class Found(Shape):
    """A search by its id."""

    limit: int = Field(default=100, ge=0, description="Most rows of a page.")
    with_resource_json: bool = Field(default=False, description="Whether each row holds its configuration.")
    next_page_token: str | None = Field(default=None, description="Of the page before.")


@reads.post("/search/config", responses=TABLE)
async def search(asked: Search, request: Request) -> Response:
    """Find resources. `Accept: text/csv` gives a table whose first line names the search."""
    back = backend(request)
    model = await remembered(request, asked)
    if "text/csv" in request.headers.get("accept", ""):
        return await _csv(back, asked)
    data = {"totalRows": 0, "items": []} if asked.skip_result else await _first(back, asked)
    return answer({**model, "groupBy": [], "filters": [], "async": False, "data": data})


@reads.post("/search/config/page")
async def search_page(asked: Next, request: Request) -> Response:
    """Find the next page."""
    return answer(await _next(backend(request), asked.page_token, asked.limit, asked.with_resource_json))


@reads.post("/search/api/v1/config")
@reads.post("/search/api/v2/config")
async def search_again(asked: Search, request: Request) -> Response:
    """Find resources; the same call with `nextPageToken` finds the next page."""
    token = asked.next_page_token or asked.page_token
    if token:
        return answer(await _next(backend(request), token, None, None))
    model = await remembered(request, asked)
    data = {"totalRows": 0, "items": []} if asked.skip_result else await _first(backend(request), asked)
    return answer({"id": model["id"], **data})


@reads.post("/search/api/v1/config/download", responses=TABLE)
async def search_csv(asked: Search, request: Request) -> Response:
    """Find resources, as CSV."""
    await remembered(request, asked)
    return await _csv(backend(request), asked)


@reads.post("/search/api/v1/config/{id}")
@reads.post("/search/api/v2/config/{id}")
async def search_by_id(id: str, asked: Found, request: Request) -> Response:
    """Find the resources of a saved or recent search."""
    back = backend(request)
    if asked.next_page_token:
        return answer(await _next(back, asked.next_page_token, None, None))
    search = Search(query=query_of(back, id), limit=asked.limit, with_resource_json=asked.with_resource_json)
    return answer({"id": id, **await _first(back, search)})


@reads.post("/search/suggest")
async def suggest(asked: Asked, request: Request) -> Response:
    """Say whether a query is right, and what may come next."""
    rows = await backend(request).ask(lambda db: db.execute(_API_NAMES).fetchall())
    return answer(suggested(asked.query, [name for (name,) in rows]))


@reads.post("/search")
@reads.post("/search/filtered")
@reads.post("/search/event")
@reads.post("/search/event/aggregate")
@reads.post("/search/event/filtered")
@reads.post("/search/api/v1/asset")
@reads.post("/search/iam")
@reads.post("/search/network")
@reads.post("/api/v1/permission")
@reads.post("/api/v1/permission/page")
async def search_otherwise() -> Response:
    """Refuse searches of networks, events, permissions and assets: Tidegate holds configurations and findings."""
    raise unsupported("query", "Tidegate answers `config from cloud.resource where ...`, by POST /search/config")


async def remembered(request: Request, asked: Search) -> dict[str, Any]:
    """Return the model of a search, which `POST /search/history/{id}` may save. Raises RqlError."""
    prepared(asked.query)
    times.read(asked.time_range, 0)
    back = backend(request)
    id = asked.id or str(uuid4())
    model = {
        "id": id,
        "name": asked.search_name or asked.query,
        "description": asked.search_description or "",
        "searchType": "config",
        "cloudType": cloud_of(asked.query),
        "saved": asked.id is not None and asked.id in back.control.objects("saved-search"),
        "timeRange": asked.time_range or times.ALL,
        "query": asked.query,
    }
    back.searches.put(id, {**model, "by": session_of(request).user, "at": int(time.time() * 1000)})
    return model


def query_of(back: Backend, id: str) -> str:
    """Return the query of the saved or recent search *id*. Raises Failure."""
    saved = back.control.objects("saved-search").get(id)
    if saved is not None:
        return str(saved.query)
    recent = back.searches.get(id)
    if recent is None:
        raise not_found("search", id)
    return str(recent["query"])


def cloud_of(query: str) -> str:
    """Return the cloud that the names in *query* speak of; `all` where they don't say."""
    names = (("aws-", "aws"), ("azure-", "azure"), ("gcloud-", "gcp"), ("alibaba", "alibaba_cloud"))
    return next((cloud for mark, cloud in names if f"'{mark}" in query), "all")


async def _first(back: Backend, asked: Search) -> dict[str, Any]:
    plan = {"q": asked.query, "l": max(1, min(asked.limit, MOST)), "j": asked.with_resource_json, "o": 0, "r": ""}
    found = await _rows(back, plan)
    return found if asked.limit else {**found, "items": []}


async def _next(back: Backend, token: str, limit: int | None, documents: bool | None) -> dict[str, Any]:
    plan = back.signer.open("page", token)
    if plan is None or "q" not in plan:
        raise bad("pageToken", "it isn't one of this search: search again from the first page")
    plan["l"] = min(limit or plan["l"], MOST)
    plan["j"] = plan["j"] if documents is None else documents
    return await _rows(back, plan)


async def _rows(back: Backend, plan: dict[str, Any]) -> dict[str, Any]:
    """Return a page as *plan* says: query, limit, documents, offset, and the rrn of the last row before it."""
    names, now = Names(back.control_), datetime.now(UTC)

    def ask(cursor: Any) -> dict[str, Any]:
        found = page(cursor, plan["q"], now, limit=plan["l"], offset=plan["o"], last=plan["r"])
        columns = found.answer.columns
        rows = [dict(zip(columns, row, strict=True)) for row in found.rows]
        dynamic = [name for name in columns if name not in _OWN]
        if "rrn" in columns:
            said = {row["rrn"]: row for row in rows}
            known = items(cursor, list(said), names, documents=plan["j"], known=said)
            listed = [
                {**known[row["rrn"]], "dynamicData": {name: row[name] for name in dynamic}}
                for row in rows
                if row["rrn"] in known
            ]
        else:  # a count
            listed = [_counted(row, names) for row in rows]
        answered: dict[str, Any] = {
            "totalRows": found.answer.total or 0,
            "items": listed,
            "dynamicColumns": dynamic,
            "sortAllowedColumns": [],
            "infoMsg": "; ".join(found.answer.notes),
        }
        if found.after is not None:
            last = rows[-1].get("rrn", "")
            answered["nextPageToken"] = back.signer.sign("page", {**plan, "o": found.after, "r": last})
        return answered

    return await back.ask(ask)


def _counted(row: dict[str, Any], names: Names) -> dict[str, Any]:
    account, region = row["account"] or "", row["region"] or ""
    return {
        "accountId": account,
        "accountName": names.account(account),
        "regionId": region,
        "regionName": region,
        "count": row["count"],
        "dynamicData": {"count": row["count"]},
    }


async def _csv(back: Backend, asked: Search) -> Response:
    found = await _first(back, asked.model_copy(update={"limit": MOST, "with_resource_json": False}))
    rows = [{**item["dynamicData"], "rrn": item.get("rrn"), **item} for item in found["items"]]
    known = {item["rrn"]: item for item in found["items"] if "rrn" in item}
    content = written(asked, (*_OWN, *found["dynamicColumns"]), rows, known)
    return Response(content, headers={"content-type": "text/csv"})


def written(
    asked: Search, columns: Sequence[str], rows: Sequence[dict[str, Any]], known: Mapping[str, dict[str, Any]]
) -> bytes:
    """Return *rows* as CSV whose first line names the search; *known*: their items by rrn."""
    dynamic = [name for name in columns if name not in _OWN]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([plain(asked.search_name or asked.query)])
    writer.writerow([*_TABLE, *dynamic])
    for row in rows:
        item = known.get(str(row.get("rrn")), row)
        cells = [item.get(name, "") for name in _TABLE] + [row.get(name) for name in dynamic]
        writer.writerow([plain(cell) for cell in cells])
    return text.getvalue().encode()


_TABLE = ("accountId", "accountName", "cloudType", "regionId", "service", "resourceType", "id", "name", "rrn")
