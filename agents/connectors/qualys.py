"""Qualys VMDR: host assets, detections page by page, and what the KnowledgeBase says about them."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field, PrivateAttr
from typing_extensions import override

from agents.connectors._base import MOST_READ, Checkpoint, Connector, Halted, Page, Way
from agents.normalise._xml_cut import cut
from agents.sinks._client import Request
from agents.sinks._outcome import Config, Outcome, Reply, Retry, outcome_of
from agents.sinks._settings import Host, Key


class Qualys(Connector):
    """Asks Qualys for host assets with their cloud, for detections, fixed ones too, and for the KnowledgeBase's rows.

    The first pull takes all hosts, later ones what changed since. Of the KnowledgeBase it takes the rows of the
    detections that it meets, and those of all that changed. One call is made at a time.
    """

    source: ClassVar[str] = "Qualys"
    prisma: ClassVar[str] = "qualys"
    seconds: ClassVar[float] = 900.0  # a page of detections takes Qualys minutes

    minutes: int = Field(default=240, ge=1, le=10_080, description="Minutes from the start of a pull to the next one.")
    url: Host = Field(
        description="The API server of your platform, not the address of the console: Qualys lists them by platform.",
        examples=["https://qualysapi.qg2.apps.qualys.com"],
    )
    login: str = Field(min_length=1, description="A user with API access.", examples=["acme_tg"])
    password: Key = Field(description="Its password.", examples=["correct horse battery staple"])
    assets: bool = Field(default=True, description="Whether to ask for host assets (the Asset Management API).")
    knowledge: bool = Field(
        default=True, description="Whether to ask for the KnowledgeBase, without which no detection has a CVE."
    )
    hosts: int = Field(default=250, ge=1, le=10_000, description="Hosts in a page of detections.")

    _known: set[str] = PrivateAttr(default_factory=set)
    """The QIDs whose rows were taken since Tidegate started."""

    @property
    @override
    def tenant(self) -> str:
        return f"{self.url} {self.login}"

    @override
    async def pull(self, checkpoint: Checkpoint, way: Way) -> AsyncIterator[Page]:
        places: dict[str, dict[str, Any]] = {name: dict(place) for name, place in checkpoint.items()}
        began = _time(way.now - OVERLAP)
        for name, steps in (
            ("assets", self._assets if self.assets else None),
            ("detections", self._detections),
            ("knowledge", self._changed_knowledge if self.knowledge else None),
        ):
            if steps is None:
                continue
            async for messages, place, items, words in steps(places.get(name, {}), began, way):
                places[name] = place
                yield Page(messages, dict(places), items, f"{name}: {words}")

    @override
    async def check(self, way: Way) -> str:
        found = ["detections"]
        await self._ask(DETECTIONS, {"action": "list", "truncation_limit": "1", "status": STATUS}, way)
        if self.assets:
            await self._ask(ASSETS, _service_request(1, "", 0), way)
            found.append("host assets")
        if self.knowledge:
            await self._ask(KNOWLEDGE, {"action": "list", "details": "Basic", "ids": "38170"}, way)
            found.append("the KnowledgeBase")
        return f"{', '.join(found)} can be read"

    @override
    def meaning(self, reply: Reply, now: float) -> Outcome:
        code, text = _refusal(reply.body)
        said = reply.said(f"{code} {text}") if code else reply.words
        if reply.status == 409 or code in _BUSY:
            return Retry(f"Qualys's limit of calls is reached: {said}", _wait(reply))
        if code:
            return Config(f"{said}; {_HINTS[code]}" if code in _HINTS else said)
        if reply.status == 401:
            return Config(f"{said}: login and password are refused; is the API server the one of your platform?")
        return outcome_of(reply, now)

    async def _assets(self, place: dict[str, Any], began: str, way: Way) -> AsyncIterator["_Step"]:
        """Yield the host assets that changed, page by page in the order of their ids."""
        since, asked, last = place.get("since", ""), place.get("asked") or began, int(place.get("last", 0))
        count = 0
        while True:
            reply = await self._ask(ASSETS, _service_request(100, since, last), way)
            items = reply.body.count(b"<HostAsset>")
            count += items
            ends = b"<hasMoreRecords>true</hasMoreRecords>" not in reply.body
            if not ends:
                found = re.search(rb"<lastId>(\d+)</lastId>", reply.body)
                if found is None or int(found[1]) <= last:
                    raise Halted(Retry(f"Qualys doesn't say where its list of hosts goes on after {last}"), reply)
                last = int(found[1])
            place = {"since": asked} if ends else {"since": since, "asked": asked, "last": last}
            yield await _cut(reply.body) if items else [], place, items, f"{count} hosts"
            if ends:
                return

    async def _detections(self, place: dict[str, Any], began: str, way: Way) -> AsyncIterator["_Step"]:
        """Yield pages of hosts with detections, each with those rows of the KnowledgeBase that were not met before."""
        since, asked, begin = place.get("since", ""), place.get("asked") or began, str(place.get("id_min", ""))
        count = 0
        if not place:
            self._known.clear()
        while True:
            asks = {"action": "list", "status": STATUS, "host_metadata": "all", "show_igs": "1", "show_qds": "1",
                    "truncation_limit": str(self.hosts)}  # fmt: skip
            asks |= {"detection_updated_since": since} if since else {}
            asks |= {"id_min": begin} if begin else {}
            reply = await self._ask(DETECTIONS, asks, way)
            items = reply.body.count(b"<DETECTION>")
            count += items
            messages = await _cut(reply.body) if items or b"<HOST>" in reply.body else []
            new = self._new(reply.body) if self.knowledge else []
            messages += await self._rows(new, way)
            follows = _id_min(reply.body)
            if follows and follows == begin:
                raise Halted(Retry(f"Qualys's page leads to itself: id_min={begin}"), reply)
            begin = follows
            place = {"since": since, "asked": asked, "id_min": begin} if begin else {"since": asked}
            yield messages, place, items, f"{count} detections" + (f", up to host {begin}" if begin else "")
            self._known.update(new)  # now that they are acknowledged
            if not begin:
                return

    async def _changed_knowledge(self, place: dict[str, Any], began: str, way: Way) -> AsyncIterator["_Step"]:
        """Yield the rows of the KnowledgeBase that changed; at the first time there is nothing that is older."""
        if not place:
            yield [], {"since": began}, 0, "from now on"
            return
        asks = {"action": "list", "details": "All", "last_modified_after": str(place["since"])}
        reply = await self._ask(KNOWLEDGE, asks, way)
        items = reply.body.count(b"<VULN>")
        yield await _cut(reply.body) if items else [], {"since": began}, items, f"{items} rows that changed"

    def _new(self, body: bytes) -> list[str]:
        """Return the QIDs of a page that weren't met before."""
        return sorted({qid.decode() for qid in re.findall(rb"<QID>(\d+)</QID>", body)} - self._known, key=int)

    async def _rows(self, qids: list[str], way: Way) -> list[bytes]:
        """Return messages with the KnowledgeBase's rows of *qids*."""
        messages: list[bytes] = []
        for first in range(0, len(qids), QIDS):
            asks = {"action": "list", "details": "All", "ids": ",".join(qids[first : first + QIDS])}
            reply = await self._ask(KNOWLEDGE, asks, way)
            messages += await _cut(reply.body) if b"<VULN>" in reply.body else []
        return messages

    async def _ask(self, path: str, asks: dict[str, str] | bytes, way: Way) -> Reply:
        """Call the API. *asks*: a form, or the XML of its newer side. Raises Halted."""
        login = base64.b64encode(f"{self.login}:{self.password.get_secret_value()}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "X-Requested-With": "Tidegate"}
        headers["Content-Type"] = "text/xml" if isinstance(asks, bytes) else "application/x-www-form-urlencoded"
        body = asks if isinstance(asks, bytes) else urlencode(asks).encode()
        request = Request("POST", f"{self.url}{path}", body, headers, most_read=MOST_READ)
        reply = await self.answer(request, way)
        begins = re.search(rb"<([A-Za-z_][\w.-]*)", reply.body[:4096])
        if begins is None or begins[1] != _ROOTS[path]:
            raise Halted(Retry(f"no answer of Qualys's, is the address right? {reply.words}"), reply)
        if b"</%b>" % _ROOTS[path] not in reply.body[-65_536:]:
            raise Halted(Retry("Qualys's answer broke off in the middle"), reply)
        return reply


DETECTIONS = "/api/2.0/fo/asset/host/vm/detection/"  # codespell:ignore fo
KNOWLEDGE = "/api/2.0/fo/knowledge_base/vuln/"  # codespell:ignore fo
ASSETS = "/qps/rest/2.0/search/am/hostasset"

_ROOTS = {
    DETECTIONS: b"HOST_LIST_VM_DETECTION_OUTPUT",
    KNOWLEDGE: b"KNOWLEDGE_BASE_VULN_LIST_OUTPUT",
    ASSETS: b"ServiceResponse",
}
"""What an answer begins and ends with: what doesn't is no page, least of all the last one."""

STATUS = "New,Active,Re-Opened,Fixed"
"""Without it, nothing is ever fixed."""

QIDS = 200
"""Rows of the KnowledgeBase in one answer: some 2 MB."""

OVERLAP = 600.0
"""How far a pull reaches into the one before, in seconds."""

_Step = tuple[list[bytes], dict[str, Any], int, str]
"""Messages, where to go on, how many items, words."""

_BUSY = {"1960", "1965"}
_HINTS = {
    "2012": "the user has no access to the API: permit it in the user's settings",
    "2001": "the subscription has expired",
    "INVALID_CREDENTIALS": "login and password are refused, or the user has no access to this API",
    "UNAUTHORIZED": "the user or the subscription has no access to this API",
}


def _refusal(body: bytes) -> tuple[str, str]:
    """Return code and text where the answer says that there is none; empty: it's an answer."""
    head = body[:4096].decode(errors="replace")
    if "<SIMPLE_RETURN>" in head:
        return _first("CODE", head) or "unknown", _first("TEXT", head)
    if "<responseCode>" in head and (code := _first("responseCode", head)) != "SUCCESS":
        return code, _first("errorMessage", head)
    return "", ""


def _first(element: str, text: str) -> str:
    found = re.search(rf"<{element}>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</{element}>", text, re.DOTALL)
    return found[1].strip() if found else ""


def _wait(reply: Reply) -> float:
    """Return how long Qualys wants us to wait, in seconds; a minute where another call of ours is under way."""
    asked = reply.headers.get("x-ratelimit-towait-sec", "")
    return min(float(asked[:9]), 86_400.0) if asked.isascii() and asked.isdigit() and int(asked) else 60.0


def _id_min(body: bytes) -> str:
    """Return where the next page begins, as the warning behind the hosts of a page says; empty: it's the last one.

    The address itself isn't followed: it needn't be of the server that was set.
    """
    after = body[body.rfind(b"</HOST_LIST>") :] if b"</HOST_LIST>" in body else body[-4096:]
    found = re.search(rb"<WARNING>.*?<CODE>1980</CODE>.*?<URL>.*?\bid_min=(\d+)", after, re.DOTALL)
    return found[1].decode() if found else ""


def _service_request(most: int, since: str, last: int) -> bytes:
    """Return the question for host assets that changed since a time, above an id."""
    criteria = [f'<Criteria field="updated" operator="GREATER">{since}</Criteria>'] if since else []
    criteria += [f'<Criteria field="id" operator="GREATER">{last}</Criteria>'] if last else []
    filters = f"<filters>{''.join(criteria)}</filters>" if criteria else ""
    text = f"<ServiceRequest><preferences><limitResults>{most}</limitResults></preferences>{filters}</ServiceRequest>"
    return text.encode()


def _time(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _cut(body: bytes) -> list[bytes]:
    """Return an answer as messages of whole records."""
    return await asyncio.to_thread(lambda: list(_pieces(body)))


def _pieces(body: bytes) -> Iterator[bytes]:
    step = 64 * 1024
    yield from cut(body[at : at + step] for at in range(0, len(body), step))
