"""Which resources a GuardDuty finding names: the blocks of `resource`, and the resources of an attack sequence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeGuard

from agents.normalise._fields import MAX_ID, wrong_type
from streams.records import Reference


class Home(NamedTuple):
    """Where the resources of a finding are."""

    account: str
    region: str
    partition: str


Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Identifiers of resources, each with the vendor's word for what it is."""
Reader: TypeAlias = Callable[[Any, str, Home], Pairs]
"""From a block and its name to the resources it describes."""


def references(resource: Mapping[str, Any], service: Mapping[str, Any], home: Home) -> list[Reference]:
    """Return every identifier of the resources that the finding is about, each once, in the finding's order.

    What a block only mentions, such as an instance's security groups, isn't referred to. Raises BadRecord for a block
    of the wrong type.
    """
    found: dict[str, str] = {}
    for name in resource:
        if (reader := _READERS.get(name)) is not None and (block := resource[name]) is not None:
            for id, type in reader(block, name, home):
                found.setdefault(id, type)
    if "detection" in service:
        for id, type in _sequence(service["detection"]):
            found.setdefault(id, type)
    return [Reference(id=id, type=type) for id, type in found.items() if 0 < len(id) <= MAX_ID]


def access_key(block: Any, name: str, home: Home) -> Pairs:
    """Return the key and whose it is. What AWS itself or another account does has no resource here."""
    block = _object(block, name)
    key, user, principal = block.get("accessKeyId"), block.get("userName"), block.get("principalId")
    found = [(key, "AccessKey")] if _is_text(key, name, "accessKeyId") else []
    user = user if _is_text(user, name, "userName") else ""
    principal = principal if _is_text(principal, name, "principalId") else ""
    iam = f"arn:{home.partition}:iam::{home.account}:"
    match block.get("userType"):
        case "Root":
            found.append((f"{iam}root", "Root"))
        case "IAMUser" if user:
            found += [(f"{iam}user/{user}", "IAMUser"), (principal, "IAMUser")]
        case "AssumedRole" | "Role" as kind if user:
            role = principal.partition(":")[0]  # AROA...:session
            found += [(f"{iam}role/{user}", kind), (role, kind)]
        case "FederatedUser" if user:
            arn = f"arn:{home.partition}:sts::{home.account}:federated-user/{user}"
            found.append((arn, "FederatedUser"))
    return found


def _instance(block: Any, name: str, home: Home) -> Pairs:
    id = _object(block, name).get("instanceId")
    if not _is_text(id, name, "instanceId"):
        return ()
    arn = f"arn:{home.partition}:ec2:{home.region}:{home.account}:instance/{id}"
    return (id, "Instance"), (arn, "Instance")


def _buckets(block: Any, name: str, home: Home) -> Pairs:
    found = []
    for index, bucket in enumerate(_list(block, name)):
        where = f"{name}[{index}]"
        arn, title = _object(bucket, where).get("arn"), bucket.get("name")
        if _is_text(arn, where, "arn"):
            found.append((arn, "S3Bucket"))
        elif _is_text(title, where, "name"):
            found.append((f"arn:{home.partition}:s3:::{title}", "S3Bucket"))
    return found


def _volumes(block: Any, name: str, home: Home) -> Pairs:
    found = []
    volumes = _object(block, name).get("scannedVolumeDetails")
    for index, volume in enumerate(_list(volumes, f"{name}.scannedVolumeDetails") if volumes is not None else ()):
        where = f"{name}.scannedVolumeDetails[{index}]"
        arn = _object(volume, where).get("volumeArn")
        if _is_text(arn, where, "volumeArn"):
            found.append((arn, "EBSVolume"))
    return found


def _one(field: str, type: str) -> Reader:
    """Return a reader of a block that holds its identifier in *field*."""

    def read(block: Any, name: str, home: Home) -> Pairs:
        id = _object(block, name).get(field)
        return ((id, type),) if _is_text(id, name, field) else ()

    return read


def _sequence(detection: Any) -> Pairs:
    """Return the resources of an attack sequence, which has no block of its own in `resource`."""
    sequence = _object(detection, "detection", "service").get("sequence")
    if sequence is None:
        return ()
    found = []
    resources = _object(sequence, "detection.sequence", "service").get("resources")
    path = "detection.sequence.resources"
    for index, one in enumerate(_list(resources, path, "service") if resources is not None else ()):
        where = f"{path}[{index}]"
        uid, type = _object(one, where, "service").get("uid"), one.get("resourceType")
        if _is_text(uid, where, "uid", "service"):
            type = type if _is_text(type, where, "resourceType", "service") else ""
            found.append((uid, type))
            if type == "EC2_INSTANCE" and "/" in uid:
                found.append((uid.rpartition("/")[2], type))
    return found


def _is_text(value: Any, name: str, field: str, above: str = "resource") -> TypeGuard[str]:
    """Tell whether there is a text that says something. Raises BadRecord for anything that is no text."""
    if value is None or value == "":
        return False
    if type(value) is not str:
        raise wrong_type(f"{above}.{name}.{field}", "text", value)
    return True


def _object(value: Any, name: str, above: str = "resource") -> Mapping[str, Any]:
    if type(value) is not dict:
        raise wrong_type(f"{above}.{name}", "an object", value)
    return value


def _list(value: Any, name: str, above: str = "resource") -> list[Any]:
    if type(value) is not list:
        raise wrong_type(f"{above}.{name}", "a list", value)
    return value


_READERS: Mapping[str, Reader] = {
    "instanceDetails": _instance,
    "accessKeyDetails": access_key,
    "s3BucketDetails": _buckets,
    "eksClusterDetails": _one("arn", "EKSCluster"),
    "ecsClusterDetails": _one("arn", "ECSCluster"),
    "containerDetails": _one("id", "Container"),
    "lambdaDetails": _one("functionArn", "Lambda"),
    "rdsDbInstanceDetails": _one("dbInstanceArn", "RDSDBInstance"),
    "rdsLimitlessDbDetails": _one("dbShardGroupArn", "RDSLimitlessDB"),
    "ebsVolumeDetails": _volumes,
    "ebsSnapshotDetails": _one("snapshotArn", "EBSSnapshot"),
    "ec2ImageDetails": _one("imageArn", "EC2Image"),
    "recoveryPointDetails": _one("recoveryPointArn", "RecoveryPoint"),
    "bedrockGuardrailDetails": _one("guardrailArn", "BedrockGuardrail"),
}
