"""Tenable's assets with their cloud identity: of both exports, and of the workbench."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise import _cloud_hosts
from agents.normalise._cloud_hosts import UNKNOWN, CloudHost
from agents.normalise._tenable_vulnerability import SOURCE, word_of
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import MAX_MANY, line, objects, texts
from streams.identity import Place, version
from streams.records import VendorAsset

Fields = Mapping[str, Any]


def asset(item: Fields, original: orjson.Fragment, place: Place, index: int) -> VendorAsset:
    """Return the asset that *item* is. Raises BadRecord.

    What the workbench lists without saying when it changed doesn't know its cloud: it's a record beside the other.
    """
    name = "id" if "id" in item else "uuid"
    id = word_of(item.get(name), name)
    cloud, network, stamps = cloud_of(item), _within(item, "network"), _within(item, "timestamps")
    times = {one: _time(item, stamps, one) for one in _TIMES}
    gone = next((one for one in _GONE if times[one] is not None), "")
    changed = max((time for time in times.values() if time is not None), default=place.timestamp)
    hostnames = [
        *_named(item, network, "hostname"),
        *_named(item, network, "fqdn"),
        *_named(item, network, "netbios_name"),
    ]
    tags = {line(one.get("key")): line(one.get("value")) for one in objects(item.get("tags")) if line(one.get("key"))}
    whole = times["updated_at"] is not None or cloud is not UNKNOWN
    return VendorAsset(
        source=SOURCE,
        id=f"asset:{id}" if whole else f"listed:{id}",
        ids=[] if whole else [f"asset:{id}"],
        name=next(iter([*_named(item, network, "agent_name"), *hostnames]), "") or line(item.get("name")),
        account=cloud.account,
        cloud=cloud.cloud,
        region=cloud.region,
        references=list(cloud.references),
        hostnames=texts([one.lower() for one in hostnames]),
        addresses=texts([*_named(item, network, "ipv4"), *_named(item, network, "ipv6")]),
        os=next(iter(_named(item, network, "operating_system")), ""),
        tags=dict(list(tags.items())[:MAX_MANY]),
        first_seen=times["first_seen"],
        last_seen=times["last_seen"],
        version=version(changed, 0, place, index),
        deleted=bool(gone),
        status_reason=gone.removesuffix("_at").upper(),
        original=original,
    )


def cloud_of(item: Fields) -> CloudHost:
    """Return who the asset is in its cloud, of all three forms."""
    nested = _within(item, "cloud")
    aws, azure, gcp = (_within(nested, name) for name in ("aws", "azure", "gcp"))
    instance = _first(item, "aws_ec2_instance_id") or _first(aws, "ec2_instance_id")
    account = _first(item, "aws_owner_id") or _first(aws, "owner_id")
    if instance or account:
        return _cloud_hosts.ec2(instance, account, _first(item, "aws_region") or _first(aws, "region"))
    vm = _first(item, "azure_vm_id") or _first(azure, "vm_id")
    resource = _first(item, "azure_resource_id") or _first(azure, "resource_id")
    subscription = _first(item, "azure_subscription_id") or _first(azure, "subscription_id")
    if vm or resource or subscription:
        location = _first(item, "azure_location") or _first(azure, "location")
        return _cloud_hosts.azure(vm, subscription, region=location, resource=resource)
    instance = _first(item, "gcp_instance_id") or _first(gcp, "instance_id")
    project = _first(item, "gcp_project_id") or _first(gcp, "project_id")
    if instance or project:
        return _cloud_hosts.gcp(instance, project, _first(item, "gcp_zone") or _first(gcp, "zone"))
    network = _within(item, "network")
    return _cloud_hosts.named([*_named(item, network, "fqdn"), *_named(item, network, "hostname")])


def _first(fields: Fields, name: str) -> str:
    """Return a text, or the first of a list of them, as the workbench has it."""
    return next(iter(texts(fields.get(name))), "")


def _named(item: Fields, network: Fields, name: str) -> list[str]:
    """Return the texts that one form has as `ipv4`, another as `ipv4s`, and a third below `network`."""
    for fields in (item, network):
        for one in (f"{name}s", name):
            if found := texts(fields.get(one)):
                return found
    return []


def _time(item: Fields, stamps: Fields, name: str) -> int | None:
    found = optional_moment(item, name)
    return optional_moment(stamps, name, f"timestamps.{name}") if found is None else found


def _within(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return value if type(value) is dict else {}


_TIMES = ("first_seen", "last_seen", "updated_at", "deleted_at", "terminated_at")
_GONE = ("deleted_at", "terminated_at")
