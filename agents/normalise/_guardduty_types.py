"""Which words GuardDuty's types and numbers have in RQL: finding.type and finding.severity."""

from functools import lru_cache

from streams.errors import BadRecord
from streams.records import Severity


@lru_cache(maxsize=4096)  # GuardDuty has some 200 types
def finding_type(kind: str, resource_type: str) -> str:
    """Return RQL's finding.type for GuardDuty's type, such as `Trojan:EC2/DNSDataExfiltration` (docs/sources.md)."""
    purpose, _, rest = kind.partition(":")
    affected = rest.partition("/")[0]
    family = _PURPOSES.get(purpose) or _AFFECTED.get(affected) or _RESOURCE_TYPES.get(resource_type, "")
    return f"AWS GuardDuty {family}".rstrip()


def severity(score: float) -> Severity:
    """Return the word for GuardDuty's number, 0 to 10. Raises BadRecord outside of it."""
    if not 0 <= score <= 10:
        raise BadRecord("severity", f"wanted a number from 0 to 10, got {score:g}")
    for floor, name in _FLOORS:
        if score >= floor:
            return name
    return "low"


_FLOORS: tuple[tuple[float, Severity], ...] = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"))
_PURPOSES = {"AttackSequence": "Attack Sequence", "Object": "Malware"}
_AFFECTED = {
    "EC2": "Host",
    "IAMUser": "IAM",
    "IAM": "IAM",
    "S3": "S3",
    "Kubernetes": "EKS",
    "EKS": "EKS",
    "ECS": "ECS",
    "Container": "Container",
    "Lambda": "Lambda",
    "RDS": "RDS",
    "EBS": "Malware",
}
"""By the resource word of GuardDuty's type."""
_RESOURCE_TYPES = {
    "Instance": "Host",
    "AccessKey": "IAM",
    "S3Bucket": "S3",
    "S3Object": "Malware",
    "EKSCluster": "EKS",
    "KubernetesCluster": "EKS",
    "ECSCluster": "ECS",
    "Container": "Container",
    "Lambda": "Lambda",
    "RDSDBInstance": "RDS",
    "RDSLimitlessDB": "RDS",
    "EBSSnapshot": "Malware",
    "EC2Image": "Malware",
    "EBSRecoveryPoint": "Malware",
    "EC2RecoveryPoint": "Malware",
    "S3RecoveryPoint": "Malware",
    "AttackSequence": "Attack Sequence",
}
"""By `resource.resourceType`, for types that tell no more than Runtime."""
