"""What tests of connectors share: one of each with its double, a pull that may end after any page, and what came in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from agents.connectors import CONNECTORS
from agents.connectors._base import Connector, Halted, Page, Way
from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from agents.sinks._client import open_client
from streams.identity import Place
from streams.records import Finding, Knowledge, Record, VendorAsset
from tests.fakes import guardduty, inspector, qualys, tenable
from tests.fakes.aws import KEYS
from tests.fakes.server import Fake, serving

NOW = 1_772_444_160.0
"""When all tests begin, in seconds since 1970 UTC: 2026-03-02."""

DOUBLES: Mapping[str, type[Fake]] = {
    "guardduty": guardduty.GuardDuty,
    "inspector": inspector.Inspector,
    "qualys": qualys.Qualys,
    "tenable": tenable.Tenable,
}
SECRETS = {
    "guardduty": (KEYS["secret_key"],),
    "inspector": (KEYS["secret_key"],),
    "qualys": (qualys.LOGIN["password"],),
    "tenable": (tenable.ACCESS, tenable.SECRET),
}


@dataclass
class Scene:
    """A connector that meets its double. *waits*: how long it has waited each time, in seconds."""

    connector: Connector
    fake: Any
    way: Way
    waits: list[float] = field(default_factory=list)

    def again(self) -> "Scene":
        """Return the same with a connector that remembers nothing, as after a new start."""
        given = {name: getattr(self.connector, name) for name in type(self.connector).model_fields}
        return replace(self, connector=type(self.connector).model_validate(given))

    async def pull(self, checkpoint: Mapping[str, Any], most: int = 1000) -> list[Page]:
        """Return the pages of one pull from *checkpoint* on, the first *most*: as if it were killed then."""
        pages: list[Page] = []
        async with aclosing(self.connector.pull(checkpoint, self.way)) as found:  # type: ignore[type-var] # they are generators
            async for page in found:
                pages.append(page)
                if len(pages) >= most:
                    break
        return pages

    async def pull_until_halted(self, checkpoint: Mapping[str, Any]) -> tuple[list[Page], Halted]:
        """Return the pages that come before the pull can't go on, and why it can't."""
        pages: list[Page] = []
        try:
            async for page in self.connector.pull(checkpoint, self.way):
                pages.append(page)  # noqa: PERF401 # what comes before the error counts
        except Halted as halted:
            return pages, halted
        raise AssertionError("it came to its end")

    def records(self, pages: Sequence[Page]) -> list[Record]:
        """Return what the source's normaliser makes of the pages; nothing may be refused."""
        read = NORMALISERS[self.connector.name].read
        made = [
            record
            for page in pages
            for message in page.messages
            for record in read(message, Place("raw", 0, 0, int(NOW * 1000)))
        ]
        assert not [each for each in made if isinstance(each, Bad)]
        return [each for each in made if not isinstance(each, Bad)]

    def ids(self, pages: Sequence[Page]) -> set[str]:
        """Return the ids of the findings, assets and rows in the pages."""
        return {each.id for each in self.records(pages) if isinstance(each, Finding | VendorAsset | Knowledge)}


@asynccontextmanager
async def scene(name: str, **more: Any) -> AsyncIterator[Scene]:
    """Open a connector by its name, with settings that work and *more*."""
    fake: Any = DOUBLES[name]()
    fake.now = NOW
    async with serving(fake) as url, open_client([ip_network("127.0.0.0/8")], clock=lambda: fake.now) as client:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            fake.now += seconds

        yield Scene(connector(name, fake, url, **more), fake, Way(client, sleep), waits)


def connector(name: str, fake: Any, url: str, **more: Any) -> Connector:
    """Return a connector that meets *fake* at *url*."""
    settings = {"qualys": qualys.LOGIN, "tenable": tenable.KEYS}.get(name)
    given = fake.settings(url, **more) if settings is None else {"url": url, **settings, **more}
    return CONNECTORS[name].model_validate(given)


def fill(name: str, fake: Any, first: int, count: int, at: float) -> None:
    """Give the double *count* more findings and what belongs to them, changed at *at* (s) and a little later each."""
    for number in range(first, first + count):
        later = at + (number - first) * 0.01
        match name:
            case "guardduty":
                fake.put("eu-west-1", f"f{number:04d}", round(at * 1000) + (number - first) * 60_000)
            case "inspector":
                fake.put(("eu-west-1", "us-east-1")[number % 2], number, later, ("ACTIVE", "CLOSED")[number % 3 == 0])
            case "qualys":
                state = ("Active", "Fixed")[number % 3 == 0]
                fake.hosts[4000 + number] = [
                    (38000 + number % 5, state, "2026-03-01T00:00:00Z"),
                    (105, "New", "2026-03-01T00:00:00Z"),
                ]
                fake.assets[8000 + number] = "2026-03-01T00:00:00Z"
                fake.rows |= {38000 + number % 5: "2026-02-01T00:00:00Z", 105: "2026-02-01T00:00:00Z"}
            case "tenable":
                fake.put(number, int(at), ("OPEN", "FIXED", "REOPENED")[number % 3], ("info", "high")[number % 2])
                fake.assets.append(tenable.asset(number + 1, int(at)))


def there(name: str, fake: Any) -> int:
    """Return how many findings, assets and rows the double has to give."""
    match name:
        case "guardduty" | "inspector":
            return sum(map(len, fake.findings.values()))
        case "qualys":
            return sum(map(len, fake.hosts.values())) + len(fake.hosts) + len(fake.assets) + len(fake.rows)
    return len(fake.vulns) + len(fake.assets)
