"""Google Cloud's documents in Prisma's shape: the API's own, a few with IAM policies or wrapped into lists."""

from collections.abc import Callable, Mapping
from typing import Any

from agents.normalise._rows import text

Document = dict[str, Any]


def shaped(api_name: str, raw: Document) -> Document:
    """Return the document that json.rule asks. *raw* stays as it is, and may be returned itself."""
    shape = _SHAPES.get(api_name)
    return shape(raw) if shape else raw


def members(policy: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the roles of each member of an IAM policy; a member without its kind, as `a@example.com`."""
    found: dict[str, list[str]] = {}
    bindings = policy.get("bindings")
    for binding in bindings if type(bindings) is list else ():
        if type(binding) is not dict or not text(binding.get("role")):
            continue
        listed = binding.get("members")
        for member in listed if type(listed) is list else ():
            if text(member):
                roles = found.setdefault(member.partition(":")[2] or member, [])
                if binding["role"] not in roles:
                    roles.append(binding["role"])
    return found


def _bucket(raw: Document) -> Document:
    """Return a bucket with its IAM policy as `iam`, its location spelt as queries have it."""
    found = dict(raw)
    if "iam" not in found and type(policy := raw.get("iamPolicy")) is dict:
        found["iam"] = policy
    if type(configuration := raw.get("iamConfiguration")) is dict and "bucketPolicyOnly" in configuration:
        uniform = {"uniformBucketLevelAccess": configuration["bucketPolicyOnly"]}
        found["iamConfiguration"] = uniform | configuration
    return found


def _global_forwarding_rule(raw: Document) -> Document:
    return raw if "globalForwardingRules" in raw else {"globalForwardingRules": [raw]}


def _subnet(raw: Document) -> Document:
    """Return a subnet; whether it has flow logs stands at the top, also where the API has it in `logConfig` alone."""
    if "enableFlowLogs" in raw or type(log := raw.get("logConfig")) is not dict:
        return raw
    return raw | {"enableFlowLogs": log.get("enable") is True}


def _function(raw: Document) -> Document:
    """Return a second-generation function: its state is also its status, as it was in the first."""
    return raw | {"status": raw["state"]} if "state" in raw and "status" not in raw else raw


def _sink(raw: Document) -> Document:
    """Return a log sink; where it writes to a bucket, the bucket's name is told."""
    destination = raw.get("destination")
    if type(destination) is not str:
        return raw
    service, _, name = destination.partition("/")
    return raw | {"destination": {"service": service, "bucket" if service.startswith("storage.") else "name": name}}


def _alert_policy(raw: Document) -> Document:
    """Return an alert policy; a condition's filter stands beside it, as `metricThresholdFilter`."""
    conditions = raw.get("conditions")
    if type(conditions) is not list:
        return raw
    return raw | {"conditions": [_condition(one) for one in conditions]}


def _condition(condition: Any) -> Any:
    threshold = condition.get("conditionThreshold") if type(condition) is dict else None
    if type(threshold) is not dict or "filter" not in threshold:
        return condition
    return condition | {"metricThresholdFilter": threshold["filter"]}


_SHAPES: Mapping[str, Callable[[Document], Document]] = {
    "gcloud-cloud-function-v2": _function,
    "gcloud-compute-global-forwarding-rule": _global_forwarding_rule,
    "gcloud-compute-networks-subnets-list": _subnet,
    "gcloud-logging-sinks-list": _sink,
    "gcloud-monitoring-policies-list": _alert_policy,
    "gcloud-storage-buckets-list": _bucket,
}
