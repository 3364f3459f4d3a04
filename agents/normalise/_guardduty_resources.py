"""Which resources a GuardDuty finding names: the blocks of `resource`, and the resources of an attack sequence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

from agents.normalise._fields import MAX_ID, optional_list, wrong_type
from streams.records import Reference

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Identifiers of resources, each with the vendor's word for what it is."""
Reader: TypeAlias = Callable[[Any, str, str, str, str], Pairs]
"""From a block, its path, account, region and partition to the resources it describes."""


def references(
    resource: Mapping[str, Any], service: Mapping[str, Any], account: str, region: str, partition: str
) -> list[Reference]:
    """Return every identifier of the resources that the finding is about, each once, in the finding's order.

    What a block only mentions, such as an instance's security groups, isn't referred to. Raises BadRecord for a block
    of the wrong type.
    """
    found: dict[str, str] = {}
    for name in resource:
        if (reader := _READERS.get(name)) is None or (block := resource[name]) is None:
            continue
        for id, type in reader(block, f"resource.{name}", account, region, partition):
            found.setdefault(id, type)
    if "detection" in service:
        for id, type in _sequence(service["detection"]):
            found.setdefault(id, type)
    return [Reference(id=id, type=type) for id, type in found.items() if 0 < len(id) <= MAX_ID]


def _instance(block: Any, path: str, account: str, region: str, partition: str) -> Pairs:
    id = _object(block, path).get("instanceId")
    if not _is_text(id, f"{path}.instanceId"):
        return ()
    return (id, "Instance"), (f"arn:{partition}:ec2:{region}:{account}:instance/{id}", "Instance")


def _access_key(block: Any, path: str, account: str, region: str, partition: str) -> Pairs:
    """Return the key and whose it is. What AWS itself or another account does has no resource here."""
    block = _object(block, path)
    key, user, principal = block.get("accessKeyId"), block.get("userName"), block.get("principalId")
    found = [(key, "AccessKey")] if _is_text(key, f"{path}.accessKeyId") else []
    user = user if _is_text(user, f"{path}.userName") else ""
    principal = principal if _is_text(principal, f"{path}.principalId") else ""
    match block.get("userType"):
        case "Root":
            found.append((f"arn:{partition}:iam::{account}:root", "Root"))
        case "IAMUser" if user:
            found += [(f"arn:{partition}:iam::{account}:user/{user}", "IAMUser"), (principal, "IAMUser")]
        case "AssumedRole" | "Role" as kind if user:
            role = principal.partition(":")[0]  # AROA...:session
            found += [(f"arn:{partition}:iam::{account}:role/{user}", kind), (role, kind)]
        case "FederatedUser" if user:
            found.append((f"arn:{partition}:sts::{account}:federated-user/{user}", "FederatedUser"))
    return found


def _buckets(block: Any, path: str, account: str, region: str, partition: str) -> Pairs:
    found = []
    for index, bucket in enumerate(_list(block, path)):
        bucket = _object(bucket, f"{path}[{index}]")
        arn, name = bucket.get("arn"), bucket.get("name")
        if _is_text(arn, f"{path}[{index}].arn"):
            found.append((arn, "S3Bucket"))
        elif _is_text(name, f"{path}[{index}].name"):
            found.append((f"arn:{partition}:s3:::{name}", "S3Bucket"))
    return found


def _volumes(block: Any, path: str, account: str, region: str, partition: str) -> Pairs:
    found = []
    volumes = optional_list(_object(block, path), "scannedVolumeDetails", f"{path}.scannedVolumeDetails")
    for index, volume in enumerate(volumes):
        arn = _object(volume, f"{path}.scannedVolumeDetails[{index}]").get("volumeArn")
        if _is_text(arn, f"{path}.scannedVolumeDetails[{index}].volumeArn"):
            found.append((arn, "EBSVolume"))
    return found


def _one(field: str, type: str) -> Reader:
    """Return a reader of a block that holds its identifier in *field*."""

    def read(block: Any, path: str, account: str, region: str, partition: str) -> Pairs:
        id = _object(block, path).get(field)
        return ((id, type),) if _is_text(id, f"{path}.{field}") else ()

    return read


def _sequence(detection: Any) -> Pairs:
    """Return the resources of an attack sequence, which has no block of its own in `resource`."""
    sequence = _object(detection, "service.detection").get("sequence")
    if sequence is None:
        return ()
    found = []
    path = "service.detection.sequence"
    for index, one in enumerate(optional_list(_object(sequence, path), "resources", f"{path}.resources")):
        where = f"{path}.resources[{index}]"
        one = _object(one, where)
        uid, type = one.get("uid"), one.get("resourceType")
        if _is_text(uid, f"{where}.uid"):
            type = type if _is_text(type, f"{where}.resourceType") else ""
            found.append((uid, type))
            if type == "EC2_INSTANCE" and "/" in uid:
                found.append((uid.rpartition("/")[2], type))
    return found


def _is_text(value: Any, path: str) -> TypeGuard[str]:
    """Tell whether there is a text that says something. Raises BadRecord for anything that is no text."""
    if value is None or value == "":
        return False
    if type(value) is not str:
        raise wrong_type(path, "text", value)
    return True


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if type(value) is not dict:
        raise wrong_type(path, "an object", value)
    return value


def _list(value: Any, path: str) -> list[Any]:
    if type(value) is not list:
        raise wrong_type(path, "a list", value)
    return value


_READERS: Mapping[str, Reader] = {
    "instanceDetails": _instance,
    "accessKeyDetails": _access_key,
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
