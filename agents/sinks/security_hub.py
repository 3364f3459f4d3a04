"""AWS Security Hub: one finding an alert in its region, a hundred in a call, archived when the alert is over."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import orjson
from pydantic import Field, model_validator
from typing_extensions import override

from agents.sinks._asff import finding
from agents.sinks._aws import AwsSink, aws_outcome
from agents.sinks._base import Item
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, NotApplicable, Ok, Outcome, Poison, Reply, Retry
from agents.sinks._settings import OptionalHost
from streams.alerts import Delivery

Placed: TypeAlias = tuple[int, dict[str, Any]]
"""The place of a delivery among its call's, and its finding."""

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class SecurityHub(AwsSink):
    """Imports an alert as a finding into AWS Security Hub, in the alert's own region.

    An open alert is an active finding that failed; a resolved one is archived and passed; a dismissed or snoozed one is
    archived. The finding's id is made of the alert's, so that it stays one finding. Alerts of other clouds, accounts
    and regions aren't sent.
    """

    prisma: ClassVar[str] = "aws_security_hub"
    keeps: ClassVar[Literal["every event", "latest state"]] = "latest state"
    batch: ClassVar[int] = 100
    in_flight: ClassVar[int] = 4
    checks_quietly: ClassVar[bool] = True
    per_second: ClassVar[float | None] = 8.0  # 10 for each account and region

    account_id: str = Field(pattern=r"^\d{12}$", description="The AWS account.", examples=["111122223333"])
    regions: list[Region] = Field(
        min_length=1, description="The regions in which Security Hub is enabled.", examples=[["eu-west-1", "us-east-1"]]
    )
    default_region: str = Field(
        default="", description="Where global resources go, such as users. Empty: the first.", examples=["us-east-1"]
    )
    product_arn: str = Field(
        default="",
        pattern=r"^(arn:aws[a-z-]*:securityhub:\S+)?$",
        description="The product that the findings are from. Empty: the account's own.",
        examples=["arn:aws:securityhub:eu-west-1::product/acme/tidegate"],
    )
    url: OptionalHost = Field(
        default="",
        description="Security Hub's address, with `{region}`. Empty: AWS's own.",
        examples=["https://vpce-0123.securityhub.{region}.vpce.amazonaws.com"],
    )

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        regions: dict[str, list[Placed]] = {}
        for place, item in enumerate(items):
            region = self._region(item.delivery)
            if isinstance(region, NotApplicable):
                outcomes[place] = region
            elif made := finding(item.delivery, region, self.account_id, self.product_arn):
                regions.setdefault(region, []).append((place, made))
            else:
                outcomes[place] = Poison("too large: Security Hub takes ids of at most 512 characters")
        for region, findings in regions.items():
            outcomes |= await self._imported(findings, region, client)
        return [outcomes[place] for place in range(len(items))]

    @override
    async def check(self, client: Client) -> Outcome:
        for region in self.regions:
            outcome = await self._enabled(region, client)
            if not isinstance(outcome, Ok):
                return outcome
        return Ok(f"Security Hub is enabled in {', '.join(self.regions)}")

    async def _enabled(self, region: str, client: Client) -> Outcome:
        """Return Ok when Security Hub is enabled in *region* of the account."""
        hub = await self.asked(Request("GET", f"{self._host(region)}/accounts"), region, "securityhub", client)
        if not isinstance(hub, Reply):
            return hub
        outcome = aws_outcome(hub, client.clock())
        if not isinstance(outcome, Ok):
            return outcome if isinstance(outcome, Retry) else Config(f"{region}: {outcome.words}")
        found = re.match(r"arn:aws[\w-]*:securityhub:[\w-]+:(\d{12}):", str(hub.fields.get("HubArn")))
        if not found:
            return Retry(f"no answer of Security Hub's: {hub.words}")
        if found[1] != self.account_id:
            return Config(f"the credentials are of the account {found[1]}, not of {self.account_id}")
        return Ok()

    def _region(self, delivery: Delivery) -> str | NotApplicable:
        """Return the region that the alert's finding belongs to."""
        resource = delivery.event.alert.resource
        if resource.cloud != "aws":
            return NotApplicable(f"an alert about {resource.cloud}: Security Hub is for aws")
        if resource.account != self.account_id:
            return NotApplicable(f"an alert of the account {resource.account}, not of {self.account_id}")
        if resource.region in ("", "global"):
            return self.default_region or self.regions[0]
        if resource.region not in self.regions:
            return NotApplicable(f"an alert in {resource.region}, which isn't among the regions")
        return resource.region

    async def _imported(self, findings: list[Placed], region: str, client: Client) -> dict[int, Outcome]:
        """Import *findings* in as few calls as they take: the outcome of each by its place."""
        body = orjson.dumps({"Findings": [made for _, made in findings]})
        if len(body) > MOST_BYTES and len(findings) > 1:
            return await self._in_halves(findings, region, client)
        request = Request("POST", f"{self._host(region)}/findings/import", body, {"Content-Type": "application/json"})
        answer = await self.asked(request, region, "securityhub", client)
        if not isinstance(answer, Reply):
            return dict.fromkeys((place for place, _ in findings), answer)
        if answer.status == 200:
            return _settled(answer, findings)
        outcome = aws_outcome(answer, client.clock())
        if isinstance(outcome, Poison) and len(findings) > 1:
            return await self._in_halves(findings, region, client)
        return dict.fromkeys((place for place, _ in findings), outcome)

    async def _in_halves(self, findings: list[Placed], region: str, client: Client) -> dict[int, Outcome]:
        half = len(findings) // 2
        first = await self._imported(findings[:half], region, client)
        return first | await self._imported(findings[half:], region, client)

    def _host(self, region: str) -> str:
        if self.url:
            return self.url.replace("{region}", region)
        return f"https://securityhub.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"

    @model_validator(mode="after")
    def _has_a_default_among_its_regions(self) -> Self:
        if self.default_region and self.default_region not in self.regions:
            raise ValueError(f"default_region: {self.default_region} isn't among the regions")
        return self


MOST_BYTES = 5_900_000
"""The most of a call: Security Hub takes 6 MB."""


def _settled(reply: Reply, findings: list[Placed]) -> dict[int, Outcome]:
    """Return what the answer says of each finding."""
    said = reply.fields
    listed = said.get("FailedFindings", [])
    failed = (
        {str(each.get("Id")): each for each in listed if isinstance(each, dict)} if isinstance(listed, list) else {}
    )
    if not isinstance(said.get("SuccessCount"), int) or said["SuccessCount"] + len(failed) < len(findings):
        return dict.fromkeys((place for place, _ in findings), Retry(f"no answer of Security Hub's: {reply.words}"))
    outcomes: dict[int, Outcome] = {}
    for place, made in findings:
        if each := failed.get(made["Id"]):
            code = str(each.get("ErrorCode"))
            words = reply.said(f"{code}: {each.get('ErrorMessage')}")
            outcomes[place] = type(aws_outcome(Reply(400, {"x-amzn-errortype": code}), 0))(words)
        else:
            outcomes[place] = Ok()
    return outcomes
