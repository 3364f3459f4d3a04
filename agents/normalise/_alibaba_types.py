"""What is known of Alibaba Cloud's resource types: Prisma's api.name, fields of id and name, the name of its lists."""

from typing import NamedTuple

from agents.normalise._rows import words


class Type(NamedTuple):
    """One resource type. Fields are named in Prisma's spelling."""

    resource_type: str
    api_name: str
    id: str
    """The field that is the id; `account`: there is one an account."""
    name: str = ""
    listed: str = ""
    """What an API's answer calls its list, such as `Instances.Instance`."""
    arn: str = ""
    """What an ARN calls it, such as `ecs:{region}:{account}:instance/{id}`."""


def type_of(resource_type: str, api_name: str = "") -> Type | None:
    """Return what is known of a type, or of an api.name where the type isn't told."""
    return _BY_TYPE.get(resource_type.lower()) or _BY_API.get(api_name)


def listed_as(listed: str) -> Type | None:
    """Return the type that an API's answer lists under this name."""
    return _BY_LIST.get(listed)


def derived(resource_type: str) -> str:
    """Return an api.name made of a type that isn't known."""
    parts = [words(part) for part in resource_type.split(":") if part and part.lower() not in ("acs", "aliyun")]
    return f"alibaba-cloud-{'-'.join(parts) or 'unknown'}"


def service_of(resource_type: str) -> str:
    """Return what RQL calls cloud.service; for a service that isn't known, its own name."""
    parts = [part for part in resource_type.split(":") if part]
    service = parts[1].lower() if len(parts) > 1 else ""
    return _SERVICES.get(service, service)


_ECS = "ecs:{region}:{account}:"
_TYPES = (
    Type("ACS::ACK::Cluster", "alibaba-cloud-cs-cluster", "clusterId", "name"),
    Type("ACS::ActionTrail::Trail", "alibaba-cloud-action-trail", "name", "name", "TrailList"),
    Type("ACS::CDN::Domain", "alibaba-cloud-cdn-domain", "domainName", "domainName"),
    Type("ACS::ECS::Disk", "alibaba-cloud-ecs-disk", "diskId", "diskName", "Disks.Disk", _ECS + "disk/{id}"),
    Type("ACS::ECS::Image", "alibaba-cloud-ecs-image", "imageId", "imageName", "Images.Image"),
    Type(
        "ACS::ECS::Instance",
        "alibaba-cloud-ecs-instance",
        "instanceId",
        "instanceName",
        "Instances.Instance",
        _ECS + "instance/{id}",
    ),
    Type(
        "ACS::ECS::NetworkInterface",
        "alibaba-cloud-ecs-network-interface",
        "networkInterfaceId",
        "networkInterfaceName",
        "NetworkInterfaceSets.NetworkInterfaceSet",
    ),
    Type(
        "ACS::ECS::SecurityGroup",
        "alibaba-cloud-ecs-security-group",
        "securityGroupId",
        "securityGroupName",
        "SecurityGroups.SecurityGroup",
        _ECS + "securitygroup/{id}",
    ),
    Type("ACS::ECS::Snapshot", "alibaba-cloud-ecs-snapshot", "snapshotId", "snapshotName", "Snapshots.Snapshot"),
    Type("ACS::EIP::EipAddress", "alibaba-cloud-eip", "allocationId", "name", "EipAddresses.EipAddress"),
    Type("ACS::KMS::Key", "alibaba-cloud-kms-key", "keyId", "description", "Keys.Key"),
    Type("ACS::NAT::NatGateway", "alibaba-cloud-nat-gateway", "natGatewayId", "name", "NatGateways.NatGateway"),
    Type("ACS::OSS::Bucket", "alibaba-cloud-oss-bucket-info", "name", "name", "Buckets.Bucket", "oss:*:{account}:{id}"),
    Type("ACS::RAM::PasswordPolicy", "alibaba-cloud-ram-password-policy", "account"),
    Type("ACS::RAM::Policy", "alibaba-cloud-ram-policy", "policyName", "policyName", "Policies.Policy"),
    Type("ACS::RAM::Role", "alibaba-cloud-ram-role", "roleName", "roleName", "Roles.Role", "ram::{account}:role/{id}"),
    Type("ACS::RAM::User", "alibaba-cloud-ram-user", "userId", "userName", "Users.User"),
    Type(
        "ACS::RDS::DBInstance",
        "alibaba-cloud-rds-instance",
        "dbinstanceId",
        "dbinstanceDescription",
        "Items.DBInstance",
        "rds:{region}:{account}:dbinstance/{id}",
    ),
    Type(
        "ACS::SLB::LoadBalancer",
        "alibaba-cloud-load-balancer",
        "loadBalancerId",
        "loadBalancerName",
        "LoadBalancers.LoadBalancer",
        "slb:{region}:{account}:loadbalancer/{id}",
    ),
    Type("ACS::VPC::VPC", "alibaba-cloud-vpc", "vpcId", "vpcName", "Vpcs.Vpc", "vpc:{region}:{account}:vpc/{id}"),
    Type("ACS::VPC::VSwitch", "alibaba-cloud-vswitch", "vswitchId", "vswitchName", "VSwitches.VSwitch"),
)
LISTS = frozenset(known.listed.partition(".")[0] for known in _TYPES if known.listed)
"""The outer keys of all those lists."""
_BY_TYPE = {known.resource_type.lower(): known for known in _TYPES}
_BY_API = {known.api_name: known for known in _TYPES}
_BY_LIST = {known.listed: known for known in _TYPES if known.listed}

API_NAMES = frozenset(_BY_API)
"""api.names that types are known for."""

_SERVICES = {
    "ack": "Alibaba Cloud Container Service",
    "actiontrail": "Alibaba Cloud ActionTrail",
    "cdn": "Alibaba Cloud CDN",
    "config": "Alibaba Cloud Config",
    "ecs": "Alibaba Cloud ECS",
    "eip": "Alibaba Cloud EIP",
    "ess": "Alibaba Cloud Auto Scaling",
    "kms": "Alibaba Cloud KMS",
    "mongodb": "Alibaba Cloud ApsaraDB for MongoDB",
    "nat": "Alibaba Cloud NAT Gateway",
    "oss": "Alibaba Cloud OSS",
    "ram": "Alibaba Cloud RAM",
    "rds": "Alibaba Cloud ApsaraDB RDS",
    "slb": "Alibaba Cloud SLB",
    "vpc": "Alibaba Cloud VPC",
}
