"""ServiceNow's Table API: rows with states, journals that show HTML, events that one key makes one alert, tokens."""

import base64
import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply, texts

URL = "https://acme.service-now.com"
BASIC = "Basic " + base64.b64encode(b"tidegate:p4ssw0rd-of-the-user").decode()
MOST = {"short_description": 160, "description": 4000, "close_notes": 4000, "node": 100, "type": 100, "resource": 100}
CODES = ["Resolved by caller", "Solution provided"]


class ServiceNow(Fake):
    """Holds rows by table. *mandatory*: fields of incident that its dictionary asks for."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {
            "host_url": URL,
            "login": "tidegate",
            "password": "p4ssw0rd-of-the-user",
            "fields": {"category": "Cloud", "u_account": "${AccountId}"},
        },
        "security": {
            "host_url": URL,
            "login": "tidegate",
            "password": "p4ssw0rd-of-the-user",
            "table": "sn_si_incident",
        },
        "event": {"host_url": URL, "login": "tidegate", "password": "p4ssw0rd-of-the-user", "table": "em_event"},
        "oauth": {"host_url": URL, "client_id": "0123456789abcdef", "client_secret": "cl1ent-s3cret"},
    }
    most_bytes = 64 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.rows: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.mandatory: list[str] = [] if case == "event" else ["short_description"]
        self.tokens = 0
        self.rule = ""
        """A business rule that lets nobody change a state."""
        self.table = {"security": "sn_si_incident", "event": "em_event"}.get(case, "incident")
        self.sent: list[Any] = []

    @override
    def decisive(self, call: Call) -> bool:
        return "oauth" not in call.path and (call.method != "GET" or call.query.get("sysparm_fields") == "sys_id")

    @override
    def answer(self, call: Call) -> Reply:
        if call.path == "/oauth_token.do":
            return self._token(call)
        known = f"Bearer token-{self.tokens}" if self.case == "oauth" else BASIC
        if call.headers.get("authorization") != known:
            return json_reply(401, {"error": {"message": "User Not Authenticated", "detail": ""}, "status": "failure"})
        found = re.fullmatch(r"/api/now/table/(\w+)(?:/(\w+))?", call.path)
        assert found, call.path
        if found[1] in ("sys_dictionary", "sys_choice"):
            return self._about(call, found[1])
        if found[1] != self.table:
            return json_reply(403, {"error": {"message": "Operation Failed", "detail": "ACL"}, "status": "failure"})
        if call.method == "POST":
            return self._event(call) if self.table == "em_event" else self._create(call)
        if found[2] and found[2] not in self.rows:
            error = {
                "message": "No Record found",
                "detail": "Record doesn't exist or ACL restricts the record retrieval",
            }
            return json_reply(404, {"error": error, "status": "failure"})
        if call.method == "PATCH":
            return self._change(call, self.rows[found[2]])
        if found[2]:
            return json_reply(200, {"result": self.rows[found[2]]})
        if "sysparm_query" not in call.query:
            return json_reply(200, {"result": list(self.rows.values())[:1]})
        query = re.fullmatch(r"correlation_id=([\w-]+)\^ORDERBYDESCsys_created_on", call.query["sysparm_query"])
        assert query, call.query
        return json_reply(
            200, {"result": [r for r in reversed(self.rows.values()) if r["correlation_id"] == query[1]][:1]}
        )

    def _token(self, call: Call) -> Reply:
        form = dict(parse_qsl(call.body.decode()))
        if form.get("client_secret") != "cl1ent-s3cret" or form["grant_type"] != "client_credentials":
            return json_reply(401, {"error": "invalid_client", "error_description": "access_denied"})
        self.tokens += 1
        return json_reply(200, {"access_token": f"token-{self.tokens}", "expires_in": 1800, "token_type": "Bearer"})

    def _about(self, call: Call, table: str) -> Reply:
        rows = (
            [{"element": name} for name in self.mandatory]
            if table == "sys_dictionary"
            else [{"value": c} for c in CODES]
        )
        return json_reply(200, {"result": rows})

    def _create(self, call: Call) -> Reply:
        body = call.json
        self._sizes(body)
        if lacking := [field for field in self.mandatory if not body.get(field)]:
            text = f"Data Policy Exception: The following fields are mandatory: {', '.join(lacking)}"
            return json_reply(403, {"error": {"message": "Operation Failed", "detail": text}, "status": "failure"})
        id = f"{len(self.rows) + 1:032x}"
        first = "1" if self.table == "incident" else "10"
        self.rows[id] = {"sys_id": id, "number": f"INC{len(self.rows) + 1:07}", "state": first, "notes": []} | body
        self.sent.append(body)
        return json_reply(201, {"result": {"sys_id": id, "number": self.rows[id]["number"]}})

    def _change(self, call: Call, row: dict[str, Any]) -> Reply:
        body = call.json
        self._sizes(body)
        if "state" in body and self.rule:
            text = f"Operation against file 'incident' was aborted by Business Rule '{self.rule}'"
            return json_reply(403, {"error": {"message": "Operation Failed", "detail": text}, "status": "failure"})
        notes = body.pop("work_notes", "")
        self.must("[code]" not in notes.lower(), "HTML in a journal")
        row["notes"].append(notes)
        if body.get("state") == "6" and self.table == "incident":
            self.must(
                body.get("close_code") in CODES and body.get("close_notes"), "close code and notes are mandatory", 403
            )
        self.must(row["state"] not in ("7", "8") or "state" not in body, "a closed record is changed", 403)
        row |= body
        return json_reply(200, {"result": {"sys_id": row["sys_id"]}})

    def _event(self, call: Call) -> Reply:
        body = call.json
        self._sizes(body)
        self.must(body["severity"] in "012345" and 0 < len(body["message_key"]) <= 1024, "severity or key")
        self.must(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", body["time_of_event"]), "time")
        self.must(len(body["additional_info"]) <= 4000, "additional_info")
        self.events.setdefault(body["message_key"], []).append(body)
        self.sent.append(body)
        return json_reply(201, {"result": {"sys_id": "1"}})

    def _sizes(self, body: dict[str, Any]) -> None:
        self.must(all(isinstance(value, str) for value in body.values()), "a value that is no text")
        long = [name for name, value in body.items() if len(value) > MOST.get(name, 4000)]
        self.must(not long, f"too long: {long}")
        control = [name for name, value in body.items() if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", value)]
        self.must(not control, f"control characters: {control}")

    @override
    def shown(self) -> Iterator[str]:
        for body in self.sent:
            yield from texts(body)

    @override
    def holds(self, alert: str) -> list[str]:
        if events := self.events.get(alert):
            return ["resolved" if events[-1]["severity"] == "0" else "open"]
        over = {"6", "7"} if self.table == "incident" else {"3"}
        return [
            "resolved" if r["state"] in over else "open" for r in self.rows.values() if r["correlation_id"] == alert
        ]
