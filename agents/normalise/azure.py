"""Azure resource configurations: Resource Graph rows, ARM and Graph answers, rows of an inventory, activity events."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from agents.normalise._azure_events import told as told_by_event
from agents.normalise._azure_identity import ArmId, arm_id, keys_of, region_of
from agents.normalise._azure_shape import shaped
from agents.normalise._azure_types import api_name_of, service_of
from agents.normalise._azure_unpack import SETTINGS, unwrapped
from agents.normalise._base import Item, Items, Kind, Normaliser
from agents.normalise._fields import account_of, optional_text, optional_word, time_ms
from agents.normalise._rows import Told, moment, resource, row_parts, row_told, text, texts
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Resource


class Azure(Normaliser):
    """A configuration replaces the one before it: by a row's own `time`, an event's, or its message's time. An account
    is a subscription; what has none, such as a user of the directory, belongs to its tenant.
    """

    kind: ClassVar[Kind] = "configs"
    forms: ClassVar[tuple[str, ...]] = (
        'Resource Graph rows, alone or as `{"data": [...]}`, also in table form',
        'ARM resources, alone or as `{"value": [...]}`',
        'Microsoft Graph objects, alone or as `{"@odata.context": ..., "value": [...]}`, with `tenantId`',
        "rows `{account, region, api_name, resource_type, resource_id, config}`, also with `time`, `deleted`, `tags`; "
        '`config` may be a page (`{"value": [...]}`); a composite\'s parts stand in it under their Prisma names '
        "(`firewallRules`, `keys`, ...)",
        "Activity Log and Event Grid events: deletions, and writes that hold the resource; other events are hints "
        "without a configuration and give no record",
        "rows of Resource Graph's `resourcechanges` that tell of a deletion",
    )

    @override
    def items(self, document: Item) -> Items:
        items: list[tuple[str, Any]] = []
        for place, item in unwrapped(document):
            try:
                rows = told_by_event(item) if type(item) is dict else None
            except BadRecord:
                rows = None  # record says what is wrong with it, and with no other
            if rows is None:
                items.append((place, item))
            else:
                items += [(f"{place}.{inner}" if place else inner, row) for inner, row in rows]
        return items

    @override
    def record(self, item: Item, place: Place, index: int) -> Resource:
        if "api_name" in item or "resource_id" in item or ("config" in item and "id" not in item):
            config, time, deleted = row_parts(item, "azure", place)
            told = row_told(item, config, version(time, 0, place, index), deleted)
        elif "operationName" in item or "eventType" in item:
            told_by_event(item)
            raise BadRecord("operationName", "an event that tells of no resource")
        elif "id" in item:
            told = _resource(item, version(_changed(item) or place.timestamp, 0, place, index))
        else:
            raise BadRecord("id", "missing: neither a resource of Azure, nor a row, which has `config`")
        return _record(told)


def _resource(item: Item, version: str) -> Told:
    """Return what an ARM resource, a Resource Graph row or an object of Microsoft Graph tells of itself."""
    odata = optional_text(item, "@odata.type").rpartition(".")[2]
    return Told(
        config=dict(item),
        original=item,
        version=version,
        resource_type=optional_word(item, "type") or _graph_type(odata),
        id=optional_text(item, "id"),
        account=optional_word(item, "subscriptionId"),
    )


def _graph_type(word: str) -> str:
    """Return the type of an object of Microsoft Graph: of `@odata.type`, or of its page, which says the plural."""
    if not word:
        return ""
    return f"microsoft.graph/{word if word[-1] in 'sy' else word + 's'}"[:256]


def _record(told: Told) -> Resource:
    config = told.config
    sent = told.id or text(config.get("id"))
    if not sent:
        raise BadRecord("resource_id", "missing, and the configuration has no `id` either")
    arm = arm_id(sent) if sent.startswith("/") else ArmId(sent.lower(), "", "", {})
    resource_type = told.resource_type or text(config.get("type")) or arm.type
    if resource_type.lower().startswith("microsoft.") is False and arm.type:
        resource_type = arm.type
    api_name = _api_name(told, resource_type, arm)
    return resource(
        told,
        cloud="azure",
        account=_account(told, arm),
        region=region_of(told.region or text(config.get("location"))),
        api_name=api_name,
        service=service_of(resource_type),
        resource_type=resource_type,
        id=arm.id,
        keys=keys_of(arm.id, sent, config),
        shape=shaped(api_name, config, arm.segments) if config else config,
        name=_name(config) or sent.rstrip("/").rpartition("/")[2],
        tags=texts(config.get("tags")) or None,
        created=_created(config),
        unique=True,
    )


def _api_name(told: Told, resource_type: str, arm: ArmId) -> str:
    """Return the api.name: that of the type, else what the sender says, else one made of the type."""
    if told.api_name == SETTINGS:
        kinds = told.config.keys() & _SETTINGS
        return SETTINGS if kinds else api_name_of(resource_type)  # one plan alone isn't the document of all
    made = api_name_of(resource_type)
    if made == "azure-monitor-diagnostic-settings":
        return _diagnostic_settings(arm, made)
    return told.api_name or made


def _diagnostic_settings(arm: ArmId, otherwise: str) -> str:
    """Return whose diagnostic settings they are: of a subscription, of a part of a storage account, ..."""
    kept = [name for name in arm.segments if name not in ("subscriptions", "providers", "diagnosticsettings")]
    if not kept:
        return "azure-monitor-log-profiles-list"
    if "storageaccounts" in kept:
        for service in ("blob", "file", "queue", "table"):
            if f"{service}services" in kept:
                return f"azure-storage-account-{service}-diagnostic-settings"
    if "microsoft.cognitiveservices" in arm.id and "accounts" in kept:
        return "azure-cognitive-services-account-diagnostic-settings"
    return otherwise


def _account(told: Told, arm: ArmId) -> str:
    """Return the subscription: that of the id, which is the resource's own, else what was told, else the tenant."""
    if arm.subscription:
        return account_of("azure", arm.subscription, "account")
    sent = told.account or text(told.config.get("subscriptionId")) or text(told.config.get("tenantId"))
    if not sent:
        raise BadRecord("account", "missing, and the id names no subscription: send the tenant's id as `account`")
    return account_of("azure", sent, "account")


def _name(config: Mapping[str, Any]) -> str:
    return text(config.get("name")) or text(config.get("displayName")) or text(config.get("userPrincipalName"))


def _created(config: Mapping[str, Any]) -> int | None:
    system, properties = config.get("systemData"), config.get("properties")
    found = [system.get("createdAt")] if type(system) is dict else []
    if type(properties) is dict:
        found += [properties.get(name) for name in _CREATED if name in properties]
    return moment(*found, config.get("createdTime"), config.get("createdDateTime"))


def _changed(item: Item) -> int | None:
    """Return when Resource Graph says that a resource changed, if it says so."""
    return time_ms(item["changedTime"], "changedTime") if item.get("changedTime") is not None else None


_CREATED = (
    "timeCreated",
    "creationTime",
    "creationDate",
    "createdAtUtc",
    "createdAt",
    "createdOn",
    "createdDate",
    "createTime",
    "dateCreated",
)
_SETTINGS = {"autoProvisioningSettings", "pricings", "securityContacts", "settings"}
