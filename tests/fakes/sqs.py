"""Amazon SQS: a standard or a FIFO queue with its limits, whose calls are held against AWS's own model."""

from collections.abc import Iterator
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.aws import ACCOUNT, KEYS, ROLE, Signer, wrong_input
from tests.fakes.forms import alert_and_status
from tests.fakes.server import Call, Fake, json_reply, texts

URL = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/alerts"


class Sqs(Fake):
    """Holds messages; those of a FIFO queue once for each deduplication id. *sick*: bodies that hold it fail alone."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"queue_url": URL, "region": "eu-west-1", **KEYS},
        "ocsf": {"queue_url": URL, "region": "eu-west-1", "format": "ocsf", **KEYS},
        "fifo": {"queue_url": f"{URL}.fifo", "region": "eu-west-1", **KEYS},
        "role": {
            "queue_url": URL,
            "region": "eu-west-1",
            "sts_url": "https://sts.eu-west-1.amazonaws.com",
            **KEYS,
            **ROLE,
        },
    }
    most_bytes = 4 * 1024 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.doubles = case != "fifo"
        self.signer = Signer()
        self.messages: list[dict[str, Any]] = []
        self.seen: set[str] = set()
        self.largest = 64 * 1024
        self.in_all = 1024 * 1024
        self.sick: dict[str, tuple[bool, str]] = {}

    @override
    def decisive(self, call: Call) -> bool:
        return "x-amz-target" in call.headers

    @override
    def answer(self, call: Call) -> Reply:
        if "x-amz-target" not in call.headers:
            return self.signer.assume(call, self.now)
        if code := self.signer.wrong(call, "eu-west-1", "sqs"):
            return json_reply(400 if code.startswith("Expired") else 403, {"__type": f"com.amazon.coral#{code}"})
        self.must(call.headers["content-type"] == "application/x-amz-json-1.0" and call.path == "/", "protocol")
        action, body = call.headers["x-amz-target"].removeprefix("AmazonSQS."), call.json
        self.must(not (wrong := wrong_input("sqs", action, body)), f"{wrong}")
        if not body["QueueUrl"].endswith("/alerts.fifo" if self.case == "fifo" else "/alerts"):
            return json_reply(400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"})
        if action == "GetQueueAttributes":
            return json_reply(200, {"Attributes": {"MaximumMessageSize": str(self.largest)}})
        return self._batch(body["Entries"])

    def _batch(self, entries: list[dict[str, Any]]) -> Reply:
        self.must(0 < len(entries) <= 10 and len({each["Id"] for each in entries}) == len(entries), "entries")
        sizes = [len(each["MessageBody"].encode()) for each in entries]
        if sum(sizes) > self.in_all:
            return json_reply(400, {"__type": "com.amazonaws.sqs#BatchRequestTooLong", "message": "too long"})
        self.must(max(sizes) <= self.largest, "a message is too long")
        done: dict[str, list[Any]] = {"Successful": [], "Failed": []}
        for each in entries:
            self.must(not any(letter in each["MessageBody"] for letter in "\x00\ufffe\uffff"), "InvalidMessageContents")
            if self.case == "fifo":
                self.must(len(each["MessageGroupId"]) <= 128 and each["MessageDeduplicationId"], "FIFO")
            if sick := next((why for word, why in self.sick.items() if word in each["MessageBody"]), None):
                done["Failed"].append({"Id": each["Id"], "SenderFault": sick[0], "Code": sick[1], "Message": "no"})
                continue
            id = each.get("MessageDeduplicationId", "")
            if not id or id not in self.seen:
                self.messages.append(orjson.loads(each["MessageBody"]))
            self.seen |= {id} if id else set()
            done["Successful"].append({"Id": each["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32})
        return json_reply(200, {name: each for name, each in done.items() if each})

    @override
    def shown(self) -> Iterator[str]:
        for message in self.messages:
            yield from texts(message)

    @override
    def holds(self, alert: str) -> list[str]:
        return [status for id, status in map(alert_and_status, self.messages) if id == alert]
