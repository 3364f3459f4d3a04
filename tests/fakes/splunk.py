"""Splunk's HTTP Event Collector: its codes, its limit, what it took of a request before a wrong event, late acks."""

import gzip
from collections.abc import Iterator
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.forms import alert_and_status
from tests.fakes.server import Call, Fake, json_reply, texts

TOKEN = "00000000-0000-4000-8000-000000t0ken0"
ENVELOPE = {"time", "host", "source", "sourcetype", "index", "event", "fields"}
URL = "https://http-inputs-acme.splunkcloud.com:443"


class Splunk(Fake):
    """Holds what it indexed. An ack is false once, true once, and then unknown, as Splunk's is."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"url": f"{URL}/services/collector", "auth_token": TOKEN},
        "ocsf": {"url": URL, "auth_token": TOKEN, "compress": False, "format": "ocsf"},
        "ack": {"url": URL, "auth_token": TOKEN, "acknowledge": True, "compress": False, "index": "security"},
    }
    doubles = True

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.events: list[dict[str, Any]] = []
        self.acks: dict[int, int] = {}
        self.next_ack = 0
        self.most_content = 1_000_000
        self.poison: set[str] = set()
        """Ids of events that it finds invalid."""

    @override
    def answer(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Splunk {TOKEN}":
            return json_reply(403, {"text": "Invalid token", "code": 4})
        if call.path == "/services/collector/health/1.0":
            return json_reply(200, {"text": "HEC is healthy", "code": 17})
        if call.path == "/services/collector/ack":
            self.must(call.query["channel"] == call.headers["x-splunk-request-channel"], "channel")
            return json_reply(200, {"acks": {str(id): self._acked(id) for id in call.json["acks"]}})
        self.must(call.path == "/services/collector/event", "no such path", 404)
        packed = call.headers.get("content-encoding") == "gzip"
        body = gzip.decompress(call.body) if packed else call.body
        if len(body) > self.most_content:
            return Reply(413, {}, b"Request entity too large")
        ack = self.case == "ack"
        if ack and "x-splunk-request-channel" not in call.headers:
            return json_reply(400, {"text": "Data channel is missing", "code": 10})
        for number, line in enumerate(body.split(b"\n")):
            event = orjson.loads(line)
            self.must(set(event) <= ENVELOPE and isinstance(event["time"], int | float), f"envelope {set(event)}")
            self.must(all(isinstance(value, str) for value in event["fields"].values()), "fields")
            if event.get("index", "security") != "security":
                return json_reply(400, {"text": "Incorrect index", "code": 7, "invalid-event-number": number})
            if event["fields"]["event_id"] in self.poison:
                return json_reply(400, {"text": "Invalid data format", "code": 6, "invalid-event-number": number})
            self.events.append(event)
        if not ack:
            return json_reply(200, {"text": "Success", "code": 0})
        self.next_ack += 1
        self.acks[self.next_ack] = 0
        return json_reply(200, {"text": "Success", "code": 0, "ackId": self.next_ack})

    def _acked(self, id: int) -> bool:
        self.acks[id] = self.acks.get(id, 99) + 1
        return self.acks[id] == 2

    @override
    def shown(self) -> Iterator[str]:
        for event in self.events:
            yield from texts(event)

    @override
    def holds(self, alert: str) -> list[str]:
        return [status for id, status in (alert_and_status(each["event"]) for each in self.events) if id == alert]
