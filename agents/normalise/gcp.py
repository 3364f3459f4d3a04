"""Google Cloud resource configurations: Cloud Asset Inventory, API answers, rows of an inventory, audit logs."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from typing_extensions import override

from agents.normalise._base import Item, Items, Kind, Normaliser
from agents.normalise._fields import account_of, optional_object, optional_text, optional_word, time_ms, wrong_type
from agents.normalise._gcp_identity import (
    full_name,
    owner_of,
    place_in,
    project_of,
    projects_in,
    region_of,
    relative_name,
)
from agents.normalise._gcp_shape import shaped
from agents.normalise._gcp_types import API_NAMES, COLLECTIONS, KINDS, api_name_of, service_of, singular
from agents.normalise._gcp_unpack import is_row, unwrapped
from agents.normalise._rows import Told, moment, resource, row_parts, row_told, text, texts
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Resource


class Gcp(Normaliser):
    """A configuration replaces the one before it: by the asset's `updateTime`, a row's own `time`, or its message's
    time. An account is a project's id; what stands above projects belongs to an organisation, folder, billing account.
    """

    kind: ClassVar[Kind] = "configs"
    forms: ClassVar[tuple[str, ...]] = (
        "Cloud Asset Inventory feed messages (`{asset, priorAsset, deleted, ...}`), also as Pub/Sub pushes them",
        "Cloud Asset Inventory export lines and `ListAssets` answers (content types RESOURCE and IAM_POLICY)",
        "answers of the APIs: a resource, or a list, aggregated or not",
        "IAM policies of projects: each member is a resource, with its roles",
        "rows `{account, region, api_name, resource_type, resource_id, config}`, also with `time`, `deleted`, `tags`",
        "audit log entries of deletions; other entries are hints without a configuration and give no record",
    )

    @override
    def items(self, document: Item) -> Items:
        return unwrapped(document)

    @override
    def record(self, item: Item, place: Place, index: int) -> Resource:
        if "asset" in item:
            return _asset(optional_object(item, "asset"), item, place, index)
        if "assetType" in item or "asset_type" in item:
            return _asset(item, item, place, index)
        if is_row(item):
            config, time, deleted = row_parts(item, "gcp", place)
            return _record(row_told(item, config, version(time, 0, place, index), deleted))
        if "kind" in item or "selfLink" in item or "name" in item:
            return _record(_answer(item, version(place.timestamp, 0, place, index)))
        raise BadRecord("", "neither an asset, nor a resource of an API, nor a row, which has `config`")


def _asset(asset: Item, sent: Item, place: Place, index: int) -> Resource:
    """Return the record of an asset of Cloud Asset Inventory; its exports spell `asset_type`, its feed `assetType`."""
    asset_type = optional_word(asset, "assetType") or optional_word(asset, "asset_type")
    name = optional_text(asset, "name", "asset.name")
    deleted = sent.get("deleted") or False
    if type(deleted) is not bool:
        raise wrong_type("deleted", "a boolean", deleted)
    prior = optional_object(sent, "priorAsset") if deleted else {}
    held = optional_object(asset, "resource") or optional_object(prior, "resource", "priorAsset.resource")
    data = held.get("data")
    policy = asset.get("iamPolicy", asset.get("iam_policy"))
    if data is not None and type(data) is not dict:
        raise wrong_type("resource.data", "an object", data)
    config: dict[str, Any] = {} if deleted else dict(data or {})
    if type(policy) is dict and data is None:
        config, asset_type, name = dict(policy), f"{asset_type}IamPolicy", f"{name}/iamPolicy"
    elif type(policy) is dict:
        config["iamPolicy"] = policy
    if not config and not deleted:
        raise BadRecord("resource.data", "missing: ask Cloud Asset Inventory for the content type RESOURCE")
    window = optional_object(sent, "window")
    time = asset.get("updateTime", asset.get("update_time", window.get("startTime")))
    told = Told(
        config=config,
        original=sent,
        version=version(place.timestamp if time is None else time_ms(time, "updateTime"), 0, place, index),
        resource_type=asset_type,
        id=name,
        region=optional_word(held, "location", "resource.location"),
        deleted=deleted,
    )
    return _record(told, data or {}, _above(asset, held))


def _answer(item: Item, version: str) -> Told:
    """Return what an API's answer tells of itself."""
    kind, link, name = optional_text(item, "kind"), optional_text(item, "selfLink"), optional_text(item, "name")
    asset_type = KINDS.get(kind, "")
    if not asset_type and kind.startswith("compute#"):
        asset_type = f"compute.googleapis.com/{kind[8:9].upper()}{kind[9:]}"
    parts = (link or name).split("/")
    if not asset_type and len(parts) > 1:
        asset_type = COLLECTIONS.get(parts[-2], "")
        if not asset_type and link.startswith("http"):
            asset_type = f"{full_name(link, '').split('/')[2]}/{singular(parts[-2])}"
    if not asset_type:
        raise BadRecord("kind", "nothing says what it is: send it as a row with its `resource_type`")
    return Told(config=dict(item), original=item, version=version, resource_type=asset_type[:256], id=link or name)


