"""What is known of AWS's resource types: Prisma's api.name, which field is the id, the ARN and the name."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.normalise._aws_services import SERVICES
from agents.normalise._rows import words


class Type(NamedTuple):
    """One resource type. Fields are named in Prisma's spelling (field_name)."""

    resource_type: str
    api_name: str
    id: str = ""
    """The field that is the id. `arn`: the ARN is; `account`: there is one an account; empty: what the sender says."""
    arn: str = "arn"
    """The field that holds the ARN, or how it is built."""
    name: str = "name"
    keys: tuple[str, ...] = ()
    """More fields by which a finding may name it."""


def type_of(resource_type: str, api_name: str) -> Type | None:
    """Return what is known of a type, or of an api.name where the type isn't told."""
    return _BY_TYPE.get(resource_type) or _BY_API.get(api_name)


def cluster_type(config: Mapping[str, Any]) -> str:
    """Return the type of what RDS lists among its clusters and is another service's, empty when it's RDS's own."""
    return _ENGINES.get(str(config.get("Engine", config.get("engine"))), "")


def derived(resource_type: str) -> str:
    """Return an api.name made of a type that isn't known: AWS::EC2::LaunchTemplate -> aws-ec2-launch-template."""
    parts = [words(part) for part in resource_type.split(":")]
    made = "-".join(part for part in parts if part and part != "aws")
    return f"aws-{made}" if made else ""


def service_of(resource_type: str, api_name: str) -> str:
    """Return what RQL calls cloud.service; for a service that isn't known, its own name."""
    known = resource_type or (_BY_API[api_name].resource_type if api_name in _BY_API else "")
    parts = [part for part in known.split(":") if part]
    service = parts[1] if len(parts) == 3 else ""
    return SERVICES.get(service, service)


