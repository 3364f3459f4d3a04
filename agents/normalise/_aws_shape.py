"""AWS's documents in Prisma's shape: keys as Java's SDK spells them, keys that are data as they are, JSON text parsed.

docs/decisions/0012-prisma-shape.md has the rules and where they come from.
"""

from typing import Any
from urllib.parse import unquote

import orjson

from agents.normalise._unpack import loads
from streams.errors import BadRecord


def shaped(value: Any, name: str = "") -> Any:
    """Return *value*, which stands at key *name* (in Prisma's spelling), in Prisma's shape. Never changes *value*."""
    if type(value) is dict:
        if "Statement" in value:
            return value
        if name in _SPECIAL:
            if name in _DATA or (name == "environment" and not _ENVIRONMENT & value.keys()):
                return value
            if name in _MAPS:
                return {key: shaped(inner) for key, inner in value.items()}
        found = {}
        for key, inner in value.items():
            spelt = _SPELT[key]
            kind = type(inner)  # told here, because a call for each scalar costs more than all the rest
            if kind is dict or kind is list or (kind is str and spelt in _DOCUMENTS):
                inner = shaped(inner, spelt)
            found[spelt] = inner
        return found
    if type(value) is list:
        if name in _SPECIAL and name != "environment":
            name = ""
        kinds = _SHAPED if name in _DOCUMENTS else _CONTAINERS
        return [shaped(inner, name) if type(inner) in kinds else inner for inner in value]
    if type(value) is str and name in _DOCUMENTS:
        return document(value)
    return value


def field_name(key: str) -> str:
    """Return an AWS field's name as Prisma has it: all leading capitals lowered, as Java's SDK and Jackson do.

    DBInstanceArn -> dbinstanceArn, VPCId -> vpcid, ARN -> arn; the same from AWS Config, which lowers one letter only.
    What can't be a field's name, such as `rds.force_ssl`, is returned as it is.
    """
    return _SPELT[key]


def document(text: str) -> Any:
    """Return the JSON that *text* holds, also URL-encoded (IAM) or encoded twice (AWS Config); else *text*."""
    start = text.lstrip()[:3].upper()
    if start == "%7B":
        text = unquote(text)
    elif not start.startswith(("{", "[", '"{', '"[')):
        return text
    try:
        value = loads(text)
        if type(value) is str:
            value = loads(value)
        orjson.dumps(value)  # integers that JSON readers would spoil, or too deep: leave the text alone
    except (BadRecord, TypeError):
        return text
    return value


def tag_map(tags: Any) -> dict[str, str]:
    """Return AWS tags as a map. They come as a map, or as a list of key and value in any of AWS's spellings."""
    if type(tags) is dict:
        return {key: value if type(value) is str else "" for key, value in tags.items()}
    found: dict[str, str] = {}
    for tag in tags if type(tags) is list else ():
        if type(tag) is dict and "Key" in tag:  # as nearly all are: not a call for each key
            if type(key := tag["Key"]) is str:
                value = tag.get("Value")
                found[key] = value if type(value) is str else ""
        elif type(tag) is dict:
            pair = {field_name(key): value for key, value in tag.items()}
            key, value = pair.get("key", pair.get("tagKey")), pair.get("value", pair.get("tagValue"))
            if type(key) is str:
                found[key] = value if type(value) is str else ""
    return found


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as Prisma's documents have them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


class _Spelt(dict[str, str]):
    """Names by key, found once: half the time of a call. Whoever sends keys of his own can't fill the memory."""

    def __missing__(self, key: str) -> str:
        name = _spell(key)
        if len(self) >= _MOST_SPELT:
            self.clear()
        self[key] = name
        return name


def _spell(key: str) -> str:
    if not (key.isascii() and key.isalnum()) or len(key) > _LONGEST_NAME:
        return key
    if key[0].islower() and not key[1:2].isupper():
        return key
    end = 1
    while end < len(key) and key[end].isupper():
        end += 1
    return key[:end].lower() + key[end:]


_SPELT = _Spelt()
_MOST_SPELT = 16_384
_CONTAINERS = frozenset({dict, list})
_SHAPED = frozenset({dict, list, str})
_LONGEST_NAME = 128
_ENVIRONMENT = {
    "Variables",
    "variables",
    "EnvironmentVariables",
    "environmentVariables",
    "Image",
    "image",
    "Type",
    "type",
}
_DATA = frozenset(
    {
        "advancedOptions",
        "attributeMapping",
        "cloudFormationTemplate",
        "connectionProperties",
        "defaultArguments",
        "dockerLabels",
        "driverOpts",
        "encryptionContext",
        "hyperParameters",
        "labels",
        "nonOverridableArguments",
        "parameters",
        "requestModels",
        "requestParameters",
        "requestTemplates",
        "responseModels",
        "responseParameters",
        "responseTemplates",
        "stageVariables",
        "supportedLoginProviders",
        "tagSets",
        "tags",
        "userAttributes",
        "variables",
    }
)
"""Fields whose object is the user's data, keys and all."""
_MAPS = frozenset(
    {
        "actions",
        "configurations",
        "integrationResponses",
        "logPublishingOptions",
        "methodResponses",
        "methodSettings",
        "policies",
        "resourceMethods",
        "rules",
        "syncStates",
        "targets",
    }
)
"""Fields whose object has the user's keys, and AWS's fields below them."""
_SPECIAL = _DATA | _MAPS | {"environment"}
_DOCUMENTS = frozenset(
    {
        "accessPolicies",
        "assumeRolePolicyDocument",
        "definition",
        "deliveryPolicy",
        "document",
        "effectiveDeliveryPolicy",
        "fileSystemPolicy",
        "filterPolicy",
        "keyPolicy",
        "lifecyclePolicy",
        "lifecyclePolicyText",
        "policy",
        "policyDocument",
        "policyText",
        "redriveAllowPolicy",
        "redrivePolicy",
        "repositoryPolicy",
        "repositoryPolicyText",
        "resourcePolicy",
        "templateBody",
    }
)
"""Fields that hold a JSON document as text."""
