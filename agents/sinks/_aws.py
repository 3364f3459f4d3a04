"""Destinations in AWS: whose credentials they use, and what AWS's error codes mean."""

import re
from abc import ABC, abstractmethod
from typing import Self

from pydantic import BaseModel, Field, PrivateAttr, SecretStr, model_validator

from agents.sinks._aws_credentials import Chain, Role
from agents.sinks._base import Sink
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, Outcome, Poison, Reply, Retry, outcome_of, retry_after
from agents.sinks._settings import Key, OptionalHost
from agents.sinks._sigv4 import Credentials, signed


class AwsAccess(BaseModel, ABC):
    """How AWS is reached: credentials, and a role on top. Beside a base that can `reach`, which comes first."""

    access_key: str = Field(
        default="",
        pattern=r"^[A-Z0-9]*$",
        description="Access key id. Empty: the worker's own role (environment, container or instance).",
        examples=["AKIAIOSFODNN7EXAMPLE"],
    )
    secret_key: Key = Field(
        default=SecretStr(""), description="Its secret.", examples=["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"]
    )
    role_arn: str = Field(
        default="",
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/\S+)?$",
        description="A role to assume with them, in the account of the destination.",
        examples=["arn:aws:iam::111122223333:role/tidegate"],
    )
    external_id: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_+=,.@:/-]*$",
        max_length=1224,
        description="The external id that the role asks for.",
        examples=["6f1c5a52-0d3c-4b7e-9a51-3f0f6f1d2b8e"],
    )
    sts_url: OptionalHost = Field(
        default="",
        description="Where roles are assumed. Empty: AWS's own in the region.",
        examples=["https://vpce-0123-sts.eu-west-1.vpce.amazonaws.com"],
    )

    _chain: Chain = PrivateAttr(default_factory=Chain)

    @abstractmethod
    async def reach(self, request: Request, client: Client) -> Reply | Outcome:
        """Make a call: its answer, of which no words tell a secret, or what it means that there is none."""

    async def asked(self, request: Request, region: str, service: str, client: Client) -> Reply | Outcome:
        """Make a signed call; once more with new credentials when the old ones are worn out."""
        answer: Reply | Outcome = Retry("no call was made")
        for _ in range(2):
            role = Role(self.role_arn, self.external_id, self.sts_url)
            keys = (self.access_key, self.secret_key.get_secret_value())
            credentials = await self._chain.get(self, client, keys, role, region)
            if not isinstance(credentials, Credentials):
                return credentials
            answer = await self.reach(signed(request, credentials, region, service, client.clock()), client)
            if not isinstance(answer, Reply) or code_of(answer) not in _WORN_OUT or not self._chain.drop():
                break
        return answer

    @model_validator(mode="after")
    def _has_both_halves_of_a_key(self) -> Self:
        if bool(self.access_key) != bool(self.secret_key.get_secret_value()):
            raise ValueError("access_key and secret_key: wanted both or neither")
        if self.external_id and not self.role_arn:
            raise ValueError("external_id: there is no role_arn that asks for it")
        return self


class AwsSink(Sink, AwsAccess):
    """A destination in AWS."""


def code_of(reply: Reply) -> str:
    """Return AWS's code of an error, such as `AccessDenied`; empty: there is none."""
    header = reply.headers.get("x-amzn-errortype", "")
    code = header or str(reply.fields.get("__type") or reply.fields.get("Code") or reply.fields.get("code") or "")
    if not code and (found := re.search(rb"<Code>([\w.]+)</Code>", reply.body)):
        code = found[1].decode()
    return code.partition(":")[0].rpartition("#")[2].rpartition(".")[2]


def aws_outcome(reply: Reply, now: float) -> Outcome:
    """Return what an answer of AWS means. Pure. *now*: seconds since 1970 UTC."""
    code = code_of(reply)
    if code in _LATER:
        return Retry(reply.words, retry_after(reply.headers.get("retry-after", ""), now))
    if code in _CONFIG:
        return Config(f"{reply.words}: {_CONFIG[code]}")
    outcome = outcome_of(reply, now)
    return Poison(outcome.words) if reply.status == 413 else outcome


_WORN_OUT = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_LATER = {
    "Throttling", "ThrottlingException", "RequestThrottled", "RequestThrottledException", "TooManyRequestsException",
    "RequestLimitExceeded", "LimitExceededException", "LimitExceeded", "OverLimit", "KmsThrottled", "SlowDown",
    "ServiceUnavailable", "ServiceUnavailableException", "InternalError", "InternalFailure", "InternalException",
    "InternalServerError", "InternalServerException", "RequestTimeout", "RequestTimeoutException",
}  # fmt: skip
_CONFIG: dict[str, str] = {
    **dict.fromkeys(["AccessDenied", "AccessDeniedException"], "the credentials don't permit this"),
    **dict.fromkeys(
        ["InvalidClientTokenId", "UnrecognizedClientException", "InvalidSecurity", "MissingAuthenticationToken",
         "MissingAuthenticationTokenException", "InvalidAccessKeyId", "AuthFailure"],
        "the credentials are refused",
    ),
    **dict.fromkeys(["SignatureDoesNotMatch", "IncompleteSignature"], "the secret key is wrong"),
    **dict.fromkeys(["RequestExpired", "RequestTimeTooSkewed"], "this machine's clock is wrong"),
    **dict.fromkeys(["ExpiredToken", "ExpiredTokenException"], "the session token is worn out"),
    **dict.fromkeys(["OptInRequired", "SubscriptionRequiredException"], "the account hasn't enabled this service"),
    **dict.fromkeys(["QueueDoesNotExist", "NonExistentQueue", "InvalidAddress"], "there is no such queue"),
    **dict.fromkeys(["KmsAccessDenied", "KmsDisabled", "KmsNotFound", "KmsInvalidKeyUsage", "KmsInvalidState",
                     "KmsOptInRequired"], "the queue's key can't be used with these credentials"),
    "InvalidAccessException": "Security Hub, or the product, isn't enabled in this account and region",
    "NoSuchBucket": "there is no such bucket",
    **dict.fromkeys(["PermanentRedirect", "AuthorizationHeaderMalformed"], "the bucket is in another region"),
    "UnsupportedOperation": "the queue doesn't support this",
}  # fmt: skip
