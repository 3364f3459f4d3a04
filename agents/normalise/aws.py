"""AWS resource configurations: rows of an inventory, and AWS Config items in any of their envelopes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from agents.normalise._aws_answers import answered
from agents.normalise._aws_composites import assembled, is_plain
from agents.normalise._aws_events import told
from agents.normalise._aws_identity import account_in, flat_fields, identify
from agents.normalise._aws_parts import decoded, part
from agents.normalise._aws_report import REPORT, users
from agents.normalise._aws_shape import tag_list, tag_map
from agents.normalise._aws_types import cluster_type, derived, service_of, type_of
from agents.normalise._base import Item, Items, Kind, Normaliser, fragments
from agents.normalise._fields import (
    MAX_WORD,
    account_of,
    identifier,
    need,
    optional_object,
    optional_text,
    optional_word,
    time_ms,
    wrong_type,
)
from agents.normalise._unpack import loads
from streams.errors import BadRecord
from streams.identity import Place, rrn, version
from streams.records import Resource, ResourcePart


class Aws(Normaliser):
    """A configuration replaces the one before it: by AWS Config's capture time, or by a row's or its message's time."""

    kind: ClassVar[Kind] = "configs"
    forms: ClassVar[tuple[str, ...]] = (
        "rows `{account, region, api_name, resource_type, resource_id, config}`, also with `time` and `deleted`",
        "rows with `part`, the name that `config` has in the whole: `{..., part: 'Policy', config: {...}}`, before or "
        "after the resource itself; `config: null`: there is none",
        "IAM's credential report as a row, its CSV in `config.Content`: each user is a resource",
        "AWS Config items, alone or as `configurationItem`",
        'AWS Config snapshots (`{"configurationItems": [...]}`)',
        "EventBridge events with detail-type `Config Configuration Item Change`, alone or in an SNS notification",
        "invocations of AWS Config rules, their `invokingEvent` in a text",
        'answers of the APIs that list resources (`{"Reservations": [...]}`), alone or as `config` of a row; with '
        "`complete: true` in the row, resources of its account and region that it doesn't list are gone",
        "CloudTrail events (EventBridge, or `Records` of a log file) and state changes of instances: deletions; other "
        "events are hints without a configuration and give no record",
    )

    @override
    def items(self, document: Item) -> Items:
        if type(listed := document.get("configurationItems")) is list:
            return [(f"configurationItems[{index}]", item) for index, item in enumerate(listed)]
        if (rows := told(document)) is not None:
            return rows
        if "detail-type" in document:
            if document["detail-type"] != "Config Configuration Item Change":
                said = f"{document['detail-type']!r:.80}"
                raise BadRecord("detail-type", f"wanted 'Config Configuration Item Change', got {said}")
            return _notified(optional_object(document, "detail"), "detail")
        if "invokingEvent" in document:
            text = need(document, "invokingEvent", str)
            try:
                event = loads(text)
            except BadRecord as wrong:
                raise BadRecord("invokingEvent", wrong.reason) from None
            if type(event) is not dict:
                raise wrong_type("invokingEvent", "an object", event)
            return _notified(event, "invokingEvent")
        if "configurationItem" in document or "configurationItemSummary" in document or "messageType" in document:
            return _notified(document, "")
        if (
            document.get("api_name") == REPORT
            and type(config := document.get("config")) is dict
            and "Content" in config
        ):
            return users(document, config["Content"])
        if "part" in document:
            return [("", document)]
        if type(config := document.get("config")) is dict:
            return _complete(document, config, answered(document, config)) or [("", document)]
        return answered({}, document) or [("", document)]

    @override
    def record(self, item: Item, place: Place, index: int) -> Resource | ResourcePart:
        if "configurationItemStatus" in item or "configurationItemCaptureTime" in item:
            return _item(item, place, index)
        if "part" in item:
            return part(item, place, index)
        if "config" in item or "api_name" in item:
            return _row(item, place, index)
        if item.get("deleted") is True:
            return _row(item, place, index)
        raise BadRecord(
            "", "neither a row, which has `config`, nor an AWS Config item, which has `configurationItemStatus`"
        )


def _complete(row: Item, answer: Item, listed: Items | None) -> Items | None:
    """Return what is *listed*, and after it the inventory that it is where the *row* says that it is all."""
    if row.get("complete") is not True:
        return listed
    if listed is None:
        raise BadRecord("complete", "it is no answer that lists resources: send an `inventory` with `ids`")
    if more := next((name for name in ("NextToken", "nextToken", "NextMarker", "Marker") if answer.get(name)), None):
        raise BadRecord("complete", f"the answer has a {more}: more pages follow it")
    told = {name: row[name] for name in ("account", "api_name", "region") if name in row}
    whole = {"inventory": told, "rows": [item for _, item in listed]}
    return [*listed, ("complete", whole | ({"time": row["time"]} if "time" in row else {}))]


def _notified(event: Item, where: str) -> Items:
    """Return the item of a notification; *where* is its place."""
    path = f"{where}.configurationItem" if where else "configurationItem"
    if event.get("configurationItem") is not None:
        return [(path, event["configurationItem"])]
    kind = event.get("messageType")
    if "configurationItemSummary" in event or kind == "OversizedConfigurationItemChangeNotification":
        delivery = event.get("s3DeliverySummary")
        at = delivery.get("s3BucketLocation") if type(delivery) is dict else None
        raise BadRecord(
            path, f"too large for its notification: send the object that AWS Config put into S3 at {at or '?'}"
        )
    raise BadRecord(path, f"missing{f', as in every {kind}' if type(kind) is str else ''}")


