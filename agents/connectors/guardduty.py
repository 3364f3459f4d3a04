"""Amazon GuardDuty: ListFindings by the time of the last change, GetFindings for what they are."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from pydantic import Field
from typing_extensions import override

from agents.connectors._aws import AwsConnector, Step, following
from agents.connectors._base import Halted, Way
from agents.sinks._outcome import Reply, Retry


class GuardDuty(AwsConnector):
    """Asks Amazon GuardDuty for findings, archived ones too, in every region that has a detector.

    With a role in the delegated administrator's account, the findings of all member accounts come with it. The first
    pull takes all that GuardDuty still has, later ones what changed since.
    """

    source: ClassVar[str] = "AWS GuardDuty"
    prisma: ClassVar[str] = "amazon_guardduty"
    service: ClassVar[str] = "guardduty"
    title: ClassVar[str] = "GuardDuty"

    minutes: int = Field(default=15, ge=1, le=10_080, description="Minutes from the start of a pull to the next one.")

    @override
    async def steps(self, region: str, place: Mapping[str, Any], way: Way) -> AsyncIterator[Step]:
        known = dict(place)
        for detector in await self._detectors(region, way):
            async for body, items, latest in self._changed(region, detector, int(known.get(detector, 0)), way):
                known[detector] = latest
                yield Step([body], dict(known), items, f"findings up to {_shown(latest)}")

    @override
    async def look(self, region: str, way: Way) -> str:
        detectors = await self._detectors(region, way)
        for detector in detectors:
            await self._ids(region, detector, (0, int(way.now * 1000)), "", 1, way)
            await self._findings(region, detector, [], way)
        return "a detector with its findings" if detectors else ""

    async def _changed(self, region: str, detector: str, known: int, way: Way) -> AsyncIterator[tuple[bytes, int, int]]:
        """Yield answers of GetFindings, how many findings each has, and the time (ms) up to which all is there.

        A finding that changes while we read leaves the window, which would shift what a token points at. So each page
        is asked for by the time at which the one before ended; a token only leads on within one millisecond.
        """
        since, until, token = max(known - _OVERLAP_MS, 0), int(way.now * 1000) - _UNSETTLED_MS, ""
        edge: set[str] = set()
        while True:
            ids, token = await self._ids(region, detector, (since, until), token, PAGE, way)
            fresh = [id for id in ids if id not in edge]
            latest, left = since, False
            if fresh:
                body, times = await self._findings(region, detector, fresh, way)
                settled = {id: at for id, at in times.items() if at <= until}
                latest, left = max((since, *settled.values())), len(settled) < len(fresh)
                known = max(known, latest)
                yield body, len(fresh), known
                edge = edge | set(settled) if latest == since else {id for id, at in settled.items() if at == latest}
            if not token:
                return
            if latest > since or left:
                since, token = latest, ""

    async def _detectors(self, region: str, way: Way) -> list[str]:
        found: list[str] = []
        token = ""
        while True:
            query = urlencode({"maxResults": PAGE} | ({"nextToken": token} if token else {}))
            reply = await self.ask(region, "GET", f"/detector?{query}", None, way)
            found += _texts(reply, "detectorIds")
            token = following(reply, token)
            if not token:
                return found

    async def _ids(
        self, region: str, detector: str, window: tuple[int, int], token: str, most: int, way: Way
    ) -> tuple[list[str], str]:
        """Return the ids of findings that changed within *window* (ms), the oldest first, and a token for more."""
        changed = {"greaterThanOrEqual": window[0], "lessThanOrEqual": window[1]}
        body: dict[str, Any] = {
            "findingCriteria": {"criterion": {"updatedAt": changed}},
            "sortCriteria": {"attributeName": "updatedAt", "orderBy": "ASC"},
            "maxResults": most,
        }
        if token:
            body["nextToken"] = token
        reply = await self.ask(region, "POST", f"/detector/{quote(detector)}/findings", body, way)
        return _texts(reply, "findingIds"), following(reply, token)

    async def _findings(self, region: str, detector: str, ids: list[str], way: Way) -> tuple[bytes, dict[str, int]]:
        """Return the answer of GetFindings as it came, and when each of its findings changed (ms)."""
        reply = await self.ask(region, "POST", f"/detector/{quote(detector)}/findings/get", {"findingIds": ids}, way)
        findings = reply.fields.get("findings")
        if not isinstance(findings, list):
            raise Halted(Retry(f"no findings in GuardDuty's answer: {reply.words}"), reply)
        return reply.body, {str(each.get("id")): _ms(each.get("updatedAt")) for each in findings if type(each) is dict}


PAGE = 50
"""The most that GuardDuty lists in one answer."""

_OVERLAP_MS = 15 * 60_000
"""How far before the last change that is known a pull begins: findings may be listed a little late."""

_UNSETTLED_MS = 60_000
"""How long ago a change must be to be asked for: what is later than that has changed while we read."""


def _texts(reply: Reply, name: str) -> list[str]:
    """Return a list of the answer. Raises Halted where there is none: that isn't the same as an empty one."""
    found = reply.fields.get(name)
    if not isinstance(found, list):
        raise Halted(Retry(f"no {name} in GuardDuty's answer: {reply.words}"), reply)
    return [str(each) for each in found]


def _ms(time: object) -> int:
    """Return a time of GuardDuty's in ms; 0: it is none."""
    try:
        return int(datetime.fromisoformat(str(time)).timestamp() * 1000)
    except ValueError:
        return 0


def _shown(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
