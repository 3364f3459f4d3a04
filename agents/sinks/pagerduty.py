"""PagerDuty: one incident an alert, triggered, acknowledged and resolved through Events API v2."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, SecretStr, field_validator
from typing_extensions import override

from agents.sinks._base import HttpSink
from agents.sinks._client import Request
from agents.sinks._outcome import Config, Outcome, Poison, Reply, Retry, outcome_of
from agents.sinks._payload import cut, fit, payload
from streams.alerts import AlertStatus, Delivery
from streams.records import Severity


class PagerDuty(HttpSink):
    """Triggers a PagerDuty alert, acknowledges it when it is dismissed or snoozed, resolves it when it is resolved.

    The dedup key is the alert's id, so that it stays one alert there. Only the latest state is sent: a trigger that
    comes late never pages again.
    """

    prisma: ClassVar[str] = "pager_duty"
    keeps: ClassVar[Literal["every event", "latest state"]] = "latest state"
    in_flight: ClassVar[int] = 4
    per_second: ClassVar[float | None] = 2.0  # 120 a minute for each integration key

    integration_key: SecretStr = Field(
        description="Integration key of an Events API v2 integration: 32 letters and digits.",
        examples=["R0UT1NGKEY0000000000000000000000"],
    )
    region: Literal["us", "eu"] = Field(
        default="us", description="The service region of your PagerDuty account.", examples=["eu"]
    )
    url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="Address of a relay of your own that speaks Events API v2, up to /v2. Empty: PagerDuty's own.",
        examples=["https://relay.example.com/v2"],
    )

    @override
    def request(self, delivery: Delivery, now: int) -> Request | Poison:
        alert = delivery.event.alert
        body: dict[str, Any] = {"event_action": _ACTIONS[alert.status], "dedup_key": alert.id}
        if alert.status == "open":
            details = fit(payload(delivery), MOST_BYTES)
            if details is None:
                return Poison(f"too large: the ids alone are more than {MOST_BYTES} bytes")
            resource = alert.resource
            where = resource.name or resource.id
            body["payload"] = {
                "summary": cut(f"{alert.policy.name}: {where}", 1024),
                "source": cut(resource.rrn or resource.subject, 1024),
                "severity": _SEVERITIES[alert.policy.severity],
                "timestamp": datetime.fromtimestamp(alert.opened / 1000, UTC).isoformat(timespec="milliseconds"),
                "component": cut(where, 1024),
                "group": resource.account,
                "class": cut(alert.policy.name, 1024),
                "custom_details": details,
            }
            body["client"] = "Tidegate"
            if delivery.link:
                body["client_url"] = delivery.link
                body["links"] = [{"href": delivery.link, "text": f"{alert.id} in Tidegate"}]
        return self._call("enqueue", body)

    @override
    def probe(self, now: int) -> Request:
        if self.integration_key.get_secret_value().startswith("R"):  # a ruleset: it takes no change events
            return self._call("enqueue", {"event_action": "resolve", "dedup_key": "P-0"})  # of nothing: it is dropped
        time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        what = {"summary": "Test of this integration by Tidegate", "source": "Tidegate", "timestamp": time}
        return self._call("change/enqueue", {"payload": what})  # a change event notifies nobody

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        if reply.status == 400 and any(word in reply.body.lower() for word in (b"routing key", b"routing_key")):
            return Config(f"{reply.words}: the integration key is refused")
        outcome = outcome_of(reply, now)
        if reply.status == 429 and isinstance(outcome, Retry) and outcome.after is None:
            return Retry(outcome.words, 30.0)  # what PagerDuty advises
        return outcome

    def _call(self, path: str, body: dict[str, Any]) -> Request:
        base = (self.url or _HOSTS[self.region]).rstrip("/")
        whole = {"routing_key": self.integration_key.get_secret_value(), **body}
        return Request("POST", f"{base}/{path}", orjson.dumps(whole), {"Content-Type": "application/json"})

    @field_validator("integration_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if len(text) != 32 or not (text.isascii() and text.isalnum()):
            raise ValueError(f"wanted 32 letters and digits, got {len(text)} characters")
        return key


MOST_BYTES = 480 * 1024
"""The most that the details of an event take, in bytes of JSON: PagerDuty takes 512 KiB in all."""

_HOSTS = {"us": "https://events.pagerduty.com/v2", "eu": "https://events.eu.pagerduty.com/v2"}

_ACTIONS: dict[AlertStatus, str] = {
    "open": "trigger",
    "dismissed": "acknowledge",
    "snoozed": "acknowledge",
    "resolved": "resolve",
}
_SEVERITIES: dict[Severity, str] = {
    "critical": "critical",
    "high": "error",
    "medium": "warning",
    "low": "info",
    "informational": "info",
}
