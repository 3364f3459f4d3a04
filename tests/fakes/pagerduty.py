"""PagerDuty's Events API v2: one alert a dedup key, and pages that nobody should get."""

from typing import Any, ClassVar

from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply


class PagerDuty(Fake):
    """Holds an incident for each dedup key; triggering a resolved one makes another."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"integration_key": "R0UT1NGKEY0000000000000000000000", "url": "https://events.pagerduty.com/v2"}
    }
    most_bytes = 512 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.incidents: dict[str, list[str]] = {}

    @override
    def answer(self, call: Call) -> Reply:
        body = call.json
        self.must(body.pop("routing_key") == "R0UT1NGKEY0000000000000000000000", "Invalid routing key")
        if call.path == "/v2/change/enqueue":
            self.must(set(body) == {"payload"}, "no change event")
            return json_reply(202, {"status": "success"})
        self.must(call.path == "/v2/enqueue", "no such path", 404)
        action, key = body["event_action"], body["dedup_key"]
        self.must(action in ("trigger", "acknowledge", "resolve") and 0 < len(key) <= 255, "no event")
        had = self.incidents.setdefault(key, [])
        if action == "trigger":
            about = body["payload"]
            self.must(0 < len(about["summary"]) <= 1024 and about["source"], "summary or source")
            self.must(about["severity"] in ("critical", "error", "warning", "info"), "severity")
            if not had or had[-1] == "resolved":
                had.append("open")
        elif had:
            had[-1] = "resolved" if action == "resolve" else "acknowledged"
        return json_reply(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    @override
    def holds(self, alert: str) -> list[str]:
        return self.incidents.get(alert, [])
