"""The HTTP API: one FastAPI app for one worker or query node, behind a bearer token."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from functools import cache, partial
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from agents.dead_letters import NoSuchLetter, Replayed
from api import models, routes, tables
from api.alerts import NoSuchAlert, NotObeyed
from api.alerts import routes as alert_routes
from api.connectors import routes as connector_routes
from api.console.door import Door
from api.console.routes import routes as console_routes
from api.control import STATUS as CONTROL_STATUS
from api.control import routes as control_routes
from api.deliveries import routes as delivery_routes
from api.described import complete
from api.entrance import Entrance
from api.front import Front
from api.ingest import NotTaken, Sender
from api.ingest import routes as ingest_routes
from api.limits import Limits
from api.metrics import Requests
from api.policies import NoSuchPolicy
from api.prisma.access import Access
from api.prisma.failures import Failure
from api.prisma.gate import TYPES, Gate, Way, allowed
from api.prisma.signing import Signer
from api.reader import Readers, TooSlow
from api.resource import NoSuchResource
from api.resource import routes as resource_routes
from api.rights import needed
from api.state import Owner
from api.trials import routes as trial_routes
from api.version import ROOT, version
from queries.errors import RqlError, SqlError
from queries.policy import Policy, load_all
from streams.control import Control
from streams.errors import BrokerError, SnapshotError, TidegateError

PACKED_FROM = 16 * 1024
"""Bytes of an answer from which on it is packed for those who ask for gzip; less is faster as it is."""


def create_app(
    owner: Owner,
    secret: str,
    *,
    kind: str = "up",
    started: str = "",
    timeout_s: float = 60.0,
    policies: Mapping[str, Policy] | None = None,
    control: Control | None = None,
) -> FastAPI:
    """Return the API of *owner*. Each call but /health needs the token *secret*; queries end after *timeout_s*.

    *policies*: None reads those of the settings, and raises PolicyError; *control*'s where it is given, whose paths are
    refused without it.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await app.state.sender.stop()
        app.state.readers.close()

    shipped = {} if control else load_all(owner.settings.policies) if policies is None else policies
    app = FastAPI(
        title="Tidegate",
        version=version(),
        openapi_url=ROOT + "/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.owner = owner
    app.state.kind = kind
    app.state.policies = (lambda: control.objects("policy")) if control else (lambda: shipped)
    app.state.control = control
    app.state.access = cache(lambda: Access(control, Signer(owner.settings.data), secret))
    app.state.sender = Sender(owner.settings)
    app.state.started = started
    app.state.leaving = []  # called before a server stops: what ends answers that would go on
    app.state.replaying = asyncio.Lock()
    app.state.readers = Readers(lambda: owner.store.cursor(), timeout_s=timeout_s)

    def admit(
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, description=_HOW))],
    ) -> None:
        session, wanted = request.scope["session"], needed(request)
        if session.role not in wanted:
            raise HTTPException(403, f"{session.user} is {session.role}; this takes the role {' or '.join(wanted)}")
        request.state.session = session

    failures: dict[int | str, dict[str, Any]] = {
        code: {"model": models.Failure, "description": d} for code, d in ERRORS.items()
    }
    app.include_router(routes.open_, prefix=ROOT)
    app.include_router(ingest_routes, prefix=ROOT, responses=failures)
    ours = (routes.closed, console_routes, resource_routes, alert_routes, delivery_routes)
    for closed in (*ours, trial_routes, connector_routes, control_routes):
        app.include_router(closed, prefix=ROOT, dependencies=[Depends(admit)], responses=failures)
    for error, answer in ((RequestValidationError, _invalid), (HTTPException, _http), (TidegateError, _failed)):
        app.add_exception_handler(error, answer)
    app.add_exception_handler(Exception, _defect)
    for wrong in (RqlError, SqlError):
        app.add_exception_handler(wrong, _question)
    app.state.origins = tuple(each.strip() for each in owner.settings.api_origins.split(",") if each.strip())
    per_second, at_once = owner.settings.api_per_second, owner.settings.api_at_once
    app.state.requests, app.state.limits = Requests(), Limits(per_second, at_once)
    app.state.routes = app.routes
    way = Way(
        routes=app.state.routes,
        access=lambda: app.state.access(),
        limits=app.state.limits,
        origins=app.state.origins,
        is_open=_OPEN.__contains__,
        reads_itself=lambda path: path.startswith((ROOT + "/ingest/", ROOT + "/sources/")),
        types=TYPES | {"text/event-stream", *tables.TYPES},
        answer=_refused,
    )
    app.openapi = partial(_described, app)  # type: ignore[method-assign] # as FastAPI wants it
    app.add_middleware(Gate, way=way)  # the last one that is added is the first to see a request
    app.add_middleware(Front, build=lambda: _prisma(app))
    app.add_middleware(Door, access=lambda: app.state.access(), secret=secret)
    app.add_middleware(GZipMiddleware, minimum_size=PACKED_FROM, compresslevel=1)
    app.add_middleware(Entrance, requests=app.state.requests)
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the description with an example of each call, made once."""
    if app.openapi_schema is None:
        complete(FastAPI.openapi(app), "Authorization: Bearer $TOKEN", {})
    schema: dict[str, Any] = app.openapi_schema  # type: ignore[assignment] # it is there now
    return schema


def _prisma(app: FastAPI) -> Any:
    from api.prisma.build import build  # half a second that a start doesn't wait for

    at = app.state
    return build(
        at.owner, at.readers, at.control, at.access(), requests=at.requests, limits=at.limits, origins=at.origins
    )


ERRORS = {
    400: "The query is wrong: `span` and `drawing` say where.",
    401: "The token is missing or wrong.",
    403: "The role of who asks doesn't allow it.",
    404: "There is no such object, policy, resource, alert, dead letter, snapshot or path.",
    405: "The path doesn't know this method.",
    406: "It isn't there in the form that Accept asks for.",
    408: "The query took longer than it may.",
    409: "Not now: it was replayed already, others refer to it, or there is nothing to answer from yet.",
    412: "It was changed since it was read.",
    413: "It is too large.",
    415: "It is packed in a way that isn't known.",
    422: "The body or a parameter is wrong.",
    429: "Too many requests of one client: wait.",
    500: "A defect of Tidegate; its log says more.",
    503: "The broker can't be reached.",
}
"""What each status means; docs/api.md prints it."""

_OPEN = frozenset((ROOT + "/health", ROOT + "/openapi.json"))
_HOW = (
    "the token is in the file `token` of the data folder, or comes of POST /login: send it as"
    " `Authorization: Bearer <token>`"
)
_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "too-slow",
    409: "conflict",
    412: "stale",
    413: "too-large",
    415: "unsupported",
    422: "invalid",
    429: "too-many",
    500: "defect",
    503: "unreachable",
}


async def _invalid(_: Request, error: Any) -> Response:
    places = [(".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]), e["msg"]) for e in error.errors()]
    return _failure(422, "; ".join(f"{place}: {message}" for place, message in places))


async def _http(request: Request, error: Any) -> Response:
    if error.status_code == 405:
        known = ", ".join(allowed(request.app.state.routes, request.scope))
        return _failure(405, f"{error.detail}: this path knows {known}", headers={"allow": known})
    return _failure(error.status_code, str(error.detail), headers=dict(error.headers or {}))


async def _failed(_: Request, error: Exception) -> Response:
    if isinstance(error, NotTaken):
        return _failure(
            error.status, str(error), headers={"www-authenticate": "Bearer"} if error.status == 401 else None
        )
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 409)
    return _failure(status, str(error))


def _refused(failure: Failure) -> Response:
    """Return what was refused before any route in the words of this API."""
    if failure.status == 401:
        return _failure(401, _HOW, headers={"www-authenticate": "Bearer"})
    return _failure(422 if failure.status == 400 else failure.status, str(failure), headers=failure.headers)


async def _defect(_: Request, error: Exception) -> Response:
    return _failure(500, f"a defect of Tidegate: {type(error).__name__}: {error}; its log says more")


async def _question(_: Request, error: Exception) -> Response:
    if isinstance(error, RqlError):
        return _failure(400, error.message, code="rql", span=list(error.span), drawing=str(error))
    return _failure(400, str(error), code="sql")


_STATUS: dict[type[Exception], int] = {
    **CONTROL_STATUS,
    NoSuchLetter: 404,
    NoSuchPolicy: 404,
    NoSuchAlert: 404,
    NoSuchResource: 404,
    NotObeyed: 409,
    Replayed: 409,
    TooSlow: 408,
    SnapshotError: 409,
    BrokerError: 503,
}


def _failure(
    status: int, message: str, *, headers: dict[str, str] | None = None, code: str = "", **extra: object
) -> Response:
    error = {"code": code or _CODES.get(status, "failed"), "message": message, **extra}
    return Response(orjson.dumps({"error": error}), status, headers, "application/json")
