"""Which resources a GuardDuty finding names: the blocks of `resource`, and the resources of an attack sequence."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from agents.normalise._fields import MAX_ID, optional_list, wrong_type
from streams.records import Reference


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
    return [Reference(id=id, type=type) for id, type in found.items() if len(id) <= MAX_ID]


def _instance(block: Any, path: str, account: str, region: str, partition: str) -> Iterator[tuple[str, str]]:
    id = _object(block, path).get("instanceId")
    if _is_text(id, f"{path}.instanceId"):
        yield id, "Instance"
        yield f"arn:{partition}:ec2:{region}:{account}:instance/{id}", "Instance"


def _access_key(block: Any, path: str, account: str, region: str, partition: str) -> Iterator[tuple[str, str]]:
    """Yield the key and whose it is. What AWS itself or another account does has no resource here."""
    block = _object(block, path)
    key, user, principal = block.get("accessKeyId"), block.get("userName"), block.get("principalId")
    if _is_text(key, f"{path}.accessKeyId"):
        yield key, "AccessKey"
    user = user if _is_text(user, f"{path}.userName") else ""
    principal = principal if _is_text(principal, f"{path}.principalId") else ""
    match block.get("userType"):
        case "Root":
            yield f"arn:{partition}:iam::{account}:root", "Root"
        case "IAMUser" if user:
            yield f"arn:{partition}:iam::{account}:user/{user}", "IAMUser"
            if principal:
                yield principal, "IAMUser"
        case "AssumedRole" | "Role" as kind if user:
            yield f"arn:{partition}:iam::{account}:role/{user}", kind
            if principal:
                yield principal.partition(":")[0], kind  # AROA...:session
        case "FederatedUser" if user:
            yield f"arn:{partition}:sts::{account}:federated-user/{user}", "FederatedUser"
        case _:
            pass


def _buckets(block: Any, path: str, account: str, region: str, partition: str) -> Iterator[tuple[str, str]]:
    for index, bucket in enumerate(_list(block, path)):
        bucket = _object(bucket, f"{path}[{index}]")
        arn, name = bucket.get("arn"), bucket.get("name")
        if _is_text(arn, f"{path}[{index}].arn"):
            yield arn, "S3Bucket"
        elif _is_text(name, f"{path}[{index}].name"):
            yield f"arn:{partition}:s3:::{name}", "S3Bucket"


def _volumes(block: Any, path: str, account: str, region: str, partition: str) -> Iterator[tuple[str, str]]:
    volumes = optional_list(_object(block, path), "scannedVolumeDetails", f"{path}.scannedVolumeDetails")
    for index, volume in enumerate(volumes):
        arn = _object(volume, f"{path}.scannedVolumeDetails[{index}]").get("volumeArn")
        if _is_text(arn, f"{path}.scannedVolumeDetails[{index}].volumeArn"):
            yield arn, "EBSVolume"


def _one(field: str, type: str) -> Any:
    """Return a reader of a block that holds its identifier in *field*."""

    def read(block: Any, path: str, account: str, region: str, partition: str) -> Iterator[tuple[str, str]]:
        id = _object(block, path).get(field)
        if _is_text(id, f"{path}.{field}"):
            yield id, type

    return read


def _sequence(detection: Any) -> Iterator[tuple[str, str]]:
    """Yield the resources of an attack sequence, which has no block of its own in `resource`."""
    sequence = _object(detection, "service.detection").get("sequence")
    if sequence is None:
        return
    path = "service.detection.sequence"
    for index, one in enumerate(optional_list(_object(sequence, path), "resources", f"{path}.resources")):
        path = f"service.detection.sequence.resources[{index}]"
        one = _object(one, path)
        uid, type = one.get("uid"), one.get("resourceType")
        if _is_text(uid, f"{path}.uid"):
            type = type if _is_text(type, f"{path}.resourceType") else ""
            yield uid, type
            if type == "EC2_INSTANCE" and "/" in uid:
                yield uid.rpartition("/")[2], type


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


_READERS = {
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
