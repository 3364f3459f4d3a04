"""The HTTP API, seen by the command line: JSON in and out, errors as Refused.

With the standard library, on loopback: importing httpx takes longer than most answers.
"""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from api import running, token
from api.version import ROOT
from streams.errors import TidegateError

TIMEOUT_S = 180.0


class Refused(TidegateError):
    """The API answered with an error."""

    def __init__(self, status: int, code: str, message: str, drawing: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.drawing = drawing

    @property
    def exit_code(self) -> int:
        """1: the answer is no; 2: the question was wrong; 3: something behind the API isn't there."""
        return {404: 1, 409: 1, 412: 1, 500: 3, 503: 3}.get(self.status, 2)


def safe(part: str) -> str:
    """Return *part* as one part of a path."""
    return quote(part, safe="")


class Client:
    """Asks the Tidegate that runs on a data folder. Raises NotRunning when none does."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.running = running.need(data)
        self._token = token.read(data)

    def get(self, path: str, **query: object) -> Any:
        """Return the JSON of GET *path*."""
        return self._ask("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Return the JSON of POST *path*."""
        return self._ask("POST", path, body=body or {})

    def change(
        self, method: str, path: str, body: Mapping[str, object] | None = None, version: int | None = None
    ) -> Any:
        """Return the JSON of PUT, PATCH or DELETE *path*; *version*: the only one that may be changed."""
        return self._ask(method, path, body=body, headers={} if version is None else {"if-match": f'"{version}"'})

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] = {},
        body: object = None,
        headers: Mapping[str, str] = {},
    ) -> Any:
        at = urlsplit(self.running.api)
        asked = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
        connection = HTTPConnection(at.hostname or "", at.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                method,
                f"{ROOT}{path}?{asked}" if asked else ROOT + path,
                body=None if body is None else orjson.dumps(body),
                headers={"authorization": f"Bearer {self._token}", "content-type": "application/json", **headers},
            )
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise running.NotRunning(
                f"the Tidegate with pid {self.running.pid} doesn't answer at {self.running.api}: {error!r};"
                f" its log is {self.data / 'tidegate.log'}"
            ) from error
        finally:
            connection.close()
        if answer.status < 300:
            return orjson.loads(content)
        try:
            wrong = orjson.loads(content)["error"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            wrong = {"code": "unknown", "message": f"{self.running.api} answered with status {answer.status}"}
        raise Refused(answer.status, wrong["code"], wrong["message"], wrong.get("drawing") or "")
