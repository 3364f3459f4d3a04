"""The product's API as one app: every route of it, who may use it, and what its errors look like."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.limits import Limits
from api.metrics import Requests
from api.prisma import (
    accounts,
    alert_jobs,
    alert_notices,
    alert_rules,
    alerts,
    audit,
    health,
    history,
    integrations,
    login,
    policies,
    reference,
    resources,
    search,
    search_jobs,
    templates,
)
from api.prisma.access import Access
from api.prisma.backend import Backend
from api.prisma.failures import Failure, response
from api.prisma.gate import Gate, Way, allowed
from api.reader import Readers, TooSlow
from api.state import Owner
from api.version import version
from queries.errors import RqlError
from streams.control import Control
from streams.control.errors import InUse, Missing, Refused, SealError, Stale
from streams.errors import BrokerError, TidegateError

AREAS = (
    login,
    search_jobs,
    search,
    history,
    policies,
    alert_jobs,
    alert_notices,
    alert_rules,
    alerts,
    resources,
    integrations,
    templates,
    accounts,
    audit,
    health,
    reference,
)
"""The areas of the API, in the order of its pages. Each has routers: `open_`, `any_role`, `reads`, `writes`."""

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The request is wrong, or asks for what Tidegate hasn't."},
    401: {"description": "The token is missing, wrong or expired."},
    403: {"description": "The role of who asks doesn't allow it."},
    404: {"description": "There is no such object or path."},
    406: {"description": "There is JSON only, and CSV for searches."},
    408: {"description": "It took too long."},
    409: {"description": "Not now: another one has the name, or refers to it."},
    413: {"description": "The body is too large."},
    415: {"description": "The body isn't JSON."},
    429: {"description": "Too many failed logins, or too many requests of one client: wait."},
    503: {"description": "The broker can't be reached."},
}


def build(
    owner: Owner,
    readers: Readers,
    control: Control | None,
    access: Access,
    *,
    requests: Requests,
    limits: Limits,
    origins: tuple[str, ...] = (),
) -> Gate:
    """Return the API over *owner*'s store and *control*, for those whom *access* lets in; *requests*: for /metrics."""
    app = FastAPI(
        title="Tidegate, as Prisma Cloud's clients know it",
        version=version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend = Backend(owner, readers, control, access.signer, access)
    app.state.requests = requests
    app.state.routes = []
    for area in AREAS:
        for name in ("open_", "any_role", "reads", "writes"):
            if router := getattr(area, name, None):
                app.include_router(router, responses=ERRORS)
                app.state.routes += router.routes
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(TidegateError, _failed)
    app.add_exception_handler(RqlError, _question)
    app.add_exception_handler(Exception, _defect)
    way = Way(routes=app.state.routes, access=lambda: access, limits=limits, origins=origins)
    return Gate(app, way)


async def _invalid(_: Request, error: Any) -> Response:
    places = [(".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]), e["msg"]) for e in error.errors()]
    return response(Failure(400, "bad_request", "; ".join(f"{place}: {message}" for place, message in places)))


async def _http(request: Request, error: Any) -> Response:
    if error.status_code == 405:
        known = ", ".join(allowed(request.app.state.routes, request.scope))
        return response(
            Failure(405, "method_not_allowed", f"{request.method}: this path knows {known}", {"allow": known})
        )
    if error.status_code == 404:
        return response(Failure(404, "not_found", f"there is no path {request.url.path!r:.200}"))
    return response(Failure(error.status_code, "bad_request", str(error.detail), error.headers))


async def _failed(_: Request, error: Exception) -> Response:
    if isinstance(error, Failure):
        return response(error)
    if isinstance(error, Refused) and any("is the name of" in line for line in error.lines):
        kind = error.lines[0].partition(" ")[0].replace("-", "_")
        return response(Failure(409, f"{kind}_name_already_exists", str(error)))
    status, key = next((said for kind, said in _FAILED.items() if isinstance(error, kind)), (409, "conflict"))
    return response(Failure(status, key, str(error)))


async def _question(_: Request, error: Any) -> Response:
    return response(Failure(400, "invalid_query", error.message), span=list(error.span), drawing=str(error))


async def _defect(_: Request, error: Exception) -> Response:
    return response(Failure(500, "internal_error", f"a defect of Tidegate: {type(error).__name__}; its log says more"))


_FAILED: dict[type[Exception], tuple[int, str]] = {
    Refused: (400, "bad_request"),
    Missing: (404, "not_found"),
    Stale: (409, "conflict"),
    InUse: (409, "in_use"),
    SealError: (409, "conflict"),
    TooSlow: (408, "too_slow"),
    BrokerError: (503, "unavailable"),
}
