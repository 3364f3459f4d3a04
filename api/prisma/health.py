"""What machines ask that look after Tidegate: whether it lives, whether it is ready, and its figures."""

import asyncio

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response

from api import figures, metrics
from api.prisma.access import may_read
from api.prisma.backend import answer, backend
from api.reader import TooSlow
from api.version import version
from streams.errors import BrokerError

open_ = APIRouter(tags=["Operation"])
reads = APIRouter(tags=["Operation"], dependencies=[Depends(may_read)])


@open_.get("/healthz")
async def is_alive() -> Response:
    """Say that the process answers."""
    return answer({"status": "ok", "version": version()})


@open_.get("/readyz", responses={503: {"description": "Not ready: the store or the broker doesn't answer."}})
async def is_ready(request: Request) -> Response:
    """Say whether the store and the broker answer."""
    back = backend(request)
    checks = {"store": "ok", "broker": "ok"}
    try:
        await asyncio.wait_for(back.ask(figures.store), 5)
    except (TimeoutError, TooSlow):
        checks["store"] = "no answer"
    try:
        await asyncio.wait_for(figures.partitions(back.owner.settings, {}), 5)
    except (TimeoutError, BrokerError):
        checks["broker"] = "no answer"
    ready = set(checks.values()) == {"ok"}
    return answer({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)


@reads.get("/metrics", response_class=PlainTextResponse)
async def show_metrics(request: Request) -> Response:
    """The figures, for Prometheus. Its `credentials_file` may be the file `token` of the data folder."""
    back = backend(request)
    _, stored = await back.ask(figures.store)
    lines = await back.ask(metrics.stored)
    lines += await asyncio.to_thread(metrics.of_process, back.owner)
    lines += metrics.of_partitions(await figures.partitions(back.owner.settings, stored))
    return Response(metrics.text(request.app.state.requests, lines), media_type=metrics.CONTENT_TYPE)
