"""Qualys's hosts: their cloud identity in every form that carries one, and the asset that a host is."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from agents.normalise import _cloud_hosts
from agents.normalise._cloud_hosts import UNKNOWN, CloudHost
from agents.normalise._fields import MAX_ID
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import MAX_MANY, line, texts
from agents.normalise._xml import objects, text_of
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import VendorAsset

Fields = Mapping[str, Any]

SOURCE = "Qualys"


def cloud_of(host: Fields) -> CloudHost:
    """Return who a HOST of a detection list or a report is in its cloud."""
    attributes: dict[str, str] = {}
    metadata = host.get("METADATA")
    for block in objects(list(metadata.values())) if type(metadata) is dict else []:
        for one in objects(block.get("ATTRIBUTE")):
            if name := text_of(one.get("NAME")):
                attributes[name.rpartition("/")[2].lower().replace("-", "")] = text_of(one.get("VALUE"))
    provider = text_of(host.get("CLOUD_PROVIDER")).lower()
    id = text_of(host.get("CLOUD_RESOURCE_ID"))
    account = text_of(host.get("CLOUD_ACCOUNT"))
    told = metadata if type(metadata) is dict else {}
    if "AZURE" in told or provider == "azure":
        vm = attributes.get("vmid") or (id if id[:1] != "/" else "")
        group, called = attributes.get("resourcegroupname", ""), attributes.get("name", "")
        subscription = attributes.get("subscriptionid") or account
        return _cloud_hosts.azure(vm, subscription, group, called, attributes.get("location", ""), id)
    if "GOOGLE" in told or "GCP" in told or provider in ("gcp", "google"):
        number = attributes.get("instanceid") or attributes.get("id") or id
        project = attributes.get("projectid") or account
        return _cloud_hosts.gcp(number, project, attributes.get("zone", ""), attributes.get("hostname", ""))
    instance = text_of(host.get("EC2_INSTANCE_ID")) or attributes.get("instanceid") or (id if provider == "aws" else "")
    owner = attributes.get("accountid") or account
    if not instance and not (owner and ("EC2" in told or provider == "aws")):
        return _cloud_hosts.named([text_of(host.get("DNS"))])
    region = attributes.get("region") or text_of(host.get("REGION_CODE"))
    return _cloud_hosts.ec2(instance, owner, region)


def host(item: Fields, original: orjson.Fragment, place: Place, index: int) -> VendorAsset:
    """Return the asset that a HOST of a detection list or a host list is. Raises BadRecord."""
    fields = _object(item, "HOST")
    id = asset_id(fields)
    cloud = cloud_of(fields)
    seen = [optional_moment(fields, name, f"HOST.{name}") for name in _SCANNED]
    last = max((time for time in seen if time is not None), default=None)
    dns = fields.get("DNS_DATA")
    fqdn = text_of(dns.get("FQDN")) if type(dns) is dict else ""
    return VendorAsset(
        source=SOURCE,
        id=id,
        ids=_others(id, {"asset": fields.get("ASSET_ID"), "qg": fields.get("QG_HOSTID")}),
        name=line(text_of(fields.get("DNS"))) or line(text_of(fields.get("NETBIOS"))) or text_of(fields.get("IP")),
        account=cloud.account,
        cloud=cloud.cloud,
        region=cloud.region,
        references=list(cloud.references),
        hostnames=_names([text_of(fields.get("DNS")), fqdn, text_of(fields.get("NETBIOS"))]),
        addresses=texts([text_of(fields.get("IP")), text_of(fields.get("IPV6"))]),
        os=line(text_of(fields.get("OS"))),
        last_seen=last,
        version=version(place.timestamp if last is None else last, 0, place, index),
        original=original,
    )


def asset(item: Fields, original: orjson.Fragment, place: Place, index: int) -> VendorAsset:
    """Return the asset that a HostAsset is. Raises BadRecord."""
    fields = _object(item, "HostAsset")
    id = _id("asset", fields, "id", "HostAsset.id")
    sources = [(kind, one) for each in _listed(fields.get("sourceInfo")) for kind, one in each.items()]
    cloud, state = UNKNOWN, ""
    told: Fields = {}
    for kind, one in sources:
        if kind in _SOURCES and type(one) is dict:
            cloud, told = _SOURCES[kind](one), one
            state = _plain(one, "instanceState") or _plain(one, "state")
    tags: dict[str, str] = {}
    for name in ("ec2InstanceTags", "azureVmTags", "gcpInstanceTags"):
        block = told.get(name)
        for each in _listed(block.get("tags") if type(block) is dict else None):
            for tag in (one for one in each.values() if type(one) is dict):
                if key := _plain(tag, "key"):
                    tags[key] = _plain(tag, "value")
    nets = [one for each in _listed(fields.get("networkInterface")) for one in each.values() if type(one) is dict]
    changed = optional_moment(fields, "modified", "HostAsset.modified")
    seen = optional_moment(told, "lastUpdated", "HostAsset.sourceInfo.lastUpdated")
    scanned = optional_moment(fields, "lastVulnScan", "HostAsset.lastVulnScan")
    times = [time for time in (changed, seen, scanned) if time is not None]
    gone = state.upper() in _GONE
    return VendorAsset(
        source=SOURCE,
        id=id,
        ids=_others(id, {"host": fields.get("qwebHostId")}),
        name=line(_plain(fields, "name")),
        account=cloud.account,
        cloud=cloud.cloud,
        region=cloud.region,
        references=list(cloud.references),
        hostnames=_names(
            [
                _plain(fields, "dnsHostName"),
                _plain(fields, "fqdn"),
                _plain(fields, "netbiosName"),
                _plain(told, "privateDnsName"),
                _plain(told, "publicDnsName"),
                *(_plain(one, "hostname") for one in nets),
            ]
        ),
        addresses=texts(
            [
                _plain(fields, "address"),
                _plain(told, "privateIpAddress"),
                _plain(told, "publicIpAddress"),
                *(_plain(one, "address") for one in nets),
            ]
        ),
        os=line(_plain(fields, "os")),
        tags=dict(list(tags.items())[:MAX_MANY]),
        first_seen=optional_moment(fields, "created", "HostAsset.created"),
        last_seen=max(times, default=None),
        version=version(max(times, default=place.timestamp), 0, place, index),
        deleted=gone,
        status_reason=line(state) if gone else "",
        original=original,
    )


def asset_id(fields: Fields) -> str:
    """Return the asset of a HOST: its id; its instance, else its address in its network, where a report has no ids.

    Raises BadRecord.
    """
    instance = text_of(fields.get("EC2_INSTANCE_ID"))
    if fields.get("ID") is None and 0 < len(instance) < 64:
        return f"instance:{instance}"
    if fields.get("ID") is None and (address := text_of(fields.get("IP"))):
        network = text_of(fields.get("NETWORK"))
        return f"ip:{line(network)[:200]}/{address[:64]}" if network else f"ip:{address[:64]}"
    return _id("host", fields, "ID", "HOST.ID")


def _id(kind: str, fields: Fields, name: str, path: str) -> str:
    """Return the whole number *name* after a word for its kind."""
    value = fields.get(name)
    text = str(value) if type(value) is int else text_of(value)
    if not text.isdecimal() or not text.isascii() or len(text) > 20:
        said = "missing" if name not in fields else f"wanted a whole number, got {value!r:.80}"
        raise BadRecord(path, said)
    return f"{kind}:{text}"


def _others(id: str, given: Mapping[str, Any]) -> list[str]:
    found = (
        f"{kind}:{text}"
        for kind, value in given.items()
        if 0 < len(text := str(value) if type(value) is int else text_of(value)) <= MAX_ID // 2
    )
    return [one for one in found if one != id]


def _object(item: Fields, name: str) -> Fields:
    value = item.get(name)
    if type(value) is not dict:
        raise BadRecord(name, "missing" if name not in item else "wanted an object")
    return value


def _listed(value: Any) -> list[dict[str, Any]]:
    """Return the objects of Qualys's `list`: one object of many lists in XML, a list of objects in JSON."""
    inner = value.get("list") if type(value) is dict else None
    found: list[dict[str, Any]] = []
    for each in objects(inner):
        for kind, one in each.items():
            found += [{kind: single} for single in one] if type(one) is list else [{kind: one}]
    return found[:MAX_MANY]


def _plain(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return str(value) if type(value) is int else text_of(value)


def _names(values: list[str]) -> list[str]:
    return texts([value.lower() for value in values])


_SCANNED = ("LAST_SCAN_DATETIME", "LAST_VM_SCANNED_DATE", "LAST_VULN_SCAN_DATETIME", "LAST_VM_AUTH_SCANNED_DATE")
_GONE = {"TERMINATED", "DELETED"}
_SOURCES: Mapping[str, Callable[[Fields], CloudHost]] = {
    "Ec2AssetSourceSimple": lambda one: _cloud_hosts.ec2(
        _plain(one, "instanceId"), _plain(one, "accountId"), _plain(one, "region")
    ),
    "AzureAssetSourceSimple": lambda one: _cloud_hosts.azure(
        _plain(one, "vmId"),
        _plain(one, "subscriptionId"),
        _plain(one, "resourceGroupName"),
        _plain(one, "name"),
        _plain(one, "location"),
    ),
    "GcpAssetSourceSimple": lambda one: _cloud_hosts.gcp(
        _plain(one, "instanceId"), _plain(one, "projectId"), _plain(one, "zone"), _plain(one, "hostname")
    ),
}
