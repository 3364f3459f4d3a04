"""Google Cloud Security Command Center: one finding an alert, made, updated, set inactive when the alert is over."""

import hashlib
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, PrivateAttr, SecretStr, field_validator
from typing_extensions import override

from agents.sinks._base import Item
from agents.sinks._client import Client, Request
from agents.sinks._google import GoogleToken
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison, Reply, Retry, outcome_of
from agents.sinks._payload import cut
from agents.sinks._settings import Host
from agents.sinks._talk import SettledError, Talk, TalkSink, json_request
from agents.sinks._text import clean, one_line, utc
from streams.alerts import Delivery
from streams.records import Severity


class GoogleCscc(TalkSink):
    """Writes an alert as a finding into Google Cloud Security Command Center, by its API v2.

    The finding's id is made of the alert's, so that it stays one finding. It is active while the alert is open. Alerts
    of other clouds aren't sent.
    """

    prisma: ClassVar[str] = "google_cscc"
    keeps: ClassVar[Literal["every event", "latest state"]] = "latest state"
    in_flight: ClassVar[int] = 4
    checks_quietly: ClassVar[bool] = True
    per_second: ClassVar[float | None] = 8.0  # a project may write 1,000 times a minute; a delivery writes twice

    org_id: str = Field(pattern=r"^\d+$", description="The organization's number.", examples=["123456789012"])
    source_id: str = Field(pattern=r"^\d+$", description="The source's number.", examples=["5678901234567890"])
    location: str = Field(
        default="global",
        pattern=r"^[a-z0-9-]+$",
        description="Where findings are kept: `eu`, with data residency.",
        examples=["eu"],
    )
    credentials: SecretStr = Field(
        default=SecretStr(""),
        description="A service account's key, as the JSON that Google gave. Empty: the worker's own identity, "
        "from `GOOGLE_APPLICATION_CREDENTIALS` or the instance.",
        examples=[
            '{"type": "service_account", "client_email": "t@acme.iam.gserviceaccount.com", "private_key": "s3cret-k3y"}'
        ],
    )
    url: Host = Field(
        default="https://securitycenter.googleapis.com",
        description="The API's address: a private endpoint has another one.",
        examples=["https://securitycenter-acme.p.googleapis.com"],
    )

    _token: GoogleToken = PrivateAttr(default_factory=GoogleToken)

    @override
    async def settle(self, item: Item, talk: Talk) -> Outcome:
        alert = item.delivery.event.alert
        if alert.resource.cloud != "gcp":
            return NotApplicable(f"an alert about {alert.resource.cloud}: Security Command Center is for gcp")
        if len(alert.resource.id) > 2000 or len(alert.policy.id) > 255:
            return Poison("too large: Security Command Center takes resource names of at most 2000 characters")
        wanted = "ACTIVE" if alert.status == "open" else "INACTIVE"
        name = f"{self._source}/findings/{hashlib.sha256(alert.id.encode()).hexdigest()[:32]}"
        finding, known = _finding(item.delivery), bool(item.entry.get("state"))
        if not known and wanted == "ACTIVE" and await self._made(talk, name, finding):
            return Ok(entry={"name": name, "state": "ACTIVE"})
        state = await self._changed(talk, name, finding)
        if state is None:
            if wanted == "INACTIVE":
                return Ok("there is no finding to change")
            if not await self._made(talk, name, finding):
                return Retry("the finding is there, and isn't")
            state = "ACTIVE"
        if state != wanted:
            reply = await talk.call(json_request("POST", f"{self.url}/v2/{name}:setState", {"state": wanted}))
            self._is_a_finding(reply)
        return Ok(entry={"name": name, "state": wanted})

    @override
    async def test(self, talk: Talk) -> Outcome:
        source = f"organizations/{self.org_id}/sources/{self.source_id}"
        body = {"permissions": [_PERMISSION]}
        url = f"{self.url}/v2/{source}"
        about = await talk.call(json_request("GET", url))
        reply = await talk.call(json_request("POST", f"{url}:testIamPermissions", body))
        if reply.fields.get("permissions") != [_PERMISSION]:
            return Config(f"the service account lacks {_PERMISSION} on the source: make it Findings Editor")
        return Ok(f"writes to {reply.said(about.fields.get('displayName', self.source_id))}")

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        error = reply.fields.get("error")
        said = reply.said(error.get("message", "")) if isinstance(error, dict) else ""
        if reply.status == 404:
            return Config(f"{reply.words}: is there such an organization and source?")
        if isinstance(error, dict) and error.get("status") == "FAILED_PRECONDITION":
            return Config(f"HTTP {reply.status}: {said}")
        return Retry(reply.words) if reply.status == 409 else outcome_of(reply, now)

    @override
    async def prepared(self, request: Request, client: Client) -> Request:
        token = await self._token.get(self, client, self.credentials.get_secret_value())
        return Request(
            request.method, request.url, request.body, request.headers | {"Authorization": f"Bearer {token}"}
        )

    @override
    async def refreshed(self, reply: Reply) -> bool:
        return reply.status == 401 and self._token.drop()

    @property
    def _source(self) -> str:
        return f"organizations/{self.org_id}/sources/{self.source_id}/locations/{self.location}"

    async def _made(self, talk: Talk, name: str, finding: dict[str, Any]) -> bool:
        """Make the finding: whether there was none."""
        url = f"{self.url}/v2/{self._source}/findings?findingId={name.rpartition('/')[2]}"
        reply = await talk.call(json_request("POST", url, finding), fine=(409,))
        if reply.status != 409:
            self._is_a_finding(reply)
        return reply.status != 409

    async def _changed(self, talk: Talk, name: str, finding: dict[str, Any]) -> str | None:
        """Update what may be updated: the finding's state, which may not be what we know; None: there is none."""
        body = {key: value for key, value in finding.items() if key not in ("category", "resourceName", "findingClass")}
        url = f"{self.url}/v2/{name}?updateMask={','.join(body)}"
        reply = await talk.call(json_request("PATCH", url, body), fine=(404,))
        if reply.status == 404 and "error" not in reply.fields:
            raise SettledError(self.outcome(reply, talk.now))  # no answer of the API's
        if reply.status == 404:
            return None
        self._is_a_finding(reply)
        return str(reply.fields.get("state", ""))

    def _is_a_finding(self, reply: Reply) -> None:
        if not isinstance(reply.fields.get("name"), str):
            raise SettledError(Retry(f"no answer of Security Command Center's: {reply.words}"))

    @field_validator("credentials")
    @classmethod
    def _are_a_service_accounts(cls, credentials: SecretStr) -> SecretStr:
        if text := credentials.get_secret_value():
            try:
                key = orjson.loads(text)
            except orjson.JSONDecodeError:
                key = None
            if not isinstance(key, dict) or key.get("type") != "service_account":
                raise ValueError("wanted the JSON of a service account's key: its `type` is `service_account`")
            for name in ("client_email", "private_key"):
                if not isinstance(key.get(name), str):
                    raise ValueError(f"the key has no {name}")
        return credentials


