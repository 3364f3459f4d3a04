"""Which resources an ASFF finding names: the ids of `Resources`, and whose an access key is."""

from collections.abc import Mapping
from typing import Any

from agents.normalise import _arn
from agents.normalise._fields import MAX_ID, optional_text, wrong_type
from agents.normalise._guardduty_resources import Home, access_key
from agents.normalise._vulnerability import MAX_MANY
from streams.records import Reference


def resources(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the objects of `Resources`. Raises BadRecord for anything else in it."""
    found = item.get("Resources")
    if found is None:
        return []
    if type(found) is not list:
        raise wrong_type("Resources", "a list", found)
    for index, one in enumerate(found):
        if type(one) is not dict:
            raise wrong_type(f"Resources[{index}]", "an object", one)
    return found[:MAX_MANY]


def references(found: list[Mapping[str, Any]], home: Home) -> list[Reference]:
    """Return every identifier of the resources *found*, each once, in the finding's order."""
    names: dict[str, str] = {}
    for index, one in enumerate(found):
        kind = optional_text(one, "Type", f"Resources[{index}].Type")
        id = optional_text(one, "Id", f"Resources[{index}].Id").strip()
        if kind == "AwsIamAccessKey":
            for name, type_ in _key(one, id, home):
                names.setdefault(name, type_)
            continue
        if kind == "AwsEc2Instance" and id[:2] == "i-":
            names.setdefault(_arn.instance(id, home.partition, home.region, home.account), kind)
        for name in _arn.names(_bare(id)):
            names.setdefault(name, kind)
    return [Reference(id=id, type=kind) for id, kind in names.items()]


def _key(one: Mapping[str, Any], id: str, home: Home) -> list[tuple[str, str]]:
    """Return the access key and whose it is, as GuardDuty's own findings name them."""
    details = one.get("Details")
    told = details.get("AwsIamAccessKey") if type(details) is dict else None
    told = told if type(told) is dict else {}
    key = _bare(id)
    block = {
        "accessKeyId": None if key in ("", "null") else key,
        "userName": _text(told.get("PrincipalName")) or _text(told.get("UserName")),
        "userType": _text(told.get("PrincipalType")) or ("IAMUser" if told.get("UserName") else None),
        "principalId": _text(told.get("PrincipalId")),
    }
    return [(name, kind) for name, kind in access_key(block, "accessKeyDetails", home) if 0 < len(name) <= MAX_ID]


def _bare(id: str) -> str:
    """Return the id within `AWS::IAM::AccessKey:AKIA...`; an account's name stays what it is."""
    if id.startswith("AWS::") and not id.startswith("AWS::::"):
        return id.split(":", 5)[-1]
    return id


def _text(value: Any) -> str | None:
    return value if type(value) is str and value else None
