"""Who an AWS resource is: its id, region and name, and every key by which a finding may name it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from agents.normalise._aws_shape import field_name, tag_map
from agents.normalise._aws_types import Type
from agents.normalise._fields import MAX_ID, MAX_WORD, time_ms
from streams.errors import BadRecord


class Identity(NamedTuple):
    """What tells one resource from all others, and what it's called."""

    id: str
    region: str
    name: str
    keys: list[str]
    tags: dict[str, str]
    created: int | None


def identify(
    known: Type | None, flat: Mapping[str, Any], account: str, region: str, sent_id: str, sent_arn: str
) -> Identity:
    """Return who the resource is, of its configuration's *flat* fields. *account* is canonical; what the sender didn't
    give is empty.

    A type that is known has the same id whichever way its configuration came. Raises BadRecord when there is no id.
    """
    arn = sent_arn or _arn(known, flat, sent_id)
    region = region or _region(arn, flat) or "global"
    if known and known.resource_type.startswith(_GLOBAL):
        region = "global"  # some senders say where they asked
    id = sent_id
    if known:
        if known.id == "account":
            id = account
        elif known.id == "arn":
            id = arn or sent_id
        elif known.id:
            id = _text(flat.get(known.id)) or sent_id
        if known.arn.startswith("arn:") and not arn and id and (region != "global" or "{region}" not in known.arn):
            arn = known.arn.format(partition=partition_of(region), region=region, account=account, id=id)
    id = id or arn
    if not id:
        raise BadRecord("resource_id", "missing, and the configuration has no id either")
    if len(id) > MAX_ID:
        raise BadRecord("resource_id", f"has {len(id)} characters, the most is {MAX_ID}")
    more = [_text(flat.get(name)) for name in known.keys] if known else []
    bare = _without_path(arn) if ":iam:" in arn else ()
    keys = dict.fromkeys([key for key in (id, arn, sent_id, *more, *bare) if 0 < len(key) <= MAX_ID])
    return Identity(
        id=id,
        region=region,
        name=_text(flat.get(known.name if known else "name")) or (_last(id) if id.startswith("arn:") else ""),
        keys=list(keys),
        tags=next((tag_map(flat[name]) for name in _TAGS if flat.get(name)), {}),
        created=_created(flat),
    )


def flat_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a configuration in Prisma's spelling, those of the object that it wraps included."""
    flat = {field_name(key): value for key, value in config.items()}
    for name in sorted(_WRAPPERS & flat.keys()):
        if type(inner := flat[name]) is dict:
            flat = {field_name(key): value for key, value in inner.items()} | flat
    return flat


def account_in(config: Any, sent_arn: str, sent_id: str, path: str) -> str:
    """Return the account of a resource that came without: that of its own ARN, or the only one that *config* names.

    Raises BadRecord, for *path*, when there is none or more than one.
    """
    for arn in (sent_arn, sent_id):
        if account := _account_of_arn(arn):
            return account
    named = set(_accounts(config))
    if len(named) == 1:
        return named.pop()
    if not named:
        raise BadRecord(path, "missing, and the configuration names no account: send it")
    raise BadRecord(
        path, f"missing, and the configuration names several accounts ({', '.join(sorted(named)[:3])}): send it"
    )


def partition_of(region: str) -> str:
    """Return the part of AWS that a region is in, as ARNs have it."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _arn(known: Type | None, flat: Mapping[str, Any], sent_id: str) -> str:
    for candidate in (sent_id, _text(flat.get(known.arn)) if known else "", _text(flat.get("arn"))):
        if candidate.startswith("arn:"):
            return candidate
    return ""


def _region(arn: str, flat: Mapping[str, Any]) -> str:
    """Return the region of an ARN, else of the availability zone that the configuration names."""
    if region := _part(arn, 3)[:MAX_WORD]:
        return region
    if type(location := flat.get("location")) is dict and "LocationConstraint" in location:
        return _text(location["LocationConstraint"])[:MAX_WORD] or "us-east-1"  # S3 says nothing for its first region
    placement = flat.get("placement")
    zone = _text(flat.get("availabilityZone")) or (
        _text(placement.get("AvailabilityZone")) or _text(placement.get("availabilityZone"))
        if type(placement) is dict
        else ""
    )
    return zone[:-1] if zone[-1:].isalpha() and zone[-2:-1].isdigit() and len(zone) < MAX_WORD else ""


def _without_path(arn: str) -> Iterator[str]:
    """Yield the ARN of a user or role without its path: findings know only the name."""
    head, _, rest = arn.partition(":user/")
    kind = ":user/"
    if not rest:
        head, _, rest = arn.partition(":role/")
        kind = ":role/"
    if "/" in rest and ":iam:" in head:
        yield f"{head}{kind}{rest.rpartition('/')[2]}"


def _last(arn: str) -> str:
    return arn.rpartition("/" if "/" in arn else ":")[2]


def _accounts(value: Any, name: str = "") -> Iterator[str]:
    """Yield the accounts that a configuration names: in ARNs, and as the owner of what it describes."""
    if type(value) is dict:
        for key, inner in value.items():
            yield from _accounts(inner, key)
    elif type(value) is list:
        for inner in value:
            yield from _accounts(inner, name)
    elif type(value) is str:
        if value.startswith("arn:"):
            if account := _account_of_arn(value):
                yield account
        elif name in _OWNERS and value.isdigit():
            yield value


def _account_of_arn(arn: str) -> str:
    account = _part(arn, 4)
    return account if account.isdigit() else ""


def _part(arn: str, index: int) -> str:
    parts = arn.split(":", 5)
    return parts[index] if len(parts) == 6 and parts[0] == "arn" else ""


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _created(flat: Mapping[str, Any]) -> int | None:
    for name in _CREATED:
        if name in flat and (moment := _moment(flat[name])) is not None:
            return moment
    return None


def _moment(value: Any) -> int | None:
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 13:
        value = int(value)
    if value is None:
        return None
    try:
        return time_ms(value, "")
    except BadRecord:
        return None


_WRAPPERS = frozenset(
    {
        "attributes",
        "bucket",
        "description",
        "fileSystemDescription",
        "firewall",
        "hostedZone",
        "image",
        "keyMetadata",
        "role",
        "snapshot",
        "user",
        "webACL",
        "workGroup",
    }
)
_OWNERS = {"OwnerId", "ownerId", "AWSAccountId", "awsAccountId", "registryId", "RegistryId", "AccountId", "accountId"}
_GLOBAL = ("AWS::IAM::", "AWS::CloudFront::", "AWS::Organizations::", "AWS::Route53::", "AWS::WAF::")
_TAGS = ("tags", "tagList", "tagSet")
_CREATED = (
    "creationDate",
    "createDate",
    "createdTime",
    "createTime",
    "launchTime",
    "instanceCreateTime",
    "clusterCreateTime",
    "creationTime",
    "creationDateTime",
    "createdAt",
    "createdDate",
    "createdTimestamp",
    "startTime",
)
"""Fields that say when a resource was made; the first that holds a time counts."""
