"""`.nessus` files: the hosts of a scan, and what plugins and audits say about them."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise import _cloud_hosts
from agents.normalise._cloud_hosts import UNKNOWN, CloudHost
from agents.normalise._fields import MAX_ID
from agents.normalise._tenable_compliance import digest, result
from agents.normalise._tenable_output import packages
from agents.normalise._tenable_vulnerability import SOURCE, name_of, number_of, scores_of, severity_of, type_of, word_of
from agents.normalise._times import optional_moment
from agents.normalise._vulnerability import cves, line, remedy, text, texts
from agents.normalise._xml import Shape, objects, text_of
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Finding, VendorAsset

Fields = Mapping[str, Any]

SHAPES: Mapping[str, Shape] = {"NessusClientData_v2": Shape(frozenset({"ReportItem"}), "ReportHost")}


def finding(item: Fields, original: orjson.Fragment, place: Place, index: int) -> Finding:
    """Return the finding that a ReportItem of its ReportHost is. Raises BadRecord."""
    host, told = _object(item, "ReportHost"), _object(item, "ReportItem")
    number = number_of(told.get("@pluginID"), "ReportItem.@pluginID")
    asset, tags = _asset_of(host), _tags(host)
    cloud = _cloud_of(tags)
    seen = _seen(tags)
    ids = cves(texts(told.get("cve")))
    title = line(told.get("@pluginName"), f"plugin {number}")
    severity = severity_of(told.get("@severity"), "ReportItem.@severity")
    where = [line(told.get("@port")), line(told.get("@protocol"))]
    found = Finding(
        id="/".join((f"tenable:{asset}", number, *where))[:MAX_ID],
        account=cloud.account,
        cloud=cloud.cloud,
        region=cloud.region,
        source=SOURCE,
        type=type_of(severity, ids),
        name=name_of(ids, number),
        cves=ids,
        severity=severity,
        vendor_severity=line(told.get("risk_factor")) or line(told.get("@severity")),
        cvss=(scores := scores_of(told)),
        score=next((one["score"] for one in scores if "score" in one), None),
        packages=packages(text_of(told.get("plugin_output")), title),
        title=title,
        description="\n\n".join(filter(None, (text(told.get("synopsis")), text(told.get("description"))))),
        remediation=remedy(told.get("solution")),
        links=texts(line(told.get("see_also")).split("\n")),
        first_seen=seen,
        last_seen=seen,
        references=list(cloud.references),
        asset=asset,
        knowledge=f"plugin:{number}",
        version=version(place.timestamp if seen is None else seen, 0, place, index),
        original=original,
    )
    return _checked(found, told, asset) if "cm:compliance-result" in told else found


def host(item: Fields, original: orjson.Fragment, place: Place, index: int) -> VendorAsset:
    """Return the asset that a ReportHost is. Raises BadRecord."""
    fields = _object(item, "ReportHost")
    id, tags = _asset_of(fields), _tags(fields)
    cloud, seen = _cloud_of(tags), _seen(tags)
    name = line(fields.get("@name"))
    names = [tags.get("hostfqdn", ""), tags.get("hostname", ""), tags.get("netbiosname", ""), tags.get("hostrdns", "")]
    return VendorAsset(
        source=SOURCE,
        id=id,
        ids=[f"host:{name}"] if name and id != f"host:{name}" and len(name) < MAX_ID // 8 else [],
        name=name,
        account=cloud.account,
        cloud=cloud.cloud,
        region=cloud.region,
        references=list(cloud.references),
        hostnames=texts([one.lower() for one in names]),
        addresses=texts([tags.get("hostip", "")]),
        os=line(tags.get("operatingsystem", "")),
        first_seen=seen,
        last_seen=seen,
        version=version(place.timestamp if seen is None else seen, 0, place, index),
        original=original,
    )


def _checked(found: Finding, told: Fields, asset: str) -> Finding:
    """Return what an audit's check says instead of its plugin, which only ran it."""
    name = line(told.get("cm:compliance-check-name")) or found.title
    severity, status, word = result(told.get("cm:compliance-result"), "ReportItem.cm:compliance-result")
    check = line(told.get("cm:compliance-check-id")) or digest(line(told.get("cm:compliance-audit-file")), name)
    found.id = f"tenable:{asset}/{word_of(check, 'ReportItem.cm:compliance-check-id')}"
    found.type, found.name, found.title, found.knowledge = "Compliance", name, name, ""
    found.severity, found.status, found.status_reason, found.vendor_severity = severity, status, word, word
    found.description = text(told.get("cm:compliance-info")) or found.description
    found.remediation = remedy(told.get("cm:compliance-solution")) or found.remediation
    return found


def _object(item: Fields, name: str) -> Fields:
    value = item.get(name)
    if type(value) is not dict:
        raise BadRecord(name, "missing" if name not in item else "wanted an object")
    return value


def _asset_of(host: Fields) -> str:
    """Return the asset: Tenable's own id where the file has it, else the name that the scan knew the host by."""
    tags = _tags(host)
    for name in ("assetuuid", "tenableuuid", "hostuuid"):
        if tags.get(name):
            return f"asset:{word_of(tags[name], f'ReportHost.{name}')}"
    return f"host:{word_of(host.get('@name'), 'ReportHost.@name')}"


def _tags(host: Fields) -> dict[str, str]:
    """Return the properties of the host; scanners differ in the dashes and capitals of their names."""
    properties = host.get("HostProperties")
    found = objects(properties.get("tag")) if type(properties) is dict else []
    return {_plain(line(one.get("@name"))): text_of(one) for one in found}


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _cloud_of(tags: Mapping[str, str]) -> CloudHost:
    if instance := tags.get("awsinstanceinstanceid"):
        account = tags.get("awsinstanceaccountid") or tags.get("awsinstanceownerid", "")
        return _cloud_hosts.ec2(instance, account, tags.get("awsinstanceregion", ""))
    if (vm := tags.get("azureinstancevmid") or tags.get("azurevmid", "")) or tags.get("azureresourceid"):
        names = ("subscriptionid", "resourcegroupname", "name", "location")
        told = [tags.get(f"azureinstance{name}", "") for name in names]
        return _cloud_hosts.azure(vm, *told, tags.get("azureresourceid", ""))
    if number := tags.get("gcpinstanceinstanceid") or tags.get("gcpinstanceid"):
        project = tags.get("gcpinstanceprojectid") or tags.get("gcpprojectid", "")
        return _cloud_hosts.gcp(number, project, tags.get("gcpinstancezone") or tags.get("gcpzone", ""))
    return UNKNOWN


def _seen(tags: Mapping[str, str]) -> int | None:
    """Return when the host's scan ended."""
    for name in ("hostendtimestamp", "hostend", "hoststarttimestamp", "hoststart"):
        if tags.get(name):
            return optional_moment(tags, name, f"ReportHost.{name}")
    return None
