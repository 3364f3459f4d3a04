"""Amazon S3: a bucket whose objects are JSON lines; signatures and hashes are checked."""

import gzip
import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.aws import KEYS, ROLE, Signer
from tests.fakes.forms import alert_and_status
from tests.fakes.server import Call, Fake, texts

URL = "https://s3.eu-west-1.amazonaws.com"


class S3(Fake):
    """Holds objects by their names."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {"bucket": "acme-alerts", "region": "eu-west-1", "url": URL, **KEYS},
        "ocsf": {"bucket": "acme-alerts", "region": "eu-west-1", "url": URL, "format": "ocsf", **KEYS},
        "gzip": {
            "bucket": "acme-alerts",
            "region": "eu-west-1",
            "url": URL,
            "compress": True,
            "sts_url": "https://sts.eu-west-1.amazonaws.com",
            **KEYS,
            **ROLE,
        },
    }
    most_bytes = 300 * 1024 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.signer = Signer()
        self.objects: dict[str, list[dict[str, Any]]] = {}

    @override
    def decisive(self, call: Call) -> bool:
        return call.method == "PUT"

    @override
    def answer(self, call: Call) -> Reply:
        if call.path == "/":
            return self.signer.assume(call, self.now)
        if code := self.signer.wrong(call, "eu-west-1", "s3"):
            return _error(403, code)
        if not call.path.startswith("/acme-alerts/"):
            return _error(404, "NoSuchBucket")
        self.must(call.method == "PUT", "method", 405)
        self.must(call.headers["x-amz-content-sha256"] == hashlib.sha256(call.body).hexdigest(), "hash")
        body = gzip.decompress(call.body) if self.case == "gzip" else call.body
        name = call.path.removeprefix("/acme-alerts/")
        self.must(name.startswith("alerts/") and name.endswith(".gz") == (self.case == "gzip"), "name")
        self.objects[name] = [orjson.loads(line) for line in body.splitlines()]
        return Reply(200, {"etag": '"0"'})

    @override
    def shown(self) -> Iterator[str]:
        for lines in self.objects.values():
            yield from texts(lines)

    @override
    def holds(self, alert: str) -> list[str]:
        told = (alert_and_status(each) for lines in self.objects.values() for each in lines)
        return [status for id, status in told if id == alert]


def _error(status: int, code: str) -> Reply:
    return Reply(status, {"content-type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode())
