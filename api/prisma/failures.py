"""Errors as the product's clients read them: the header x-redlock-status, and a body as newer services send it."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi.responses import Response

from streams.errors import TidegateError

LONGEST = 1500
"""The most characters of a sentence in the header: proxies refuse headers of more than some KiB."""


class Failure(TidegateError):
    """An answer that is no success. *key* is what programs read, the message what people do."""

    def __init__(self, status: int, key: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.key = key
        self.headers = dict(headers or {})


def not_found(what: str, id: str) -> Failure:
    """Return the failure for an object that isn't there."""
    return Failure(404, "not_found", f"there is no {what} {id!r:.120}")


def bad(field: str, words: str) -> Failure:
    """Return the failure for a wrong *field* of a request."""
    return Failure(400, "bad_request", f"{field}: {words}")


def unsupported(what: str, words: str) -> Failure:
    """Return the failure for what the product has and Tidegate hasn't, with the way out in *words*."""
    return Failure(400, "not_supported", f"{what}: {words}")


def response(failure: Failure, **more: Any) -> Response:
    """Return *failure* as an answer; *more* goes to the body's details."""
    message = str(failure)
    short = message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"
    status = [{"i18nKey": failure.key, "severity": "error", "subject": short}]
    body = {"error": {"code": failure.key, "message": message, "target": "", "details": [more] if more else []}}
    headers = {"x-redlock-status": json.dumps(status), **failure.headers}
    return Response(orjson.dumps(body), failure.status, headers, "application/json")