def _record(told: Told, prior: Mapping[str, Any] | None = None, above: tuple[str, ...] = ()) -> Resource:
    """Return the record. *prior* is a deleted asset's last configuration, *above* what the asset stands under."""
    config = told.config or prior or {}
    link, asset_type = text(config.get("selfLink")), _type(told.resource_type, config)
    sent = told.id or link or text(config.get("name")) or text(config.get("id")) or _built(config, told.region)
    if not sent:
        raise BadRecord("resource_id", "missing, and the configuration has neither `selfLink` nor `name`")
    account = _account(told, config, full_name(sent, asset_type), above)
    name = full_name(relative_name(sent, asset_type, config, account), asset_type)
    region = _region(told, config, name)
    api_name = _api_name(told, asset_type, region)
    labels = config.get("labels") or config.get("resourceLabels") or config.get("userLabels")
    return resource(
        told,
        cloud="gcp",
        account=account,
        region=region,
        api_name=api_name,
        service=service_of(asset_type),
        resource_type=asset_type,
        id=name,
        keys=_keys(name, sent, link, config),
        shape=shaped(api_name, told.config),
        name=told.name or text(config.get("displayName")) or text(config.get("name")).rpartition("/")[2] or _last(name),
        tags=texts(labels),
        created=moment(*(config.get(field) for field in _CREATED)),
        unique=True,
    )


def _built(config: Mapping[str, Any], region: str) -> str:
    """Return the relative name of a resource whose API gives none: of Dataproc, of Cloud Run's first version."""
    if (project := text(config.get("projectId"))) and (cluster := text(config.get("clusterName"))):
        return f"projects/{project}/regions/{region}/clusters/{cluster}" if region else ""
    if type(metadata := config.get("metadata")) is dict and text(metadata.get("name")):
        kind = text(config.get("kind")).lower() or "resource"
        return f"namespaces/{text(metadata.get('namespace'))}/{kind}s/{metadata['name']}"
    return text(config.get("jobId"))


def _type(asset_type: str, config: Mapping[str, Any]) -> str:
    """Return the type, told apart where two generations of a service have one name."""
    if asset_type == "cloudfunctions.googleapis.com/Function" and ("httpsTrigger" in config or "entryPoint" in config):
        return "cloudfunctions.googleapis.com/CloudFunction"
    return asset_type


def _api_name(told: Told, asset_type: str, region: str) -> str:
    """Return the api.name: that of the type, else what the sender says, else one made of the type."""
    if asset_type == "notebooks.googleapis.com/Instance" and "gceSetup" in told.config:
        return "gcloud-vertex-ai-workbench-instance"
    if asset_type == "serviceusage.googleapis.com/Service":
        return "gcloud-service"  # gcloud-services-list is one document of all of a project
    made = api_name_of(asset_type, region != "global")
    return made if asset_type in API_NAMES else told.api_name or made


def _account(told: Told, config: Mapping[str, Any], name: str, above: tuple[str, ...]) -> str:
    candidates = (name, text(config.get("selfLink")), text(config.get("name")), text(config.get("resourceId")))
    found = project_of(*candidates)
    if not found or found.isdigit():
        others = (told.account, *projects_in(config), *above, found)
        found = next((one for one in others if one and not one.isdigit()), "") or next(filter(None, others), "")
    found = found or owner_of(name)
    if not found:
        raise BadRecord("account", "missing, and neither name nor configuration tells the project: send it")
    return account_of("gcp", found, "account")


def _above(asset: Item, held: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the project's number, which is all that an asset's ancestors tell of it."""
    ancestors = asset.get("ancestors")
    listed = [one for one in ancestors if type(one) is str] if type(ancestors) is list else []
    return (project_of(*listed, text(held.get("parent"))),)


def _region(told: Told, config: Mapping[str, Any], name: str) -> str:
    places = (place_in(name), *(text(config.get(field)) for field in _PLACES), told.region)
    return next((found for place in places if (found := region_of(place))), "global")


def _keys(name: str, sent: str, link: str, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield every identifier by which a finding may name a resource: full name, link, a machine's number, an email."""
    yield name
    yield sent
    yield link or name.replace(_COMPUTE, _COMPUTE_LINK, 1)
    number = config.get("id")
    yield str(number) if type(number) is int else text(number)
    yield text(config.get("email"))


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]


_COMPUTE, _COMPUTE_LINK = "//compute.googleapis.com/", "https://www.googleapis.com/compute/v1/"
_CREATED = ("creationTimestamp", "createTime", "timeCreated", "creationTime", "createdAt", "validAfterTime")
_PLACES = ("zone", "region", "location", "locationId")
