"""Parts of AWS documents that come alone: an answer about one side of a resource, such as a bucket's policy."""

from collections.abc import Mapping
from typing import Any

from agents.normalise._aws_composites import assembled
from agents.normalise._aws_identity import identify
from agents.normalise._aws_shape import tag_list, tag_map
from agents.normalise._aws_types import type_of
from agents.normalise._base import Item, fragment
from agents.normalise._fields import account_of, need, optional_word, time_ms, wrong_type
from agents.normalise._unpack import loads
from streams.errors import BadRecord
from streams.identity import Place, rrn, version
from streams.records import ResourcePart

Fields = dict[str, Any]


def part(row: Item, place: Place, index: int) -> ResourcePart:
    """Return the part that a *row* with `part` is; its config null: there is none. Raises BadRecord."""
    name = optional_word(row, "part")
    if not name:
        raise BadRecord("part", "empty: wanted the name of a part, such as Policy")
    api_name = optional_word(row, "api_name")
    if not api_name:
        raise BadRecord("api_name", "missing: a part names the api.name of the resource that it belongs to")
    config = row.get("config")
    if config is not None and type(config) not in (dict, list):
        raise wrong_type("config", "an object or a list, or null where there is none", config)
    account = account_of("aws", row.get("account"), "account")
    id = need(row, "resource_id", str)
    if not id:
        raise BadRecord("resource_id", "empty: a part names the resource that it belongs to")
    who = identify(
        type_of(optional_word(row, "resource_type"), api_name), {}, account, optional_word(row, "region"), id, ""
    )
    time = place.timestamp if row.get("time") is None else time_ms(row["time"], "time")
    return ResourcePart(
        source=rrn("aws", api_name, who.region, account, who.id),
        id=name,
        account=account,
        version=version(time, 0, place, index),
        config=None if config is None else fragment(config),
    )


def put_together(resource: Fields, parts: Mapping[str, Mapping[str, Any]], since: str) -> Fields:
    """Return *resource*, a record of the topic as its provider sent it whole at version *since*, with its *parts*.

    A part takes the place of what the whole has of that name, where it is newer.
    """
    raw, more = _raw(resource.get("original") or {})
    for name in sorted(parts):
        told = parts[name]
        if name in raw and told["version"] < since:
            continue
        raw[name] = told["config"]
        if told["config"] is None:
            del raw[name]
    config = assembled(resource["api_name"], raw, more, resource["account"])
    tags = tag_map(config.get("tagSets") or config.get("tags")) or resource["tags"]
    if tags and not {"tags", "Tags", "tagSets"} & config.keys():
        config["tags"] = tag_list(tags)
    return resource | {"config": config, "tags": tags, "name": tags.get("Name") or resource["name"]}


def decoded(value: Any) -> Any:
    """Return a supplement, which AWS Config may encode once or twice."""
    for _ in range(2):
        if type(value) is not str:
            break
        try:
            value = loads(value)
        except BadRecord:
            break
    return value


def _raw(original: Fields) -> tuple[Fields, Fields]:
    """Return the configuration that the provider sent and its supplement, out of an item of AWS Config or a row."""
    if "configuration" not in original or "configurationItemStatus" not in original:
        return dict(original), {}
    config, more = decoded(original["configuration"]), original.get("supplementaryConfiguration") or {}
    return dict(config) if type(config) is dict else {}, {name: decoded(value) for name, value in more.items()}
