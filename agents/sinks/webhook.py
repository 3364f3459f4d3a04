"""Webhook: every event of an alert in order, one POST each, signed as Standard Webhooks say."""

import base64
import binascii
import hashlib
import hmac
import re
import ssl
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal, Self
from urllib.parse import quote

import orjson
from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator
from typing_extensions import override

from agents.sinks import _digest
from agents.sinks._base import HttpSink, Item
from agents.sinks._client import Client, Request
from agents.sinks._format import FORMAT, Format, written
from agents.sinks._oauth import Token
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison
from agents.sinks._payload import sample, variables
from agents.sinks._settings import Key, OptionalHost, SecretAddress
from agents.sinks._talk import SettledError
from agents.sinks._template import check_template, filled
from agents.sinks._tls import tls
from streams.alerts import Delivery

_CERTIFICATES = r"^(\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*)?$"


class Webhook(HttpSink):
    """Posts each event of an alert to an address of yours: a JSON array with one alert in Prisma Cloud's shape or OCSF.

    The header `webhook-id` is the event's id: the same however often it is sent, so that a receiver can drop
    duplicates. With a signing secret, `webhook-signature` proves who sent it (standardwebhooks.com). A digest is one
    array of its alerts, with an id of its own.
    """

    prisma: ClassVar[str] = "webhook"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    in_flight: ClassVar[int] = 64

    url: SecretAddress = Field(
        description="Where to post: http or https. Kept secret, since many such addresses carry a key.",
        examples=["https://hooks.example.com/alerts?key=k3y"],
    )
    token: Key = Field(default=SecretStr(""), description="Sent as `Authorization: Bearer`.", examples=["b3arer-t0ken"])
    login: str = Field(
        default="",
        pattern=r"^[\x20-\x39\x3b-\x7e]*$",
        description="A user, sent with `password` as `Authorization: Basic`.",
        examples=["tidegate"],
    )
    password: Key = Field(default=SecretStr(""), description="The user's password.", examples=["p4ssw0rd-of-the-user"])
    token_url: OptionalHost = Field(
        default="",
        description="OAuth 2: where an access token is got for `client_id` and `client_secret`.",
        examples=["https://login.example.com/oauth2/token"],
    )
    client_id: str = Field(default="", description="OAuth 2: the client's id.", examples=["tidegate-client"])
    client_secret: Key = Field(default=SecretStr(""), description="OAuth 2: its secret.", examples=["cl1ent-s3cret"])
    scope: str = Field(default="", description="OAuth 2: the scope, where one is wanted.", examples=["alerts.write"])
    client_certificate: str = Field(
        default="",
        pattern=_CERTIFICATES,
        description="Mutual TLS: the certificate, with its chain, in PEM.",
        examples=["-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----"],
    )
    client_key: SecretStr = Field(
        default=SecretStr(""),
        description="Mutual TLS: its key in PEM, without a password.",
        examples=["-----BEGIN PRIVATE KEY-----\nMIIB-th3-k3y\n-----END PRIVATE KEY-----"],
    )
    authorities: str = Field(
        default="",
        pattern=_CERTIFICATES,
        description="The certificates that the receiver's is checked by, in PEM. Empty: the system's.",
        examples=["-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----"],
    )
    format: Format = FORMAT
    body: Literal["array", "object"] = Field(
        default="array",
        description="The alert as the one of an array, as Prisma Cloud sends it, or alone.",
        examples=["object"],
    )
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
        description="JSON to send instead, with `${AlertId}` and the like within its texts. Empty: as `format` says.",
        examples=['{"summary": "${Severity}: ${PolicyName} on ${ResourceName}", "key": "${AlertId}"}'],
    )
    most_bytes: int = Field(
        default=256 * 1024,
        ge=4096,
        le=1024 * 1024,
        description="The largest body; longer alerts are cut where one sees it.",
        examples=[65536],
    )

    _token: Token = PrivateAttr(default_factory=Token)

    @override
    def request(self, delivery: Delivery, now: int) -> Request | Poison:
        if self.custom_payload:
            body = orjson.dumps(filled(orjson.loads(self.custom_payload), variables(delivery)))
        else:
            fitting = written(delivery, self.format, self.most_bytes - 2)
            if fitting is None:
                return Poison(f"too large: the ids alone are more than {self.most_bytes} bytes")
            body = b"[%b]" % fitting if self.body == "array" else fitting
        if len(body) > self.most_bytes:
            return Poison(f"too large: the custom payload has {len(body)} bytes, the most is {self.most_bytes}")
        return self._posted(body, delivery.event.id, now)

    def _posted(self, body: bytes, id: str, now: int) -> Request:
        """Return the call that posts *body* as the message *id*."""
        headers = {**self._headers, "webhook-id": id, "webhook-timestamp": str(now)}
        if self._keys:
            signed = f"{id}.{now}.".encode() + body
            headers["webhook-signature"] = " ".join(_signature(key, signed) for key in self._keys)
        return Request("POST", self._url, body, headers)

    @cached_property
    def _url(self) -> str:
        return self.url.get_secret_value()

    @cached_property
    def _keys(self) -> list[bytes]:
        keys = (each.get_secret_value() for each in (self.signing_secret, self.former_signing_secret))
        return [base64.b64decode(key.removeprefix("whsec_")) for key in keys if key]

    @cached_property
    def _headers(self) -> dict[str, str]:
        """What is the same in every call."""
        headers = {name: secret.get_secret_value() for name, secret in self.headers.items()}
        headers["Content-Type"] = "application/json"
        if self.token.get_secret_value():
            headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        elif self.login:
            pair = f"{self.login}:{self.password.get_secret_value()}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return headers

    @property
    @override
    def digests(self) -> int:
        return 100 if self.body == "array" and not self.custom_payload else 0

    @override
    async def digest(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        async def send(some: Sequence[Item]) -> Outcome | None:
            alerts = [written(item.delivery, self.format, self.most_bytes - 2) for item in some]
            body = b"[%b]" % b",".join(alert for alert in alerts if alert is not None)
            if len(body) > self.most_bytes or None in alerts:
                return None
            ids = "\n".join(item.delivery.event.id for item in some)
            id = f"digest-{hashlib.sha256(ids.encode()).hexdigest()[:32]}"
            outcome = await self._made(self._posted(body, id, int(client.clock())), client)
            return Ok(f"in an array of {len(some)}") if isinstance(outcome, Ok) else outcome

        return await _digest.in_one(self, items, client, send)

    @override
    def probe(self, now: int) -> Request | Poison:
        return self.request(sample(now * 1000), now)

    @override
    async def _made(self, call: Request | Poison | NotApplicable, client: Client) -> Outcome:
        if not isinstance(call, Request) or not (self.token_url or self.client_certificate or self.authorities):
            return await super()._made(call, client)
        try:
            call = replace(call, tls=self._tls)
            outcome = await super()._made(await self._authorized(call, client), client)
            if self.token_url and isinstance(outcome, Config) and "HTTP 401" in outcome.words and self._token.drop():
                outcome = await super()._made(await self._authorized(call, client), client)
        except SettledError as known:
            return known.outcome
        return outcome

    async def _authorized(self, call: Request, client: Client) -> Request:
        """Return *call* with an access token, where one is wanted. Raises SettledError when there is none."""
        if not self.token_url:
            return call
        pair = f"{quote(self.client_id)}:{quote(self.client_secret.get_secret_value(), '')}"
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        token = await self._token.get(self, client, self.token_url, form, basic)
        return replace(call, headers=call.headers | {"Authorization": f"Bearer {token}"})

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        """How the receiver is checked, and what it checks. Raises SettledError when the settings don't fit."""
        if not (self.client_certificate or self.authorities):
            return None
        try:
            return tls(self.client_certificate, self.client_key.get_secret_value(), self.authorities)
        except (ssl.SSLError, ValueError) as wrong:
            words = "client_certificate, client_key and authorities: these are no certificates and a key that fit"
            raise SettledError(Config(f"{words}: {getattr(wrong, 'reason', '') or type(wrong).__name__}")) from None

    @field_validator("client_key")
    @classmethod
    def _is_in_pem(cls, key: SecretStr) -> SecretStr:
        if not re.fullmatch(r"(\s*-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+-----\s*)?", key.get_secret_value()):
            raise ValueError("wanted a private key in PEM")
        return key

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if self.custom_payload and self.format != "prisma":
            raise ValueError(f"format: {self.format} and a custom payload: wanted one of them")
        return self

    @model_validator(mode="after")
    def _has_one_way_in(self) -> Self:
        token, password = bool(self.token.get_secret_value()), bool(self.password.get_secret_value())
        if sum([token, bool(self.login), bool(self.token_url)]) > 1:
            raise ValueError("wanted one of token, login and token_url")
        if password != bool(self.login):
            raise ValueError("login and password: wanted both or neither")
        if not bool(self.token_url) == bool(self.client_id) == bool(self.client_secret.get_secret_value()):
            raise ValueError("token_url, client_id and client_secret: wanted all or none")
        if bool(self.client_certificate) != bool(self.client_key.get_secret_value()):
            raise ValueError("client_certificate and client_key: wanted both or neither")
        return self

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


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_OURS = {"content-type", "content-length", "host", "transfer-encoding", "connection", "authorization"}
