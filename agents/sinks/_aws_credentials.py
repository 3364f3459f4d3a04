"""Where AWS credentials come from: settings, environment, web identity, container, instance; and roles on top."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, Outcome, Reply, Retry, outcome_of
from agents.sinks._sigv4 import Credentials, signed

MARGIN = 300.0
"""How long before their end credentials aren't used any more, in seconds."""


class Role(NamedTuple):
    """A role to assume; without an *arn*, none."""

    arn: str
    external_id: str
    sts_url: str


class Caller(Protocol):
    """Who asks: a destination, or a connector."""

    async def reach(self, request: Request, client: Client) -> Reply | Outcome:
        """Make a call: its answer, of which no words tell a secret, or what it means that there is none."""


class Chain:
    """The credentials of one integration, kept until they are nearly worn out."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._kept: Credentials | None = None

    def drop(self) -> bool:
        """Forget the credentials: whether there were any that wear out."""
        had, self._kept = self._kept is not None, None
        return had

    async def get(
        self, sink: Caller, client: Client, keys: tuple[str, str], role: Role, region: str
    ) -> Credentials | Outcome:
        """Return credentials, or what it means that there are none. *keys*: a key and its secret; empty: our own."""
        now = client.clock()
        if self._kept and (self._kept.until or 0) - MARGIN > now:
            return self._kept
        found = Credentials(*keys) if keys[0] else await self._ambient(sink, client, region)
        if isinstance(found, Credentials) and role.arn:
            form = {"Action": "AssumeRole", "RoleArn": role.arn, "RoleSessionName": "tidegate"}
            form |= {"ExternalId": role.external_id} if role.external_id else {}
            found = await _assumed(sink, client, role.sts_url or _sts(region), form, region, found)
        if isinstance(found, Credentials) and found.until:
            self._kept = found
        return found

    async def _ambient(self, sink: Caller, client: Client, region: str) -> Credentials | Outcome:
        """Return the worker's own credentials, found where AWS's own libraries look."""
        known = self._environment
        if known.get("AWS_ACCESS_KEY_ID") and known.get("AWS_SECRET_ACCESS_KEY"):
            token = known.get("AWS_SESSION_TOKEN", "")
            return Credentials(known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"], token)
        if (file := known.get("AWS_WEB_IDENTITY_TOKEN_FILE")) and (arn := known.get("AWS_ROLE_ARN")):
            token = _read(file)
            form = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": arn, "RoleSessionName": "tidegate"}
            return await _assumed(sink, client, _sts(region), form | {"WebIdentityToken": token}, region, None)
        near = replace(client, allowed=(*client.allowed, *_METADATA))  # at fixed addresses, not at a user's
        url, headers = known.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""), {}
        if relative := known.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            url = f"http://169.254.170.2{relative}"
        if url:
            token_file = known.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
            if token := _read(token_file) if token_file else known.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", ""):
                headers = {"Authorization": token}
            return _from_metadata(await near.call(Request("GET", url, headers=headers), 5))
        return await _from_instance(near)


async def _assumed(
    sink: Caller, client: Client, url: str, form: dict[str, str], region: str, by: Credentials | None
) -> Credentials | Outcome:
    """Return what STS gives for *form*. *by*: who asks; None: the form itself says."""
    body = urlencode(form | {"Version": "2011-06-15"}).encode()
    if named := re.search(r"sts\.([a-z]{2}(?:-[a-z]+)+-\d)\.", url):
        region = named[1]  # an address of one's own may lead to another region than the call that follows
    request = Request("POST", f"{url}/", body, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = await sink.reach(signed(request, by, region, "sts", client.clock()) if by else request, client)
    if not isinstance(answer, Reply):
        return answer
    if answer.status in (400, 403):
        said = re.search(rb"<Message>([^<]*)</Message>", answer.body)
        words = answer.said(said[1].decode(errors="replace") if said else answer.words)
        return Config(f"the role can't be assumed: HTTP {answer.status}: {words}")
    if answer.status != 200:
        outcome = outcome_of(answer, client.clock())
        return outcome if isinstance(outcome, Retry) else Config(f"the role can't be assumed: {answer.words}")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    found = [re.search(rf"<{name}>([^<]+)</{name}>", answer.body.decode(errors="replace")) for name in names]
    values = [each[1] for each in found if each]
    until = _time(values[3]) if len(values) == 4 else None
    return (
        Credentials(values[0], values[1], values[2], until) if until else Retry("no credentials in the answer of STS")
    )


async def _from_instance(near: Client) -> Credentials | Outcome:
    """Return the credentials of the instance that this runs on."""
    base = "http://169.254.169.254/latest"
    asked = Request("PUT", f"{base}/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "300"})
    token = await near.call(asked, 2)
    if not isinstance(token, Reply) or token.status != 200:
        return Config("there are no AWS credentials: none in the settings, and the worker has none of its own")
    headers = {"X-aws-ec2-metadata-token": token.body.decode("ascii", "replace")}
    name = await near.call(Request("GET", f"{base}/meta-data/iam/security-credentials/", headers=headers), 2)
    if not isinstance(name, Reply) or name.status != 200:
        return Config("there are no AWS credentials: none in the settings, and the instance has no role")
    url = f"{base}/meta-data/iam/security-credentials/{name.body.decode('ascii', 'replace').split()[0]}"
    return _from_metadata(await near.call(Request("GET", url, headers=headers), 2))


def _from_metadata(answer: Reply | Outcome) -> Credentials | Outcome:
    if not isinstance(answer, Reply):
        return answer
    fields = answer.fields
    values = [fields.get(name) for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")]
    texts = [each for each in values if isinstance(each, str)]
    until = _time(texts[3]) if len(texts) == 4 else None
    if not until:
        return Retry(f"HTTP {answer.status}: no credentials from the container or instance")
    return Credentials(texts[0], texts[1], texts[2], until)


def _sts(region: str) -> str:
    return f"https://sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


_METADATA = tuple(ipaddress.ip_network(f"{host}/32") for host in ("169.254.169.254", "169.254.170.2", "169.254.170.23"))
