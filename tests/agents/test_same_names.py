"""What findings call a resource is what configurations call it: or nothing would ever be linked."""

from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import Place
from streams.records import Finding, Record, Resource, VendorAsset

ACCOUNT, REGION = "111122223333", "eu-central-1"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
MACHINE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/web"
VM = "99999999-aaaa-3333-4444-555555555555"
LINK = "https://www.googleapis.com/compute/v1/projects/shop-prod/zones/europe-west1-b/instances/web"


def read(source: str, value: Any) -> Record:
    topic = NORMALISERS[source].topic
    [record] = NORMALISERS[source].read(orjson.dumps(value), Place(topic, 0, 0, 1_772_442_000_000))
    assert not isinstance(record, Bad), record
    return record


def aws(api: str, id: str, **config: Any) -> Any:
    return {"account": ACCOUNT, "region": REGION, "api_name": api, "resource_id": id, "config": config}


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


RESOURCES: dict[str, tuple[str, Any]] = {
    "instance": ("aws", aws("aws-ec2-describe-instances", "i-1", InstanceId="i-1")),
    "function": (
        "aws",
        aws("aws-lambda-list-functions", arn("lambda", "function:f"), FunctionArn=arn("lambda", "function:f")),
    ),
    "repository": ("aws", aws("aws-ecr-get-repository-policy", arn("ecr", "repository/shop"), RepositoryName="shop")),
    "bucket": ("aws", aws("aws-s3api-get-bucket-acl", "shop", Name="shop")),
    "machine": (
        "azure",
        {"id": MACHINE, "name": "web", "type": "Microsoft.Compute/virtualMachines", "properties": {"vmId": VM.upper()}},
    ),
    "compute": (
        "gcp",
        {
            "name": "//compute.googleapis.com/projects/shop-prod/zones/europe-west1-b/instances/web",
            "assetType": "compute.googleapis.com/Instance",
            "resource": {"data": {"id": "1234567890", "name": "web", "selfLink": LINK}},
        },
    ),
}


def inspector(kind: str, id: str, **more: Any) -> Any:
    return {
        "awsAccountId": ACCOUNT,
        "findingArn": arn("inspector2", "finding/1"),
        "type": "PACKAGE_VULNERABILITY",
        "severity": "LOW",
        "updatedAt": "2026-03-02T09:35:10Z",
        "resources": [{"type": kind, "id": id, "region": REGION, **more}],
    }


def asff(kind: str, id: str) -> Any:
    return {
        "Id": "x",
        "ProductArn": arn("securityhub", f"product/{ACCOUNT}/default"),
        "GeneratorId": "g",
        "AwsAccountId": ACCOUNT,
        "UpdatedAt": "2026-03-02T09:35:10Z",
        "Severity": {"Label": "LOW"},
        "Resources": [{"Type": kind, "Id": id}],
    }


def qualys(**host: Any) -> Any:
    return {"HOST": {"ID": "1"} | host, "DETECTION": {"QID": "5", "SEVERITY": "1", "STATUS": "New"}}


def metadata(cloud: str, **values: str) -> Any:
    return {cloud: {"ATTRIBUTE": [{"NAME": name, "VALUE": value} for name, value in values.items()]}}


def tenable(**fields: Any) -> Any:
    return {"id": "a", "updated_at": "2026-03-02T09:40:00Z"} | fields


@pytest.mark.parametrize(
    ("resource", "source", "value"),
    [
        ("instance", "inspector", inspector("AWS_EC2_INSTANCE", "i-1")),
        ("instance", "securityhub", asff("AwsEc2Instance", arn("ec2", "instance/i-1"))),
        ("instance", "securityhub", asff("AwsEc2Instance", "i-1")),
        ("instance", "qualys", qualys(METADATA=metadata("EC2", instanceId="i-1", accountId=ACCOUNT, region=REGION))),
        ("instance", "qualys", qualys(EC2_INSTANCE_ID="i-1", CLOUD_ACCOUNT=ACCOUNT)),
        ("instance", "tenable", tenable(aws_ec2_instance_id="i-1", aws_owner_id=ACCOUNT, aws_region=REGION)),
        ("function", "inspector", inspector("AWS_LAMBDA_FUNCTION", arn("lambda", "function:f:$LATEST"))),
        ("function", "securityhub", asff("AwsLambdaFunction", arn("lambda", "function:f"))),
        ("repository", "inspector", inspector("AWS_ECR_CONTAINER_IMAGE", arn("ecr", "repository/shop/sha256:ab"))),
        ("bucket", "securityhub", asff("AwsS3Bucket", "arn:aws:s3:::shop")),
        ("machine", "inspector", inspector("Microsoft.Compute/virtualMachines", MACHINE.lower())),
        ("machine", "qualys", qualys(METADATA=metadata("AZURE", vmId=VM, subscriptionId=SUBSCRIPTION))),
        ("machine", "tenable", tenable(azure_vm_id=VM, azure_resource_id=MACHINE.lower())),
        ("compute", "inspector", inspector("compute.googleapis.com/Instance", RESOURCES["compute"][1]["name"])),
        ("compute", "qualys", qualys(CLOUD_PROVIDER="GCP", CLOUD_RESOURCE_ID="1234567890", CLOUD_ACCOUNT="shop-prod")),
        ("compute", "tenable", tenable(gcp_instance_id="1234567890", gcp_project_id="shop-prod")),
    ],
)
def test_a_finding_or_its_asset_names_the_resource(resource: str, source: str, value: Any) -> None:
    known, told = read(*RESOURCES[resource]), read(source, value)
    assert isinstance(known, Resource)
    assert isinstance(told, Finding | VendorAsset)
    assert (told.account, told.cloud) == (known.account, known.cloud)
    names = {reference.id.lower() for reference in told.references}  # the store compares them in any case
    assert names & {key.lower() for key in known.keys}
