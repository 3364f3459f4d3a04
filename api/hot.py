"""Hot paths as the API gives them: which there are and why, wanted or dropped by a user."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from queries.hot_table import read_path
from streams.store import Store, StoreThread

routes = APIRouter()


class HotOrder(BaseModel):
    """A path that shall be hot."""

    api_name: str = Field(min_length=1, description="The api.name, such as `aws-ec2-describe-instances`.")
    path: str = Field(
        min_length=1, description="Such as `state.name`, `tags[*].value`, or `rules[?].port` for what brackets ask."
    )


class HotLine(HotOrder):
    """A path, and why it is hot."""

    origin: Literal["user", "policy", "query", "never"] = Field(
        description="Who wants it: a user, a policy, a query that is asked often; `never`: a user has dropped it."
    )
    state: Literal["hot", "filling", "cold"] = Field(
        description="Whether queries are answered from it, or it is being copied."
    )
    since: datetime = Field(description="Since when it is wanted.")


class HotList(BaseModel):
    """Every hot path."""

    hot: list[HotLine] = Field(description="By api.name and path.")
    pending: int = Field(description="Changed resources that are read from their documents until they are copied.")


class HotDone(BaseModel):
    """What was wanted or dropped."""

    api_name: str = Field(description="The api.name.")
    path: str = Field(description="The path, as it is written here.")


@routes.get("/hot")
async def list_hot(request: Request) -> HotList:
    """List the paths that are held in columns, so that queries needn't read documents."""
    rows, pending = await request.app.state.readers.run(_read)
    names = ("api_name", "path", "origin", "state", "since")
    return HotList(hot=[HotLine(**dict(zip(names, row, strict=True))) for row in rows], pending=pending)


@routes.post("/hot", status_code=201)
async def add_hot(order: HotOrder, request: Request) -> HotDone:
    """Make a path hot. It is copied while everything goes on, and used when that is done."""
    path = str(read_path(order.path))
    await _run(request, lambda store: store.hot.want({order.api_name: [path]}, "user"))
    return HotDone(api_name=order.api_name, path=path)


@routes.delete("/hot")
async def drop_hot(
    request: Request,
    api_name: Annotated[str, Query(min_length=1, description="The api.name.")],
    path: Annotated[str, Query(min_length=1, description="The path.")],
) -> HotDone:
    """Let a path be cold from now on, whoever wants it; answers stay the same."""
    written = str(read_path(path))
    if not await _run(request, lambda store: store.hot.drop(api_name, written)):
        raise HTTPException(404, f"{written} of {api_name} isn't hot; `tidegate hot list` shows what is")
    return HotDone(api_name=api_name, path=written)


def _read(cursor: Any) -> tuple[list[tuple[Any, ...]], int]:
    rows = cursor.execute("""
        select p.api_name, p.path, p.origin, case
            when p.origin = 'never' then 'cold'
            when list_contains(list_distinct(flatten(list(from_json(t.paths, '["VARCHAR"]')) filter (t.ready))), p.path)
            then 'hot' when bool_or(not t.ready) then 'filling' else 'cold' end as state, p.since
        from hot_paths p left join hot_tables t using (api_name)
        group by p.api_name, p.path, p.origin, p.since order by p.api_name, p.path""").fetchall()
    ((pending,),) = cursor.execute("select count(distinct rid) from hot_pending").fetchall()
    return rows, pending


async def _run(request: Request, work: Callable[[Store], Any]) -> Any:
    store = request.app.state.owner.store
    if isinstance(store, StoreThread):
        return await store.run(work, store.store)
    return await asyncio.to_thread(work, store)