def _row(row: Item, place: Place, index: int) -> Resource:
    deleted = row.get("deleted", False)
    if type(deleted) is not bool:
        raise wrong_type("deleted", "a boolean", deleted)
    config = row.get("config")
    if config is None and deleted:
        config = {}
    if type(config) is not dict:
        raise wrong_type("config", "an object", config) if "config" in row else BadRecord("config", "missing")
    if row.get("cloud") not in (None, "aws"):
        raise BadRecord("cloud", f"wanted 'aws', got {row['cloud']!r:.80}")
    time = next(
        (time_ms(row[name], name) for name in ("time", "updated") if row.get(name) is not None), place.timestamp
    )
    resource_type = optional_word(row, "resource_type")
    return _resource(
        api_name=optional_word(row, "api_name")
        or _api_name(resource_type, optional_word(row, "api_call"), "resource_type"),
        resource_type=resource_type,
        sent_id=optional_text(row, "resource_id"),
        sent_arn="",
        account=row.get("account"),
        account_path="account",
        region=optional_word(row, "region"),
        config=config,
        more={},
        tags=tag_map(row.get("tags")),
        name=optional_text(row, "name"),
        created=None,
        deleted=deleted,
        version=version(time, 0, place, index),
        original=config,
    )


def _item(item: Item, place: Place, index: int) -> Resource:
    status = optional_text(item, "configurationItemStatus")
    deleted = status.startswith("ResourceDeleted")
    config = decoded(item.get("configuration"))
    if config is None and deleted:
        config = {}
    if type(config) is not dict:
        if config is None:
            raise BadRecord("configuration", f"missing, and the item is no deletion but {status or 'without a status'}")
        raise wrong_type("configuration", "an object, or one as JSON in a text", config)
    more = item.get("supplementaryConfiguration") or {}
    if type(more) is not dict:
        raise wrong_type("supplementaryConfiguration", "an object", more)
    resource_type = optional_word(item, "resourceType") or identifier(item, "resourceType")
    captured = time_ms(item.get("configurationItemCaptureTime"), "configurationItemCaptureTime")
    account_path = "awsAccountId" if "awsAccountId" in item else "accountId"
    return _resource(
        api_name=_api_name(resource_type, "", "resourceType"),
        resource_type=resource_type,
        sent_id=optional_text(item, "resourceId"),
        sent_arn=optional_text(item, "arn") or optional_text(item, "ARN"),
        account=item.get(account_path),
        account_path=account_path,
        region=optional_word(item, "awsRegion"),
        config=config,
        more={name: decoded(value) for name, value in more.items()},
        tags=tag_map(item.get("tags")),
        name=optional_text(item, "resourceName"),
        created=item.get("resourceCreationTime"),
        deleted=deleted,
        version=version(captured, _state(item), place, index),
        original=item,
    )


def _resource(
    *,
    api_name: str,
    resource_type: str,
    sent_id: str,
    sent_arn: str,
    account: object,
    account_path: str,
    region: str,
    config: dict[str, Any],
    more: dict[str, Any],
    tags: dict[str, str],
    name: str,
    created: object,
    deleted: bool,
    version: str,
    original: Any,
) -> Resource:
    """Return the record of a configuration. What its sender left out, empty here, is looked up in *config*."""
    if resource_type == "AWS::RDS::DBCluster" and (kind := cluster_type(config)):
        resource_type, api_name = kind, _api_name(kind, "", "")
    known = type_of(resource_type, api_name)
    if account is None or account == "":
        account = account_in(config, sent_arn, sent_id, account_path)
    canonical = account_of("aws", account, account_path)
    shape = assembled(api_name, config, more, canonical)
    flat = shape if is_plain(api_name) else flat_fields(more | config if more else config)
    who = identify(known, flat, canonical, region, sent_id, sent_arn)
    tags = tags or who.tags or tag_map(shape.get("tagSets"))
    if tags and "tags" not in shape and "Tags" not in shape and "tagSets" not in shape:
        shape["tags"] = tag_list(tags)
    written, kept = fragments(shape if config or not deleted else None, original)
    return Resource(
        rrn=rrn("aws", api_name, who.region, canonical, who.id),
        account=canonical,
        cloud="aws",
        region=who.region,
        api_name=api_name,
        service=service_of(resource_type, api_name),
        resource_type=resource_type,
        id=who.id,
        name=tags.get("Name") or who.name or name or who.id,
        keys=who.keys,
        tags=tags,
        created=_moment(created) or who.created,
        version=version,
        deleted=deleted,
        config=written,
        original=kept,
    )


def _api_name(resource_type: str, api_call: str, path: str) -> str:
    """Return Prisma's name of the API whose answers have this type, which stands at *path*; else one made of it."""
    if known := type_of(resource_type, ""):
        return known.api_name
    made = derived(resource_type or api_call)
    if not made:
        raise BadRecord(path if resource_type else "api_name", "missing, and so is `resource_type`")
    return made[:MAX_WORD]


def _state(item: Mapping[str, Any]) -> int:
    state = item.get("configurationStateId")
    if state is None:
        return 0
    if type(state) is str and state.isascii() and state.isdigit() and len(state) < 20:
        return int(state)
    if type(state) is not int or state < 0:
        raise wrong_type("configurationStateId", "a whole number from 0 on", state)
    return state


def _moment(value: object) -> int | None:
    """Return a time that is only told, not relied on: what can't be read is no reason to refuse the resource."""
    if value is None:
        return None
    try:
        return time_ms(value, "")
    except BadRecord:
        return None
