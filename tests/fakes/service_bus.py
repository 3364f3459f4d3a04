"""Azure Service Bus: a queue with duplicate detection; signatures are checked, a batch is taken whole or not at all."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote_plus

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, texts

KEY = "a2V5LW9mLXRoZS1wb2xpY3k="


class ServiceBus(Fake):
    """Holds each message id once."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"queue_url": "https://acme.servicebus.windows.net/alerts", "key_name": "send", "key": KEY},
        "sessions": {
            "queue_url": "https://acme.servicebus.windows.net/alerts",
            "key_name": "send",
            "key": KEY,
            "sessions": True,
        },
    }
    most_bytes = 256 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.messages: dict[str, dict[str, Any]] = {}
        self.poison: set[str] = set()

    @override
    def answer(self, call: Call) -> Reply:
        self.must(call.method == "POST" and call.path.endswith("/messages"), "no such path", 404)
        scheme, _, proof = call.headers.get("authorization", "").partition(" ")
        given = {name: values[0] for name, values in parse_qs(proof).items()}
        where = proof.partition("sr=")[2].partition("&")[0]
        wanted = hmac.digest(KEY.encode(), f"{where}\n{given.get('se')}".encode(), hashlib.sha256)
        right = given.get("sig") == base64.b64encode(wanted).decode() and call.url.startswith(unquote_plus(where))
        if scheme != "SharedAccessSignature" or not right or int(given["se"]) < self.now:
            return Reply(401, {}, b"<Error><Code>401</Code><Detail>InvalidSignature</Detail></Error>")
        self.must(call.headers["content-type"] == "application/vnd.microsoft.servicebus.json", "content type")
        for each in call.json:
            broker = each["BrokerProperties"]
            if (self.case == "sessions") != ("SessionId" in broker):
                return Reply(400, {}, b"The SessionId was not set on a message")
            if broker["MessageId"] in self.poison:
                return Reply(400, {}, b"BadRequest")
            self.must(len(broker["MessageId"]) <= 128, "message id")
        for each in call.json:
            self.messages.setdefault(each["BrokerProperties"]["MessageId"], orjson.loads(each["Body"]))
        return Reply(201, {})

    @override
    def shown(self) -> Iterator[str]:
        for message in self.messages.values():
            yield from texts(message)

    @override
    def holds(self, alert: str) -> list[str]:
        return [each["alertStatus"] for each in self.messages.values() if each["alertId"] == alert]
