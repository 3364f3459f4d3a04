"""Which machine a scanner's host is that has no identifier of its cloud: by host name or private address, within its
account, and as of when the machine has them.

Pure. What is found is said in a record beside the asset, under `held:` and its id: every worker has it before the next
finding comes. A finding takes it only if it was seen since the machine has the address (agents.link).
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from agents.normalise._fields import time_ms
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Reference, VendorAsset
from streams.store.hosts import HELD, Row

Fields = Mapping[str, Any]

SAME_NAME = "several resources of its account have its host name"
SAME_ADDRESS = "several resources of its account have its private address"
NONE = "no resource of its account has its host name or private address"


class Machine(NamedTuple):
    """A live machine; *since*: when it got its addresses, in ms since 1970 UTC, None: unknown."""

    id: str
    since: int | None
    names: frozenset[str]
    addresses: frozenset[str]


class Said(NamedTuple):
    """The machine that a host is, and by what; or why it is none."""

    machine: Machine | None
    words: str


def machines_of(rows: Iterable[Row]) -> dict[str, list[Machine]]:
    """Return the machines of each account, those of Azure with the addresses of their interfaces."""
    interfaces: dict[str, set[str]] = {}
    found: list[tuple[Row, frozenset[str]]] = []
    for row in rows:
        addresses = frozenset(private(_texts(row.config, _ADDRESSES)))
        if row.api_name == _INTERFACE:
            owner = row.config.get("properties.virtualMachine")
            if type(owner) is dict and type(id := owner.get("id")) is str:
                interfaces.setdefault(id.lower(), set()).update(addresses)
        else:
            found.append((row, addresses))
    machines: dict[str, list[Machine]] = {}
    for row, addresses in found:
        called = [*_texts(row.config, _NAMES), *([row.name] if row.api_name in _CALLED else [])]
        machine = Machine(
            row.id, _since(row), frozenset(names(called)), addresses | interfaces.get(row.id.lower(), frozenset())
        )
        machines.setdefault(row.account, []).append(machine)
    return machines


def machine_of(asset: Fields, machines: Sequence[Machine]) -> Said:
    """Return the one of *machines*, all of its account, that *asset* is; of two that may be it, none is."""
    called = set(names(asset.get("hostnames", ())))
    addresses = set(private(asset.get("addresses", ())))
    alike = [each for each in machines if any(_same(one, other) for one in called for other in each.names)]
    there = [each for each in machines if each.addresses & addresses]
    if len(alike) > 1:
        both = [each for each in alike if each in there]
        return Said(both[0], "host name and private address") if len(both) == 1 else Said(None, SAME_NAME)
    if alike:
        return Said(alike[0], "host name")
    if len(there) > 1:
        return Said(None, SAME_ADDRESS)
    return Said(there[0], "private address") if there else Said(None, NONE)


def told(asset: Fields, said: Said, had: Fields | None, now: int) -> VendorAsset | None:
    """Return the record that says so, above the one that there is; None: there is nothing new to say. *now*: in ms
    since 1970 UTC.
    """
    machine = said.machine
    if machine is None and had is None and said.words == NONE:
        return None
    references = [] if machine is None else [Reference(id=machine.id, type=f"by {said.words}")]
    since = None if machine is None else machine.since
    reason = said.words if machine is None else ""
    ids = [asset["id"], *asset.get("ids", ())]  # a finding may name the asset by any of them
    if had is not None:
        before = [(each["id"], each["type"]) for each in had["references"]]
        stands = before, had.get("first_seen"), had.get("status_reason"), had["account"], had["ids"]
        if stands == ([(each.id, each.type) for each in references], since, reason, asset["account"], ids):
            return None
        now = max(now, int(had["version"][:15]) + 1)
    return VendorAsset(
        source=asset["source"],
        id=HELD + asset["id"],
        ids=ids,
        name=asset.get("name", ""),
        account=asset["account"],
        cloud=asset.get("cloud"),
        region=asset.get("region", ""),
        references=references,
        first_seen=since,
        status_reason=reason,
        version=version(now, 0, Place("vendor.assets", 0, 0, now), 0),
    )


def names(given: Iterable[str]) -> Iterator[str]:
    """Yield the host names among *given*, in lower case: no addresses, none that every machine has."""
    for name in given:
        text = name.strip().lower().rstrip(".")
        if text and text.partition(".")[0] != "localhost" and _address(text) is None:
            yield text


def private(given: Iterable[str]) -> Iterator[str]:
    """Yield the private addresses among *given*, each in its one spelling."""
    for text in given:
        address = _address(text.strip())
        if address is not None and any(address in network for network in _PRIVATE):
            yield str(address)


def _same(one: str, other: str) -> bool:
    """Tell whether two names are one: a bare name and a full one that begins with it are."""
    if one == other:
        return True
    head, _, domain = one.partition(".")
    other_head, _, other_domain = other.partition(".")
    return head == other_head and not (domain and other_domain)


def _since(row: Row) -> int | None:
    """Return when a machine got its address: an interface of EC2 keeps it when its instance is started anew."""
    times = [row.created] if row.created is not None else []
    for interface in row.config.get("networkInterfaces") or ():
        attached = interface.get("attachment") if type(interface) is dict else None
        if type(attached) is dict and attached.get("attachTime"):
            try:
                times.append(time_ms(attached["attachTime"], ""))
            except BadRecord:
                continue
    return min(times, default=None)


def _texts(value: Any, wanted: frozenset[str], name: str = "") -> Iterator[str]:
    """Yield the texts of a configuration that stand under one of the *wanted* names."""
    if type(value) is dict:
        for key, inner in value.items():
            yield from _texts(inner, wanted, key)
    elif type(value) is list:
        for inner in value:
            yield from _texts(inner, wanted, name)
    elif type(value) is str and name.rpartition(".")[2].lower() in wanted:
        yield value


@lru_cache(maxsize=65_536)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


_PRIVATE = [
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
"""Not what Python calls private: networks for documentation and tests are among that."""
_INTERFACE = "azure-network-nic-list"
_CALLED = ("azure-vm-list", "gcloud-compute-instances-list")
"""Machines whose name is their host's; of the others it's a label."""
_ADDRESSES = frozenset({"privateipaddress", "networkip", "ipaddress", "ipv6address"})
_NAMES = frozenset({"privatednsname", "publicdnsname", "hostname", "computername"})
