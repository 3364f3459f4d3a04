"""Cortex XSOAR 6 and 8: incidents with versions, searched by their words, and a write that replaces the whole."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply, texts

KEYS = {
    "name", "type", "severity", "details", "labels", "customFields", "rawJSON", "createInvestigation", "status",
    "closeReason", "closeNotes", "playbookId", "occurred", "id", "version", "created",
}  # fmt: skip


class Xsoar(Fake):
    """Holds incidents; one that is written with an old version is refused."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {
            "host_url": "https://api-acme.crtx.eu.example.com",
            "api_key": "k3y-0f-the-api",
            "api_key_id": "12",
            "custom_fields": {"cloudaccount": "${AccountId}"},
        },
        "6": {"host_url": "https://xsoar.example.com", "api_key": "k3y-0f-the-api", "version": "6"},
    }
    most_bytes = 256 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.incidents: dict[str, dict[str, Any]] = {}
        self.sent: list[Any] = []
        self.last = 0

    @override
    def decisive(self, call: Call) -> bool:
        return "search" not in call.path or call.json == {"filter": {"size": 1}}

    @override
    def answer(self, call: Call) -> Reply:
        base = "/" if self.case == "6" else "/xsoar/public/v1/"
        self.must(call.method == "POST" and call.path.startswith(base), f"no such path {call.path}", 404)
        self.must(call.headers.get("authorization") == "k3y-0f-the-api", "unauthorized", 401)
        self.must(self.case == "6" or call.headers.get("x-xdr-auth-id") == "12", "unauthorized", 401)
        path, body = call.path.removeprefix(base), call.json
        if path == "incidents/search":
            return self._search(body["filter"])
        if path == "incident/batchClose":
            self.must(set(body) == {"ids", "all", "closeReason", "closeNotes"} and body["all"] is False, "close")
            for id in body["ids"]:
                self._changed(
                    self.incidents[id], {"status": 2} | {key: body[key] for key in ("closeReason", "closeNotes")}
                )
            return json_reply(200, {"total": len(body["ids"])})
        self.must(path == "incident", "no such path", 404)
        self.must(set(body) <= KEYS, f"unknown {set(body) - KEYS}")
        self.must(body["name"] and body["severity"] in (0.5, 1, 2, 3, 4), "name or severity")
        self.must(all(isinstance(each["value"], str) for each in body["labels"]), "labels")
        self.must(orjson.loads(body["rawJSON"])["source"] == "Prisma Cloud", "rawJSON")
        self.must(not re.search(r"[A-Z ]", "".join(body.get("customFields", {}))), "custom fields")
        return self._update(body) if "id" in body else self._create(body)

    def _create(self, body: dict[str, Any]) -> Reply:
        self.last += 1
        self.incidents[str(self.last)] = {"id": str(self.last), "version": 1, "status": 0, "created": self.last} | body
        self.sent.append(body)
        return json_reply(201, self.incidents[str(self.last)])

    def _update(self, body: dict[str, Any]) -> Reply:
        had = self.incidents[body["id"]]
        if body["version"] != had["version"]:
            return json_reply(400, {"id": "errOptimisticLock", "title": "DB Version error"})
        self.incidents[body["id"]] = body  # the whole is replaced
        self._changed(body, {})
        return json_reply(200, body)

    def _changed(self, incident: dict[str, Any], change: dict[str, Any]) -> None:
        incident |= change
        incident["version"] += 1

    def _search(self, asked: dict[str, Any]) -> Reply:
        found = list(self.incidents.values())
        if "id" in asked:
            found = [each for each in found if each["id"] in asked["id"]]
        if "query" in asked:
            words = re.fullmatch(r'name:"([\w-]+)"', asked["query"])
            assert words, asked
            found = [each for each in found if words[1] in each["name"]]
        found.sort(key=lambda each: -each["created"])
        return json_reply(200, {"total": len(found), "data": found[: asked["size"]] or None})

    @override
    def shown(self) -> Iterator[str]:
        for body in self.sent:
            yield from texts(body)

    @override
    def holds(self, alert: str) -> list[str]:
        mine = [each for each in self.incidents.values() if each["name"].startswith(f"{alert}: ")]
        return ["resolved" if each["status"] == 2 else "open" for each in mine]
