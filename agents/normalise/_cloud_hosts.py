"""Who a scanner's host is in its cloud: account, region, and every name that the cloud has for it."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from agents.normalise import _arn
from agents.normalise._fields import MAX_ID, MAX_WORD
from agents.normalise._vulnerability import line
from streams.identity import UNLINKED, canonical_account
from streams.records import Cloud, Reference


class CloudHost(NamedTuple):
    """A host as its cloud knows it; what isn't known, or can't be, is empty."""

    cloud: Cloud | None = None
    account: str = UNLINKED
    region: str = ""
    references: tuple[Reference, ...] = ()


UNKNOWN = CloudHost()
"""A host in no cloud, or in one that nobody told."""


@lru_cache(maxsize=4096)  # a scanner tells of a host as often as it finds something on it
def ec2(instance: str, account: str = "", region: str = "") -> CloudHost:
    """Return an EC2 instance. *instance* may be its ARN."""
    id, where = line(instance), _word(region)
    arn = _arn.parse(id)
    if arn is not None:
        account, where, id = account or arn.account, where or arn.region, arn.resource.rpartition("/")[2]
    whose = _account("aws", account)
    names = [id] if id.startswith("i-") and len(id) <= MAX_ID else []
    if names and where and whose != UNLINKED:
        names.append(_arn.instance(id, _partition(where), where, whose))
    return CloudHost("aws", whose, where, _references(names, "Instance"))


@lru_cache(maxsize=4096)
def azure(
    vm: str, subscription: str = "", group: str = "", name: str = "", region: str = "", resource: str = ""
) -> CloudHost:
    """Return a virtual machine of Azure: *vm* is the GUID that it has for life, *resource* its name in ARM."""
    id, path = line(vm).lower(), line(resource)
    if path and not path.startswith("/subscriptions/"):
        path = ""
    whose = _account("azure", subscription or (path.split("/")[2] if path.count("/") > 1 else ""))
    if not path and whose != UNLINKED and line(group) and line(name):
        path = f"/subscriptions/{whose}/resourceGroups/{line(group)}/providers/{_MACHINE}/{line(name)}"
    return CloudHost("azure", whose, _word(region), _references([id, path], _MACHINE))


@lru_cache(maxsize=4096)
def gcp(instance: str, project: str = "", zone: str = "", name: str = "") -> CloudHost:
    """Return an instance of Google Cloud: *instance* is its number, *zone* may be a path."""
    id, where, whose = line(instance), line(zone).rpartition("/")[2], _account("gcp", project)
    names, called = [id], line(name).partition(".")[0]
    if whose != UNLINKED and where:
        place = f"https://www.googleapis.com/compute/v1/projects/{whose}/zones/{where}/instances/"
        names += [place + called] if called else []
        names += [place + id] if id else []
    region = where.rpartition("-")[0] if _ZONE.fullmatch(where) else ""
    return CloudHost("gcp", whose, region, _references(names, "compute.googleapis.com/Instance"))


def named(hostnames: Iterable[str]) -> CloudHost:
    """Return what a name says of its host: Google's internal ones hold the project, and may hold the zone."""
    for name in hostnames:
        if found := _INTERNAL.fullmatch(line(name).lower()):
            return gcp("", found["project"], found["zone"] or "")
    return UNKNOWN


def _account(cloud: Cloud, value: str) -> str:
    """Return the account, or `unlinked` for what can't be one: it's found by the resource's name later."""
    text = line(value)
    if not text or len(text) > MAX_WORD:
        return UNLINKED
    try:
        return canonical_account(cloud, text)
    except ValueError:
        return UNLINKED


def _word(value: str) -> str:
    text = line(value)
    return text if len(text) <= MAX_WORD else ""


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _references(names: Iterable[str], kind: str) -> tuple[Reference, ...]:
    return tuple(Reference(id=name, type=kind) for name in dict.fromkeys(names) if 0 < len(name) <= MAX_ID)


_MACHINE = "Microsoft.Compute/virtualMachines"
_ZONE = re.compile(r"[a-z]+-[a-z]+\d+-[a-z]", re.ASCII)
_INTERNAL = re.compile(
    r"[a-z0-9-]{1,63}(\.(?P<zone>[a-z]+-[a-z]+\d+-[a-z]))?\.c\.(?P<project>[a-z0-9-]{6,30})\.internal", re.ASCII
)
