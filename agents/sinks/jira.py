"""Jira: one issue an alert, made once, commented and moved through the project's own workflow as the alert changes."""

import base64
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator
from typing_extensions import override

from agents.sinks import _adf, _jira
from agents.sinks._base import Item
from agents.sinks._client import Request
from agents.sinks._fields import jira_settings
from agents.sinks._outcome import Config, Ok, Outcome, Poison, Reply, Retry, outcome_of
from agents.sinks._payload import cut, variables
from agents.sinks._settings import Host, Key, Template
from agents.sinks._talk import SettledError, Talk, TalkSink, json_request
from agents.sinks._template import check_all, filled
from agents.sinks._text import clean, happened, one_line, plain, title
from streams.alerts import Delivery

if TYPE_CHECKING:
    from streams.control.saved import NotificationTemplate


class Jira(TalkSink):
    """Opens a Jira issue for an alert, and keeps it current: Jira Cloud, and Data Center from 8.4.

    The issue is found again by the ledger, and by the label that is the alert's id. When the alert is resolved, it
    takes the transition to a status that is done; when it opens again, one back. An issue that people closed stays
    closed; one that they deleted is made again, once. Where the workflow has no such transition, there is a comment.
    """

    prisma: ClassVar[str] = "jira"
    keeps: ClassVar[Literal["every event", "latest state"]] = "latest state"
    in_flight: ClassVar[int] = 4
    checks_quietly: ClassVar[bool] = True
    per_second: ClassVar[float | None] = 5.0  # of deliveries, two or three calls each

    host_url: Host = Field(description="Your Jira.", examples=["https://acme.atlassian.net"])
    deployment: Literal["cloud", "data_center"] = Field(
        default="cloud", description="Which Jira it is.", examples=["data_center"]
    )
    login: str = Field(
        default="",
        pattern=r"^[\x20-\x39\x3b-\x7e]*$",
        description="The account's e-mail address; on Data Center its name. Empty with `access_token`.",
        examples=["tidegate@example.com"],
    )
    api_token: Key = Field(
        default=SecretStr(""),
        description="The account's API token; on Data Center its password.",
        examples=["ATATT-s3cret"],
    )
    access_token: Key = Field(
        default=SecretStr(""),
        description="A personal access token of Data Center, or an OAuth token, instead of the login.",
        examples=["p3rsonal-access-token"],
    )
    project: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="The project's key.", examples=["SEC"])
    issue_type: str = Field(default="Task", min_length=1, description="The issue type's name.", examples=["Bug"])
    summary: Template = Field(
        default="",
        description="The summary, with variables. Empty: policy and resource.",
        examples=["${Severity}: ${PolicyName}"],
    )
    description: Template = Field(
        default="",
        description="The description, with variables. Empty: all that is known.",
        examples=["${PolicyDescription} Recommended: ${PolicyRecommendation}"],
    )
    labels: list[str] = Field(default_factory=list, description="More labels.", examples=[["security"]])
    fields: dict[str, Any] = Field(
        default_factory=dict,
        description="More fields, by id, as Jira's API takes them, with variables within texts.",
        examples=[{"priority": {"name": "High"}, "customfield_10010": "${AccountId}"}],
    )
    resolve_transition: str = Field(
        default="",
        description="The transition of a resolved alert, or where it leads. Empty: the first to a status that is done.",
        examples=["Done"],
    )
    reopen_transition: str = Field(
        default="",
        description="The one of an alert that opens again. Empty: the first to one that isn't.",
        examples=["Reopen"],
    )
    resolution: str = Field(
        default="", description="The resolution, where that transition wants one.", examples=["Fixed"]
    )
    reopen_closed_by_people: bool = Field(
        default=False, description="Open an issue again that people closed, too.", examples=[True]
    )

    @override
    def templated(self, template: "NotificationTemplate") -> Self:
        return type(self).model_validate(self.given() | jira_settings(template, self.given()))

    @override
    async def settle(self, item: Item, talk: Talk) -> Outcome:
        delivery, key, made = item.delivery, item.entry.get("key", ""), item.entry.get("made", 0)
        alert, known = delivery.event.alert, bool(key)
        if not key:
            key = await self._found(talk, alert.id)
        done = await self._done(talk, key) if key else None
        if done is None:  # there is none, or there is none any more
            if alert.status != "open":
                return Ok("there is no issue to change")
            if made >= 2:
                return Ok("the issue was deleted twice: it isn't made again", entry=item.entry)
            return await self._made(talk, delivery, made + 1)
        entry: dict[str, Any] = {"key": key, "made": made or 1, "closed": bool(item.entry.get("closed"))}
        words = f"Tidegate: {happened(delivery)}."
        if note := alert.dismissal_note:
            words += f" Note: {cut(one_line(note), 2000)}"
        missing = ""
        if alert.status == "resolved" and not done:
            missing = await self._moved(talk, key, to_done=True)
            entry["closed"] = not missing
        elif alert.status == "open" and done and await self._reopens(talk, key, entry, known=known):
            missing = await self._moved(talk, key, to_done=False)
            entry["closed"] = bool(missing)
        elif alert.status == "open" and not done and not known:
            return Ok(f"{key} was there already", entry=entry)
        await talk.call(self._request("POST", f"issue/{quote(key)}/comment", {"body": self._document(words + missing)}))
        return Ok(f"{key}{missing}", entry, f"{key}:{missing}" if missing else "")

    @override
    async def test(self, talk: Talk) -> Outcome:
        me = (await talk.call(self._request("GET", "myself"))).fields
        rights = "BROWSE_PROJECTS,CREATE_ISSUES,ADD_COMMENTS,TRANSITION_ISSUES"
        path = f"mypermissions?projectKey={self.project}&permissions={rights}"
        answer = await talk.call(self._request("GET", path), fine=(404,))
        if answer.status == 404:
            return Config(f"the project {self.project} isn't there, or is hidden from this account", "template")
        permissions = answer.fields.get("permissions", {})
        lacking = [right for right in rights.split(",") if not permissions.get(right, {}).get("havePermission")]
        if lacking:
            return Config(f"the account lacks {', '.join(lacking)} in the project {self.project}", "template")
        at = f"issue/createmeta/{self.project}/issuetypes"
        types = _jira.listed(await talk.call(self._request("GET", f"{at}?maxResults=200")), "issueTypes")
        names = {str(each.get("name")): each for each in types}
        if self.issue_type not in names:
            return Config(f"the project {self.project} has no {self.issue_type!r}, but {', '.join(names)}", "template")
        path = f"{at}/{quote(str(names[self.issue_type].get('id')))}?maxResults=200"
        wanted = _jira.listed(await talk.call(self._request("GET", path)), "fields")
        if wrong := _jira.wrong_fields(wanted, self.fields):
            return Config("; ".join(wrong), "template")
        return Ok(f"as {me.get('displayName', 'this account')}")

    @override
    def outcome(self, reply: Reply, now: float) -> Outcome:
        if reply.status == 409:
            return Retry(reply.words)
        if reply.status == 400 and (wrong := reply.fields.get("errors")) and isinstance(wrong, dict):
            return Config(reply.said("; ".join(f"{field}: {why}" for field, why in wrong.items())), "template")
        return outcome_of(reply, now)

    async def _found(self, talk: Talk, alert: str) -> str:
        """Return the key of the newest issue that has the alert's label; empty: there is none."""
        jql = f'project = "{self.project}" AND labels = "{alert}" ORDER BY created DESC'
        path = "search/jql" if self.deployment == "cloud" else "search"
        body = {"jql": jql, "maxResults": 1, "fields": ["status"]}
        reply = await talk.call(self._request("POST", path, body), fine=(400,))
        if reply.status == 400:
            said = reply.fields.get("errorMessages")
            if not said:
                raise SettledError(Poison(reply.words))
            raise SettledError(Config(f"project {self.project}: {reply.said(said)}", "template"))
        issues = reply.fields.get("issues")
        if not isinstance(issues, list):
            raise SettledError(Retry(f"no answer of Jira's: {reply.words}"))
        return str(issues[0]["key"]) if issues and isinstance(issues[0], dict) and "key" in issues[0] else ""

    async def _done(self, talk: Talk, key: str) -> bool | None:
        """Return whether the issue is done; None: it isn't there any more."""
        reply = await talk.call(self._request("GET", f"issue/{quote(key)}?fields=status"), fine=(404,))
        if reply.status == 404 and "errorMessages" in reply.fields:
            return None
        if reply.status == 404:
            raise SettledError(self.outcome(reply, talk.now))
        category = _jira.inner(reply.fields, "fields", "status", "statusCategory", "key")
        if not isinstance(category, str):
            raise SettledError(Retry(f"no answer of Jira's: {reply.words}"))
        return category == "done"

    async def _reopens(self, talk: Talk, key: str, entry: dict[str, Any], *, known: bool) -> bool:
        """Return whether to open an issue that is done again: not one that people closed.

        Where the answer to our own closing was lost, the ledger doesn't know of it: the issue's history does.
        """
        if entry["closed"] or self.reopen_closed_by_people or not known:
            return True
        reply = await talk.call(self._request("GET", f"issue/{quote(key)}?fields=status&expand=changelog"))
        if "changelog" not in reply.fields:
            raise SettledError(Retry(f"no answer of Jira's: {reply.words}"))
        author = _jira.mover(reply.fields)
        if author is None:
            return False
        reply = await talk.call(self._request("GET", "myself"))
        name = "accountId" if self.deployment == "cloud" else "name"
        if not reply.fields.get(name):
            raise SettledError(Retry(f"no answer of Jira's: {reply.words}"))
        return bool(author.get(name) == reply.fields[name])

    async def _made(self, talk: Talk, delivery: Delivery, made: int) -> Outcome:
        values = variables(delivery)
        summary = cut(one_line(filled(self.summary, values)), 255) if self.summary else title(delivery, 255)
        given = filled(self.fields, values)
        labels = [*(given.pop("labels", None) or []), *self.labels, "tidegate", delivery.event.alert.id]
        text: Any = cut(clean(filled(self.description, values)), 20_000) if self.description else ""
        if text:
            text = self._document(text)
        elif self.deployment == "cloud":
            text = _adf.description(delivery)
        else:
            text = _jira.unformatted(plain(delivery, 20_000))
        fields = {"summary": summary, "description": text} | given
        fields |= {"project": {"key": self.project}, "issuetype": {"name": self.issue_type}, "labels": labels}
        reply = await talk.call(self._request("POST", "issue", {"fields": fields}))
        key = reply.fields.get("key")
        if not isinstance(key, str):
            return Retry(f"no answer of Jira's: {reply.words}")
        return Ok(key, entry={"key": key, "made": made, "closed": False})

    async def _moved(self, talk: Talk, key: str, *, to_done: bool) -> str:
        """Take the issue to a status that is done, or back: empty, or in words why the workflow doesn't let us."""
        path = f"issue/{quote(key)}/transitions"
        reply = await talk.call(self._request("GET", f"{path}?expand=transitions.fields"))
        if not isinstance(reply.fields.get("transitions"), list):
            raise SettledError(Retry(f"no answer of Jira's: {reply.words}"))
        wanted = self.resolve_transition if to_done else self.reopen_transition
        chosen = _jira.choose(_jira.listed(reply, "transitions"), wanted, to_done)
        if isinstance(chosen, str):
            return f" {chosen}"
        body: dict[str, Any] = {"transition": {"id": chosen["id"]}}
        if to_done and (resolution := _jira.resolution(chosen, self.resolution)):
            body["fields"] = {"resolution": {"name": resolution}}
        await talk.call(self._request("POST", path, body))
        return ""

    def _document(self, text: str) -> Any:
        return _adf.comment(text) if self.deployment == "cloud" else _jira.unformatted(text)

    def _request(self, method: str, path: str, body: Any = None) -> Request:
        base = f"{self.host_url}/rest/api/{3 if self.deployment == 'cloud' else 2}"
        if token := self.access_token.get_secret_value():
            authorization = f"Bearer {token}"
        else:
            pair = f"{self.login}:{self.api_token.get_secret_value()}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        made = json_request(method, f"{base}/{path}", body, {"Authorization": authorization})
        return Request(made.method, made.url, made.body, made.headers, most_read=1024 * 1024)

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        pair, token = bool(self.login and self.api_token.get_secret_value()), bool(self.access_token.get_secret_value())
        if pair == token or (token and self.login):
            raise ValueError("wanted either login and api_token, or access_token")
        if wrong := [label for label in self.labels if not label or " " in label]:
            raise ValueError(f"labels: {wrong[0]!r} is empty or has a space, which Jira's labels can't")
        check_all(self.fields)
        return self
