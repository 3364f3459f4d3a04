"""Fifty clients of the API in a process of their own: `python -m bench._api_load JSON` prints what they saw as JSON."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

MIX: Mapping[str, int] = {
    "alerts": 35,
    "alert": 15,
    "search": 20,
    "page": 5,
    "findings": 10,
    "count": 10,
    "policies": 5,
}
"""What a client asks, in percent: a list of 50 alerts, one alert, a search of 100 rows, its next page, the findings of
a resource, a count, the policies.
"""
THINK_S = 0.2
WARM_S = 3.0
"""What is asked in the first seconds isn't timed."""
EVER = {"type": "to_now", "value": "epoch"}


@dataclass(slots=True)
class Seen:
    """What clients saw: seconds by kind of request, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in MIX})
    wrong: list[str] = field(default_factory=list)


class Client:
    """One client: it logs in, asks, thinks, asks again."""

    def __init__(self, web: aiohttp.ClientSession, number: int, accounts: list[str], seen: Seen) -> None:
        self._web = web
        self._chance = random.Random(number)  # noqa: S311 - a load, not a secret
        self._accounts = accounts
        self._seen = seen
        self._alerts: list[str] = []
        self._rrns: list[str] = []
        self._token = ""
        self._page = ""

    async def log_in(self, key: str, secret: str) -> None:
        """Log in."""
        login = await self._send("POST", "/login", {"username": key, "password": secret})
        self._token = login["token"]

    async def run(self, until: float) -> None:
        """Ask until the moment *until*, on the monotonic clock."""
        kinds, weights = list(MIX), list(MIX.values())
        await asyncio.sleep(self._chance.random() * THINK_S)
        while time.monotonic() < until:
            [kind] = self._chance.choices(kinds, weights)
            began = time.monotonic()
            try:
                await getattr(self, f"ask_{kind}")()
            except (aiohttp.ClientError, TimeoutError, AssertionError) as error:
                self._seen.wrong.append(f"{kind}: {error!r:.200}")
            self._seen.took[kind].append(time.monotonic() - began)
            await asyncio.sleep(THINK_S * self._chance.uniform(0.5, 1.5))

    async def ask_alerts(self) -> None:
        """List the newest open alerts."""
        filters = [{"name": "alert.status", "operator": "=", "value": "open"}]
        body = {"limit": 50, "timeRange": EVER, "filters": filters, "sortBy": ["alertTime:desc"]}
        page = await self._send("POST", "/v2/alert", body)
        self._alerts = [each["id"] for each in page["items"]]

    async def ask_alert(self) -> None:
        """Show one of them."""
        if not self._alerts:
            await self.ask_alerts()
        await self._send("GET", f"/alert/{self._chance.choice(self._alerts)}")

    async def ask_search(self) -> None:
        """Search an account's instances."""
        account = self._chance.choice(self._accounts)
        query = (
            f"config from cloud.resource where cloud.account = '{account}' AND api.name = 'aws-ec2-describe-instances'"
            " AND json.rule = metadataOptions.httpTokens = 'optional'"
        )
        found = (await self._send("POST", "/search/config", {"query": query, "limit": 100, "timeRange": EVER}))["data"]
        assert len(found["items"]) == min(100, found["totalRows"]), found["totalRows"]
        self._rrns = [each["rrn"] for each in found["items"]]
        self._page = found.get("nextPageToken", "")

    async def ask_page(self) -> None:
        """Ask for the next page of the last search, or search."""
        if not self._page:
            await self.ask_search()
        else:
            body = {"pageToken": self._page, "limit": 100}
            self._page = (await self._send("POST", "/search/config/page", body)).get("nextPageToken", "")

    async def ask_findings(self) -> None:
        """List the findings of a resource."""
        if not self._rrns:
            await self.ask_search()
        await self._send("POST", "/resource/external_finding", {"rrn": self._chance.choice(self._rrns)})

    async def ask_count(self) -> None:
        """Count the open alerts."""
        await self._send("GET", "/alert/count/open")

    async def ask_policies(self) -> None:
        """List the policies."""
        await self._send("GET", "/v2/policy")

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"x-redlock-auth": self._token} if self._token else {}
        async with self._web.request(method, path, json=body, headers=headers) as said:
            document = await said.json()
            assert said.status < 300, (path, said.status, document)
            return document


async def _main(base: str, key: str, secret: str, accounts: list[str], clients: int, seconds: float) -> Seen:
    seen = Seen()
    limits = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(base, connector=connector, timeout=limits) as web:
        asking = [Client(web, number, accounts, seen) for number in range(clients)]
        for each in asking:  # a secret takes a while to check, and isn't what is timed
            await each.log_in(key, secret)
        await asyncio.gather(*(each.run(time.monotonic() + WARM_S) for each in asking))
        for times in seen.took.values():
            times.clear()
        await asyncio.gather(*(each.run(time.monotonic() + seconds) for each in asking))
    return seen


if __name__ == "__main__":
    found = asyncio.run(_main(**json.loads(sys.argv[1])))
    print(json.dumps({"took": found.took, "wrong": found.wrong}))