def _finding(delivery: Delivery) -> dict[str, Any]:
    event, alert = delivery.event, delivery.event.alert
    policy, resource = alert.policy, alert.resource
    properties = {
        "alertId": alert.id,
        "alertStatus": alert.status,
        "reason": alert.reason,
        "severity": policy.severity,
        "policyName": cut(one_line(policy.name), 500),
        "alertRuleName": cut(one_line(delivery.rules[0].name), 500) if delivery.rules else "",
        "accountId": resource.account,
        "region": resource.region,
        "resourceName": cut(one_line(resource.name), 500),
        "resourceApiName": resource.api_name,
        "rrn": resource.rrn,
        "note": cut(one_line(alert.dismissal_note), 500),
    }
    finding: dict[str, Any] = {
        "category": policy.id,  # neither may change
        "resourceName": resource.id,
        "findingClass": "MISCONFIGURATION",
        "eventTime": utc(event.at),
        "severity": _SEVERITIES[policy.severity],
        "description": cut(clean(policy.description) or one_line(policy.name), 4000),
        "nextSteps": cut(clean(policy.recommendation), 4000),
        "sourceProperties": {name: value for name, value in properties.items() if value},
    }
    return finding | {"externalUri": delivery.link} if delivery.link else finding


_PERMISSION = "securitycenter.findings.update"
_SEVERITIES: dict[Severity, str] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "informational": "LOW",
}
