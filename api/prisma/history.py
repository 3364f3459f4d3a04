"""Saved and recent searches."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.prisma import times
from api.prisma.access import may_change, may_read
from api.prisma.backend import Backend, Shape, answer, backend, change, nothing
from api.prisma.failures import Failure, bad, not_found
from api.prisma.kept import FORM, Kept, all_kept, kept, removing, saving
from api.prisma.search import cloud_of
from streams.control import Edit

reads = APIRouter(tags=["Saved searches"], dependencies=[Depends(may_read)])
writes = APIRouter(tags=["Saved searches"], dependencies=[Depends(may_change)])

KIND = "saved-search"


class Saved(Shape):
    """A search to save."""

    id: str | None = Field(default=None, max_length=200, description="As in the path.")
    name: str = Field(min_length=1, max_length=255, description="What people call it; no two are called the same.")
    description: str = Field(default="", max_length=4000, description="What it is for.")
    query: str | None = Field(
        default=None, max_length=100_000, description="The query; the recent search's when absent."
    )
    time_range: dict[str, Any] | None = Field(default=None, description="Kept with it.", examples=[times.ALL])
    cloud_type: str | None = Field(default=None, description="Kept with it.")
    search_type: str = Field(default="config", description="Only config.")


@reads.get("/search/history")
async def list_searches(
    request: Request,
    filter: Annotated[str, Query(description="`saved`, or `recent`, which holds the saved ones too.")] = "recent",
    limit: Annotated[int, Query(ge=0, le=10_000, description="Most searches; 0: all.")] = 0,
) -> Response:
    """List saved or recent searches, the newest first."""
    back = backend(request)
    if filter not in ("saved", "recent"):
        raise bad("filter", f"{filter!r:.60}: wanted saved or recent")
    saved = sorted(all_kept(back.control, KIND), key=lambda each: -each.changed_at)
    lines = [_line(back, each) for each in saved]
    if filter == "recent":
        known = {each.id for each in saved}
        lines += [_recent(id, search) for id, search in back.searches if id not in known]
    return answer(lines[:limit] if limit else lines)


@reads.get("/search/history/{id}")
async def show_search(id: str, request: Request) -> Response:
    """Show a saved or recent search."""
    back = backend(request)
    if id in back.control.objects(KIND):
        return answer(_model(kept(back.control, KIND, id, "search")))
    recent = back.searches.get(id)
    if recent is None:
        raise not_found("search", id)
    return answer(_without(recent))


@writes.post("/search/history/{id}")
async def save_search(id: str, asked: Saved, request: Request) -> Response:
    """Save a search under a name; policies that are made of it follow its query."""
    back = backend(request)
    control = back.control
    recent = back.searches.get(id) or {}
    there = control.objects(KIND).get(id)
    query = asked.query or recent.get("query") or (there.query if there else None)
    if query is None:
        raise not_found("search", id)
    if not re.match(r"\s*config\b", query, re.IGNORECASE):
        raise bad("query", "Tidegate answers `config from cloud.resource where ...`")
    document = {"name": asked.name, "description": asked.description, "query": query}
    fields = {
        "timeRange": asked.time_range or recent.get("timeRange") or times.ALL,
        "cloudType": asked.cloud_type or cloud_of(query),
    }
    edits = saving(request, KIND, id, document, fields)
    for policy in users(back, id):
        edits.append(Edit("policy", policy, {"rql": query}, merge=True))
    await change(request, edits)
    return answer(_model(kept(control, KIND, id, "search")))


@writes.delete("/search/history/{id}", status_code=204, response_class=Response)
async def delete_search(id: str, request: Request) -> Response:
    """Delete a saved search that no policy is made of, or forget a recent one."""
    back = backend(request)
    if back.searches.get(id) is not None:
        back.searches.drop(id)
        if id not in back.control.objects(KIND):
            return nothing(204)
    kept(back.control, KIND, id, "search")
    if made := users(back, id):
        raise Failure(409, "saved_search_in_use", f"policies are made of it: {', '.join(made[:5])}")
    await change(request, removing(back.control, KIND, id))
    return nothing(204)


def users(back: Backend, id: str) -> list[str]:
    """Return the ids of the policies that are made of the saved search *id*."""
    policies = back.control.objects("policy")
    return [
        form_id.removeprefix("policy:")
        for form_id, form in back.control.objects(FORM).items()
        if form_id.startswith("policy:")
        and form.fields.get("savedSearch") == id
        and form_id.removeprefix("policy:") in policies
    ]


def _model(each: Kept) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.object.name,
        "description": each.object.description,
        "searchType": "config",
        "cloudType": each.fields.get("cloudType") or cloud_of(each.object.query),
        "query": each.object.query,
        "saved": True,
        "timeRange": each.fields.get("timeRange") or times.ALL,
        "default": False,
        "readOnly": False,
        "filters": [],
        "groupBy": [],
    }


def _line(back: Backend, each: Kept) -> dict[str, Any]:
    policies = back.control.objects("policy")
    return {
        "id": each.id,
        "searchName": each.object.name,
        "description": each.object.description,
        "query": each.object.query,
        "createdBy": each.made_by,
        "lastModifiedBy": each.changed_by,
        "timestamp": each.changed_at,
        "systemDefault": False,
        "policies": [{"policyId": id, "policyName": policies[id].name} for id in users(back, each.id)],
        "searchModel": _model(each),
    }


def _recent(id: str, search: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": id,
        "searchName": search["name"],
        "description": search["description"],
        "query": search["query"],
        "createdBy": search["by"],
        "lastModifiedBy": search["by"],
        "timestamp": search["at"],
        "systemDefault": False,
        "policies": [],
        "searchModel": _without(search),
    }


def _without(search: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in search.items() if name not in ("by", "at")}
