"""Webhook: every event of an alert in order, one POST each, signed as Standard Webhooks say."""

import base64
import binascii
import hashlib
import hmac
import re
from typing import ClassVar, Literal

import orjson
from pydantic import Field, SecretStr, field_validator
from typing_extensions import override

from agents.sinks._base import HttpSink
from agents.sinks._client import Request
from agents.sinks._outcome import Poison
from agents.sinks._payload import fit, payload, sample, variables
from agents.sinks._settings import Key, SecretAddress
from agents.sinks._template import check_template, filled
from streams.alerts import Delivery


class Webhook(HttpSink):
    """Posts each event of an alert to an address of yours: a JSON array with one alert in Prisma Cloud's shape.

    The header `webhook-id` is the event's id: the same however often it is sent, so that a receiver can drop
    duplicates. With a signing secret, `webhook-signature` proves who sent it (standardwebhooks.com).
    """

    prisma: ClassVar[str] = "webhook"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    in_flight: ClassVar[int] = 64

    url: SecretAddress = Field(
        description="Where to post: http or https. Kept secret, since many such addresses carry a key.",
        examples=["https://hooks.example.com/alerts?key=k3y"],
    )
    token: Key = Field(default=SecretStr(""), description="Sent as `Authorization: Bearer`.", examples=["b3arer-t0ken"])
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="More headers, by name.", examples=[{"X-Api-Key": "h3ader-s3cret"}]
    )
    signing_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs each request: `whsec_` and 24 to 64 bytes in base64. Empty: no signature.",
        examples=["whsec_dGlkZWdhdGUtZXhhbXBsZS1zaWduaW5nLWtleSE="],
    )
    former_signing_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs each request too, until every receiver knows the new secret.",
        examples=["whsec_YW4tb2xkZXItZXhhbXBsZS1zaWduaW5nLWtleSE="],
    )
    custom_payload: str = Field(
        default="",
        description="JSON to send instead, with `${AlertId}` and the like within its texts. Empty: Prisma's shape.",
        examples=['{"summary": "${Severity}: ${PolicyName} on ${ResourceName}", "key": "${AlertId}"}'],
    )
    most_bytes: int = Field(
        default=256 * 1024,
        ge=4096,
        le=1024 * 1024,
        description="The largest body; longer alerts are cut where one sees it.",
        examples=[65536],
    )

    @override
    def request(self, delivery: Delivery, now: int) -> Request | Poison:
        if self.custom_payload:
            body = orjson.dumps(filled(orjson.loads(self.custom_payload), variables(delivery)))
        else:
            fitting = fit(payload(delivery), self.most_bytes - 2)
            if fitting is None:
                return Poison(f"too large: the ids alone are more than {self.most_bytes} bytes")
            body = orjson.dumps([fitting])
        if len(body) > self.most_bytes:
            return Poison(f"too large: the custom payload has {len(body)} bytes, the most is {self.most_bytes}")
        id = delivery.event.id
        headers = {name: secret.get_secret_value() for name, secret in self.headers.items()}
        headers |= {"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": str(now)}
        if self.token.get_secret_value():
            headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        keys = [each.get_secret_value() for each in (self.signing_secret, self.former_signing_secret)]
        if signatures := [_signature(key, f"{id}.{now}.".encode() + body) for key in keys if key]:
            headers["webhook-signature"] = " ".join(signatures)
        return Request("POST", self.url.get_secret_value(), body, headers)

    @override
    def probe(self, now: int) -> Request | Poison:
        return self.request(sample(now * 1000), now)

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            if name.lower() in _OURS or name.lower().startswith("webhook-"):
                raise ValueError(f"{name} is set by Tidegate")
            if not _VALUE.fullmatch(value.get_secret_value()):
                raise ValueError(f"the value of {name} isn't printable ASCII on one line")
        return headers

    @field_validator("signing_secret", "former_signing_secret")
    @classmethod
    def _is_a_key(cls, secret: SecretStr) -> SecretStr:
        if text := secret.get_secret_value():
            try:
                key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
                raise ValueError("wanted whsec_ and 24 to 64 bytes in base64")
        return secret

    @field_validator("custom_payload")
    @classmethod
    def _is_a_template(cls, text: str) -> str:
        if not text:
            return text
        try:
            template = orjson.loads(text)
        except orjson.JSONDecodeError as wrong:
            raise ValueError(f"not JSON: {wrong}; a variable stands within quotes") from None
        if not isinstance(template, dict | list):
            raise ValueError("wanted a JSON object or array")
        return check_template(text)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_OURS = {"content-type", "content-length", "host", "transfer-encoding", "connection", "authorization"}
