"""AWS Security Finding Format: an alert as the finding that Security Hub keeps of it."""

from typing import Any

from agents.sinks._payload import cut
from agents.sinks._text import clean, one_line, title, utc
from streams.alerts import AlertResource, AlertStatus, Delivery
from streams.records import Severity


def finding(delivery: Delivery, region: str, account: str, product: str) -> dict[str, Any] | None:
    """Return the finding about the alert in *region* of *account*; None: an id is longer than Security Hub takes.

    *product*: ARN of the product it is from; empty: the account's own.
    """
    event, alert = delivery.event, delivery.event.alert
    policy, resource = alert.policy, alert.resource
    if len(resource.id) > 512 or len(policy.id) > 512 or len(resource.rrn) > 1024:
        return None
    severity = {"Label": _LABELS[policy.severity], "Original": policy.severity}
    made: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"tidegate/{alert.id}",
        "ProductArn": product or f"arn:{_partition(region)}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": policy.id,
        "AwsAccountId": account,
        "Types": [_TYPE],
        "FirstObservedAt": utc(alert.first_seen),
        "LastObservedAt": utc(alert.last_seen),
        "CreatedAt": utc(alert.first_seen),
        "UpdatedAt": utc(event.at),
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": [_TYPE]},
        "Title": title(delivery, 256),
        "Description": cut(clean(policy.description).strip() or title(delivery, 1024), 1024),
        "ProductFields": _fields(delivery),
        "Resources": [_resource(resource, region)],
        "Compliance": {"Status": "PASSED" if alert.status == "resolved" else "FAILED"},
        "RecordState": _RECORD_STATES[alert.status],
    }
    recommendation: dict[str, str] = {}
    if policy.recommendation.strip():
        recommendation["Text"] = cut(clean(policy.recommendation), 512)
    if delivery.link and len(delivery.link) <= 2048:
        recommendation["Url"] = delivery.link
        made["SourceUrl"] = delivery.link
    return made | {"Remediation": {"Recommendation": recommendation}} if recommendation else made


def _fields(delivery: Delivery) -> dict[str, str]:
    """Return what has no place of its own."""
    alert = delivery.event.alert
    shown = {
        "ProviderName": "Tidegate",
        "tidegate/alertId": alert.id,
        "tidegate/alertStatus": alert.status,
        "tidegate/reason": alert.reason,
        "tidegate/policyName": cut(one_line(alert.policy.name), 1024),
        "tidegate/alertRule": cut(one_line(delivery.rules[0].name), 1024) if delivery.rules else "",
        "tidegate/note": cut(one_line(alert.dismissal_note), 1024),
        "tidegate/labels": cut(", ".join(one_line(label) for label in alert.policy.labels), 1024),
    }
    return {name: value for name, value in shown.items() if value}


def _resource(resource: AlertResource, region: str) -> dict[str, Any]:
    more = {
        "rrn": resource.rrn,
        "name": cut(one_line(resource.name), 1024),
        "apiName": resource.api_name,
        "service": cut(one_line(resource.service), 1024),
        "type": resource.resource_type,
    }
    made: dict[str, Any] = {
        "Type": _TYPES.get(resource.resource_type.replace("::", "").lower(), "Other"),
        "Id": resource.id,
        "Partition": _partition(region),
        "Region": region,
        "Details": {"Other": {name: value for name, value in more.items() if value}},
    }
    tags = {
        cut(one_line(name), 128): cut(one_line(value), 256)
        for name, value in list(resource.tags.items())[:50]
        if name.strip() and value.strip()
    }
    return made | {"Tags": tags} if tags else made


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
_LABELS: dict[Severity, str] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "informational": "INFORMATIONAL",
}
_RECORD_STATES: dict[AlertStatus, str] = {
    "open": "ACTIVE",
    "dismissed": "ARCHIVED",
    "snoozed": "ARCHIVED",
    "resolved": "ARCHIVED",
}
_NAMED = """
    AmazonMqBroker ApiGatewayRestApi ApiGatewayStage ApiGatewayV2Api ApiGatewayV2Stage AppSyncGraphQlApi
    AthenaWorkGroup AutoScalingAutoScalingGroup AutoScalingLaunchConfiguration BackupBackupPlan BackupBackupVault
    BackupRecoveryPoint CertificateManagerCertificate CloudFormationStack CloudFrontDistribution CloudTrailTrail
    CloudWatchAlarm CodeBuildProject DmsEndpoint DmsReplicationInstance DmsReplicationTask DynamoDbTable
    Ec2ClientVpnEndpoint Ec2Eip Ec2Instance Ec2LaunchTemplate Ec2NetworkAcl Ec2NetworkInterface Ec2RouteTable
    Ec2SecurityGroup Ec2Subnet Ec2TransitGateway Ec2Volume Ec2Vpc Ec2VpcEndpointService Ec2VpcPeeringConnection
    Ec2VpnConnection EcrContainerImage EcrRepository EcsCluster EcsContainer EcsService EcsTask EcsTaskDefinition
    EfsAccessPoint EksCluster ElasticBeanstalkEnvironment ElasticsearchDomain ElbLoadBalancer Elbv2LoadBalancer
    EventSchemasRegistry EventsEndpoint EventsEventbus GuardDutyDetector IamAccessKey IamGroup IamPolicy IamRole
    IamUser KinesisStream KmsKey LambdaFunction LambdaLayerVersion MskCluster NetworkFirewallFirewall
    NetworkFirewallFirewallPolicy NetworkFirewallRuleGroup OpenSearchServiceDomain RdsDbCluster RdsDbClusterSnapshot
    RdsDbInstance RdsDbSecurityGroup RdsDbSnapshot RdsEventSubscription RedshiftCluster Route53HostedZone
    S3AccessPoint S3AccountPublicAccessBlock S3Bucket S3Object SageMakerNotebookInstance SecretsManagerSecret
    SnsTopic SqsQueue SsmPatchCompliance StepFunctionStateMachine WafRateBasedRule WafRegionalRateBasedRule
    WafRegionalRule WafRegionalRuleGroup WafRegionalWebAcl WafRule WafRuleGroup WafWebAcl Wafv2RuleGroup Wafv2WebAcl
    XrayEncryptionConfig
"""
_TYPES = {f"aws{name}".lower(): f"Aws{name}" for name in _NAMED.split()} | {
    "awselasticloadbalancingloadbalancer": "AwsElbLoadBalancer",
    "awselasticloadbalancingv2loadbalancer": "AwsElbv2LoadBalancer",
    "awsdynamodbtable": "AwsDynamoDbTable",
    "awsopensearchservicedomain": "AwsOpenSearchServiceDomain",
}
"""Security Hub's name of a resource's type, by CloudFormation's in small letters without its colons."""
