"""Alibaba Cloud's documents in Prisma's shape: keys as Java's SDK spells them, lists out of their wrappers."""

from collections.abc import Callable, Mapping
from typing import Any

from agents.normalise._aws_shape import document, field_name
from agents.normalise._rows import text

Document = dict[str, Any]


def shaped(api_name: str, config: Document) -> Document:
    """Return the document that json.rule asks, of a configuration that is *spelt*; it may be that one, changed."""
    shape = _SHAPES.get(api_name)
    return shape(config) if shape else config


def spelt(value: Any, name: str = "") -> Any:
    """Return *value*, which stands at key *name*, with Prisma's keys; policies and tags of the user stay as they are.

    A list in an object of its own (`SecurityGroupIds.SecurityGroupId[]`) is the list; JSON of a policy in a text is
    parsed.
    """
    if type(value) is dict:
        if "Statement" in value or (name in _DATA and "Tag" not in value):
            return value
        if len(value) == 1 and name and type(inner := next(iter(value.values()))) is list:
            return spelt(inner, name)
        found = {}
        for key, inner in value.items():
            new = key if key in _CAPITAL else field_name(key)
            kind = type(inner)  # told here, because a call for each scalar costs more than all the rest
            if kind is dict or kind is list:
                inner = spelt(inner, new)
            elif kind is str and new in _DOCUMENTS:
                inner = document(inner)
            found[new] = inner
        return found
    return [spelt(inner) if type(inner) in _CONTAINERS else inner for inner in value] if type(value) is list else value


def _bucket(config: Document) -> Document:
    """Return a bucket below `bucket`, with `cannedACL` and the default encryption, `None` where there is none."""
    if "cannedACL" in config:
        return config
    inner = config.get("bucketInfo")
    bucket = config.get("bucket") if inner is None else inner.get("bucket") if type(inner) is dict else None
    bucket = dict(bucket) if type(bucket) is dict else dict(config)
    grant = bucket.get("accessControlList", bucket.get("acl"))
    word = text(grant.get("grant")) if type(grant) is dict else text(grant)
    rule = bucket.get("serverSideEncryptionRule")
    algorithm = (text(rule.get("ssealgorithm")) if type(rule) is dict else "") or "None"
    log = bucket.get("bucketPolicy")
    if "logging" not in bucket and type(log) is dict:
        bucket["logging"] = {"targetBucket": log["logBucket"]} if log.get("logBucket") else {}
    return {
        "bucket": bucket,
        **({"cannedACL": _CANNED.get(word, word)} if word else {}),
        "serverSideEncryptionConfiguration": {"applyServerSideEncryptionByDefault": {"ssealgorithm": algorithm}},
    }


def _password_policy(config: Document) -> Document:
    return config | {"hardExpiry": config["hardExpire"]} if "hardExpire" in config else config


def _policy(config: Document) -> Document:
    """Return a RAM policy below `policy`, beside its default version with the document."""
    if "policy" in config:
        return config
    version = config.pop("defaultPolicyVersion", None)
    if version is None and "policyDocument" in config:
        version = {"policyDocument": config.pop("policyDocument")}
    return {"policy": config} | ({"defaultPolicyVersion": version} if version is not None else {})


def _load_balancer(config: Document) -> Document:
    """Return a load balancer; a listener's protocol stands under both of its names, as queries have it misspelt."""
    listeners = config.get("listenerPortsAndProtocal", config.get("listenerPortsAndProtocol"))
    if type(listeners) is list:
        config["listenerPortsAndProtocal"] = [
            one | {"listenerProtocal": one["listenerProtocol"]}
            if type(one) is dict and "listenerProtocol" in one
            else one
            for one in listeners
        ]
    return config


def _trail(config: Document) -> Document:
    if "isLogging" not in config and text(config.get("status")):
        config["isLogging"] = config["status"] == "Enable"
    return config


_CONTAINERS = frozenset({dict, list})
_DATA = frozenset({"labels", "tags"})
"""Fields whose object is the user's data, keys and all."""
_CAPITAL = frozenset({"Items", "MFADevice", "Policies"})
"""Parts of composites whose names queries write with a capital."""
_CANNED = {"private": "Private", "public-read": "PublicRead", "public-read-write": "PublicReadWrite"}
_DOCUMENTS = frozenset({"assumeRolePolicyDocument", "policyDocument"})
_SHAPES: Mapping[str, Callable[[Document], Document]] = {
    "alibaba-cloud-action-trail": _trail,
    "alibaba-cloud-load-balancer": _load_balancer,
    "alibaba-cloud-oss-bucket-info": _bucket,
    "alibaba-cloud-ram-password-policy": _password_policy,
    "alibaba-cloud-ram-policy": _policy,
}
