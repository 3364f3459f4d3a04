"""The API's own description, and the page on which people read and try it, without internet."""

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi_swagger import resources

from api.described import complete
from api.prisma.backend import answer
from api.prisma.failures import not_found
from api.version import ROOT, version

open_ = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: its own scripts, its own requests. Swagger UI writes styles into its elements."""

_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Tidegate API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<p><a href="/docs">As Prisma Cloud's clients know it</a> | <a href="/docs?own">Tidegate's own</a></p>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
"""
_SCRIPT = b"""// Shows the API, and puts the token of a login that was tried here into every request after it.
"use strict";
let token = "";
const ui = SwaggerUIBundle({
  url: location.search === "?own" ? "%s/openapi.json" : "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  requestInterceptor: (request) => {
    if (token && !request.headers["x-redlock-auth"]) request.headers["x-redlock-auth"] = token;
    return request;
  },
  responseInterceptor: (response) => {
    if (response.ok && /\\/(login|auth_token\\/extend)$/.test(new URL(response.url, location.href).pathname)) {
      token = JSON.parse(response.text).token;
      ui.preauthorizeApiKey("token", token);
    }
    return response;
  },
});
""" % ROOT.encode()
_ERROR = {
    "type": "object",
    "description": "The header x-redlock-status says the same, as a list of i18nKey, severity and subject.",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "What kind of error, for programs."},
                "message": {"type": "string", "description": "A sentence, for people."},
                "target": {"type": "string"},
                "details": {"type": "array", "items": {}},
            },
        }
    },
}


@open_.get("/docs")
async def show_page() -> Response:
    """The page."""
    return _served(_PAGE, "text/html; charset=utf-8")


@open_.get("/docs/{name}")
async def show_file(name: str) -> Response:
    """What the page loads."""
    if name == "page.js":
        return _served(_SCRIPT, "text/javascript")
    if name not in _FILES:
        raise not_found("file", name)
    return _served(_file(name), _FILES[name])


@open_.get("/openapi.json")
async def show_description(request: Request) -> Response:
    """The API in OpenAPI 3.1."""
    return answer(description(request.app))


def description(app: Any) -> dict[str, Any]:
    """Return the OpenAPI description of *app*, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=version(),
            description="Log in with an access key: `POST /login`. This page then sends the token by itself.",
            routes=app.routes,
        )
        scheme = {"type": "apiKey", "in": "header", "name": "x-redlock-auth", "description": "The token of a login."}
        made.setdefault("components", {})["securitySchemes"] = {"token": scheme}
        for path, methods in made["paths"].items():
            for operation in methods.values():
                operation["responses"].pop("422", None)  # what is wrong with a request is told as 400
                if path not in ("/login", "/healthz", "/readyz"):
                    operation["security"] = [{"token": []}]
        app.openapi_schema = complete(made, "x-redlock-auth: $TOKEN", _ERROR)
    schema: dict[str, Any] = app.openapi_schema
    return schema


@cache
def _file(name: str) -> bytes:
    return files(resources).joinpath(name).read_bytes()


def _served(content: bytes, media_type: str) -> Response:
    headers = {"content-security-policy": POLICY, "referrer-policy": "no-referrer", "x-frame-options": "DENY"}
    return Response(content, headers={**headers, "content-type": media_type})
