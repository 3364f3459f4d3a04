"""A server that answers as Splunk's collector, Tenable and Jira do where an integration is tested."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

FIELDS = [
    {"fieldId": "summary", "name": "Summary", "required": True, "schema": {"type": "string"}},
    {
        "fieldId": "customfield_10010",
        "name": "Team",
        "required": True,
        "schema": {"type": "option"},
        "allowedValues": [{"id": "1", "value": "Cloud"}, {"id": "2", "value": "Platform"}],
    },
]
_RIGHTS = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES")
ANSWERS: dict[str, Any] = {
    "/services/collector/health/1.0": {"text": "HEC is healthy", "code": 17},
    "/services/collector/event": {"text": "Success", "code": 0},
    "/assets/export/status": {"exports": []},
    "/vulns/export/status": {"exports": []},
    "/rest/api/3/myself": {"displayName": "Tidegate"},
    "/rest/api/3/mypermissions": {"permissions": {right: {"havePermission": True} for right in _RIGHTS}},
    "/rest/api/3/issue/createmeta/SEC/issuetypes": {"issueTypes": [{"id": "7", "name": "Bug"}]},
    "/rest/api/3/issue/createmeta/SEC/issuetypes/7": {"fields": FIELDS},
    "/rest/api/3/resolution": [{"name": "Fixed"}],
}


@contextmanager
def answering() -> Iterator[str]:
    """Give the address of one that runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        found = ANSWERS.get(self.path.partition("?")[0])
        wrong = "wrong" in self.headers.get("authorization", "")
        status, body = (403, {"text": "Invalid token", "code": 4}) if wrong else (200 if found else 404, found or {})
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""
