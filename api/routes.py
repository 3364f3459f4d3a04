"""Every path of the HTTP API, in one place."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from agents import dead_letters
from api import answers, figures, hot, models, policies, snapshots, tables
from api.state import Owner
from api.version import version
from queries.policy import Policy
from queries.sql import run_sql
from streams import snapshot

open_ = APIRouter()
closed = APIRouter()
closed.include_router(hot.routes)

_FORMS: dict[str, dict[str, Any]] = {kind: {} for kind in tables.TYPES}
TABLE: dict[int | str, dict[str, Any]] = {200: {"description": "The answer.", "content": _FORMS}}


@open_.get("/health", response_model=models.Health)
async def health() -> Response:
    """Say that it answers. Needs no token."""
    return _json({"status": "ok", "version": version()})


@closed.post("/rql", response_model=models.Answer | models.Explanation, responses=TABLE)
async def rql(question: models.RqlQuestion, request: Request) -> Response:
    """Answer a question in RQL, live or as of a snapshot; as CSV or Arrow where Accept names that."""
    state, now = request.app.state, datetime.now(UTC)
    more: dict[str, Any] = {"limit": question.limit, "explain": question.explain}
    if question.as_of is not None:
        asked = await asyncio.to_thread(snapshots.as_of, state.owner.settings, question.as_of)
        answer = await asyncio.to_thread(snapshots.ask, "rql", question.query, asked, now, **more)
    else:
        answer = await state.readers.run(
            lambda cursor: answers.rql(cursor, question.query, now, timeout_s=None, **more)  # the readers have one
        )
        if not question.explain:
            answer |= _live(request, now)
    return _table(request, answer)


@closed.post("/sql", response_model=models.Answer, responses=TABLE)
async def sql(question: models.SqlQuestion, request: Request) -> Response:
    """Answer one SELECT on a snapshot, the newest or that of `as_of`; takes a first snapshot when there is none."""
    owner: Owner = request.app.state.owner
    if question.as_of is not None:
        asked = await asyncio.to_thread(snapshots.as_of, owner.settings, question.as_of)
    else:
        newest = await asyncio.to_thread(snapshot.newest, owner.settings.snapshots)
        asked = newest or await _take(request)
    answer = await asyncio.to_thread(
        run_sql, asked.database, question.query, limit=question.limit, timeout=snapshots.SQL_TIMEOUT_S
    )
    return _table(request, {**answers.rows(answer), **snapshots.source(asked, datetime.now(UTC))})


@closed.get("/policies", response_model=models.Policies)
async def list_policies(request: Request) -> Response:
    """List the policies, those that aren't enabled too."""
    return _json({"policies": policies.describe(request.app.state.policies())})


@closed.get("/policies/{id}", response_model=Policy)
async def show_policy(id: str, request: Request) -> Response:
    """Show one policy."""
    return _json(policies.find(request.app.state.policies(), id).model_dump(mode="json"))


@closed.get("/policies/{id}/violations", response_model=models.Violations)
async def list_violations(
    id: str,
    request: Request,
    limit: Annotated[int, Query(ge=0, le=10_000, description="Most rows to answer; `total` counts all of them.")] = 100,
) -> Response:
    """Find the resources that violate a policy, live, whether it is enabled or not."""
    state, now = request.app.state, datetime.now(UTC)
    asked = policies.find(state.policies(), id)
    answer = await state.readers.run(lambda cursor: policies.violations(cursor, asked, now, limit=limit))
    return _json(answer | _live(request, now))


@closed.get("/status", response_model=models.Status)
async def status(request: Request) -> Response:
    """Say what runs, what the store holds, and how far it is behind."""
    state = request.app.state
    owner: Owner = state.owner
    rows, stored = await state.readers.run(figures.store)
    partitions = await figures.partitions(owner.settings, stored)
    newest = await asyncio.to_thread(snapshot.newest, owner.settings.snapshots)
    return _json(
        {
            "version": version(),
            "kind": state.kind,
            "started": state.started,
            "bootstrap_servers": owner.settings.kafka_bootstrap_servers,
            "data": str(owner.settings.data),
            "whole": bool(owner.ownership()["all"]),
            "rows": rows,
            "partitions": partitions,
            "lag": sum(each["lag"] or 0 for each in partitions),
            "snapshot": newest and snapshots.describe(newest),
        }
    )


@closed.get("/snapshots", response_model=models.Snapshots)
async def list_snapshots(request: Request) -> Response:
    """List the snapshots, newest first."""
    owner: Owner = request.app.state.owner
    found = await asyncio.to_thread(snapshots.newest_first, owner.settings.snapshots)
    return _json({"snapshots": [snapshots.describe(each) for each in found]})


@closed.post("/snapshots", response_model=models.SnapshotInfo, status_code=201)
async def create_snapshot(request: Request) -> Response:
    """Take a snapshot now."""
    return _json(snapshots.describe(await _take(request)), 201)


@closed.post("/snapshots/prune", response_model=models.Pruned)
async def prune_snapshots(order: models.PruneOrder, request: Request) -> Response:
    """Remove all snapshots but the newest ones."""
    settings = request.app.state.owner.settings
    keep = order.keep or settings.snapshot_keep
    removed = await asyncio.to_thread(snapshot.prune, settings.snapshots, keep)
    return _json({"removed": removed})


@closed.get("/dead-letters", response_model=models.Letters)
async def list_dead_letters(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most letters to answer.")] = 50,
    source: Annotated[str | None, Query(description="Only this source's, such as guardduty.")] = None,
) -> Response:
    """List dead letters, newest first."""
    letters = await dead_letters.newest(request.app.state.owner.settings, limit=limit, source=source)
    return _json({"dead_letters": [letter.summary() for letter in letters]})


@closed.get("/dead-letters/{id}", response_model=models.WholeLetter)
async def show_dead_letter(id: str, request: Request) -> Response:
    """Show one dead letter with its item."""
    return _json((await dead_letters.read(request.app.state.owner.settings, id)).whole())


@closed.post("/dead-letters/{id}/replay", response_model=models.Replayed)
async def replay_dead_letter(id: str, order: models.ReplayOrder, request: Request) -> Response:
    """Send a dead letter's item to its topic again, once."""
    async with request.app.state.replaying:  # two at once would end each other's transactions
        return _json(await dead_letters.replay(request.app.state.owner.settings, id, again=order.again))


async def _take(request: Request) -> Any:
    """Take a snapshot of the store, one at a time."""
    owner: Owner = request.app.state.owner
    return await snapshots.take(owner)


def _live(request: Request, now: datetime) -> dict[str, Any]:
    """Return the part of a live answer that says how far it can be relied on."""
    whole = bool(request.app.state.owner.ownership()["all"])
    return {"whole": whole, "source": "live", "as_of": now.isoformat()}


def _table(request: Request, answer: dict[str, Any]) -> Response:
    """Return *answer* in the form that Accept names."""
    kind = tables.wanted(request)
    if not kind or "rows" not in answer:
        return _json(answer)
    return Response(tables.table(kind, answer["columns"], answer["rows"]), headers={"content-type": kind})


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document, default=str, option=_PLAIN), status, media_type="application/json")


_PLAIN = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
