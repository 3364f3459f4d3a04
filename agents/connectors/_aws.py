"""Connectors to AWS: the regions that they ask, one after the other, each with a place of its own to go on at."""

import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

import orjson
from pydantic import Field
from typing_extensions import override

from agents.connectors._base import MOST_READ, Checkpoint, Connector, Halted, Page, Way
from agents.sinks._aws import AwsAccess, aws_outcome, code_of
from agents.sinks._client import Request
from agents.sinks._outcome import Config, Outcome, Reply, Retry
from agents.sinks._settings import OptionalHost

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class Step(NamedTuple):
    """A page of one region: its messages, where the region goes on, how many findings, and words."""

    messages: list[bytes]
    place: Mapping[str, Any]
    items: int
    words: str


def following(reply: Reply, token: str) -> str:
    """Return the token of the next page, empty: there is none. Raises Halted where it leads to the same page again."""
    found = str(reply.fields.get("nextToken") or "")
    if found and found == token:
        raise Halted(Retry("the vendor's list of pages leads to the same page again"), reply)
    return found


class AwsConnector(Connector, AwsAccess):
    """A service of AWS that is asked in every region."""

    service: ClassVar[str]
    """AWS's name of it in addresses and signatures."""
    title: ClassVar[str]
    """What people call it."""

    regions: list[Region] = Field(
        default=[],
        description="The regions to ask. Empty: all that the account has enabled.",
        examples=[["eu-west-1", "us-east-1"]],
    )
    region: Region = Field(
        default="us-east-1", description="Where the role is assumed and regions are listed.", examples=["eu-west-1"]
    )
    url: OptionalHost = Field(
        default="",
        description="The service's address, with `{region}`. Empty: AWS's own.",
        examples=["https://vpce-0123.guardduty.{region}.vpce.amazonaws.com"],
    )
    ec2_url: OptionalHost = Field(
        default="",
        description="Where regions are listed. Empty: AWS's own.",
        examples=["https://vpce-0123.ec2.eu-west-1.vpce.amazonaws.com"],
    )

    @abstractmethod
    def steps(self, region: str, place: Mapping[str, Any], way: Way) -> AsyncIterator[Step]:
        """Yield what is new in *region* since *place*. Raises Halted."""

    @abstractmethod
    async def look(self, region: str, way: Way) -> str:
        """Make a harmless call in *region*; say what was found, empty: the service isn't in use. Raises Halted."""

    @property
    @override
    def tenant(self) -> str:
        return self.role_arn or self.access_key or "the worker's own account"

    @override
    async def pull(self, checkpoint: Checkpoint, way: Way) -> AsyncIterator[Page]:
        places = dict(checkpoint.get("regions", {}))
        regions = await self._regions(way)
        failed: list[tuple[str, Halted]] = []
        absent: list[str] = []
        for region in regions:
            try:
                async for step in self.steps(region, places.get(region, {}), way):
                    places[region] = step.place
                    yield Page(step.messages, {"regions": dict(places)}, step.items, f"{region}: {step.words}")
            except Halted as halted:
                self._stop_if_nowhere(halted)
                if self._is_absent(halted):
                    absent.append(f"{region}: {halted}")
                else:
                    failed.append((region, halted))
        if failed:
            region, first = failed[0]
            kind = Config if all(isinstance(halted.outcome, Config) for _, halted in failed) else Retry
            raise Halted(kind(f"{len(failed)} of {len(regions)} regions: {region}: {first}"), first.reply)
        if len(absent) == len(regions):
            raise Halted(Config(f"{self.title} can't be read in any region: {absent[0]}"))

    @override
    async def check(self, way: Way) -> str:
        regions = await self._regions(way)
        found, refused = {}, []
        for region in regions:
            try:
                if words := await self.look(region, way):
                    found[region] = words
            except Halted as halted:
                self._stop_if_nowhere(halted)
                if not self._is_absent(halted):
                    raise Halted(type(halted.outcome)(f"{region}: {halted}"), halted.reply) from None
                refused.append(f"{region}: {halted}")
        if not found:
            why = f": {refused[0]}" if refused else ""
            raise Halted(Config(f"{self.title} isn't in use in any of {len(regions)} regions{why}"))
        return f"{self.title} can be read in {', '.join(found)} ({next(iter(found.values()))})"

    @override
    def meaning(self, reply: Reply, now: float) -> Outcome:
        return aws_outcome(reply, now)

    async def ask(self, region: str, method: str, path: str, body: Any, way: Way) -> Reply:
        """Call the service in *region*. *body*: for JSON; None: there is none. Raises Halted."""
        made = b"" if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"} if made else {}
        request = Request(method, f"{self._host(region)}{path}", made, headers, most_read=MOST_READ)
        return await self.until(lambda: self.asked(request, region, self.service, way.client), way)

    async def _regions(self, way: Way) -> list[str]:
        """Return the regions to ask. Raises Halted."""
        if self.regions:
            return list(self.regions)
        url = self.ec2_url or f"https://ec2.{self.region}.amazonaws.com{_suffix(self.region)}"
        body = b"Action=DescribeRegions&Version=2016-11-15"
        request = Request("POST", f"{url}/", body, {"Content-Type": "application/x-www-form-urlencoded"})
        try:
            reply = await self.until(lambda: self.asked(request, self.region, "ec2", way.client), way)
        except Halted as halted:
            words = f"the account's regions can't be listed (permit ec2:DescribeRegions, or name them): {halted}"
            raise Halted(type(halted.outcome)(words), halted.reply) from None
        found = re.findall(r"<regionName>([a-z0-9-]+)</regionName>", reply.body.decode(errors="replace"))
        if not found:
            raise Halted(Retry(f"no list of regions: {reply.words}"))
        return sorted(found)

    def _host(self, region: str) -> str:
        if self.url:
            return self.url.replace("{region}", region)
        return f"https://{self.service}.{region}.amazonaws.com{_suffix(region)}"

    def _is_absent(self, halted: Halted) -> bool:
        """Tell whether the account has no use of the service there: no error where nobody named the region."""
        return not self.regions and halted.reply is not None and code_of(halted.reply) in _ABSENT

    def _stop_if_nowhere(self, halted: Halted) -> None:
        """Raise *halted* where it's of the credentials, which are the same in every region."""
        if isinstance(halted.outcome, Config) and halted.reply is None:
            raise halted


_ABSENT = {"AccessDenied", "AccessDeniedException", "OptInRequired", "SubscriptionRequiredException"}


def _suffix(region: str) -> str:
    return ".cn" if region.startswith("cn-") else ""
