"""The destinations under test: each with its double, deliveries to send, golden requests, and their reprint.

`python -m tests.contract.sinks` writes every golden request anew; read the difference before you commit it.
"""

import asyncio
import gzip
import importlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import aiohttp
import orjson
from typing_extensions import override

from agents.sinks import SINKS
from agents.sinks._base import HttpSink, Item, Sink
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Ok, Outcome, Reply, Retry
from streams.alerts import Alert, AlertEvent, AlertPolicy, AlertResource, AlertStatus, Delivery, Reason, RuleName
from tests.fakes.server import Call, Fake

DATA = Path(__file__).parent.parent / "data" / "sinks"
NOW = 1_767_225_661
"""When every golden request is made, in seconds since 1970 UTC."""
ALERT = "P-6982247015780403"

RESOURCE = AlertResource(
    rrn="rrn:aws:aws-s3api-get-bucket-acl:eu-west-1:111122223333:0a1b2c3d4e:logs",
    id="arn:aws:s3:::logs",
    name="logs",
    account="111122223333",
    cloud="aws",
    region="eu-west-1",
    api_name="aws-s3api-get-bucket-acl",
    service="Amazon S3",
    resource_type="AWS::S3::Bucket",
    tags={"team": "ops"},
)
POLICY = AlertPolicy(
    id="aws-s3-public",
    name="S3 bucket is public",
    severity="high",
    description="Anyone may read it.",
    recommendation="Block public access.",
    labels=["s3"],
)
STATES: tuple[AlertStatus, ...] = ("open", "dismissed", "resolved")
"""The life of an alert that the golden requests tell, in order."""


def delivery(
    status: AlertStatus = "open",
    *,
    policy: AlertPolicy = POLICY,
    resource: AlertResource = RESOURCE,
    seq: int = 0,
    id: str = ALERT,
    **event: Any,
) -> Delivery:
    """Return the delivery of an alert in *status*; *event*: fields of the event or of its alert."""
    kinds: dict[AlertStatus, tuple[Any, Reason]] = {
        "open": ("opened", "NEW_ALERT"),
        "dismissed": ("dismissed", "USER_DISMISSED"),
        "snoozed": ("snoozed", "USER_DISMISSED"),
        "resolved": ("resolved", "RESOURCE_UPDATED"),
    }
    kind, reason = kinds[status]
    seq = seq or (1 if status == "open" else 2)
    if status == "open" and seq > 1:
        kind = "reopened"
    alert = Alert(
        id=id,
        policy=policy,
        resource=resource,
        status=status,
        reason=reason,
        first_seen=1_767_225_600_000,
        last_seen=1_767_225_600_000,
        opened=1_767_225_600_000,
        updated=1_767_225_660_000,
        seq=seq,
        dismissal_note=event.pop("dismissal_note", ""),
    )
    config = event.pop("config", {"name": "logs", "public": True})
    return Delivery(
        integration="i",
        event=AlertEvent(id=f"{alert.id}-{seq}", seq=seq, kind=kind, at=alert.updated, alert=alert, config=config),
        rules=[RuleName(id="r1", name="All of production")],
        link=f"https://tidegate.example.com/alerts/{alert.id}",
    )


@dataclass(frozen=True)
class Case:
    """A destination with settings that its double knows. *variant*: which; empty: the ones that are documented."""

    name: str
    variant: str = ""

    @override
    def __str__(self) -> str:
        return f"{self.name}-{self.variant}" if self.variant else self.name

    def fake(self) -> Fake:
        """Return a new double."""
        return FAKES[self.name](self.variant)

    def settings(self, at: str = "") -> dict[str, Any]:
        """Return the settings. *at*: where all the addresses among them lead, instead of to the vendor."""
        given = FAKES[self.name].cases[self.variant]
        return {key: _moved(value, at) for key, value in given.items()} if at else dict(given)

    def make(self, at: str = "", **given: Any) -> Sink:
        """Return the destination, with the settings *given* on top."""
        return SINKS[self.name].model_validate(self.settings(at) | given)

    def golden(self, state: AlertStatus) -> Path:
        """Return the file of the requests of *state*."""
        return DATA / self.name / self.variant / f"{state}.request.json"

    def delivery(self, status: AlertStatus = "open", **given: Any) -> Delivery:
        """Return a delivery that the destination is for: not every one is for every cloud."""
        return delivery(status, **({"resource": FAKES[self.name].resource or RESOURCE} | given))


