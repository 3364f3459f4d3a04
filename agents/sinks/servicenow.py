"""ServiceNow: an incident, a security incident or an event for each alert, by the Table API."""

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import orjson
from pydantic import Field, PrivateAttr, SecretStr, model_validator
from typing_extensions import override

from agents.sinks import _servicenow
from agents.sinks._base import Item
from agents.sinks._client import Client, Request
from agents.sinks._fields import servicenow_settings
from agents.sinks._oauth import Token
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry, outcome_of
from agents.sinks._payload import cut, fit, payload, variables
from agents.sinks._settings import Host, Key, Template
from agents.sinks._talk import SettledError, Talk, TalkSink, json_request
from agents.sinks._template import check_all, filled
from agents.sinks._text import happened, one_line, plain, title
from streams.alerts import Delivery

if TYPE_CHECKING:
    from streams.control.saved import NotificationTemplate


class ServiceNow(TalkSink):
    """Opens a record in a table of ServiceNow for an alert, and keeps it current.

    The record is found again by the ledger, and by `correlation_id`, the alert's id. A resolved alert resolves it; one
    that opens again opens it again, or with `create_on_reopen` makes another. What people closed stays so; what they
    deleted is made again, once. In `em_event` every state is an event with the alert's id as `message_key`, and
    ServiceNow makes one alert of them.
    """

    prisma: ClassVar[str] = "service_now"
    keeps: ClassVar[Literal["every event", "latest state"]] = "latest state"
    in_flight: ClassVar[int] = 4
    checks_quietly: ClassVar[bool] = True
    per_second: ClassVar[float | None] = 5.0

    host_url: Host = Field(description="Your instance.", examples=["https://acme.service-now.com"])
    table: Literal["incident", "sn_si_incident", "em_event"] = Field(
        default="incident",
        description="The table: roles `itil`, `sn_si.basic` or `evt_mgmt_integration`.",
        examples=["em_event"],
    )
    login: str = Field(default="", pattern=r"^[\x20-\x39\x3b-\x7e]*$", description="The user.", examples=["tidegate"])
    password: Key = Field(default=SecretStr(""), description="The user's password.", examples=["p4ssw0rd-of-the-user"])
    client_id: str = Field(
        default="",
        description="OAuth: the client's id. With a login too, the user's token is asked for; without, the client's.",
        examples=["0123456789abcdef"],
    )
    client_secret: Key = Field(default=SecretStr(""), description="OAuth: its secret.", examples=["cl1ent-s3cret"])
    short_description: Template = Field(
        default="", description="With variables. Empty: policy and resource.", examples=["${Severity}: ${PolicyName}"]
    )
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="More fields of the record, with variables.",
        examples=[{"assignment_group": "Cloud security", "category": "Cloud", "u_account": "${AccountId}"}],
    )
    resolved_fields: dict[str, str] = Field(
        default_factory=dict,
        description="More fields when it is resolved, with variables.",
        examples=[{"u_outcome": "${Reason}"}],
    )
    resolved_state: str = Field(
        default="",
        description="The state of a resolved alert. Empty: 6, resolved; of a security incident 3.",
        examples=["7"],
    )
    open_state: str = Field(
        default="",
        description="The state of one that opens again. Empty: 2; of a security incident 16.",
        examples=["1"],
    )
    close_code: str = Field(
        default="Resolved by caller",
        description="The close code: your instance lists its own.",
        examples=["Solution provided"],
    )
    create_on_reopen: bool = Field(
        default=False, description="Make another record when the alert opens again.", examples=[True]
    )
    reopen_closed_by_people: bool = Field(
        default=False, description="Open a record again that people closed, too.", examples=[True]
    )

    _token: Token = PrivateAttr(default_factory=Token)

    @override
    def templated(self, template: "NotificationTemplate") -> Self:
        made = type(self).model_validate(self.given() | servicenow_settings(template, self.given()))
        made._token = self._token  # the same user: one access token is enough
        return made

    @override
    async def settle(self, item: Item, talk: Talk) -> Outcome:
        delivery, entry = item.delivery, item.entry
        alert = delivery.event.alert
        if self.table == "em_event":
            return await self._event(talk, delivery)
        known = isinstance(entry.get("sys_id"), str)
        record = await self._record(talk, f"/{entry['sys_id']}?" if known else f"?{_query(alert.id)}&")
        made = entry.get("made", 0) if known or record is None else 1
        if record is None:
            if alert.status != "open":
                return Ok("there is no record to change")
            if made >= 2:
                return Ok("the record was deleted twice: it isn't made again", entry=entry)
            return await self._made(talk, delivery, made + 1)
        sys_id, state = str(record["sys_id"]), str(record.get("state", ""))
        closed, final = state in _servicenow.CLOSED[self.table], state in _servicenow.FINAL[self.table]
        # Where the answer to our closing was lost, only the record tells that it was ours.
        ours = bool(entry.get("closed")) or (closed and str(record.get("close_notes", "")).startswith(_MARK))
        change: dict[str, str] = {"work_notes": _journal(delivery)}
        kept: dict[str, Any] = {"sys_id": sys_id, "number": str(record.get("number", "")), "made": made, "closed": ours}
        if alert.status == "resolved" and not closed:
            change |= {"state": self.resolved_state or _servicenow.RESOLVED[self.table], "close_code": self.close_code}
            change["close_notes"] = cut(_journal(delivery), 4000)
            change |= filled(self.resolved_fields, variables(delivery))
            kept["closed"] = True
        elif alert.status == "open" and closed and (ours or self.reopen_closed_by_people or not known):
            if final or self.create_on_reopen:
                return await self._made(talk, delivery, 1)
            change |= {"state": self.open_state or _servicenow.REOPENED[self.table], "close_notes": ""}
            kept["closed"] = False
        elif alert.status == "open" and not closed and not known:
            return Ok(f"{kept['number']} was there already", entry=kept)
        warning = await self._changed(talk, sys_id, change)
        if warning:
            kept["closed"] = ours
            warning = f"{kept['number']}: {warning}"
        return Ok(warning or kept["number"], kept, warning)

    @override
    async def test(self, talk: Talk) -> Outcome:
        one = await talk.call(json_request("GET", f"{self._url}?sysparm_limit=1&sysparm_fields=sys_id"))
        if not isinstance(one.fields.get("result"), list):
            return Retry(f"no answer of ServiceNow's: {one.words}")
        fields = await self._rows(talk, "sys_dictionary", f"name={self.table}^mandatory=true^active=true", "element")
        given = {*self.fields, *_servicenow.GIVEN[self.table]}
        if lacking := [field for field in fields if field and field not in given]:
            return Config(f"{self.table} requires {', '.join(lacking)}: give it in `fields`", "template")
        query = f"name={self.table}^element=close_code^inactive=false"
        codes = await self._rows(talk, "sys_choice", query, "value") if self.table == "incident" else []
        if codes and self.close_code not in codes:
            return Config(f"close_code can't be {self.close_code!r}, but: {', '.join(codes)}", "template")
        return Ok(f"reads {self.table}")

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        error = reply.fields.get("error")
        if not isinstance(error, dict):
            return outcome_of(reply, now)
        said = reply.said(f"{error.get('message', '')}: {error.get('detail', '')}")
        if reply.status in (403, 404) or (reply.status == 400 and "Invalid table" in said):
            return Config(f"HTTP {reply.status}: {self.table}: {said}", "template")
        return outcome_of(reply, now)

    @override
    async def prepared(self, request: Request, client: Client) -> Request:
        if not self.client_id:
            pair = base64.b64encode(f"{self.login}:{self.password.get_secret_value()}".encode()).decode()
            return _authorized(request, f"Basic {pair}")
        form = {"grant_type": "client_credentials", "client_id": self.client_id}
        form["client_secret"] = self.client_secret.get_secret_value()
        if self.login:
            form |= {"grant_type": "password", "username": self.login, "password": self.password.get_secret_value()}
        token = await self._token.get(self, client, f"{self.host_url}/oauth_token.do", form, {})
        return _authorized(request, f"Bearer {token}")

    @override
    async def refreshed(self, reply: Reply) -> bool:
        return reply.status == 401 and self._token.drop()

    @property
    def _url(self) -> str:
        return f"{self.host_url}/api/now/table/{self.table}"

    async def _record(self, talk: Talk, where: str) -> dict[str, Any] | None:
        """Return the record's sys_id, number, state and close notes; None: there is none."""
        url = f"{self._url}{where}sysparm_fields=sys_id,number,state,close_notes&sysparm_exclude_reference_link=true"
        reply = await talk.call(json_request("GET", url), fine=(404,))
        result = reply.fields.get("result")
        if reply.status == 404:
            if "No Record found" in str(reply.fields.get("error")):
                return None
            raise SettledError(self.outcome(reply, talk.now))
        if isinstance(result, list):
            result = result[0] if result else None
            if result is None:
                return None
        if not isinstance(result, dict) or "sys_id" not in result:
            raise SettledError(Retry(f"no answer of ServiceNow's: {reply.words}"))
        return result

    async def _changed(self, talk: Talk, sys_id: str, change: dict[str, str]) -> str:
        """Change the record; where a rule of theirs forbids the new state, leave a note, and return what it said."""
        url = f"{self._url}/{sys_id}?sysparm_fields=sys_id"
        reply = await talk.call(json_request("PATCH", url, change), fine=(403,))
        if reply.status != 403:
            return ""
        said = str(reply.fields.get("error"))
        if "state" not in change or "Business Rule" not in said:
            raise SettledError(self.outcome(reply, talk.now))
        words = f"Its state can't become {change['state']}: {reply.said(said)}"
        await talk.call(json_request("PATCH", url, {"work_notes": f"{change['work_notes']} {words}"}))
        return words

    async def _made(self, talk: Talk, delivery: Delivery, made: int) -> Outcome:
        alert, values = delivery.event.alert, variables(delivery)
        short = one_line(filled(self.short_description, values)) if self.short_description else title(delivery, 160)
        body: dict[str, Any] = {"short_description": cut(short, 160), "description": plain(delivery, 4000, 1500)}
        body |= _servicenow.PRIORITIES[self.table][alert.policy.severity]
        body |= filled(self.fields, values)
        body |= {"correlation_id": alert.id, "correlation_display": "Tidegate"}
        reply = await talk.call(json_request("POST", f"{self._url}?sysparm_fields=sys_id,number", body))
        result = reply.fields.get("result")
        if not isinstance(result, dict) or not isinstance(result.get("sys_id"), str):
            return Retry(f"no answer of ServiceNow's: {reply.words}")
        number = str(result.get("number", ""))
        return Ok(number, entry={"sys_id": result["sys_id"], "number": number, "made": made, "closed": False})

    async def _event(self, talk: Talk, delivery: Delivery) -> Outcome:
        alert = delivery.event.alert
        details = fit(payload(delivery), 3900)
        if details is None:
            return Poison("too large: the ids alone are more than 3900 bytes")
        over = alert.status != "open"
        body = {
            "source": "Tidegate",
            "message_key": alert.id,
            "node": cut(one_line(alert.resource.name or alert.resource.id), 100),
            "type": cut(one_line(alert.policy.name), 100),
            "resource": cut(alert.resource.subject, 100),
            "severity": "0" if over else _servicenow.SEVERITIES[alert.policy.severity],
            "resolution_state": "Closing" if over else "New",
            "time_of_event": datetime.fromtimestamp(delivery.event.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "description": plain(delivery, 4000, 1500),
            "additional_info": orjson.dumps(details).decode(),
        } | filled(self.fields, variables(delivery))
        reply = await talk.call(json_request("POST", f"{self._url}?sysparm_fields=sys_id", body))
        return Ok() if "result" in reply.fields else Retry(f"no answer of ServiceNow's: {reply.words}")

    async def _rows(self, talk: Talk, table: str, query: str, field: str) -> list[str]:
        """Return *field* of the rows of *table*; nothing where the user may not read it."""
        url = f"{self.host_url}/api/now/table/{table}?sysparm_query={query}&sysparm_fields={field}&sysparm_limit=200"
        reply = await talk.call(json_request("GET", url), fine=(401, 403, 404))
        rows = reply.fields.get("result")
        return [str(each.get(field, "")) for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        pair, client = bool(self.login and self.password.get_secret_value()), bool(self.client_id)
        if not (pair or client) or client != bool(self.client_secret.get_secret_value()):
            raise ValueError("wanted login and password, client_id and client_secret, or all four")
        check_all({**self.fields, "resolved": self.resolved_fields})
        return self


def _query(alert: str) -> str:
    return f"sysparm_query=correlation_id={alert}^ORDERBYDESCsys_created_on&sysparm_limit=1"


_MARK = "Tidegate: "
"""How our notes begin."""


def _journal(delivery: Delivery) -> str:
    """Return what happened, for a journal field: those show HTML between [code] tags, so there are none."""
    words = f"{_MARK}{happened(delivery)}."
    if note := delivery.event.alert.dismissal_note:
        words += f" Note: {cut(one_line(note), 2000)}"
    return re.sub(r"\[(/?)code\]", r"[\1 code]", words, flags=re.IGNORECASE)


def _authorized(request: Request, value: str) -> Request:
    return Request(request.method, request.url, request.body, request.headers | {"Authorization": value})
