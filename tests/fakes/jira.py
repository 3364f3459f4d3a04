"""Jira, Cloud and Data Center: issues, a workflow, required fields; bodies checked by Atlassian's own schemas."""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from jsonschema import Draft4Validator
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply, texts

SPECS = Path(__file__).parents[2].parent / "shared" / "specs"
BASIC = "Basic " + base64.b64encode(b"tidegate@example.com:ATATT-s3cret").decode()
WORKFLOW = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
ME = {"accountId": "5b10ac8d82e05b22cc7d4ef5", "name": "tidegate"}
FIELDS: list[dict[str, Any]] = [
    {"fieldId": "summary", "name": "Summary", "required": True},
    {"fieldId": "project", "name": "Project", "required": True},
    {"fieldId": "issuetype", "name": "Issue Type", "required": True},
    {"fieldId": "reporter", "name": "Reporter", "required": True, "hasDefaultValue": True},
    {"fieldId": "description", "name": "Description"},
    {"fieldId": "labels", "name": "Labels"},
    {"fieldId": "priority", "name": "Priority", "allowedValues": [{"name": "High"}, {"name": "Low"}]},
    {"fieldId": "customfield_10010", "name": "Account"},
]


class Jira(Fake):
    """Holds issues with their status and comments. *required*: a field that became required since."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {
            "host_url": "https://acme.atlassian.net",
            "login": "tidegate@example.com",
            "api_token": "ATATT-s3cret",
            "project": "SEC",
            "fields": {"priority": {"name": "High"}, "customfield_10010": "${AccountId}"},
        },
        "dc": {
            "host_url": "https://jira.example.com/jira",
            "deployment": "data_center",
            "access_token": "p3rsonal-access-token",
            "project": "SEC",
        },
    }
    most_bytes = 256 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.issues: dict[str, dict[str, Any]] = {}
        self.required: dict[str, str] = {}
        self.transitions = {"To Do": ["In Progress", "Done"], "In Progress": ["Done"], "Done": ["In Progress", "To Do"]}
        self.resolution: bool = True
        self.sent: list[Any] = []
        self.cloud = case != "dc"

    @override
    def decisive(self, call: Call) -> bool:
        return not (call.method == "GET" or "search" in call.path) or "/myself" in call.path

    @override
    def answer(self, call: Call) -> Reply:
        base = "/rest/api/3/" if self.cloud else "/jira/rest/api/2/"
        self.must(call.path.startswith(base), f"no such path {call.path}", 404)
        known = BASIC if self.cloud else "Bearer p3rsonal-access-token"
        self.must(call.headers.get("authorization") == known, "Unauthorized", 401)
        path = call.path.removeprefix(base)
        if call.method == "POST":
            self._valid(path, call.json)
        routes: list[tuple[str, str, Any]] = [
            ("GET", "myself", lambda _: json_reply(200, {"displayName": "Tidegate"} | ME)),
            ("GET", "mypermissions", self._permissions),
            ("POST", "search/jql" if self.cloud else "search", self._search),
            ("GET", r"issue/createmeta/SEC/issuetypes", self._types),
            ("GET", r"issue/createmeta/SEC/issuetypes/(\d+)", self._fields),
            ("POST", "issue", self._create),
            ("GET", r"issue/([A-Z]+-\d+)", self._get),
            ("GET", r"issue/([A-Z]+-\d+)/transitions", self._transitions),
            ("POST", r"issue/([A-Z]+-\d+)/transitions", self._move),
            ("POST", r"issue/([A-Z]+-\d+)/comment", self._comment),
        ]
        for method, pattern, answer in routes:
            if method == call.method and (found := re.fullmatch(pattern, path)):
                if found.groups() and "createmeta" not in path and found[1] not in self.issues:
                    return json_reply(404, {"errorMessages": ["Issue does not exist"], "errors": {}})
                reply: Reply = answer(call, *found.groups())
                return reply
        self.must(False, f"no such call: {call.method} {path}", 404)
        raise AssertionError

    def _permissions(self, call: Call) -> Reply:
        if call.query["projectKey"] != "SEC":
            return json_reply(404, {"errorMessages": ["No project could be found"]})
        rights = call.query["permissions"].split(",")
        return json_reply(200, {"permissions": {right: {"havePermission": True} for right in rights}})

    def _search(self, call: Call) -> Reply:
        found = re.fullmatch(r'project = "(\w+)" AND labels = "([^" ]+)" ORDER BY created DESC', call.json["jql"])
        assert found, call.json["jql"]
        if found[1] != "SEC":
            text = f"The value '{found[1]}' does not exist for the field 'project'."
            return json_reply(400, {"errorMessages": [text], "errors": {}})
        keys = [key for key, issue in self.issues.items() if found[2] in issue["labels"]]
        return json_reply(200, {"issues": [{"key": key} for key in reversed(keys)]})

    def _types(self, call: Call) -> Reply:
        types = [{"id": "10001", "name": "Bug"}, {"id": "10002", "name": "Task"}]
        return json_reply(200, {"issueTypes" if self.cloud else "values": types})

    def _fields(self, call: Call, type: str) -> Reply:
        more = [{"fieldId": id, "name": name, "required": True} for id, name in self.required.items()]
        return json_reply(200, {"fields" if self.cloud else "values": FIELDS + more})

    def _create(self, call: Call) -> Reply:
        fields = call.json["fields"]
        if fields["project"]["key"] != "SEC":
            return json_reply(400, {"errorMessages": [], "errors": {"project": "valid project is required"}})
        if missing := self.required.keys() - fields.keys():
            return json_reply(400, {"errorMessages": [], "errors": {id: f"{id} is required." for id in missing}})
        summary = fields["summary"]
        self.must(0 < len(summary) <= 255 and not re.search(r"[\r\n]", summary), "summary")
        self.must(all(label and " " not in label for label in fields["labels"]), "labels")
        self._text(fields["description"])
        key = f"SEC-{len(self.issues) + 1}"
        self.issues[key] = {"status": "To Do", "labels": fields["labels"], "comments": []}
        self.sent.append(fields)
        return json_reply(201, {"id": "1", "key": key, "self": "https://acme.atlassian.net/rest/api/3/issue/1"})

    def _get(self, call: Call, key: str) -> Reply:
        status = self.issues[key]["status"]
        category = {"key": WORKFLOW[status]}
        issue: dict[str, Any] = {"key": key, "fields": {"status": {"name": status, "statusCategory": category}}}
        if call.query.get("expand") == "changelog":
            moves = [
                {"author": ME, "created": f"{n:06}", "items": [{"field": "status", "toString": to}]}
                for n, to in enumerate(self.issues[key].get("moves", []))
            ]
            issue["changelog"] = {"histories": moves}
        return json_reply(200, issue)

    def _transitions(self, call: Call, key: str) -> Reply:
        allowed = [{"name": "Done"}, {"name": "Won't Do"}]
        found = []
        for name in self.transitions[self.issues[key]["status"]]:
            to = {"name": name, "statusCategory": {"key": WORKFLOW[name]}}
            asks = {"resolution": {"required": True, "allowedValues": allowed}}
            fields = asks if name == "Done" and self.resolution else {}
            found.append({"id": str(list(WORKFLOW).index(name)), "name": name, "to": to, "fields": fields})
        return json_reply(200, {"transitions": found})

    def _move(self, call: Call, key: str) -> Reply:
        to = list(WORKFLOW)[int(call.json["transition"]["id"])]
        self.must(to in self.transitions[self.issues[key]["status"]], "no such transition now")
        given = call.json.get("fields", {}).get("resolution", {}).get("name")
        self.must(given in ("Done", "Won't Do") or to != "Done" or not self.resolution, "Resolution is required")
        self.issues[key]["status"] = to
        self.issues[key].setdefault("moves", []).append(to)
        return Reply(204, {})

    def _comment(self, call: Call, key: str) -> Reply:
        self._text(call.json["body"])
        self.issues[key]["comments"].append("".join(texts(call.json["body"])))
        return json_reply(201, {"id": "1"})

    def _text(self, text: Any) -> None:
        if self.cloud:
            self.must(isinstance(text, dict) and text["type"] == "doc" and text["version"] == 1, "no document")
            self.must(not (wrong := _wrong_document(json.dumps(text))), f"ADF: {wrong}")
        else:
            self.must(
                isinstance(text, str) and text.startswith("{noformat}") and text.count("{noformat}") == 2, "markup"
            )
        self.must(len("".join(texts({"": text}))) <= 32_767, "text too long")

    def _valid(self, path: str, body: Any) -> None:
        """Hold a body of Cloud's against the schema that Atlassian publishes for it."""
        if not self.cloud:
            return
        wrong = _wrong_body(re.sub(r"/[A-Z]+-\d+", "/{issueIdOrKey}", path), json.dumps(body))
        self.must(not wrong, f"{path}: {wrong}")

    @override
    def shown(self) -> Iterator[str]:
        for fields in self.sent:
            yield from texts(fields)

    @override
    def holds(self, alert: str) -> list[str]:
        mine = [each for each in self.issues.values() if alert in each["labels"]]
        return ["resolved" if each["status"] == "Done" else "open" for each in mine]


@cache
def _wrong_document(text: str) -> str:
    """Return the first thing that Atlassian's schema finds wrong; nothing where it isn't there."""
    validator = _document_schema()
    return next((each.message for each in validator.iter_errors(json.loads(text))), "") if validator else ""


@cache
def _wrong_body(path: str, text: str) -> str:
    """Return the first thing that Atlassian's description of the call finds wrong; nothing where it isn't there."""
    validator = _body_schema(path)
    return next((each.message for each in validator.iter_errors(json.loads(text))), "") if validator else ""


@cache
def _document_schema() -> Draft4Validator | None:
    path = SPECS / "adf-v1-full.schema.json"
    return Draft4Validator(json.loads(path.read_bytes())) if path.exists() else None


@cache
def _body_schema(path: str) -> Draft4Validator | None:
    document = _openapi()
    if not document:
        return None
    body = document["paths"][f"/rest/api/3/{path}"]["post"]["requestBody"]["content"]["application/json"]
    return Draft4Validator(body["schema"] | {"components": document["components"]})


@cache
def _openapi() -> Any:
    file = SPECS / "jira-platform-v3-openapi.json"
    return json.loads(file.read_bytes()) if file.exists() else None
