"""Answers of AWS's APIs as they are: lists of resources under a key, made rows."""

from collections.abc import Mapping
from typing import Any

from agents.normalise._base import Items
from agents.normalise._rows import text


def answered(row: Mapping[str, Any], answer: Mapping[str, Any]) -> Items | None:
    """Return a row for each resource that an *answer* lists, with what *row* says beside it; None when it lists none.

    A key that several services use, such as `FileSystems`, is told by the row's `api_call`.
    """
    if len(answer) > len(_BESIDE) or len(answer.keys() - _BESIDE) != 1:
        return None
    [key] = answer.keys() - _BESIDE
    listed = answer[key]
    if type(listed) is not list:
        return None
    said = {name: value for name, value in row.items() if name not in ("resource_id", "config")}
    service = text(row.get("api_call")).partition(":")[0].lower()
    kind = _AMBIGUOUS.get((service, key)) or LISTS.get(key, "")
    if not kind or text(row.get("resource_type")) not in ("", kind):
        return None
    said["resource_type"] = kind
    if key == "Reservations":
        return [
            (f"Reservations[{outer}].Instances[{inner}]", said | _owned(reservation) | {"config": instance})
            for outer, reservation in enumerate(listed)
            for inner, instance in enumerate(_instances(reservation))
        ]
    return [(f"{key}[{index}]", said | {"config": one}) for index, one in enumerate(listed)]


def _instances(reservation: Any) -> list[Any]:
    found = reservation.get("Instances") if type(reservation) is dict else None
    return found if type(found) is list else [reservation]


def _owned(reservation: Any) -> dict[str, Any]:
    """Return the account of a reservation: its instances don't tell it."""
    owner = reservation.get("OwnerId") if type(reservation) is dict else None
    return {"account": owner} if type(owner) is str else {}


_BESIDE = {"ResponseMetadata", "NextToken", "nextToken", "Marker", "IsTruncated", "NextMarker", "MaxResults", "Owner"}
LISTS: Mapping[str, str] = {
    "Addresses": "AWS::EC2::EIP",
    "AutoScalingGroups": "AWS::AutoScaling::AutoScalingGroup",
    "Buckets": "AWS::S3::BucketListEntry",
    "CacheClusters": "AWS::ElastiCache::CacheCluster",
    "CustomerGateways": "AWS::EC2::CustomerGateway",
    "DBClusterSnapshots": "AWS::RDS::DBClusterSnapshot",
    "DBClusters": "AWS::RDS::DBCluster",
    "DBInstances": "AWS::RDS::DBInstance",
    "DBSnapshots": "AWS::RDS::DBSnapshot",
    "DomainStatusList": "AWS::Elasticsearch::Domain",
    "Environments": "AWS::ElasticBeanstalk::Environment",
    "FileSystems": "AWS::EFS::FileSystem",
    "FlowLogs": "AWS::EC2::FlowLog",
    "Functions": "AWS::Lambda::Function",
    "HostedZones": "AWS::Route53::HostedZone",
    "Images": "AWS::EC2::Image",
    "InternetGateways": "AWS::EC2::InternetGateway",
    "KeyPairs": "AWS::EC2::KeyPair",
    "LaunchConfigurations": "AWS::AutoScaling::LaunchConfiguration",
    "LoadBalancerDescriptions": "AWS::ElasticLoadBalancing::LoadBalancer",
    "LoadBalancers": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "MetricAlarms": "AWS::CloudWatch::Alarm",
    "NatGateways": "AWS::EC2::NatGateway",
    "NetworkAcls": "AWS::EC2::NetworkAcl",
    "NetworkInterfaces": "AWS::EC2::NetworkInterface",
    "ReplicationGroups": "AWS::ElastiCache::ReplicationGroup",
    "ReplicationInstances": "AWS::DMS::ReplicationInstance",
    "Reservations": "AWS::EC2::Instance",
    "Roles": "AWS::IAM::Role",
    "RouteTables": "AWS::EC2::RouteTable",
    "SecretList": "AWS::SecretsManager::Secret",
    "SecurityGroups": "AWS::EC2::SecurityGroup",
    "Snapshots": "AWS::EC2::Snapshot",
    "Stacks": "AWS::CloudFormation::Stack",
    "Subnets": "AWS::EC2::Subnet",
    "TargetGroups": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "TransitGateways": "AWS::EC2::TransitGateway",
    "Users": "AWS::IAM::User",
    "Volumes": "AWS::EC2::Volume",
    "VpcEndpoints": "AWS::EC2::VPCEndpoint",
    "VpcPeeringConnections": "AWS::EC2::VPCPeeringConnection",
    "Vpcs": "AWS::EC2::VPC",
    "logGroups": "AWS::Logs::LogGroup",
    "metricFilters": "AWS::Logs::MetricFilter",
    "trailList": "AWS::CloudTrail::Trail",
}
"""What an answer lists, by its key."""
_AMBIGUOUS: Mapping[tuple[str, str], str] = {
    ("dax", "Clusters"): "AWS::DAX::Cluster",
    ("elasticache", "Snapshots"): "AWS::ElastiCache::Snapshot",
    ("fsx", "FileSystems"): "AWS::FSx::FileSystem",
    ("redshift", "Clusters"): "AWS::Redshift::Cluster",
    ("redshift", "Snapshots"): "AWS::Redshift::ClusterSnapshot",
}
