"""Alibaba Cloud resource configurations: Cloud Config items, API answers, rows of an inventory."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from agents.normalise._alibaba_shape import shaped, spelt
from agents.normalise._alibaba_types import LISTS, Type, derived, listed_as, service_of, type_of
from agents.normalise._aws_shape import field_name, tag_map
from agents.normalise._base import Item, Items, Kind, Normaliser
from agents.normalise._fields import (
    account_of,
    identifier,
    optional_object,
    optional_text,
    optional_word,
    time_ms,
    wrong_type,
)
from agents.normalise._rows import Told, moment, resource, row_parts, row_told, text
from agents.normalise._unpack import loads
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Resource


class Alibaba(Normaliser):
    """A configuration replaces the one before it: by Cloud Config's capture time, a row's `time`, or its message's."""

    kind: ClassVar[Kind] = "configs"
    forms: ClassVar[tuple[str, ...]] = (
        'Cloud Config items: `{"DiscoveredResourceDetail": ...}`, and deliveries (`{"configurationItems": [...]}`)',
        "EventBridge events of type `config:Config:ConfigurationItemChangeNotification`",
        "rows `{account, region, api_name, resource_type, resource_id, config}`, also with `time`, `deleted`, `tags`; "
        '`config` may be a whole answer such as `{"Instances": {"Instance": [...]}}`, which names no account itself',
    )

    @override
    def items(self, document: Item) -> Items:
        if type(listed := document.get("configurationItems")) is list:
            return [(f"configurationItems[{index}]", item) for index, item in enumerate(listed)]
        if type(detail := document.get("DiscoveredResourceDetail")) is dict:
            return [("DiscoveredResourceDetail", detail)]
        if text(document.get("type")).startswith("config:"):
            if not text(document["type"]).endswith(":ConfigurationItemChangeNotification"):
                said = f"{document['type']!r:.80}"
                raise BadRecord("type", f"wanted 'config:Config:ConfigurationItemChangeNotification', got {said}")
            data = dict(optional_object(document, "data"))
            data.setdefault("accountId", document.get("aliyunaccountid"))
            return [("data", data)]
        if type(config := document.get("config")) is dict and (rows := _answered(document, config)) is not None:
            return rows
        if "config" not in document and (rows := _answered({}, document)) is not None:
            return rows
        return [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Resource:
        folded = {field_name(key): value for key, value in item.items()}
        if "configuration" in folded or "captureTime" in folded or "resourceDeleted" in folded:
            return _record(_item(folded, item, place, index))
        if "config" in item or "api_name" in item or "resource_type" in item:
            config, time, deleted = row_parts(item, "alibaba", place)
            return _record(row_told(item, config, version(time, 0, place, index), deleted))
        raise BadRecord("", "neither an item of Cloud Config, which has `configuration`, nor a row, which has `config`")


def _answered(row: Mapping[str, Any], answer: Mapping[str, Any]) -> Items | None:
    """Return a row for each resource of an API's *answer*, with what *row* says; None when it lists none."""
    for outer in LISTS & answer.keys():
        inner = answer[outer]
        lists = inner.items() if type(inner) is dict else [("", inner)]
        for name, listed in lists:
            known = listed_as(f"{outer}.{name}" if name else outer)
            if known is not None and type(listed) is list:
                said = {key: value for key, value in row.items() if key not in ("api_name", "resource_id", "config")}
                return [
                    (f"{outer}.{name}[{index}]", said | {"resource_type": known.resource_type, "config": one})
                    for index, one in enumerate(listed)
                ]
    return None


def _item(folded: Mapping[str, Any], item: Item, place: Place, index: int) -> Told:
    """Return what an item of Cloud Config tells; its keys are spelt either way, its configuration is JSON in a text."""
    deleted = folded.get("resourceEventType") == "REMOVE" or folded.get("resourceDeleted") in (0, "0")
    config = folded.get("configuration")
    if type(config) is str and config:
        try:
            config = loads(config)
        except BadRecord as wrong:
            raise BadRecord("configuration", wrong.reason) from None
    if deleted and not config:
        config = {}
    if type(config) is not dict:
        raise (
            BadRecord("configuration", "missing")
            if config is None
            else wrong_type("configuration", "an object", config)
        )
    captured = folded.get("captureTime")
    if type(captured) is str and captured.isascii() and captured.isdigit() and len(captured) < 16:
        captured = int(captured)
    account = folded.get("accountId")
    return Told(
        config=config,
        original=item,
        version=version(place.timestamp if captured is None else time_ms(captured, "captureTime"), 0, place, index),
        resource_type=optional_word(folded, "resourceType") or identifier(folded, "resourceType"),
        id=optional_text(folded, "resourceId"),
        account=str(account) if type(account) is int else optional_word(folded, "accountId"),
        region=optional_word(folded, "regionId") or optional_word(folded, "region"),
        name=optional_text(folded, "resourceName"),
        tags=_tags(folded.get("tags")),
        created=moment(folded.get("resourceCreateTime"), folded.get("resourceCreationTime")),
        deleted=deleted,
    )


def _record(told: Told) -> Resource:
    config: dict[str, Any] = spelt(told.config)
    known = type_of(told.resource_type, told.api_name)
    api_name = known.api_name if known else told.api_name or derived(told.resource_type)
    resource_type = told.resource_type or (known.resource_type if known else "")
    flat = _flat(config)
    account = _account(told, flat)
    region = _region(told, flat)
    id = _id(told, known, flat, account)
    arn = text(flat.get("arn"))
    if known and known.arn:
        arn = arn or "acs:" + known.arn.format(region=region, account=account, id=id)
    return resource(
        told,
        cloud="alibaba",
        account=account,
        region=region,
        api_name=api_name,
        service=service_of(resource_type),
        resource_type=resource_type,
        id=id,
        keys=(id, told.id, arn, text(flat.get("userName"))),
        shape=shaped(api_name, config) if config else config,
        name=(text(flat.get(known.name)) if known and known.name else "") or text(flat.get("name")),
        tags=_tags(config.get("tags")) or None,
        created=moment(*(flat.get(name) for name in _CREATED)),
    )


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a configuration, those of the object that a few answers wrap included."""
    flat = dict(config)
    for name in ("bucketInfo", "bucket", "policy"):
        if type(inner := flat.get(name)) is dict:
            flat = inner | flat
    return flat


def _id(told: Told, known: Type | None, flat: Mapping[str, Any], account: str) -> str:
    if known and known.id == "account":
        return account
    id = (text(flat.get(known.id)) if known else "") or told.id
    id = id or text(flat.get("arn")) or text(flat.get("serialNumber"))
    if not id:
        id = next((text(value) for name, value in flat.items() if name.endswith("Id") and name not in _NOT_OWN), "")
    if not id:
        raise BadRecord("resource_id", "missing, and the configuration has no id either")
    return id


def _account(told: Told, flat: Mapping[str, Any]) -> str:
    """Return the account: what was told, else that of the resource's own ARN or its owner's field."""
    arn = text(flat.get("arn")).split(":")
    owner = flat.get("accountId", flat.get("ownerId"))
    for found in (told.account, arn[3] if len(arn) > 3 else "", str(owner) if type(owner) is int else text(owner)):
        if found.strip("*"):
            return account_of("alibaba", found, "account")
    raise BadRecord("account", "missing, and the configuration names no account: send it")


def _region(told: Told, flat: Mapping[str, Any]) -> str:
    for name in ("regionId", "location", "region"):
        if found := text(flat.get(name)):
            return (told.region or found).removeprefix("oss-")[:256]
    arn = text(flat.get("arn")).split(":")
    return told.region or (arn[2] if len(arn) > 3 else "") or "global"


def _tags(tags: Any) -> dict[str, str]:
    """Return tags of any form: a map, a list of pairs, a list in its wrapper, or JSON in a text."""
    if type(tags) is str and tags.strip():
        try:
            tags = loads(tags)
        except BadRecord:
            return {}
    if type(tags) is dict and len(tags) == 1 and type(inner := next(iter(tags.values()))) is list:
        if inner and type(inner[0]) is not dict:
            return {next(iter(tags)): text(inner[0])}
        tags = inner
    return (
        {key: text(value[0]) if type(value) is list and value else text(value) for key, value in tags.items()}
        if type(tags) is dict
        else tag_map(tags)
    )


_CREATED = ("creationTime", "createTime", "creationDate", "createDate", "created", "allocationTime", "createdAt")
_NOT_OWN = frozenset(
    {"accountId", "ownerId", "regionId", "requestId", "resourceGroupId", "vpcId", "vswitchId", "zoneId"}
)
"""Fields that end like an id, and aren't the resource's own."""
