"""Google's access tokens: for a service account's key, the worker's own identity, or one that is federated."""

import base64
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agents.sinks._base import Sink
from agents.sinks._client import Client, Request
from agents.sinks._oauth import Token
from agents.sinks._outcome import Config, Reply, Retry
from agents.sinks._talk import SettledError, json_request

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
METADATA = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token"


class GoogleToken:
    """The access token of one integration. *environment*: where the operator names the worker's own credentials."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._token = Token()
        self._near: tuple[str, float] = ("", 0.0)

    def drop(self) -> bool:
        """Forget the token: whether there was one."""
        had = bool(self._near[0])
        self._near = ("", 0.0)
        return self._token.drop() or had

    async def get(self, sink: Sink, client: Client, key: str) -> str:
        """Return the token for a service account's *key* as JSON; empty: the worker's own. Raises SettledError."""
        if key:
            return await self._of_account(sink, client, orjson.loads(key))
        if file := self._environment.get("GOOGLE_APPLICATION_CREDENTIALS"):
            own = _read(file)
            if own.get("type") == "service_account":
                return await self._of_account(sink, client, own)
            return await self._federated(sink, client, own)
        return await self._of_instance(client)

    async def _of_account(self, sink: Sink, client: Client, account: dict[str, Any]) -> str:
        if kept := self._token.kept(client.clock()):
            return kept  # without a signature for nothing
        url = account.get("token_uri") or "https://oauth2.googleapis.com/token"
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
        form["assertion"] = assertion(account, url, int(client.clock()))
        return await self._token.get(sink, client, url, form, {})

    async def _federated(self, sink: Sink, client: Client, own: dict[str, Any]) -> str:
        """Return a token for the one in a file, by workload identity federation; of the operator's file only."""
        if self._near[0] and self._near[1] > client.clock():
            return self._near[0]
        source = own.get("credential_source", {})
        try:
            subject = Path(source["file"]).read_text(encoding="utf-8").strip()
            field = source.get("format", {}).get("subject_token_field_name")
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "scope": SCOPE,
                "audience": own["audience"],
                "subject_token_type": own["subject_token_type"],
                "subject_token": orjson.loads(subject)[field] if field else subject,
            }
        except (KeyError, OSError, ValueError) as wrong:
            words = f"GOOGLE_APPLICATION_CREDENTIALS: no service account, and no token in a file: {wrong}"
            raise SettledError(Config(words)) from None
        token = await self._token.get(
            sink, client, own.get("token_url", "https://sts.googleapis.com/v1/token"), form, {}
        )
        if not (url := own.get("service_account_impersonation_url")):
            return token
        headers = {"Authorization": f"Bearer {token}"}
        answer = await sink.reach(json_request("POST", url, {"scope": [SCOPE]}, headers), client)
        if not isinstance(answer, Reply):
            raise SettledError(answer)
        self._near = (str(answer.fields.get("accessToken", "")), client.clock() + 1800)
        if answer.status != 200 or not self._near[0]:
            raise SettledError(Config(f"the service account can't be impersonated: {answer.words}"))
        return self._near[0]

    async def _of_instance(self, client: Client) -> str:
        """Return the token of the instance that this runs on."""
        if self._near[0] and self._near[1] > client.clock():
            return self._near[0]
        near = replace(client, allowed=(*client.allowed, _NEAR))  # at a fixed address, not at a user's
        answer = await near.call(Request("GET", METADATA, headers={"Metadata-Flavor": "Google"}), 5)
        token = answer.fields.get("access_token") if isinstance(answer, Reply) and answer.status == 200 else None
        if not isinstance(token, str):
            raise SettledError(
                Config("there are no credentials of Google: none in the settings, and the worker has none")
            )
        self._near = (token, client.clock() + 300)
        return token


def assertion(account: Mapping[str, Any], audience: str, now: int) -> str:
    """Return the signed claim of a service *account* for an hour from *now*. Raises SettledError without an RSA key."""
    try:
        key = load_pem_private_key(str(account.get("private_key")).encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SettledError(Config("credentials: private_key is no RSA key in PEM"))
    claims = {"iss": account.get("client_email"), "scope": SCOPE, "aud": audience, "iat": now, "exp": now + 3600}
    header = {"alg": "RS256", "typ": "JWT", "kid": account.get("private_key_id", "")}
    signed = f"{_base64(orjson.dumps(header))}.{_base64(orjson.dumps(claims))}"
    return f"{signed}.{_base64(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _read(file: str) -> dict[str, Any]:
    try:
        found = orjson.loads(Path(file).read_bytes())
    except (OSError, ValueError) as wrong:
        raise SettledError(Retry(f"GOOGLE_APPLICATION_CREDENTIALS can't be read: {wrong}")) from None
    return found if isinstance(found, dict) else {}


_NEAR = ipaddress.ip_network("169.254.169.254/32")
