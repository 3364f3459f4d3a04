"""Cortex XSOAR: one incident an alert, made once, kept current, closed when the alert is over."""

from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import override

from agents.sinks._base import Item
from agents.sinks._client import Request
from agents.sinks._outcome import Ok, Outcome, Poison, Reply, Retry, outcome_of
from agents.sinks._payload import cut, fit, payload, variables
from agents.sinks._settings import Host, Key
from agents.sinks._talk import SettledError, Talk, TalkSink, json_request
from agents.sinks._template import check_all, filled
from agents.sinks._text import happened, one_line, plain, title, utc
from streams.alerts import Delivery
from streams.records import Severity


class Xsoar(TalkSink):
    """Opens an incident in Cortex XSOAR for an alert, and keeps it current: version 6 and 8.

    `rawJSON` is the alert in Prisma Cloud's shape, so that classifiers and mappers for it fit. The incident is found
    again by the ledger, and by its name, which starts with the alert's id. A resolved alert closes it; one that opens
    again opens it again. What people closed stays closed; what they deleted is made again, once.
    """

    prisma: ClassVar[str] = "demisto"
    keeps: ClassVar[Literal["every event", "latest state"]] = "latest state"
    in_flight: ClassVar[int] = 4
    checks_quietly: ClassVar[bool] = True
    per_second: ClassVar[float | None] = 5.0

    host_url: Host = Field(
        description="XSOAR's address; of version 8 its API's: it starts with `api-`.",
        examples=["https://api-acme.crtx.eu.example.com"],
    )
    version: Annotated[Literal["6", "8"], BeforeValidator(lambda given: str(given).removesuffix(".0"))] = Field(
        default="8", description="XSOAR's version.", examples=["6"]
    )
    api_key: Key = Field(min_length=1, description="An API key.", examples=["k3y-0f-the-api"])
    api_key_id: str = Field(
        default="", pattern=r"^\w*$", description="The key's id: version 8 wants it.", examples=["12"]
    )
    incident_type: str = Field(
        default="", description="The incident's type. Empty: XSOAR's default.", examples=["Prisma Cloud"]
    )
    playbook_id: str = Field(default="", description="A playbook to run. Empty: the type's.", examples=["triage"])
    create_investigation: bool = Field(
        default=True, description="Start an investigation, with the playbook.", examples=[False]
    )
    custom_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Custom fields by their machine name, with variables within texts.",
        examples=[{"cloudaccount": "${AccountId}"}],
    )
    close_reason: str = Field(default="Resolved", description="Why it is closed.", examples=["Other"])
    reopen_closed_by_people: bool = Field(
        default=False, description="Open an incident again that people closed, too.", examples=[True]
    )

    @override
    async def settle(self, item: Item, talk: Talk) -> Outcome:
        delivery, entry = item.delivery, item.entry
        alert, known = delivery.event.alert, isinstance(entry.get("id"), str)
        where = {"id": [entry["id"]]} if known else {"query": f'name:"{alert.id}"'}
        incident = await self._found(talk, where, "" if known else alert.id)
        made = entry.get("made", 0) if known or incident is None else 1
        if incident is None:
            if alert.status != "open":
                return Ok("there is no incident to change")
            if made >= 2:
                return Ok("the incident was deleted twice: it isn't made again", entry=entry)
            return await self._made(talk, delivery, made + 1)
        id, over, ours = (
            str(incident["id"]),
            incident.get("status") in _OVER,
            bool(entry.get("closed")) or _by_us(incident),
        )
        kept = {"id": id, "made": made, "closed": ours}
        if alert.status == "resolved":
            if not over:
                notes = cut(f"{_MARK}{happened(delivery)}.", 1000)
                body = {"ids": [id], "all": False, "closeReason": self.close_reason, "closeNotes": notes}
                await talk.call(self._request("incident/batchClose", body))
                kept["closed"] = True
            return Ok(f"incident {id}", entry=kept)
        change: dict[str, Any] = {"details": plain(delivery, 10_000)}
        if alert.status == "open" and over and (ours or self.reopen_closed_by_people or not known):
            change |= {"status": _ACTIVE, "closeReason": "", "closeNotes": ""}
            kept["closed"] = False
        elif alert.status == "open" and not over and not known:
            return Ok(f"incident {id} was there already", entry=kept)
        await talk.call(self._request("incident", incident | change))  # whole: what is left out would be emptied
        return Ok(f"incident {id}", entry=kept)

    @override
    async def test(self, talk: Talk) -> Outcome:
        reply = await talk.call(self._request("incidents/search", {"filter": {"size": 1}}))
        return Ok() if "total" in reply.fields else Retry(f"no answer of XSOAR's: {reply.words}")

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        if reply.status == 409 or (reply.status == 400 and b"optimisticlock" in reply.body.lower()):
            return Retry(reply.words)  # somebody changed it in between: it is read again
        return outcome_of(reply, now)

    async def _found(self, talk: Talk, where: dict[str, Any], alert: str) -> dict[str, Any] | None:
        """Return the newest incident *where* says, of *alert* if that is given; None: there is none."""
        body = {"filter": where | {"size": 20, "sort": [{"field": "created", "asc": False}]}}
        reply = await talk.call(self._request("incidents/search", body))
        found = reply.fields.get("data")
        if "total" not in reply.fields or not isinstance(found, list | None):
            raise SettledError(Retry(f"no answer of XSOAR's: {reply.words}"))
        incidents = [each for each in found or [] if isinstance(each, dict) and "id" in each]
        mine = [each for each in incidents if str(each.get("name")).startswith(f"{alert}: ") or not alert]
        return mine[0] if mine else None

    async def _made(self, talk: Talk, delivery: Delivery, made: int) -> Outcome:
        alert = delivery.event.alert
        raw = fit(payload(delivery), 64 * 1024)
        if raw is None:
            return Poison("too large: the ids alone are more than 64 KiB")
        labels = {"Alert": alert.id, "Account": alert.resource.account, "RRN": alert.resource.rrn}
        body: dict[str, Any] = {
            "name": f"{alert.id}: {title(delivery, 400)}",
            "severity": _SEVERITIES[alert.policy.severity],
            "details": plain(delivery, 10_000),
            "occurred": utc(alert.opened),
            "labels": [{"type": type, "value": value} for type, value in labels.items() if value],
            "rawJSON": orjson.dumps(raw).decode(),
            "createInvestigation": self.create_investigation,
        }
        body |= {"type": self.incident_type} if self.incident_type else {}
        body |= {"playbookId": self.playbook_id} if self.playbook_id else {}
        if self.custom_fields:
            body["customFields"] = filled(self.custom_fields, {k: one_line(v) for k, v in variables(delivery).items()})
        reply = await talk.call(self._request("incident", body))
        id = reply.fields.get("id")
        if not isinstance(id, str) or not id:
            return Retry(f"no answer of XSOAR's: {reply.words}")
        return Ok(f"incident {id}", entry={"id": id, "made": made, "closed": False})

    def _request(self, path: str, body: Any) -> Request:
        headers = {"Authorization": self.api_key.get_secret_value()}
        base = self.host_url
        if self.version == "8":
            headers["x-xdr-auth-id"] = self.api_key_id
            base += "/xsoar/public/v1"
        made = json_request("POST", f"{base}/{path}", body, headers)
        return Request(made.method, made.url, made.body, made.headers, most_read=2 * 1024 * 1024)

    @model_validator(mode="after")
    def _has_an_id_for_its_key(self) -> Self:
        if self.version == "8" and not self.api_key_id:
            raise ValueError("api_key_id: version 8 wants the key's id, too")
        check_all(self.custom_fields)
        return self


_ACTIVE = 1
_OVER = (2, 3)
"""Statuses: closed, archived."""

_MARK = "Tidegate: "
"""How our notes begin."""


def _by_us(incident: dict[str, Any]) -> bool:
    """Whether it was we who closed it: where the answer to that was lost, only the incident tells."""
    return incident.get("status") in _OVER and str(incident.get("closeNotes") or "").startswith(_MARK)


_SEVERITIES: dict[Severity, float] = {"critical": 4, "high": 3, "medium": 2, "low": 1, "informational": 0.5}
