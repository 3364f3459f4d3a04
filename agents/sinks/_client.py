"""The way to the network: one shared session that refuses redirects, cookies and private addresses."""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from agents.sinks._direct import Direct, url_of
from agents.sinks._outcome import Config, Outcome, Reply, Retry

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_READ = 64 * 1024
"""How much of an answer is read, in bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call, described but not yet made. Where secrets may be is not shown."""

    method: str
    url: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """The client's certificate and authorities of its own; None: the system's authorities."""
    most_read: int = field(default=MOST_READ, repr=False)
    """How much of the answer is read, in bytes."""


@dataclass(frozen=True, slots=True)
class Client:
    """What a sink needs of the world: a session, the addresses that it may use, and the time in seconds since 1970."""

    session: aiohttp.ClientSession
    allowed: tuple[Network, ...] = ()
    clock: Callable[[], float] = time.time
    _direct: Direct = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_direct", Direct(self.session))

    def close(self) -> None:
        """Let every idle connection go."""
        self._direct.close()

    async def call(self, request: Request, timeout: float) -> Reply | Outcome:
        """Make the call: its answer, or what it means that there is none. *timeout*: seconds for all of it."""
        try:
            url = url_of(request.url)
            _check_literal(url.raw_host or "", self.allowed)
            async with asyncio.timeout(timeout):
                answer = await self._direct.call(
                    request.method, url, request.headers, request.body, request.tls or True, request.most_read
                )
            return Reply(*answer)
        except ForbiddenAddress as wrong:
            return Config(str(wrong))
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as wrong:
            return Config(f"no secure connection to {wrong.host}: {wrong.__cause__ or type(wrong).__name__}")
        except (aiohttp.InvalidURL, ValueError) as wrong:
            return Config(f"the address can't be used: {type(wrong).__name__}")
        except TimeoutError:
            return Retry(f"no answer within {timeout:g} s")
        except aiohttp.ClientConnectorError as wrong:
            if isinstance(wrong.os_error, ForbiddenAddress):
                return Config(str(wrong.os_error))
            return Retry(f"no connection to {wrong.host}: {wrong.os_error.strerror or type(wrong.os_error).__name__}")
        except (aiohttp.ClientError, OSError) as wrong:
            return Retry(f"the connection broke: {type(wrong).__name__}")


@lru_cache(1000)
def _check_literal(host: str, allowed: tuple[Network, ...]) -> None:
    """Refuse an address that needs no resolving: the connector asks no resolver for it."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    check_addresses(host, [host], allowed)


class ForbiddenAddress(OSError):
    """The host is at an address that destinations may not have."""


def check_addresses(host: str, addresses: Sequence[str], allowed: Sequence[Network]) -> None:
    """Raise ForbiddenAddress unless every one of *addresses*, where *host* is, is public or in an *allowed* network."""
    for text in addresses:
        address = _inner(ipaddress.ip_address(text.partition("%")[0]))
        inside = any(address in network for network in allowed if network.version == address.version)
        if not inside and (not address.is_global or address.is_multicast):
            raise ForbiddenAddress(
                f"{host} is at {address}, which is no public address; TIDEGATE_ALLOWED_NETWORKS can allow its network"
            )


@asynccontextmanager
async def open_client(
    allowed: Sequence[Network] = (),
    resolver: AbstractResolver | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Client]:
    """Open the one session that all sinks share. *allowed*: networks that needn't be public, as the operator says."""
    guarded = _Guarded(resolver or aiohttp.ThreadedResolver(), tuple(allowed))
    connector = aiohttp.TCPConnector(resolver=guarded, limit=0, ttl_dns_cache=30)  # the engine caps what is in flight
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Tidegate"},
        trust_env=False,
    ) as session:
        client = Client(session, tuple(allowed), clock)
        try:
            yield client
        finally:
            client.close()


class _Guarded(AbstractResolver):
    """Looks at the very addresses that are connected to, so that a name can't lead elsewhere in between."""

    def __init__(self, inner: AbstractResolver, allowed: tuple[Network, ...]) -> None:
        self._inner = inner
        self._allowed = allowed

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        check_addresses(host, [each["host"] for each in found], self._allowed)
        return found

    @override
    async def close(self) -> None:
        await self._inner.close()


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does: mapped, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(address.packed[-4:])
        return address.ipv4_mapped or address.sixtofour or address
    return address


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
