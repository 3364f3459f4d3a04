"""Azure's documents in Prisma's shape: most are ARM's own, some have their properties lifted, some are composites.

Which api.name has which form is read from public queries: `securityRules[*].access` (lifted),
`['properties.osProfile']` (one key with a dot), `properties.minimumTlsVersion` (as ARM has it).
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.normalise._rows import text

Document = dict[str, Any]


def shaped(api_name: str, raw: Document, segments: Mapping[str, str]) -> Document:
    """Return the document that json.rule asks. *raw* stays as it is, and may be returned itself; *segments* are the
    names in its ARM id by their type in lower case, such as `{"storageaccounts": "logs"}`.
    """
    shape = _SHAPES.get(api_name)
    return shape(raw, segments) if shape else raw


def dotted(value: Any) -> Any:
    """Return *value* with every `properties` object made into keys `properties.name`, at every depth."""
    if type(value) is dict:
        found: Document = {}
        for key, inner in value.items():
            if type(inner) not in _CONTAINERS or key in _DATA:  # a call for each scalar costs more than all the rest
                found[key] = inner
            elif key == "properties" and type(inner) is dict:
                for name, property in inner.items():
                    found[f"properties.{name}"] = dotted(property) if type(property) in _CONTAINERS else property
            else:
                found[key] = dotted(inner)
        return found
    return [dotted(inner) for inner in value] if type(value) is list else value


def lifted(value: Any) -> Any:
    """Return *value* with what is in every `properties` object beside its name and id, at every depth."""
    if type(value) is dict:
        found: Document = {}
        for key, inner in value.items():
            if type(inner) not in _CONTAINERS or key in _DATA:
                found[key] = inner
            elif key != "properties" or type(inner) is not dict:
                found[key] = lifted(inner)
        if type(properties := value.get("properties")) is dict:
            for name, inner in properties.items():
                if name not in found:
                    found[name] = lifted(inner) if type(inner) in _CONTAINERS else inner
        return found
    return [lifted(inner) for inner in value] if type(value) is list else value


def _dotted(raw: Document, segments: Mapping[str, str]) -> Document:
    return dotted(raw)  # type: ignore[no-any-return]  # an object stays one


def _lifted(raw: Document, segments: Mapping[str, str]) -> Document:
    return lifted(raw)  # type: ignore[no-any-return]  # an object stays one


def _vm(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return a virtual machine with its power state and its extensions by their name."""
    found: Document = dotted(raw)
    if power := _power(_object(raw.get("properties"))):
        found.setdefault("powerState", power)
    extensions: Document = {}
    for extension in _list(raw.get("resources")):
        if type(extension) is dict and type(properties := extension.get("properties")) is dict:
            name = text(properties.get("type")) or text(extension.get("name"))
            if name:
                extensions[name] = properties
    if extensions:
        found.setdefault("Extensions", extensions)
    return found


def _power(properties: Document) -> str:
    """Return `PowerState/running` or the like: from an instance view, or from what Resource Graph has of it."""
    views = (properties.get("instanceView"), _object(properties.get("extended")).get("instanceView"))
    for view in map(_object, views):
        for status in (view.get("powerState"), *_list(view.get("statuses"))):
            if (code := text(_object(status).get("code"))).lower().startswith("powerstate/"):
                return code
    return ""


def _disk(raw: Document, segments: Mapping[str, str]) -> Document:
    found: Document = lifted(raw)
    if type(settings := found.get("encryptionSettingsCollection")) is dict:
        found.setdefault("encryptionSettings", {"enabled": settings.get("enabled")} | settings)
    return found


