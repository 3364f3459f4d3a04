"""Google Cloud's envelopes: Pub/Sub, Cloud Asset Inventory's assets, API answers, audit logs; policies of projects."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from agents.normalise._base import Items
from agents.normalise._fields import need
from agents.normalise._gcp_shape import members
from agents.normalise._gcp_types import COLLECTIONS, singular
from agents.normalise._rows import text
from agents.normalise._unpack import loads
from streams.errors import BadRecord

IAM_USER = "gcloud-projects-get-iam-user"


def unwrapped(document: Mapping[str, Any]) -> Items:
    """Return the items of a message, or itself. Raises BadRecord when an envelope holds what it can't hold."""
    if type(message := document.get("message")) is dict and "data" in message:
        return _within(_decoded(need(message, "data", str)), "message.data")
    if "protoPayload" in document:
        return _audited(document)
    config = document.get("config") if is_row(document) else None
    if type(config) is dict and type(config.get("asset")) is dict:
        return _within(config, "config")
    if type(config) is dict and not document.get("resource_id") and type(config.get("items")) is list:
        said = {name: value for name, value in document.items() if name not in ("api_name", "resource_id", "config")}
        return [(f"config.items[{index}]", said | {"config": one}) for index, one in enumerate(config["items"])]
    if document.keys() <= _LISTS or "nextPageToken" in document:
        for name, listed in document.items():
            if name in ("items", "assets", "results", "readTime") or name in _LISTS:
                if type(listed) is list:
                    return _listed(name, listed, document)
                if type(listed) is dict and name == "items":
                    return _aggregated(listed)
    return _policies("", document)


def is_row(item: Mapping[str, Any]) -> bool:
    """Return whether *item* is a row of an inventory: many resources have a `config` of their own."""
    return not _ROW.isdisjoint(item)


def _within(document: Any, where: str) -> Items:
    found = unwrapped(document) if type(document) is dict else [("", document)]
    return [(f"{where}: {place}" if place else where, item) for place, item in found]


def _decoded(data: str) -> Any:
    try:
        return loads(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as wrong:
        raise BadRecord("message.data", f"not base64: {wrong}") from None
    except BadRecord as wrong:
        raise BadRecord("message.data", wrong.reason) from None


def _listed(name: str, listed: list[Any], document: Mapping[str, Any]) -> Items:
    if name == "services" and listed and all(type(one) is dict and "state" in one for one in listed):
        parent = text(listed[0].get("parent")) or text(listed[0].get("name")).partition("/services/")[0]
        row = {
            "resource_type": "serviceusage.googleapis.com/Services",
            "api_name": "gcloud-services-list",
            "resource_id": f"//serviceusage.googleapis.com/{parent}/services",
            "config": {"services": listed},
        }
        return [(name, row)] if "nextPageToken" not in document else _each(name, listed)
    return _each(name, listed)


def _each(name: str, listed: list[Any]) -> Items:
    found: list[tuple[str, Any]] = []
    for index, item in enumerate(listed):
        found += _policies(f"{name}[{index}]", item)
    return found


def _aggregated(scopes: Mapping[str, Any]) -> Items:
    """Return what an aggregated list of Compute has, zone by zone."""
    found: list[tuple[str, Any]] = []
    for scope, inner in scopes.items():
        for name, listed in inner.items() if type(inner) is dict else ():
            if type(listed) is list:
                found += [(f"items.{scope}.{name}[{index}]", item) for index, item in enumerate(listed)]
    return found


def _policies(place: str, item: Any) -> Items:
    """Return an item, or a row for each member of the IAM policy of a project."""
    if type(item) is not dict:
        return [(place, item)]
    inner = item.get("asset")
    asset: Mapping[str, Any] = inner if type(inner) is dict else item
    policy = asset.get("iamPolicy", asset.get("iam_policy"))
    if text(asset.get("assetType", asset.get("asset_type"))) == _PROJECT and type(policy) is dict:
        return _users(place, policy, text(asset.get("name")), asset)
    if item.get("resource_type") == _POLICY and type(policy := item.get("config")) is dict and "bindings" in policy:
        return _users(place, policy, text(item.get("account")) or text(item.get("resource_id")), item)
    return [(place, item)]


def _users(place: str, policy: Mapping[str, Any], name: str, sent: Mapping[str, Any]) -> Items:
    project = name.rpartition("/")[2]
    if not project:
        raise BadRecord("account", "missing, so that nobody knows whose policy it is")
    time = sent.get("updateTime", sent.get("update_time", sent.get("time")))
    found: list[tuple[str, Any]] = []
    for member, roles in members(policy).items():
        row = {
            "account": project,
            "api_name": IAM_USER,
            "resource_type": _POLICY,
            "resource_id": f"//cloudresourcemanager.googleapis.com/projects/{project}/users/{member}",
            "name": member,
            "time": time,
            "config": {"user": member, "roles": roles},
        }
        found.append((f"{place}: {member}" if place else member, row))
    if "auditConfigs" in policy:
        row = {
            "account": project,
            "api_name": "gcloud-iam-get-audit-config",
            "resource_type": _POLICY,
            "resource_id": f"//cloudresourcemanager.googleapis.com/projects/{project}/auditConfig",
            "time": time,
            "config": {"auditConfigs": policy["auditConfigs"]},
        }
        found.append((f"{place}: auditConfigs" if place else "auditConfigs", row))
    return found


def _audited(entry: Mapping[str, Any]) -> Items:
    """Return what an audit log entry tells for sure: a deletion that was done. All else is a hint, without a record."""
    payload = entry["protoPayload"]
    if type(payload) is not dict:
        raise BadRecord("protoPayload", "wanted an object")
    method = text(payload.get("methodName")).rpartition(".")[2].lower()
    status, operation = payload.get("status"), entry.get("operation")
    failed = type(status) is dict and bool(status.get("code"))
    running = type(operation) is dict and bool(operation) and operation.get("last") is not True
    name, service = text(payload.get("resourceName")), text(payload.get("serviceName"))
    if failed or running or not method.startswith("delete") or not service or "/" not in name:
        return []
    labels = entry.get("resource")
    labels = labels.get("labels") if type(labels) is dict else None
    labels = labels if type(labels) is dict else {}
    collection = name.split("/")[-2]
    row = {
        "account": text(labels.get("project_id")),
        "resource_type": COLLECTIONS.get(collection) or f"{service}/{singular(collection)}",
        "resource_id": name,
        "region": text(labels.get("location")),
        "time": entry.get("timestamp"),
        "deleted": True,
    }
    return [("protoPayload", row)]


_ROW = frozenset({"account", "api_name", "resource_id", "resource_type"})
_PROJECT = "cloudresourcemanager.googleapis.com/Project"
_POLICY = "cloudresourcemanager.googleapis.com/IamPolicy"
_LISTS = {
    *COLLECTIONS,
    "assets",
    "buckets",
    "databases",
    "datasets",
    "etag",
    "functions",
    "id",
    "instances",
    "items",
    "kind",
    "managedZones",
    "nextPageToken",
    "policies",
    "readTime",
    "results",
    "selfLink",
    "services",
    "tables",
    "warning",
}
"""Keys that an API's list has, beside its items."""
