"""Tenable Vulnerability Management: exports of assets and vulnerabilities, chunk by chunk."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec
import orjson
from pydantic import Field
from typing_extensions import override

from agents.connectors._base import ATTEMPTS, MOST_READ, Checkpoint, Connector, Halted, Page, Way
from agents.sinks._client import Request
from agents.sinks._outcome import Ok, Outcome, Reply, Retry, outcome_of
from agents.sinks._settings import Host, Key

Severity = Literal["info", "low", "medium", "high", "critical"]


class Tenable(Connector):
    """Asks Tenable for assets, deleted and terminated ones too, and for vulnerabilities, fixed ones too, by exports.

    The first pull goes `days` back, later ones take what was indexed since. An export that is under way when Tidegate
    stops is gone on with, and one that Tenable already makes of the same is adopted.
    """

    source: ClassVar[str] = "Tenable"
    prisma: ClassVar[str] = "tenable"

    access_key: Key = Field(
        description="The access key of a user of its own: Tenable wants one for each program.",
        examples=["4b1f00d5c0ffee4b1f00d5c0ffee4b1f00d5c0ffee4b1f00d5c0ffee4b1f00d5"],
    )
    secret_key: Key = Field(
        description="Its secret key.", examples=["5ec12e75ec12e75ec12e75ec12e75ec12e75ec12e75ec12e75ec12e75ec12e7"]
    )
    url: Host = Field(
        default="https://cloud.tenable.com",
        description="Tenable's address.",
        examples=["https://fedcloud.tenable.com"],
    )
    severities: list[Severity] = Field(
        default=["info", "low", "medium", "high", "critical"],
        min_length=1,
        description="The severities to ask for. `info` is what is no vulnerability, and most of all there is.",
        examples=[["low", "medium", "high", "critical"]],
    )
    days: int = Field(
        default=365, ge=1, le=3650, description="How far back the first pull goes, by when something was last seen."
    )

    @property
    @override
    def tenant(self) -> str:
        return f"{self.url} {self.access_key.get_secret_value()[:8]}"

    @override
    async def pull(self, checkpoint: Checkpoint, way: Way) -> AsyncIterator[Page]:
        places: dict[str, dict[str, Any]] = {name: dict(place) for name, place in checkpoint.items()}
        for export in EXPORTS:
            async for messages, place, items, words in self._exported(export, places.get(export.name, {}), way):
                places[export.name] = place
                yield Page(messages, dict(places), items, f"{export.name}: {words}")

    @override
    async def check(self, way: Way) -> str:
        for kind in ("assets", "vulns"):
            await self._ask("GET", f"/{kind}/export/status", None, way)
        return "assets and vulnerabilities can be exported"

    @override
    def meaning(self, reply: Reply, now: float) -> Outcome:
        return Ok() if reply.status == 409 else outcome_of(reply, now)  # it names the export to adopt

    async def _exported(
        self, export: "Export", place: dict[str, Any], way: Way
    ) -> AsyncIterator[tuple[list[bytes], dict[str, Any], int, str]]:
        """Yield the messages of each chunk, where the export goes on, how many items, and words. Raises Halted."""
        if not place.get("job"):
            place = await self._begun(export, place, way)
            yield [], place, 0, "asked for"
        since, job = place.get("since"), place["job"]
        afresh = {} if since is None else {"since": since}
        done: list[int] = list(place["done"])
        waited = 0.0
        while True:
            status = await self._status(export, job, way)
            if status is None or status.get("status") in ("ERROR", "CANCELLED"):
                yield [], afresh, 0, "given up by Tenable"
                state = "has forgotten it" if status is None else f"says {status['status']}"
                raise Halted(Retry(f"{export.name}: the export {job} can't be had: Tenable {state}; a new one follows"))
            for chunk in status.get("chunks_available") or ():
                if chunk not in done:
                    items, messages = await self._chunk(export, job, chunk, way)
                    done.append(chunk)
                    place = place | {"done": list(done)}
                    yield messages, place, items, f"{len(done)} chunks"
                    waited = 0.0
            if status.get("status") == "FINISHED":
                break
            if waited >= LONGEST_WAIT:
                raise Halted(Retry(f"{export.name}: the export {job} is {status.get('status')} at Tenable", 300.0))
            pause = min(2.0 + waited / 4, POLL)  # small exports are ready soon
            await way.sleep(pause)
            waited += pause
        if lost := [*(status.get("chunks_failed") or ()), *(status.get("chunks_cancelled") or ())]:
            yield [], afresh, 0, f"{len(lost)} chunks are missing"
            raise Halted(
                Retry(f"{export.name}: Tenable couldn't make {len(lost)} chunks of {job}; a new export follows")
            )
        yield [], {"since": place["asked"] - OVERLAP}, 0, f"complete, {len(done)} chunks"

    async def _begun(self, export: "Export", place: Mapping[str, Any], way: Way) -> dict[str, Any]:
        """Begin an export, or adopt the same one that is under way: where to go on with it."""
        now = int(way.now)
        first = (now - self.days * _DAY) // _DAY * _DAY  # the same all day, so that the same is asked for again
        body = export.order(first, place.get("since"), list(self.severities))
        reply = await self._ask("POST", f"/{export.kind}/export", body, way)
        job = reply.fields.get("export_uuid") or reply.fields.get("active_job_id")
        if not isinstance(job, str):
            raise Halted(Retry(f"{export.name}: Tenable began no export: {reply.words}", 300.0), reply)
        asked = now
        if reply.status == 409:  # somebody began it earlier: what was indexed since then isn't in it
            status = await self._status(export, job, way) or {}
            created = status.get("created")
            asked = int(created / 1000) if isinstance(created, int | float) else int(place.get("since") or first)
        return {**({} if place.get("since") is None else {"since": place["since"]}),
                "job": job, "asked": asked, "done": []}  # fmt: skip

    async def _status(self, export: "Export", job: str, way: Way) -> dict[str, Any] | None:
        """Return the state of an export; None: Tenable knows it no longer."""
        try:
            return (await self._ask("GET", f"/{export.kind}/export/{job}/status", None, way)).fields
        except Halted as halted:
            if halted.reply is not None and halted.reply.status == 404:
                return None
            raise

    async def _chunk(self, export: "Export", job: str, chunk: int, way: Way) -> tuple[int, list[bytes]]:
        """Return how many items a chunk has, and its messages. A chunk that is no JSON is asked for again."""
        for attempt in range(1, ATTEMPTS + 1):
            reply = await self._ask("GET", f"/{export.kind}/export/{job}/chunks/{int(chunk)}", None, way)
            try:
                items = _ITEMS.decode(reply.body)
            except msgspec.DecodeError:
                await way.sleep(2.0**attempt)
            else:
                return len(items), list(_messages(items))
        raise Halted(Retry(f"{export.name}: chunk {chunk} of the export {job} is no JSON list"))

    async def _ask(self, method: str, path: str, body: Any, way: Way) -> Reply:
        keys = f"accessKey={self.access_key.get_secret_value()};secretKey={self.secret_key.get_secret_value()}"
        headers = {"X-ApiKeys": keys, "Accept": "application/json"}
        made = b"" if body is None else orjson.dumps(body)
        headers |= {"Content-Type": "application/json"} if made else {}
        return await self.answer(Request(method, f"{self.url}{path}", made, headers, most_read=MOST_READ), way)


class Export(NamedTuple):
    """One of the exports that make up a pull. *by*: the filter that takes what is new since a time."""

    name: str
    kind: Literal["assets", "vulns"]
    by: str

    def order(self, first: int, since: int | None, severities: list[str]) -> dict[str, Any]:
        """Return the order of what is new since *since*; None: since *first*. Seconds since 1970 UTC."""
        if self.kind == "assets":
            return {"chunk_size": 1000, "filters": {self.by: first if since is None else since}}
        filters: dict[str, Any] = {"state": ["OPEN", "REOPENED", "FIXED"], "severity": severities, "since": first}
        # Without `since` Tenable goes 30 days back, however long ago something was indexed.
        filters |= {} if since is None else {self.by: since}
        return {"num_assets": 100, "include_unlicensed": True, "filters": filters}


EXPORTS = (
    Export("assets", "assets", "updated_at"),
    Export("deleted assets", "assets", "deleted_at"),
    Export("terminated assets", "assets", "terminated_at"),
    Export("vulnerabilities", "vulns", "indexed_at"),
)
"""Assets first: a vulnerability names no cloud, its asset does."""

POLL = 10.0
"""The longest time between two looks at an export, in seconds."""

LONGEST_WAIT = 1800.0
"""How long a pull waits for an export without a new chunk, in seconds; the export is gone on with later."""

OVERLAP = 600
"""How far a pull reaches into the one before, in seconds."""

SIZE = 1024 * 1024
"""About how long a message gets, in bytes; one item more at the most."""

_DAY = 86_400
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def _messages(items: list[msgspec.Raw]) -> Iterator[bytes]:
    """Yield lists of items, their bytes as they came."""
    part: list[bytes] = []
    size = 0
    for item in map(bytes, items):
        part.append(item)
        size += len(item)
        if size >= SIZE:
            yield b"[" + b",".join(part) + b"]"
            part, size = [], 0
    if part:
        yield b"[" + b",".join(part) + b"]"
