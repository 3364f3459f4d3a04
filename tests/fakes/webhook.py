"""A receiver of webhooks: one that verifies what it is sent by the standard, and knows the ids that it has had."""

import base64
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from standardwebhooks.webhooks import Webhook as Verifier
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.certificates import client_pem
from tests.fakes.forms import alert_and_status
from tests.fakes.server import Call, Fake, json_reply

BASIC = "Basic " + base64.b64encode(b"tidegate:p4ssw0rd-of-the-user").decode()
CLIENT = "Basic " + base64.b64encode(b"tidegate-client:cl1ent-s3cret").decode()
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
        "basic": {
            "url": "https://hooks.example.com/alerts",
            "login": "tidegate",
            "password": "p4ssw0rd-of-the-user",
            "body": "object",
        },
        "oauth": {
            "url": "https://hooks.example.com/alerts",
            "token_url": "https://hooks.example.com/oauth2/token",
            "client_id": "tidegate-client",
            "client_secret": "cl1ent-s3cret",
            "scope": "alerts.write",
        },
        "mtls": {"url": "https://hooks.example.com/alerts", **client_pem()},
        "ocsf": {"url": "https://hooks.example.com/alerts", "format": "ocsf"},
    }

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.events: dict[str, list[str]] = {}
        self.ids: set[str] = set()
        self.tokens = 0

    @override
    def answer(self, call: Call) -> Reply:
        if call.path == "/oauth2/token":
            return self._token(call)
        self.must(call.method == "POST" and call.headers["content-type"] == "application/json", "no JSON")
        id, at = call.headers["webhook-id"], datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
        known = {"": "Bearer b3arer-t0ken", "basic": BASIC, "oauth": f"Bearer t0ken-{self.tokens}"}
        self.must(call.headers.get("authorization", "") == known.get(self.case, ""), "unauthorized", 401)
        if not self.case:
            signature = Verifier(SECRET).sign(id, at, call.body.decode())
            self.must(signature in call.headers["webhook-signature"].split(" "), "a wrong signature", 401)
        self.must(isinstance(call.json, dict if self.case == "basic" else list), "array or object")
        if id not in self.ids:
            self.ids.add(id)
            for alert in call.json if isinstance(call.json, list) else [call.json]:
                name, status = alert_and_status(alert)
                self.events.setdefault(name, []).append(status)
        return json_reply(200)

    def _token(self, call: Call) -> Reply:
        form = dict(parse_qsl(call.body.decode()))
        self.must(form == {"grant_type": "client_credentials", "scope": "alerts.write"}, "invalid_request")
        self.must(call.headers["authorization"] == CLIENT, "invalid_client", 401)
        self.tokens += 1
        return json_reply(200, {"access_token": f"t0ken-{self.tokens}", "expires_in": 600, "token_type": "bearer"})

    @override
    def decisive(self, call: Call) -> bool:
        return call.path != "/oauth2/token"

    @override
    def holds(self, alert: str) -> list[str]:
        return self.events.get(alert, [])
