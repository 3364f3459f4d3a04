"""Which resources an Inspector finding names, in AWS, Azure and Google Cloud, and in whose account they are."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.normalise import _arn
from agents.normalise._fields import MAX_ID, account_of, optional_text, optional_word, wrong_type
from agents.normalise._vulnerability import MAX_MANY, texts
from streams.errors import BadRecord
from streams.identity import UNLINKED
from streams.records import Cloud, Reference


class Home(NamedTuple):
    """Where the resources of a finding are."""

    cloud: Cloud
    account: str
    region: str
    partition: str


def resources(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the objects of `resources`. Raises BadRecord for anything else in it."""
    found = item.get("resources")
    if found is None:
        return []
    if type(found) is not list:
        raise wrong_type("resources", "a list", found)
    for index, one in enumerate(found):
        if type(one) is not dict:
            raise wrong_type(f"resources[{index}]", "an object", one)
    return found[:MAX_MANY]


def home_of(item: Mapping[str, Any], finding_arn: str, found: list[Mapping[str, Any]]) -> Home:
    """Return cloud and account of the resources. Raises BadRecord when the AWS account is none."""
    first: Mapping[str, Any] = found[0] if found else {}
    region = optional_word(first, "region", "resources[0].region")
    kind = optional_text(first, "type", "resources[0].type")
    id = optional_text(first, "id", "resources[0].id")
    if kind.startswith("Microsoft."):
        match = _SUBSCRIPTION.match(id)
        return Home("azure", match.group(1).lower() if match else UNLINKED, region, "")
    if ".googleapis.com/" in kind:
        match = _PROJECT.search(id)
        return Home("gcp", match.group(1) if match else UNLINKED, region, "")
    account = item.get("awsAccountId")
    partition = optional_word(first, "partition", "resources[0].partition")
    if not (account and partition and region) and (arn := _arn.parse(finding_arn)) is not None:
        account, partition, region = account or arn.account, partition or arn.partition, region or arn.region
    if account is None:
        raise BadRecord("awsAccountId", "missing")
    return Home("aws", account_of("aws", account, "awsAccountId"), region, partition or "aws")


def references(found: list[Mapping[str, Any]], home: Home) -> list[Reference]:
    """Return every identifier of the resources *found*, each once, in the finding's order."""
    names: dict[str, str] = {}
    for index, one in enumerate(found):
        kind = optional_text(one, "type", f"resources[{index}].type")
        id = optional_text(one, "id", f"resources[{index}].id").strip()
        for name in _names(id, home):
            names.setdefault(name, kind)
        if kind == "AWS_EC2_INSTANCE" and id[:2] == "i-":
            names.setdefault(_arn.instance(id, home.partition, home.region, home.account), kind)
        if home.cloud != "aws":
            for name in texts([_detail(one, "vmId"), _detail(one, "instanceId")]):
                names.setdefault(name, kind)
    return [Reference(id=id, type=kind) for id, kind in names.items() if len(id) <= MAX_ID]


def _names(id: str, home: Home) -> list[str]:
    if home.cloud != "gcp" or not id.startswith("//compute."):
        return _arn.names(id)
    number = id.rpartition("/")[2]
    link = f"https://www.googleapis.com/compute/v1/{id.split('/', 3)[-1]}"
    return [id, link, number] if number.isdecimal() else [id, link]


def _detail(one: Mapping[str, Any], name: str) -> Any:
    """Return *name* of the block of `details` that tells of a resource of another cloud."""
    details = one.get("details")
    for value in details.values() if type(details) is dict else ():
        if type(value) is dict and name in value:
            return value[name]
    return None


_SUBSCRIPTION = re.compile(
    r"/subscriptions/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|$)", re.ASCII | re.IGNORECASE
)
_PROJECT = re.compile(r"(?:^|/)projects/([a-z0-9][a-z0-9:.\-]{1,62})(?:/|$)", re.ASCII)
