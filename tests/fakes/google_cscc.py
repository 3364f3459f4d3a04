"""Google's Security Command Center v2 and its tokens: findings by name, fields that may not change."""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typing_extensions import override

from agents.sinks._outcome import Reply
from streams.alerts import AlertResource
from tests.fakes.server import Call, Fake, json_reply, texts

SOURCE = "organizations/123456789012/sources/5678901234567890"
EMAIL = "tidegate@acme.iam.gserviceaccount.com"
FIELDS = {
    "category", "resourceName", "findingClass", "eventTime", "severity", "description", "nextSteps",
    "sourceProperties", "externalUri",
}  # fmt: skip
FIXED = {"category", "resourceName", "findingClass"}


@cache
def private_key() -> rsa.RSAPrivateKey:
    """Return the service account's key, new in every run."""
    return rsa.generate_private_key(65537, 2048)


def credentials(token_uri: str = "https://oauth2.googleapis.com/token") -> str:  # noqa: S107 (an address)
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": EMAIL, "private_key_id": "1", "private_key": pem}
    return json.dumps(account | {"token_uri": token_uri})


class GoogleCscc(Fake):
    """Holds findings. *active*: whether somebody has activated it; *permitted*: whether the account may write."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {
            "org_id": "123456789012",
            "source_id": "5678901234567890",
            "url": "https://securitycenter.googleapis.com",
            "credentials": credentials(),
        }
    }
    resource = AlertResource(
        rrn="rrn:gcp:gcloud-storage-buckets-list:eu:acme:0a1b2c3d4e:logs",
        id="//storage.googleapis.com/logs",
        name="logs",
        account="acme",
        cloud="gcp",
        region="europe-west1",
        api_name="gcloud-storage-buckets-list",
    )
    most_bytes = 64 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.findings: dict[str, dict[str, Any]] = {}
        self.tokens = 0
        self.permitted = True

    @override
    def decisive(self, call: Call) -> bool:
        return call.path != "/token"

    @override
    def golden(self, call: Call) -> bool:
        return self.decisive(call)  # what asks for a token is signed by a key that is new in every run

    @override
    def answer(self, call: Call) -> Reply:
        if call.path == "/token":
            return self._token(call)
        if call.headers.get("authorization") != f"Bearer ya29.{self.tokens}":
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        source = re.escape(SOURCE)
        if call.path == f"/v2/{SOURCE}":
            return json_reply(200, {"name": SOURCE, "displayName": "Tidegate"})
        if call.path == f"/v2/{SOURCE}:testIamPermissions":
            return json_reply(200, {"permissions": call.json["permissions"]} if self.permitted else {})
        found = re.fullmatch(rf"/v2/{source}/locations/global/findings(?:/(\w+))?(:setState)?", call.path)
        if not found:
            return _error(404, "NOT_FOUND", "Requested entity was not found.")
        if call.method == "POST" and not found[1]:
            return self._create(call, call.query["findingId"])
        if found[1] not in self.findings:
            return _error(404, "NOT_FOUND", "Finding not found.")
        return self._state(call, found[1]) if found[2] else self._patch(call, found[1])

    def _token(self, call: Call) -> Reply:
        form = dict(parse_qsl(call.body.decode()))
        signed, _, signature = form["assertion"].rpartition(".")
        claims = json.loads(_bytes(signed.partition(".")[2]))
        try:
            private_key().public_key().verify(_bytes(signature), signed.encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return json_reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        self.must(claims["iss"] == EMAIL and claims["aud"].endswith("/token") and claims["scope"], "claims")
        self.must(claims["iat"] <= self.now <= claims["exp"] <= claims["iat"] + 3600, "time of the claims")
        self.tokens += 1
        return json_reply(200, {"access_token": f"ya29.{self.tokens}", "expires_in": 3599, "token_type": "Bearer"})

    def _create(self, call: Call, id: str) -> Reply:
        self.must(re.fullmatch(r"[A-Za-z0-9]{1,32}", id), "finding id")
        if id in self.findings:
            return _error(409, "ALREADY_EXISTS", "Requested entity already exists")
        self._check(call.json)
        self.findings[id] = call.json | {"name": f"{SOURCE}/locations/global/findings/{id}", "state": "ACTIVE"}
        return json_reply(200, self.findings[id])

    def _patch(self, call: Call, id: str) -> Reply:
        self._check(call.json)
        mask = set(call.query["updateMask"].split(","))
        self.must(mask == set(call.json) and not mask & FIXED, "a field that may not change")
        self.findings[id] |= call.json
        return json_reply(200, self.findings[id])

    def _state(self, call: Call, id: str) -> Reply:
        self.must(call.json in ({"state": "ACTIVE"}, {"state": "INACTIVE"}), "state")
        self.findings[id] |= call.json
        return json_reply(200, self.findings[id])

    def _check(self, body: dict[str, Any]) -> None:
        self.must(set(body) <= FIELDS, f"unknown {set(body) - FIELDS}")
        self.must(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["eventTime"]), "event time")
        self.must(body["severity"] in ("CRITICAL", "HIGH", "MEDIUM", "LOW"), "severity")
        keys = body["sourceProperties"]
        self.must(all(re.fullmatch(r"[A-Za-z]\w{0,254}", key) for key in keys), "source properties")
        self.must(body.get("externalUri", "https://a").startswith("https://"), "external uri")

    @override
    def shown(self) -> Iterator[str]:
        for each in self.findings.values():
            yield from texts(each)

    @override
    def holds(self, alert: str) -> list[str]:
        mine = [each for each in self.findings.values() if each["sourceProperties"]["alertId"] == alert]
        return ["open" if each["state"] == "ACTIVE" else "resolved" for each in mine]


def _error(status: int, name: str, message: str) -> Reply:
    return json_reply(status, {"error": {"code": status, "message": message, "status": name}})


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
