"""Amazon Inspector: ListFindings, window by window of the time of the last change."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from agents.connectors._aws import AwsConnector, Step, following
from agents.connectors._base import Halted, Way
from agents.sinks._aws import code_of
from agents.sinks._outcome import Reply, Retry


class Inspector(AwsConnector):
    """Asks Amazon Inspector (the present one, version 2) for findings in every region, closed and suppressed ones too.

    With a role in the delegated administrator's account, the findings of all member accounts come with it. The first
    pull takes all that Inspector still has, later ones what changed since.
    """

    source: ClassVar[str] = "AWS Inspector"
    prisma: ClassVar[str] = "amazon_inspector"
    service: ClassVar[str] = "inspector2"
    title: ClassVar[str] = "Inspector"

    minutes: int = Field(default=30, ge=1, le=10_080, description="Minutes from the start of a pull to the next one.")

    @override
    async def steps(self, region: str, place: Mapping[str, Any], way: Way) -> AsyncIterator[Step]:
        began = int(way.now)
        since, until, token = int(place.get("since", 0)), int(place.get("until", began)), str(place.get("token", ""))
        count = 0
        while True:
            try:
                reply = await self._listed(region, since, until, token, PAGE, way)
            except Halted as halted:
                if token and halted.reply is not None and code_of(halted.reply) in _TOKEN_IS_OLD:
                    token = ""  # the window once more, from its beginning
                    continue
                raise
            findings, token = _findings(reply), following(reply, token)
            count += len(findings)
            done = {"since": max(until - _OVERLAP, 0)}
            place = {"since": since, "until": until, "token": token} if token else done
            yield Step([reply.body] if findings else [], place, len(findings), f"{count} findings")
            if not token:
                if until >= began:
                    return
                since, until = done["since"], began  # the window was begun by an earlier pull

    @override
    async def look(self, region: str, way: Way) -> str:
        _findings(await self._listed(region, 0, int(way.now), "", 1, way))
        return "findings can be listed"

    async def _listed(self, region: str, since: int, until: int, token: str, most: int, way: Way) -> Reply:
        """Return a page of the findings that changed from *since* to *until*, in seconds since 1970 UTC.

        They come by the time of their first observation, which never changes: what changes while we read leaves the
        window, and comes with the next one.
        """
        window = {"endInclusive": until} | ({"startInclusive": since} if since else {})
        body: dict[str, Any] = {
            "filterCriteria": {
                "findingStatus": [{"comparison": "EQUALS", "value": status} for status in _STATUS],
                "updatedAt": [window],
            },
            "sortCriteria": {"field": "FIRST_OBSERVED_AT", "sortOrder": "ASC"},
            "maxResults": most,
        }
        if token:
            body["nextToken"] = token
        return await self.ask(region, "POST", "/findings/list", body, way)


PAGE = 100
"""The most that Inspector lists in one answer."""

_OVERLAP = 30 * 60
"""How far a window reaches into the one before, in seconds."""

_STATUS = ("ACTIVE", "SUPPRESSED", "CLOSED")
_TOKEN_IS_OLD = {"ValidationException", "BadRequestException"}


def _findings(reply: Reply) -> list[Any]:
    findings = reply.fields.get("findings")
    if not isinstance(findings, list):
        raise Halted(Retry(f"no findings in Inspector's answer: {reply.words}"), reply)
    return findings