def _security_group(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return a network security group; its flow logs' settings where the sender has them."""
    found: Document = lifted(raw)
    for log in _list(found.get("flowLogs")):
        if type(log) is dict and "enabled" in log:
            settings = {name: log[name] for name in ("enabled", "retentionPolicy", "storageId") if name in log}
            found.setdefault("flowLogsSettings", settings)
    return found


def _subnet(raw: Document, segments: Mapping[str, str]) -> Document:
    found: Document = dotted(raw)
    if group := text(_object(_object(raw.get("properties")).get("networkSecurityGroup")).get("id")):
        found["networkSecurityGroupId"] = group
    return found


def _sql_server(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return a SQL server below `sqlServer`, beside what belongs to it: firewall rules, auditing, administrators."""
    if "sqlServer" in raw:
        return raw
    parts = {name: raw[name] for name in _SQL_SERVER_PARTS if name in raw}
    found = {"sqlServer": dotted({name: value for name, value in raw.items() if name not in parts})} | parts
    if type(rules := parts.get("firewallRules")) is list:
        found["firewallRules"] = lifted(rules)
    if type(administrators := _object(raw.get("properties")).get("administrators")) is dict:
        found.setdefault("serverAdmins", [{"properties": administrators}])
    return found


def _sql_database(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return a SQL database below `sqlDatabase`, beside its policies; `transparentDataEncryption` is true or false."""
    if "sqlDatabase" in raw:
        return raw
    parts = {name: raw[name] for name in _SQL_DATABASE_PARTS if name in raw}
    found: Document = {"sqlDatabase": {name: value for name, value in raw.items() if name not in parts}} | parts
    if type(encryption := found.get("transparentDataEncryption")) is dict:
        properties = _object(encryption.get("properties"))
        state = text(properties.get("state", properties.get("status"))).lower()
        found["transparentDataEncryption"] = state == "enabled"
    return found


def _storage(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return a storage account; its containers are counted where the sender has them."""
    found = dict(raw)
    if type(rules := _object(raw.get("properties")).get("networkAcls")) is dict:
        found.setdefault("networkRuleSet", rules)
    if type(containers := raw.get("containers")) is list:
        public = [
            one.get("name")
            for one in map(_object, containers)
            if text(_object(one.get("properties")).get("publicAccess")).lower() not in ("", "none")
        ]
        found |= {"publicContainersList": public, "totalPublicContainers": len(public)}
    if type(service := raw.get("blobService")) is dict:
        policy = _object(_object(service.get("properties")).get("deleteRetentionPolicy"))
        found.setdefault("deleteRetentionPolicy", {"blob": policy})
    return found


def _app(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return an app with its site's configuration as `config`, where the sender has more than nulls of it."""
    site = _object(_object(raw.get("properties")).get("siteConfig"))
    told = {name: value for name, value in site.items() if value is not None}
    return raw if "config" in raw or not told else raw | {"config": told}


def _registry(raw: Document, segments: Mapping[str, str]) -> Document:
    return raw | {
        "resourceGroupName": segments.get("resourcegroups", ""),
        "skuName": text(_object(raw.get("sku")).get("name")),
    }


def _log_profile(raw: Document, segments: Mapping[str, str]) -> Document:
    """Return a log profile, or what came after it: a subscription's diagnostic settings."""
    return raw | {"isLegacy": "logprofiles" in segments}


def _named(field: str, segment: str) -> Callable[[Document, Mapping[str, str]], Document]:
    """Return a function that writes the name of the resource that it belongs to into *field*."""

    def shape(raw: Document, segments: Mapping[str, str]) -> Document:
        return raw | {field: segments[segment]} if segment in segments else raw

    return shape


def _object(value: Any) -> Document:
    """Return an object, an empty one for anything else: a part that can't be read must not cost the resource."""
    return value if type(value) is dict else {}


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


_CONTAINERS = frozenset({dict, list})
_DATA = frozenset({"tags", "settings", "protectedSettings", "identity"})
"""Fields whose objects have the user's own keys, or none that are to be moved."""
_SQL_SERVER_PARTS = (
    "firewallRules",
    "serverAdmins",
    "serverBlobAuditingPolicy",
    "serverSecurityAlertPolicy",
    "sqlEncryptionProtectors",
    "vulnerabilityAssessments",
)
_SQL_DATABASE_PARTS = ("blobAuditPolicy", "securityAlertPolicy", "transparentDataEncryption")
_SHAPES: Mapping[str, Callable[[Document, Mapping[str, str]], Document]] = {
    "azure-app-service": _app,
    "azure-application-gateway": _dotted,
    "azure-container-registry": _registry,
    "azure-disk-list": _disk,
    "azure-monitor-log-profiles-list": _log_profile,
    "azure-network-lb-list": _dotted,
    "azure-network-nic-list": _dotted,
    "azure-network-nsg-list": _security_group,
    "azure-network-subnet-list": _subnet,
    "azure-network-vnet-list": _dotted,
    "azure-network-vpn-connection-list": _lifted,
    "azure-network-watcher-list": _lifted,
    "azure-spring-cloud-app": _named("serviceName", "spring"),
    "azure-sql-db-list": _sql_database,
    "azure-sql-server-list": _sql_server,
    "azure-storage-account-blob-diagnostic-settings": _named("StorageAccountName", "storageaccounts"),
    "azure-storage-account-file-diagnostic-settings": _named("StorageAccountName", "storageaccounts"),
    "azure-storage-account-list": _storage,
    "azure-storage-account-queue-diagnostic-settings": _named("StorageAccountName", "storageaccounts"),
    "azure-storage-account-table-diagnostic-settings": _named("StorageAccountName", "storageaccounts"),
    "azure-synapse-workspace-managed-sql-server-vulnerability-assessments": _named("workspaceName", "workspaces"),
    "azure-vm-list": _vm,
}