_EC2 = "arn:{partition}:ec2:{region}:{account}:"
_TYPES = (
    Type("AWS::AccessAnalyzer::Analyzer", "aws-access-analyzer", "arn"),
    Type("AWS::AmazonMQ::Broker", "aws-mq-broker", "arn", "brokerArn", "brokerName", ("brokerId",)),
    Type("AWS::ApiGateway::RestApi", "aws-apigateway-get-rest-apis", "id"),
    Type("AWS::ApiGateway::Stage", "aws-apigateway-get-stages", name="stageName"),
    Type("AWS::AppSync::GraphQLApi", "aws-appsync-graphql-api", "arn"),
    Type("AWS::Athena::WorkGroup", "aws-athena-workgroup", "name"),
    Type(
        "AWS::AutoScaling::AutoScalingGroup",
        "aws-describe-auto-scaling-groups",
        "autoScalingGroupName",
        "autoScalingGroupARN",
        "autoScalingGroupName",
    ),
    Type(
        "AWS::AutoScaling::LaunchConfiguration",
        "aws-ec2-autoscaling-launch-configuration",
        "launchConfigurationName",
        "launchConfigurationARN",
        "launchConfigurationName",
    ),
    Type("AWS::Bedrock::Agent", "aws-bedrock-agent", "arn", "agentArn", "agentName"),
    Type("AWS::CertificateManager::Certificate", "aws-acm-describe-certificate", "arn", "certificateArn", "domainName"),
    Type("AWS::ACM::Certificate", "aws-acm-describe-certificate", "arn", "certificateArn", "domainName"),
    Type("AWS::CloudFormation::Stack", "aws-cloudformation-describe-stacks", "arn", "stackId", "stackName"),
    Type("AWS::CloudFront::Distribution", "aws-cloudfront-list-distributions", "id", name="domainName"),
    Type("AWS::CloudTrail::Trail", "aws-cloudtrail-describe-trails", "arn", "trailARN"),
    Type("AWS::CloudWatch::Alarm", "aws-cloudwatch-describe-alarms", "arn", "alarmArn", "alarmName"),
    Type("AWS::CodeBuild::Project", "aws-code-build-project", "arn"),
    Type("AWS::Cognito::IdentityPool", "aws-cognito-identity-pool", "identityPoolId", name="identityPoolName"),
    Type("AWS::Cognito::UserPool", "aws-cognito-user-pool", "id"),
    Type("AWS::Config::ConfigurationRecorder", "aws-configservice-describe-configuration-recorders", "name"),
    Type("AWS::Config::DeliveryChannel", "aws-configservice-describe-delivery-channels", "name"),
    Type("AWS::Connect::Instance", "aws-connect-instance", "arn", name="instanceAlias"),
    Type("AWS::DAX::Cluster", "aws-dax-cluster", "arn", "clusterArn", "clusterName"),
    Type("AWS::DMS::Endpoint", "aws-dms-endpoint", "arn", "endpointArn", "endpointIdentifier"),
    Type("AWS::DMS::ReplicationInstance", "aws-dms-replication-instance", "arn", "replicationInstanceArn"),
    Type("AWS::DynamoDB::Table", "aws-dynamodb-describe-table", "arn", "tableArn", "tableName"),
    Type("AWS::EC2::CustomerGateway", "aws-vpc-customer-gateway", "customerGatewayId"),
    Type("AWS::EC2::EIP", "aws-ec2-elastic-address", "allocationId", _EC2 + "elastic-ip/{id}", "publicIp"),
    Type("AWS::EC2::FlowLog", "aws-ec2-describe-flow-logs", "flowLogId", _EC2 + "vpc-flow-log/{id}"),
    Type("AWS::EC2::Image", "aws-ec2-describe-images", "imageId", "arn:{partition}:ec2:{region}::image/{id}"),
    Type("AWS::EC2::Instance", "aws-ec2-describe-instances", "instanceId", _EC2 + "instance/{id}"),
    Type(
        "AWS::EC2::InternetGateway",
        "aws-ec2-describe-internet-gateways",
        "internetGatewayId",
        _EC2 + "internet-gateway/{id}",
    ),
    Type("AWS::EC2::KeyPair", "aws-ec2-key-pair", "keyPairId", _EC2 + "key-pair/{id}", "keyName"),
    Type("AWS::EC2::NatGateway", "aws-vpc-nat-gateway", "natGatewayId", _EC2 + "natgateway/{id}"),
    Type("AWS::EC2::NetworkAcl", "aws-ec2-describe-network-acls", "networkAclId", _EC2 + "network-acl/{id}"),
    Type(
        "AWS::EC2::NetworkInterface",
        "aws-ec2-describe-network-interfaces",
        "networkInterfaceId",
        _EC2 + "network-interface/{id}",
    ),
    Type("AWS::EC2::RouteTable", "aws-ec2-describe-route-tables", "routeTableId", _EC2 + "route-table/{id}"),
    Type(
        "AWS::EC2::SecurityGroup",
        "aws-ec2-describe-security-groups",
        "groupId",
        _EC2 + "security-group/{id}",
        "groupName",
    ),
    Type(
        "AWS::EC2::Snapshot", "aws-ec2-describe-snapshots", "snapshotId", "arn:{partition}:ec2:{region}::snapshot/{id}"
    ),
    Type("AWS::EC2::Subnet", "aws-ec2-describe-subnets", "subnetId", "subnetArn"),
    Type("AWS::EC2::TransitGateway", "aws-vpc-transit-gateway", "transitGatewayId", "transitGatewayArn"),
    Type("AWS::EC2::VPC", "aws-ec2-describe-vpcs", "vpcId", _EC2 + "vpc/{id}"),
    Type("AWS::EC2::VPCEndpoint", "aws-describe-vpc-endpoints", "vpcEndpointId", _EC2 + "vpc-endpoint/{id}"),
    Type(
        "AWS::EC2::VPCPeeringConnection",
        "aws-ec2-describe-vpc-peering-connections",
        "vpcPeeringConnectionId",
        _EC2 + "vpc-peering-connection/{id}",
    ),
    Type("AWS::EC2::Volume", "aws-ec2-describe-volumes", "volumeId", _EC2 + "volume/{id}"),
    Type("aws:ec2:EbsEncryptionByDefault", "aws-ec2-ebs-encryption", "account"),
    Type("AWS::ECR::Repository", "aws-ecr-get-repository-policy", "arn", "repositoryArn", "repositoryName"),
    Type("AWS::ECS::Cluster", "aws-ecs-cluster", "arn", "clusterArn", "clusterName"),
    Type("AWS::ECS::ContainerInstance", "aws-ecs-container-instance", "arn", "containerInstanceArn"),
    Type("AWS::ECS::Service", "aws-ecs-service", "arn", "serviceArn", "serviceName"),
    Type("AWS::ECS::TaskDefinition", "aws-ecs-describe-task-definition", "arn", "taskDefinitionArn", "family"),
    Type("AWS::EFS::FileSystem", "aws-describe-mount-targets", "fileSystemId", "fileSystemArn"),
    Type("AWS::EFS::MountTarget", "aws-describe-mount-targets", "mountTargetId"),
    Type("AWS::EKS::Cluster", "aws-eks-describe-cluster", "arn"),
    Type("AWS::EMR::BlockPublicAccess", "aws-emr-public-access-block", "account"),
    Type("AWS::EMR::Cluster", "aws-emr-describe-cluster", "id", "clusterArn"),
    Type("AWS::EMR::SecurityConfiguration", "aws-emr-security-configuration", "name"),
    Type("AWS::ElastiCache::CacheCluster", "aws-elasticache-cache-clusters", "arn", name="cacheClusterId"),
    Type(
        "AWS::ElastiCache::ReplicationGroup",
        "aws-elasticache-describe-replication-groups",
        "arn",
        name="replicationGroupId",
    ),
    Type("AWS::ElasticBeanstalk::Environment", "aws-elasticbeanstalk-environment", "arn", "environmentArn"),
    Type(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        "aws-elb-describe-load-balancers",
        "loadBalancerName",
        "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{id}",
        "loadBalancerName",
    ),
    Type(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "aws-elbv2-describe-load-balancers",
        "arn",
        "loadBalancerArn",
        "loadBalancerName",
    ),
    Type(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "aws-elbv2-target-group",
        "arn",
        "targetGroupArn",
        "targetGroupName",
    ),
    Type("AWS::Elasticsearch::Domain", "aws-es-describe-elasticsearch-domain", "arn", name="domainName"),
    Type("AWS::OpenSearch::Domain", "aws-es-describe-elasticsearch-domain", "arn", name="domainName"),
    Type("AWS::Events::EventBus", "aws-events-eventbus", "arn"),
    Type("AWS::FSx::FileSystem", "aws-fsx-file-system", "fileSystemId", "resourceARN"),
    Type("AWS::Glue::Connection", "aws-glue-connection", "name"),
    Type("AWS::Glue::DataCatalogEncryptionSettings", "aws-glue-datacatalog", "account"),
    Type("AWS::Glue::Job", "aws-glue-job", "name"),
    Type("AWS::Glue::SecurityConfiguration", "aws-glue-security-configuration", "name"),
    Type("AWS::GuardDuty::Detector", "aws-guardduty-detector", "account"),
    Type("AWS::IAM::AccessKey", "aws-iam-list-access-keys", "accessKeyId", name="userName"),
    Type("AWS::IAM::AccountPasswordPolicy", "aws-iam-get-account-password-policy", "account"),
    Type("AWS::IAM::AccountSummary", "aws-iam-get-account-summary", "account"),
    Type("AWS::IAM::CredentialReport", "aws-iam-get-credential-report", "arn", name="user"),
    Type("AWS::IAM::Group", "aws-iam-list-groups", "arn", name="groupName", keys=("groupId",)),
    Type("AWS::IAM::MFADevice", "aws-iam-list-mfa-devices", "serialNumber", "serialNumber", "userName"),
    Type("AWS::IAM::Policy", "aws-iam-get-policy-version", "arn", name="policyName", keys=("policyId",)),
    Type("AWS::IAM::PolicyVersion", "aws-iam-get-policy-version", "", "policyArn", "policyName"),
    Type("AWS::IAM::Role", "aws-iam-list-roles", "arn", name="roleName", keys=("roleId",)),
    Type("AWS::IAM::SAMLProvider", "aws-iam-saml-provider", "arn"),
    Type("AWS::IAM::SSHPublicKey", "aws-iam-list-ssh-public-keys", "sshpublicKeyId", name="userName"),
    Type("AWS::IAM::ServerCertificate", "aws-iam-list-server-certificates", "arn", name="serverCertificateName"),
    Type("AWS::IAM::User", "aws-iam-list-users", "arn", name="userName", keys=("userId",)),
    Type("AWS::IAM::VirtualMFADevice", "aws-iam-list-virtual-mfa-devices", "serialNumber", "serialNumber"),
    Type("AWS::KMS::Key", "aws-kms-get-key-rotation-status", "arn", name="keyId", keys=("keyId",)),
    Type("AWS::Kinesis::Stream", "aws-kinesis-list-streams", "arn", "streamARN", "streamName"),
    Type(
        "AWS::KinesisFirehose::DeliveryStream",
        "aws-kinesis-firehose-delivery-stream",
        "arn",
        "deliveryStreamARN",
        "deliveryStreamName",
    ),
    Type("AWS::Lambda::Function", "aws-lambda-list-functions", "arn", "functionArn", "functionName"),
    Type("AWS::Logs::LogGroup", "aws-cloudwatch-log-group", "logGroupName", name="logGroupName"),
    Type("AWS::Logs::MetricFilter", "aws-logs-describe-metric-filters", name="filterName"),
    Type("AWS::MSK::Cluster", "aws-msk-cluster", "arn", "clusterArn", "clusterName"),
    Type("AWS::Macie::Session", "aws-macie2-session", "account"),
    Type("AWS::NetworkFirewall::Firewall", "aws-networkfirewall-firewall", "arn", "firewallArn", "firewallName"),
    Type("AWS::Organizations::Account", "aws-organizations-account", "arn"),
    Type(
        "AWS::RDS::DBCluster",
        "aws-rds-db-cluster",
        "arn",
        "dbclusterArn",
        "dbclusterIdentifier",
        ("dbClusterResourceId",),
    ),
    Type(
        "AWS::RDS::DBClusterParameterGroup",
        "aws-rds-db-cluster-parameter-group",
        "arn",
        "dbclusterParameterGroupArn",
        "dbclusterParameterGroupName",
    ),
    Type(
        "AWS::RDS::DBClusterSnapshot",
        "aws-rds-db-cluster-snapshots",
        "arn",
        "dbclusterSnapshotArn",
        "dbclusterSnapshotIdentifier",
    ),
    Type(
        "AWS::RDS::DBInstance",
        "aws-rds-describe-db-instances",
        "arn",
        "dbinstanceArn",
        "dbinstanceIdentifier",
        ("dbiResourceId",),
    ),
    Type(
        "AWS::RDS::DBParameterGroup",
        "aws-rds-describe-db-parameter-groups",
        "arn",
        "dbparameterGroupArn",
        "dbparameterGroupName",
    ),
    Type("AWS::RDS::DBSnapshot", "aws-rds-describe-db-snapshots", "arn", "dbsnapshotArn", "dbsnapshotIdentifier"),
    Type("AWS::RDS::EventSubscription", "aws-rds-describe-event-subscriptions", "arn", "eventSubscriptionArn"),
    Type(
        "AWS::Redshift::Cluster",
        "aws-redshift-describe-clusters",
        "clusterIdentifier",
        "arn:{partition}:redshift:{region}:{account}:cluster:{id}",
        "clusterIdentifier",
    ),
    Type("AWS::Route53::HostedZone", "aws-route53-list-hosted-zones", "id"),
    Type("AWS::S3::AccessPoint", "aws-s3-access-point", "arn", "accessPointArn"),
    Type("AWS::S3::Bucket", "aws-s3api-get-bucket-acl", "name", "arn:{partition}:s3:::{id}"),
    Type("AWS::SNS::Topic", "aws-sns-get-topic-attributes", "arn", "topicArn", "topicName"),
    Type("AWS::SQS::Queue", "aws-sqs-get-queue-attributes", "arn", "queueArn", "queueName"),
    Type("AWS::SSM::Document", "aws-ssm-document", "name"),
    Type("AWS::SageMaker::Endpoint", "aws-sagemaker-endpoint", "arn", "endpointArn", "endpointName"),
    Type(
        "AWS::SageMaker::NotebookInstance",
        "aws-sagemaker-notebook-instance",
        "arn",
        "notebookInstanceArn",
        "notebookInstanceName",
    ),
    Type("AWS::SecretsManager::Secret", "aws-secretsmanager-describe-secret", "arn"),
    Type("AWS::SecurityHub::Hub", "aws-securityhub-hub", "arn", "hubArn"),
    Type("AWS::StepFunctions::StateMachine", "aws-step-functions-statemachine", "arn", "stateMachineArn"),
    Type("AWS::Transfer::Server", "aws-transfer-family-server", "arn", name="serverId"),
    Type("AWS::WAF::WebACL", "aws-waf-classic-global-web-acl-resource", "webACLId", "webACLArn"),
    Type("AWS::WAFRegional::WebACL", "aws-waf-classic-web-acl-resource", "webACLId", "webACLArn"),
    Type("AWS::WAFv2::RuleGroup", "aws-waf-v2-rule-group", "arn"),
    Type("AWS::WAFv2::WebACL", "aws-waf-v2-web-acl-resource", "arn"),
    Type("AWS::ACMPCA::CertificateAuthority", "aws-acm-pca-certificate-authority", "arn"),
    Type("AWS::ApiGateway::ClientCertificate", "aws-apigateway-client-certificates", "clientCertificateId"),
    Type("AWS::ApiGateway::DomainName", "aws-apigateway-domain-name", "domainName", name="domainName"),
    Type("AWS::ApiGateway::Method", "aws-apigateway-method", name="httpMethod"),
    Type(
        "AWS::ApplicationAutoScaling::ScalingPolicy", "aws-application-autoscaling-scaling-policy", "arn", "policyARN"
    ),
    Type("AWS::Bedrock::CustomModel", "aws-bedrock-custom-model", "arn", "modelArn", "modelName"),
    Type("AWS::CloudTrail::EventSelectors", "aws-cloudtrail-get-event-selectors", "", "trailARN"),
    Type("AWS::CloudTrail::TrailStatus", "aws-cloudtrail-get-trail-status"),
    Type("AWS::DMS::Certificate", "aws-dms-certificate", "arn", "certificateArn", "certificateIdentifier"),
    Type("AWS::DMS::ReplicationTask", "aws-dms-replication-task", "arn", "replicationTaskArn"),
    Type("AWS::DocDB::DBCluster", "aws-docdb-db-cluster", "arn", "dbclusterArn", "dbclusterIdentifier"),
    Type(
        "AWS::DocDB::DBClusterParameterGroup",
        "aws-docdb-db-cluster-parameter-group",
        "arn",
        "dbclusterParameterGroupArn",
        "dbclusterParameterGroupName",
    ),
    Type("AWS::EC2::ClientVpnEndpoint", "aws-ec2-client-vpn-endpoint", "clientVpnEndpointId"),
    Type("AWS::EC2::DHCPOptions", "aws-vpc-dhcp-options", "dhcpOptionsId", _EC2 + "dhcp-options/{id}"),
    Type(
        "AWS::EC2::VPNConnection", "aws-ec2-describe-vpn-connections", "vpnConnectionId", _EC2 + "vpn-connection/{id}"
    ),
    Type("AWS::EC2::VPNGateway", "aws-ec2-describe-vpn-gateways", "vpnGatewayId", _EC2 + "vpn-gateway/{id}"),
    Type("AWS::ECR::Image", "aws-ecr-image", name="imageDigest", keys=("imageDigest",)),
    Type("AWS::EMR::Studio", "aws-emr-studio", "studioId", "studioArn"),
    Type("AWS::ElastiCache::Snapshot", "aws-elasticache-snapshots", "arn", name="snapshotName"),
    Type("AWS::ElastiCache::SubnetGroup", "aws-elasticache-subnet-groups", "arn", name="cacheSubnetGroupName"),
    Type("AWS::IAM::AttachedUserPolicy", "aws-iam-list-attached-user-policies", name="policyName"),
    Type("AWS::Lightsail::Instance", "aws-lightsail-instance", "arn"),
    Type("AWS::Neptune::DBCluster", "aws-neptune-db-cluster", "arn", "dbclusterArn", "dbclusterIdentifier"),
    Type(
        "AWS::Neptune::DBClusterParameterGroup",
        "aws-neptune-db-cluster-parameter-group",
        "arn",
        "dbclusterParameterGroupArn",
        "dbclusterParameterGroupName",
    ),
    Type("AWS::NetworkFirewall::LoggingConfiguration", "aws-network-firewall-logging-configuration", "", "firewallArn"),
    Type("AWS::Route53::QueryLoggingConfig", "aws-route53-query-logging-config", "id"),
    Type("AWS::Route53Domains::Domain", "aws-route53-domain", "domainName", name="domainName"),
    Type("AWS::S3::AccountPublicAccessBlock", "aws-s3control-public-access-block", "account"),
    Type("AWS::SSM::Parameter", "aws-ssm-parameter", "name"),
    Type("AWS::SSM::ResourceCompliance", "aws-ssm-resource-compliance-summary"),
    Type("AWS::SageMaker::EndpointConfig", "aws-sagemaker-endpoint-config", "arn", "endpointConfigArn"),
    Type("AWS::SageMaker::TrainingJob", "aws-sagemaker-training-job", "arn", "trainingJobArn", "trainingJobName"),
    Type("AWS::WorkSpaces::Workspace", "aws-workspaces-describe-workspaces", "workspaceId"),
)

TYPES = {known.resource_type: known for known in _TYPES}
"""Every type that needs no api.name from its sender."""

_BY_TYPE = TYPES
_ENGINES = {"docdb": "AWS::DocDB::DBCluster", "neptune": "AWS::Neptune::DBCluster"}
_BY_API = {known.api_name: known for known in reversed(_TYPES)}