def _moved(value: Any, at: str) -> Any:
    """Return a setting with its address, or the one of Google's tokens within it, led to *at*."""
    if not isinstance(value, str):
        return value
    return re.sub(r"""(^|"token_uri": ")https?://[^/?"]+""", lambda found: found[1] + at, value)


def _fake(name: str) -> type[Fake]:
    module = importlib.import_module(f"tests.fakes.{name}")
    (own,) = (
        each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__ and _is(each)
    )
    return cast(type[Fake], own)


def _is(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, Fake)


FAKES = {name: _fake(name) for name in SINKS}
CASES = [Case(name, variant) for name in SINKS for variant in FAKES[name].cases]


def make(name: str, **given: Any) -> HttpSink:
    """Return a destination of one call, in the case that is documented, with the settings *given* on top."""
    sink = Case(name).make(**given)
    assert isinstance(sink, HttpSink)
    return sink


async def sent(sink: Sink, delivery: Delivery, client: Client, entry: Any = None) -> Outcome:
    """Deliver it alone. *entry*: what the ledger has."""
    (outcome,) = await sink.deliver([Item(delivery, entry or {})], client)
    return outcome


async def told(sink: Sink, deliveries: Sequence[Delivery], client: Client, tries: int = 5) -> Outcome:
    """Deliver them in turn with a ledger, each up to *tries* times until it is settled: the last outcome."""
    entry: Any = {}
    outcome: Outcome = Ok()
    for each in deliveries:
        for _ in range(tries):
            outcome = await sent(sink, each, client, entry)
            if not isinstance(outcome, Retry):
                break
        if isinstance(outcome, Ok) and outcome.entry is not None:
            entry = outcome.entry
    return outcome


@dataclass(frozen=True, slots=True)
class InProcess(Client):
    """A client whose network is a double in this process."""

    fake: Fake | None = None
    requests: list[Request] = field(default_factory=list)

    @override
    async def call(self, request: Request, timeout: float) -> Reply | Outcome:
        assert self.fake
        self.requests.append(request)
        reply = self.fake.handle(call_of(request))
        return reply if isinstance(reply, Reply) else Retry("the connection broke: Lost")


def call_of(request: Request) -> Call:
    """Return *request* as the destination sees it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, request.url, headers, request.body)


def in_process(fake: Fake) -> InProcess:
    """Return a client to *fake* at which it is always NOW."""
    fake.now = float(NOW)
    return InProcess(cast(aiohttp.ClientSession, None), clock=lambda: float(NOW), fake=fake)


async def requests(case: Case, **settings: Any) -> dict[AlertStatus, list[Request]]:
    """Return what is sent of an alert's life, state by state."""
    client = in_process(fake := case.fake())
    sink = case.make(**settings)
    entry: dict[str, Any] = {}
    calls: dict[AlertStatus, list[Request]] = {}
    for seq, state in enumerate(STATES, 1):
        client.requests.clear()
        outcome = await sent(sink, case.delivery(state, seq=seq), client, entry)
        assert isinstance(outcome, Ok), outcome
        entry = dict(outcome.entry) if outcome.entry is not None else entry
        calls[state] = [made for made in client.requests if fake.golden(call_of(made))]
    return calls


def plain(call: Request) -> dict[str, Any]:
    """Return a request as a golden file shows it."""
    return {"method": call.method, "url": call.url, "headers": call.headers, "body": _body(call)}


def _body(call: Request) -> Any:
    body = gzip.decompress(call.body) if call.body.startswith(b"\x1f\x8b") else call.body
    if not body:
        return None
    if call.headers.get("Content-Type") == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode()))
    lines = [orjson.loads(line) for line in body.splitlines()]
    return lines[0] if len(lines) == 1 else lines


def main() -> int:
    """Reprint every request; return the exit code."""
    for case in CASES:
        for state, calls in asyncio.run(requests(case)).items():
            path = case.golden(state)
            path.parent.mkdir(parents=True, exist_ok=True)
            options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
            path.write_bytes(orjson.dumps([plain(call) for call in calls], option=options))
            sys.stdout.write(f"wrote {path.relative_to(DATA)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
