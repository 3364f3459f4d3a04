"""The AWS documents that Prisma assembles or wraps: one function an api.name; all others are their answer, respelt."""

from collections.abc import Callable
from typing import Any

from agents.normalise._aws_s3 import bucket
from agents.normalise._aws_shape import document, field_name, shaped, tag_list, tag_map

Assemble = Callable[[dict[str, Any], dict[str, Any], str], dict[str, Any]]


def assembled(api_name: str, raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return the document that json.rule asks, in Prisma's shape.

    *raw* is the provider's configuration, *more* AWS Config's supplementary one, decoded; *account* is canonical.
    """
    return _ASSEMBLE.get(api_name, _plain)(raw, more, account)


def is_plain(api_name: str) -> bool:
    """Return whether the document of this API is its answer, respelt and no more."""
    return api_name not in _ASSEMBLE


def _plain(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    config: dict[str, Any] = shaped(raw)
    for name, value in more.items():
        config.setdefault(spelt := field_name(name), shaped(value, spelt))
    return config


def _security_group(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    config = _plain(raw, more, account)
    for name in ("ipPermissions", "ipPermissionsEgress"):
        if type(rules := config.get(name)) is list:
            config[name] = [_ranges(rule) for rule in rules]
    config["isShared"] = type(owner := config.get("ownerId")) is str and owner != account
    return config


def _ranges(rule: Any) -> Any:
    """Return a rule with ranges in both forms: `ipRanges` a list of CIDRs, `ipv4Ranges` of objects with `cidrIp`."""
    if type(rule) is not dict:
        return rule
    given = rule.get("ipv4Ranges") or rule.get("ipRanges")
    if type(given) is not list:
        return rule
    objects = [{"cidrIp": one} if type(one) is str else one for one in given]
    cidrs = [one["cidrIp"] for one in objects if type(one) is dict and type(one.get("cidrIp")) is str]
    return rule | {"ipRanges": cidrs, "ipv4Ranges": objects}


def _under(name: str, *beside: str) -> Assemble:
    """Return a function that puts the answer below *name*; the fields *beside* stay at the top."""

    def assemble(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
        config = _plain(raw, more, account)
        if type(config.get(name)) is dict:  # assembled by its sender
            return config
        top = {key: config.pop(key) for key in (*beside, "tags") if key in config}
        return {name: config} | top

    return assemble


def _key(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return a KMS key with its rotation and its policy."""
    config = _under("keyMetadata", "rotationStatus", "policies", "policy", "aliases")(raw, more, account)
    metadata = config["keyMetadata"]
    rotation = metadata.pop("keyRotationStatus", config.pop("rotationStatus", None))
    if rotation is None:
        rotation = metadata.pop("keyRotationEnabled", None)
    if rotation is not None and "rotation_status" not in config:
        enabled = rotation.get("keyRotationEnabled") if type(rotation) is dict else rotation
        config["rotation_status"] = {"keyRotationEnabled": enabled in (True, "true")}
    if (policy := config.pop("policy", metadata.pop("policy", None))) is not None:
        config.setdefault("policies", {"default": policy})
    if "tags" in config:  # KMS says tagKey and tagValue
        config["tags"] = tag_list(tag_map(config["tags"]))
    return config


def _attached(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return an IAM user, role or group with its policies as Prisma calls them."""
    config = _plain(raw, more, account)
    for name in ("userPolicyList", "rolePolicyList", "groupPolicyList"):
        if name in config:
            config["inlinePolicies"] = config.pop(name)
    if "attachedManagedPolicies" in config:
        config["attachedPolicies"] = config.pop("attachedManagedPolicies")
    return config


def _role(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    config = _attached(raw, more, account)
    if type(config.get("role")) is dict:
        return config
    beside = ("inlinePolicies", "attachedPolicies", "tags")
    return {"role": {key: value for key, value in config.items() if key not in beside}} | {
        key: config[key] for key in beside if key in config
    }


def _policy_version(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return a managed policy with its default version's document."""
    config = _plain(raw, more, account)
    versions = config.get("policyVersionList")
    for one in versions if type(versions) is list else ():
        if type(one) is dict and one.get("isDefaultVersion") is True and "document" not in config:
            config |= {name: one[name] for name in ("document", "versionId", "isDefaultVersion") if name in one}
    if "arn" in config:
        config.setdefault("policyArn", config["arn"])
    if type(count := config.get("attachmentCount")) is int:
        config.setdefault("isAttached", count > 0)
    return config


def _queue(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return a queue: what GetQueueAttributes says is a map, with names of its own spelling, below `attributes`."""
    attributes, beside = raw, {}
    for name, value in raw.items():
        if name.lower() == "attributes" and type(value) is dict:
            attributes = value
        elif name.lower() in ("queueurl", "tags"):
            spelt = field_name(name)
            beside[spelt] = shaped(value, spelt)
    return beside | {
        "attributes": _parsed({key: value for key, value in attributes.items() if key not in ("Tags", "QueueUrl")})
    }


def _topic(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return a topic: GetTopicAttributes' map as it is, policies parsed."""
    inner = next((raw[name] for name in ("Attributes", "attributes") if type(raw.get(name)) is dict), raw)
    return _parsed(inner | {key: raw[key] for key in ("Tags",) if key in raw})


def _parsed(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: document(value) if type(value) is str and key.endswith("Policy") else shaped(value, "tag")
        for key, value in attributes.items()
    }


def _named(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return an answer of an API whose documents keep AWS's own names; policies are parsed."""
    return _parsed(raw) if "Policy" in raw else raw


def _load_balancer(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return a load balancer; its attributes are a map, with dots in their keys as AWS has them."""
    config = _plain(raw, more, account)
    if type(listed := config.get("attributes")) is list:
        config["attributes"] = tag_map(listed)
    return config


def _parameter_group(name: str, *, named: bool) -> Assemble:
    """Return a function that makes a group's parameters a map by *name*; *named*: AWS's own names are kept."""

    def assemble(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
        config = dict(raw) if named else _plain(raw, more, account)
        given = raw.get("Parameters", raw.get("parameters"))
        if type(given) is list:
            config.pop("Parameters", None)
            config["parameters"] = {
                str(one[name]): one if named else shaped(one) for one in given if type(one) is dict and name in one
            }
        return config

    return assemble


def _vpc(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    config = _plain(raw, more, account)
    if "isDefault" in config:
        config.setdefault("default", config["isDefault"])
    config.setdefault("shared", type(owner := config.get("ownerId")) is str and owner != account)
    return config


def _password_policy(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return the password policy that an account has made its own: AWS answers none where it has not."""
    inner = raw.get("PasswordPolicy")
    config = _plain(inner if type(inner) is dict else raw, more, account)
    config.setdefault("isDefaultPolicy", False)
    return config


def _shared(wrap: Assemble, inner: str) -> Assemble:
    """Return what *wrap* returns, with `shared` in *inner* told from the owner."""

    def assemble(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
        config = wrap(raw, more, account)
        if type(part := config.get(inner)) is dict and type(owner := part.get("ownerId")) is str:
            part.setdefault("shared", owner != account)
        return config

    return assemble


def _as_it_is(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    """Return an answer that is a map, such as the account summary."""
    inner = raw.get("SummaryMap")
    return inner if type(inner) is dict else raw


def _bucket(raw: dict[str, Any], more: dict[str, Any], account: str) -> dict[str, Any]:
    return bucket(raw, more)


_ASSEMBLE: dict[str, Assemble] = {
    "aws-describe-mount-targets": _under("fileSystemDescription", "mountTargets", "policy", "backupPolicy"),
    "aws-docdb-db-cluster-parameter-group": _parameter_group("ParameterName", named=True),
    "aws-ec2-describe-images": _shared(_under("image", "launchPermissions"), "image"),
    "aws-ec2-describe-security-groups": _security_group,
    "aws-ec2-describe-snapshots": _under("snapshot", "createVolumePermissions"),
    "aws-ec2-describe-vpcs": _vpc,
    "aws-elb-describe-load-balancers": _under("description", "attributes", "policies"),
    "aws-elbv2-describe-load-balancers": _load_balancer,
    "aws-iam-get-account-password-policy": _password_policy,
    "aws-iam-get-account-summary": _as_it_is,
    "aws-iam-get-policy-version": _policy_version,
    "aws-iam-list-groups": _attached,
    "aws-iam-list-roles": _role,
    "aws-iam-list-users": _attached,
    "aws-kms-get-key-rotation-status": _key,
    "aws-neptune-db-cluster-parameter-group": _parameter_group("ParameterName", named=True),
    "aws-rds-db-cluster-parameter-group": _parameter_group("ParameterName", named=True),
    "aws-rds-describe-db-parameter-groups": _parameter_group("ParameterName", named=False),
    "aws-rds-describe-db-snapshots": _under("snapshot", "attributes"),
    "aws-route53-list-hosted-zones": _under("hostedZone", "resourceRecordSet"),
    "aws-s3api-get-bucket-acl": _bucket,
    "aws-sns-get-topic-attributes": _topic,
    "aws-sqs-get-queue-attributes": _queue,
    "aws-waf-classic-global-web-acl-resource": _under("webACL", "resources", "loggingConfiguration"),
    "aws-waf-classic-web-acl-resource": _under("webACL", "resources", "loggingConfiguration"),
    "aws-waf-v2-global-web-acl-resource": _under("webACL", "resources", "loggingConfiguration"),
    "aws-waf-v2-web-acl-resource": _under("webACL", "resources", "loggingConfiguration"),
    **dict.fromkeys(
        (
            "aws-application-autoscaling-scaling-policy",
            "aws-athena-workgroup",
            "aws-connect-instance",
            "aws-dax-cluster",
            "aws-emr-security-configuration",
            "aws-events-eventbus",
            "aws-fsx-file-system",
            "aws-glue-datacatalog",
            "aws-glue-job",
            "aws-neptune-db-cluster",
            "aws-networkfirewall-firewall",
            "aws-route53-query-logging-config",
            "aws-sagemaker-endpoint-config",
            "aws-sagemaker-training-job",
            "aws-securityhub-hub",
            "aws-ssm-resource-compliance-summary",
            "aws-waf-v2-rule-group",
        ),
        _named,
    ),
}
"""Those at the end are of newer APIs: queries ask them by AWS's own names."""
