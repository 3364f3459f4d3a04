"""A receiver of webhooks: one that verifies what it is sent by the standard, and knows the ids that it has had."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from standardwebhooks.webhooks import Webhook as Verifier
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply

SECRET = "whsec_dGlkZWdhdGUtZXhhbXBsZS1zaWduaW5nLWtleSE="


class Webhook(Fake):
    """Holds each event once, whatever number of times it comes."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {
            "url": "https://hooks.example.com/alerts?key=k3y-0f-the-url",
            "token": "b3arer-t0ken",
            "headers": {"X-Api-Key": "h3ader-s3cret"},
            "signing_secret": SECRET,
            "former_signing_secret": "whsec_YW4tb2xkZXItZXhhbXBsZS1zaWduaW5nLWtleSE=",
        },
    }

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.events: dict[str, list[str]] = {}
        self.ids: set[str] = set()

    @override
    def answer(self, call: Call) -> Reply:
        self.must(call.method == "POST" and call.headers["content-type"] == "application/json", "no JSON")
        signed = dict(call.headers)
        verifier = Verifier(SECRET)
        signature = signed["webhook-signature"].split(" ")
        at, id = int(signed["webhook-timestamp"]), signed["webhook-id"]
        stamp = datetime.fromtimestamp(at, UTC)
        self.must(verifier.sign(id, stamp, call.body.decode()) in signature, "a wrong signature", 401)
        if id not in self.ids:
            self.ids.add(id)
            for alert in call.json if isinstance(call.json, list) else [call.json]:
                self.events.setdefault(alert["alertId"], []).append(alert["alertStatus"])
        return json_reply(200)

    @override
    def holds(self, alert: str) -> list[str]:
        return self.events.get(alert, [])
