"""AWS's events about resources: deletions, which are told for sure. All others are hints without a configuration."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.normalise._aws_identity import partition_of
from agents.normalise._base import Items
from agents.normalise._fields import optional_object
from agents.normalise._rows import text


class Deletion(NamedTuple):
    """What a deletion deletes: its type; where the event has the id; the ARN, where it is the id and must be built."""

    resource_type: str
    path: str
    arn: str = ""


def told(document: Mapping[str, Any]) -> Items | None:
    """Return what an event tells as rows: those of what it deleted, none for a hint. None: it's no such event."""
    if document.get("detail-type") == "EC2 Instance State-change Notification":
        detail = optional_object(document, "detail")
        if detail.get("state") != "terminated":
            return []
        return [("detail", _row(document, "AWS::EC2::Instance", text(detail.get("instance-id")), document.get("time")))]
    if document.get("detail-type") in _TRAILS:
        return _deleted(optional_object(document, "detail"), "detail", document)
    if "eventName" in document and ("eventSource" in document or "eventVersion" in document):
        return _deleted(document, "", document)
    if type(listed := document.get("Records")) is list and all(
        type(one) is dict and "eventName" in one and "eventVersion" in one for one in listed
    ):
        return [
            item for index, one in enumerate(listed) for item in _deleted(one, f"Records[{index}]", one)
        ]  # S3 notifications have no such records: theirs name a bucket
    return None


def _deleted(event: Mapping[str, Any], place: str, around: Mapping[str, Any]) -> Items:
    """Return a row for each resource that *event* of CloudTrail deleted. *around* may tell account and region."""
    service = text(event.get("eventSource")).partition(".")[0]
    deletion = DELETIONS.get((service, text(event.get("eventName"))))
    if deletion is None or event.get("errorCode") or event.get("errorMessage"):
        return []
    said = {
        "account": text(event.get("recipientAccountId")) or _caller(event) or text(around.get("account")),
        "region": text(event.get("awsRegion")) or text(around.get("region")),
    }
    found = [one for one in _at(event, deletion.path.split(".")) if one]
    partition = partition_of(said["region"])
    ids = [deletion.arn.format(partition=partition, id=one, **said) if deletion.arn else one for one in found]
    time = event.get("eventTime", around.get("time"))
    return [
        (f"{place}: {one}" if place else one, _row(said, deletion.resource_type, id, time))
        for one, id in zip(found, ids, strict=True)
    ]


def _row(said: Mapping[str, Any], resource_type: str, id: str, time: Any) -> dict[str, Any]:
    return {
        "account": text(said.get("account")),
        "region": text(said.get("region")),
        "resource_type": resource_type,
        "resource_id": id,
        "time": time,
        "deleted": True,
    }


def _caller(event: Mapping[str, Any]) -> str:
    identity = event.get("userIdentity")
    return text(identity.get("accountId")) if type(identity) is dict else ""


def _at(value: Any, names: list[str]) -> list[str]:
    """Return the texts at a path, through lists."""
    if type(value) is list:
        return [found for inner in value for found in _at(inner, names)]
    if not names:
        return [value] if type(value) is str else []
    return _at(value.get(names[0]), names[1:]) if type(value) is dict else []


_TRAILS = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail")
_ASKED = "requestParameters."
_EC2 = {
    "DeleteCustomerGateway": ("CustomerGateway", "customerGatewayId"),
    "DeleteInternetGateway": ("InternetGateway", "internetGatewayId"),
    "DeleteNetworkAcl": ("NetworkAcl", "networkAclId"),
    "DeleteNetworkInterface": ("NetworkInterface", "networkInterfaceId"),
    "DeleteRouteTable": ("RouteTable", "routeTableId"),
    "DeleteSecurityGroup": ("SecurityGroup", "groupId"),
    "DeleteSnapshot": ("Snapshot", "snapshotId"),
    "DeleteSubnet": ("Subnet", "subnetId"),
    "DeleteVolume": ("Volume", "volumeId"),
    "DeleteVpc": ("VPC", "vpcId"),
    "DeleteVpcPeeringConnection": ("VPCPeeringConnection", "vpcPeeringConnectionId"),
    "DeregisterImage": ("Image", "imageId"),
    "ReleaseAddress": ("EIP", "allocationId"),
}
_OTHERS = {
    ("autoscaling", "DeleteAutoScalingGroup"): ("AutoScaling::AutoScalingGroup", _ASKED + "autoScalingGroupName"),
    ("dynamodb", "DeleteTable"): ("DynamoDB::Table", "responseElements.tableDescription.tableArn"),
    ("ec2", "TerminateInstances"): ("EC2::Instance", "responseElements.instancesSet.items.instanceId"),
    ("ecr", "DeleteRepository"): ("ECR::Repository", "responseElements.repository.repositoryArn"),
    ("ecs", "DeleteCluster"): ("ECS::Cluster", "responseElements.cluster.clusterArn"),
    ("ecs", "DeleteService"): ("ECS::Service", "responseElements.service.serviceArn"),
    ("eks", "DeleteCluster"): ("EKS::Cluster", "responseElements.cluster.arn"),
    ("elasticloadbalancing", "DeleteLoadBalancer"): (
        "ElasticLoadBalancingV2::LoadBalancer",
        _ASKED + "loadBalancerArn",
    ),
    ("logs", "DeleteLogGroup"): ("Logs::LogGroup", _ASKED + "logGroupName"),
    ("rds", "DeleteDBCluster"): ("RDS::DBCluster", "responseElements.dBClusterArn"),
    ("rds", "DeleteDBInstance"): ("RDS::DBInstance", "responseElements.dBInstanceArn"),
    ("s3", "DeleteBucket"): ("S3::Bucket", _ASKED + "bucketName"),
    ("sns", "DeleteTopic"): ("SNS::Topic", _ASKED + "topicArn"),
}
_BUILT = {
    ("cloudtrail", "DeleteTrail"): ("CloudTrail::Trail", "name", "cloudtrail:{region}:{account}:trail/{id}"),
    ("iam", "DeleteGroup"): ("IAM::Group", "groupName", "iam::{account}:group/{id}"),
    ("iam", "DeleteRole"): ("IAM::Role", "roleName", "iam::{account}:role/{id}"),
    ("iam", "DeleteUser"): ("IAM::User", "userName", "iam::{account}:user/{id}"),
    ("lambda", "DeleteFunction20150331"): (
        "Lambda::Function",
        "functionName",
        "lambda:{region}:{account}:function:{id}",
    ),
}
DELETIONS: Mapping[tuple[str, str], Deletion] = {
    **{("ec2", event): Deletion(f"AWS::EC2::{kind}", _ASKED + field) for event, (kind, field) in _EC2.items()},
    **{event: Deletion(f"AWS::{kind}", path) for event, (kind, path) in _OTHERS.items()},
    **{
        event: Deletion(f"AWS::{kind}", _ASKED + field, "arn:{partition}:" + arn)
        for event, (kind, field, arn) in _BUILT.items()
    },
}
"""By service and event of CloudTrail. An ARN that must be built is that of a name without a path."""
