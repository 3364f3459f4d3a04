"""What the doubles of AWS services share: signatures checked by AWS's own library, and requests by its own models."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from agents.sinks._outcome import Reply
from tests.fakes.server import Call

ACCOUNT = "111122223333"
KEYS = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
ROLE = {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/tidegate", "external_id": "6f1c5a52-0d3c-4b7e-9a51-3f0f6f1d2b8e"}


class Signer:
    """Who may call: the key, and sessions of the role."""

    def __init__(self) -> None:
        self.secrets = {KEYS["access_key"]: (KEYS["secret_key"], "")}
        self.sessions = 0

    def wrong(self, call: Call, region: str, service: str) -> str:
        """Return AWS's code for a signature that isn't right; empty: it is."""
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([\w;-]+), "
            r"Signature=([0-9a-f]{64})",
            call.headers.get("authorization", ""),
        )
        if not found:
            return "MissingAuthenticationToken"
        key, _, in_region, to_service, names, signature = found.groups()
        if key not in self.secrets:
            return "UnrecognizedClientException"
        secret, token = self.secrets[key]
        if call.headers.get("x-amz-security-token", "") != token:
            return "ExpiredTokenException"
        if (in_region, to_service) != (region, service):
            return "SignatureDoesNotMatch"
        named = {name: call.headers.get(name, "") for name in names.split(";") if name != "host"}
        request = AWSRequest(call.method, call.url, named, call.body)
        request.context["timestamp"] = call.headers["x-amz-date"]
        auth = SigV4Auth(Credentials(key, secret), service, region)
        ours = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return "" if ours == signature else "SignatureDoesNotMatch"

    def assume(self, call: Call, now: float) -> Reply:
        """Give a session of the role to who asks rightly."""
        form = dict(parse_qsl(call.body.decode()))
        if code := self.wrong(call, "eu-west-1", "sts"):
            return _sts_error(403, code, "refused")
        if (form["RoleArn"], form.get("ExternalId")) != (ROLE["role_arn"], ROLE["external_id"]):
            return _sts_error(403, "AccessDenied", f"not authorized to perform sts:AssumeRole on {form['RoleArn']}")
        self.sessions += 1
        key, secret, token = (
            f"ASIASESSION{self.sessions}",
            f"session-secret-{self.sessions}",
            f"token/{self.sessions}==",
        )
        self.secrets[key] = (secret, token)
        until = datetime.fromtimestamp(now + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        xml = (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{until}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
        return Reply(200, {"content-type": "text/xml"}, xml.encode())

    def revoke(self) -> None:
        """End all sessions: their tokens are refused as worn out."""
        for key in [key for key in self.secrets if key.startswith("ASIA")]:
            self.secrets[key] = (self.secrets[key][0], "another")


def wrong_input(service: str, operation: str, body: Any) -> list[str]:
    """Return what AWS's model finds wrong with the input of a call."""
    return list(_wrong(_model(service).operation_model(operation).input_shape, body, operation))


def _wrong(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Yield what is wrong, stricter than the library: enumerations, lengths and patterns, too."""
    kinds: dict[str, Any] = {
        "structure": dict, "map": dict, "list": list, "string": str, "integer": int, "long": int, "boolean": bool,
        "double": int | float, "float": int | float, "timestamp": str | int | float,
    }  # fmt: skip
    if not isinstance(value, kinds[shape.type_name]):
        yield f"{path}: {type(value).__name__}, wanted {shape.type_name}"
        return
    if shape.type_name == "structure":
        yield from (f"{path}.{name}: missing" for name in shape.required_members if name not in value)
        for name, each in value.items():
            if name not in shape.members:
                yield f"{path}.{name}: unknown"
            else:
                yield from _wrong(shape.members[name], each, f"{path}.{name}")
    elif shape.type_name == "list":
        yield from _wrong_size(shape, len(value), path)
        for number, each in enumerate(value):
            yield from _wrong(shape.member, each, f"{path}[{number}]")
    elif shape.type_name == "map":
        for name, each in value.items():
            yield from _wrong(shape.value, each, f"{path}[{name}]")
    elif shape.type_name == "string":
        yield from _wrong_size(shape, len(value), path)
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {shape.enum}"
        if (pattern := shape.metadata.get("pattern")) and not re.search(pattern, value):
            yield f"{path}: {value[:50]!r} doesn't match {pattern}"


def _wrong_size(shape: Shape, size: int, path: str) -> Iterator[str]:
    if not shape.metadata.get("min", 0) <= size <= shape.metadata.get("max", 10**9):
        yield f"{path}: {size} long"


def _sts_error(status: int, code: str, message: str) -> Reply:
    xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Reply(status, {"content-type": "text/xml"}, xml.encode())


@cache
def _model(service: str) -> Any:
    return ServiceModel(Loader().load_service_model(service, "service-2"))
