"""Amazon S3: events of alerts as JSON lines, many in an object, by the hour of the first."""

import gzip
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal

import orjson
from pydantic import Field
from typing_extensions import override

from agents.sinks._aws import AwsSink, aws_outcome
from agents.sinks._base import Item
from agents.sinks._client import Client, Request
from agents.sinks._format import FORMAT, Format, formed
from agents.sinks._outcome import Ok, Outcome, Poison, Reply
from agents.sinks._payload import sample
from agents.sinks._settings import OptionalHost


class S3(AwsSink):
    """Writes events of alerts into an Amazon S3 bucket: objects of JSON lines in Prisma Cloud's shape or OCSF.

    An object holds what was there to send, up to 1,000 events; its name is the hour of the first and a hash of their
    ids, so that the same events sent again are the same object.
    """

    prisma: ClassVar[str] = "aws_s3"
    keeps: ClassVar[Literal["every event", "latest state"]] = "every event"
    batch: ClassVar[int] = 1000
    in_flight: ClassVar[int] = 2

    bucket: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="The bucket.", examples=["acme-alerts"]
    )
    prefix: str = Field(
        default="alerts/",
        pattern=r"^([A-Za-z0-9_.-]+/)*$",
        description="What the objects' names start with; it ends with a slash.",
        examples=["tidegate/production/"],
    )
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="The bucket's region.", examples=["eu-west-1"])
    compress: bool = Field(default=False, description="Write with gzip.", examples=[True])
    format: Format = FORMAT
    url: OptionalHost = Field(
        default="",
        description="S3's address, the bucket becomes its path. Empty: AWS's own.",
        examples=["https://minio.example.com"],
    )

    @override
    async def deliver(self, items: Sequence[Item], client: Client) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        lines: dict[int, bytes] = {}
        for place, item in enumerate(items):
            fitting = formed(item.delivery, self.format, MOST_BYTES)
            if fitting is None:
                outcomes[place] = Poison(f"too large: the ids alone are more than {MOST_BYTES} bytes")
            else:
                lines[place] = orjson.dumps(fitting, option=orjson.OPT_APPEND_NEWLINE)
        if lines:
            events = [items[place].delivery.event for place in lines]
            hour = datetime.fromtimestamp(events[0].at / 1000, UTC).strftime("%Y/%m/%d/%H")
            name = hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:32]
            written = await self._write(f"{hour}/{name}.jsonl", b"".join(lines.values()), client)
            outcomes |= dict.fromkeys(lines, written)
        return [outcomes[place] for place in range(len(items))]

    @override
    async def check(self, client: Client) -> Outcome:
        told = formed(sample(int(client.clock() * 1000)), self.format, MOST_BYTES)
        line = orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
        outcome = await self._write("tidegate-test.jsonl", line, client)  # nothing less shows the permission
        return Ok(f"an object {self.prefix}tidegate-test.jsonl was written") if isinstance(outcome, Ok) else outcome

    async def _write(self, name: str, body: bytes, client: Client) -> Outcome:
        if self.compress:
            name, body = f"{name}.gz", gzip.compress(body, 1, mtime=0)
        headers = {"Content-Type": "application/gzip" if self.compress else "application/x-ndjson"}
        headers["X-Amz-Content-Sha256"] = hashlib.sha256(body).hexdigest()
        request = Request("PUT", f"{self._base}/{self.prefix}{name}", body, headers)
        answer = await self.asked(request, self.region, "s3", client)
        return aws_outcome(answer, client.clock()) if isinstance(answer, Reply) else answer

    @property
    def _base(self) -> str:
        if self.url:
            return f"{self.url}/{self.bucket}"
        host = f"s3.{self.region}.amazonaws.com{'.cn' if self.region.startswith('cn-') else ''}"
        if "." in self.bucket:  # its certificate is for one level of names
            return f"https://{host}/{self.bucket}"
        return f"https://{self.bucket}.{host}"


MOST_BYTES = 256 * 1024
"""The most of an event; longer ones are cut where one sees it."""
