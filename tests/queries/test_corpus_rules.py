"""Rules over the corpus of real configurations: each finds what a line of plain Python, written by hand, finds."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.queries.corpus import CONFIGS, NOW, Corpus, Doc, at, each, met

pytestmark = pytest.mark.skipif(not CONFIGS.exists(), reason="the corpus of real configurations isn't here")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    with Corpus.open(tmp_path_factory.mktemp("corpus")) as found:
        yield found


def ranges(sg: Doc) -> list[str]:
    """Return the IPv4 networks that a security group lets in."""
    return [r for p in each(sg, "ipPermissions") for r in each(p, "ipRanges")]


def ranges6(sg: Doc) -> list[str]:
    """Return the IPv6 networks."""
    return [r["cidrIpv6"] for p in each(sg, "ipPermissions") for r in each(p, "ipv6Ranges")]


def opened(port: int) -> Callable[[Doc], bool]:
    """Return whether a rule of the group opens *port* to everybody."""

    def test(sg: Doc) -> bool:
        return any(
            "0.0.0.0/0" in each(p, "ipRanges") and p.get("fromPort", 70_000) <= port <= p.get("toPort", -1)
            for p in each(sg, "ipPermissions")
        )

    return test


def texts(value: Any) -> str:
    """Return the value as JSON text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


VM, SG, NIC = "aws-ec2-describe-instances", "aws-ec2-describe-security-groups", "aws-ec2-describe-network-interfaces"
USER, ROLE, REPORT = "aws-iam-list-users", "aws-iam-list-roles", "aws-iam-get-credential-report"
NSG, BLOB, VAULT = "azure-network-nsg-list", "azure-storage-account-list", "azure-key-vault-list"
BUCKET, WALL, GVM = "gcloud-storage-buckets-list", "gcloud-compute-firewall-rules-list", "gcloud-compute-instances-list"
RDS, SQS, KMS = "aws-rds-describe-db-instances", "aws-sqs-get-queue-attributes", "aws-kms-get-key-rotation-status"
"""api.names that are asked often."""

RULES: tuple[tuple[str, str, Callable[[Doc], bool]], ...] = (
    # api.name, json.rule, the same in Python
    (VM, "state.name equals running", lambda d: at(d, "state.name") == "running"),
    (VM, "state.name does not equal running", lambda d: at(d, "state.name") != "running"),
    (VM, "publicIpAddress exists", lambda d: "publicIpAddress" in d),
    (VM, "publicIpAddress does not exist", lambda d: "publicIpAddress" not in d),
    (VM, "state.code equals 16", lambda d: at(d, "state.code") == 16),
    (VM, 'state.code == "16"', lambda d: at(d, "state.code") == 16),
    (VM, "instanceType starts with t2", lambda d: d["instanceType"].startswith("t2")),
    (VM, "instanceType equal ignore case T2.MICRO", lambda d: d["instanceType"].lower() == "t2.micro"),
    (VM, "instanceType is member of (t2.micro, t3.micro)", lambda d: d["instanceType"] in ("t2.micro", "t3.micro")),
    (VM, "securityGroups[*] size greater than 1", lambda d: len(each(d, "securityGroups")) > 1),
    (VM, "securityGroups[*] size == 0", lambda d: len(each(d, "securityGroups")) == 0),
    (VM, "blockDeviceMappings is empty", lambda d: d.get("blockDeviceMappings") == []),
    (VM, "tags[?(@.key=='Name')] exists", lambda d: any(t["key"] == "Name" for t in each(d, "tags"))),
    (
        VM,
        "tags[?any( key equals Name and value contains test )] exists",
        lambda d: any(t["key"] == "Name" and "test" in t["value"] for t in each(d, "tags")),
    ),
    (VM, "not (tags[*].key contains Name)", lambda d: not any("Name" in t["key"] for t in each(d, "tags"))),
    (VM, "_DateTime.ageInDays(launchTime) > 1500", lambda d: age(d["launchTime"]) > 1500),
    (VM, "monitoring.state any equal disabled", lambda d: at(d, "monitoring.state") == "disabled"),
    (
        VM,
        "_IPAddress.inCIDRRange(privateIpAddress,172.31.0.0/16) is true",
        lambda d: str(d.get("privateIpAddress", "")).startswith("172.31."),
    ),
    (
        VM,
        'privateIpAddress any start with _IPAddress.inRange("10.%d.",0,255)',
        lambda d: str(d.get("privateIpAddress", "")).startswith("10."),
    ),
    (VM, "metadataOptions.httpTokens != required", lambda d: at(d, "metadataOptions.httpTokens") != "required"),
    (
        VM,
        "networkInterfaces[0].status equals in-use",
        lambda d: at(first(d, "networkInterfaces"), "status") == "in-use",
    ),
    (VM, "iamInstanceProfile.arn ends with role", lambda d: str(at(d, "iamInstanceProfile.arn")).endswith("role")),
    (VM, "publicDnsName is empty", lambda d: d.get("publicDnsName") == ""),
    (VM, "publicDnsName length greater than 40", lambda d: len(d.get("publicDnsName") or "") > 40),
    (SG, "ipPermissions[*].ipRanges[*] contains 0.0.0.0/0", lambda d: "0.0.0.0/0" in ranges(d)),
    (SG, "ipPermissions[*].ipv6Ranges[*].cidrIpv6 contains ::/0", lambda d: "::/0" in ranges6(d)),
    (
        SG,
        "ipPermissions[?any( fromPort <= 22 and toPort >= 22 and ipRanges[*] contains 0.0.0.0/0 )] exists",
        opened(22),
    ),
    (
        SG,
        "ipPermissions[?(@.fromPort <= 443 && @.toPort >= 443)].ipRanges[*] contains 0.0.0.0/0",
        opened(443),
    ),
    (
        SG,
        "ipPermissions[?none( ipRanges[*] contains 0.0.0.0/0 )] exists",
        lambda d: not any("0.0.0.0/0" in each(p, "ipRanges") for p in each(d, "ipPermissions")),
    ),
    (
        SG,
        "ipPermissions[?all( ipProtocol equals tcp )] exists",
        lambda d: bool(each(d, "ipPermissions")) and all(p["ipProtocol"] == "tcp" for p in each(d, "ipPermissions")),
    ),
    (SG, "ipPermissions is empty", lambda d: d.get("ipPermissions") == []),
    (SG, "groupName equals default", lambda d: d["groupName"] == "default"),
    (SG, "description number of words greater than 3", lambda d: len(d["description"].split()) > 3),
    (
        SG,
        "ipPermissions[*].userIdGroupPairs[*].groupId intersects $.groupId",
        lambda d: any(
            g["groupId"] == d["groupId"] for p in each(d, "ipPermissions") for g in each(p, "userIdGroupPairs")
        ),
    ),
    (
        SG,
        "ipPermissions[*].fromPort contains _Port.inRange(20,25)",
        lambda d: any(20 <= p.get("fromPort", -1) <= 25 for p in each(d, "ipPermissions")),
    ),
    (NIC, "association.publicIp exists", lambda d: at(d, "association.publicIp") is not None),
    (NIC, "status does not equal in-use", lambda d: d["status"] != "in-use"),
    (
        NIC,
        "attachment.instanceId exists and groups[*].groupName contains launch-wizard",
        lambda d: (
            at(d, "attachment.instanceId") is not None
            and any("launch-wizard" in g["groupName"] for g in each(d, "groups"))
        ),
    ),
    (KMS, "keyMetadata.keyManager equals CUSTOMER", lambda d: at(d, "keyMetadata.keyManager") == "CUSTOMER"),
    (
        KMS,
        "keyMetadata.keyState equals PendingDeletion",
        lambda d: at(d, "keyMetadata.keyState") == "PendingDeletion",
    ),
    (KMS, "keyMetadata.enabled is false", lambda d: at(d, "keyMetadata.enabled") is False),
    (RDS, "publiclyAccessible is true", lambda d: d.get("publiclyAccessible") is True),
    (RDS, "storageEncrypted is false", lambda d: d.get("storageEncrypted") is False),
    (
        RDS,
        "engine contains postgres and multiAZ is false",
        lambda d: "postgres" in d["engine"] and d.get("multiAZ") is False,
    ),
    (RDS, "endpoint.port does not intersect (3306, 5432)", lambda d: at(d, "endpoint.port") not in (3306, 5432)),
    (RDS, "backupRetentionPeriod less than 7", lambda d: d.get("backupRetentionPeriod", 99) < 7),
    (
        SQS,
        "attributes.Policy.Statement[?any( Effect equals Allow and Principal equals * )] exists",
        lambda d: any(
            s["Effect"] == "Allow" and s.get("Principal") == "*" for s in each(d, "attributes.Policy.Statement")
        ),
    ),
    (
        SQS,
        "attributes.VisibilityTimeout greater than 30",
        lambda d: float(at(d, "attributes.VisibilityTimeout") or 0) > 30,
    ),
    (SQS, "attributes.Policy does not exist", lambda d: at(d, "attributes.Policy") is None),
    (USER, "passwordLastUsed exists", lambda d: "passwordLastUsed" in d),
    (USER, "_DateTime.ageInDays(createDate) > 2000", lambda d: age(d["createDate"]) > 2000),
    (USER, "_DateTime.ageInYears(createDate) >= 10", lambda d: d["createDate"] <= "2016-01-01"),
    (
        ROLE,
        "role.assumeRolePolicyDocument.Statement[*].Principal.Service any equal ec2.amazonaws.com",
        lambda d: any(
            "ec2.amazonaws.com" in many(at(s, "Principal.Service"))
            for s in each(d, "role.assumeRolePolicyDocument.Statement")
        ),
    ),
    (
        REPORT,
        "mfa_active is false and password_enabled equals true",
        lambda d: str(d["mfa_active"]).lower() == "false" and str(d["password_enabled"]).lower() == "true",
    ),
    (
        REPORT,
        'user equals "<root_account>" and access_key_1_active is true',
        lambda d: d["user"] == "<root_account>" and str(d["access_key_1_active"]).lower() == "true",
    ),
    (
        REPORT,
        "access_key_1_last_used_date != N/A and _DateTime.ageInDays(access_key_1_last_used_date) > 90",
        lambda d: d["access_key_1_last_used_date"] != "N/A" and age(d["access_key_1_last_used_date"]) > 90,
    ),
    ("aws-cloudtrail-describe-trails", "isMultiRegionTrail is true", lambda d: d.get("isMultiRegionTrail") is True),
    (
        "aws-cloudtrail-describe-trails",
        "kmsKeyId does not exist and logFileValidationEnabled is false",
        lambda d: "kmsKeyId" not in d and d.get("logFileValidationEnabled") is False,
    ),
    (
        "aws-lambda-list-functions",
        "runtime contains python and timeout > 100",
        lambda d: "python" in d.get("runtime", "") and d["timeout"] > 100,
    ),
    (
        "aws-lambda-list-functions",
        "environment.variables exists",
        lambda d: at(d, "environment.variables") is not None,
    ),
    ("aws-ec2-describe-subnets", "mapPublicIpOnLaunch is true", lambda d: d.get("mapPublicIpOnLaunch") is True),
    ("aws-ec2-describe-subnets", "availableIpAddressCount < 200", lambda d: d["availableIpAddressCount"] < 200),
    (
        "aws-ec2-describe-volumes",
        "encrypted is false and attachments[*] size > 0",
        lambda d: d["encrypted"] is False and len(each(d, "attachments")) > 0,
    ),
    ("aws-ec2-describe-snapshots", "encrypted is false", lambda d: d.get("encrypted") is False),
    (
        "aws-elbv2-describe-load-balancers",
        "scheme equals internet-facing",
        lambda d: d.get("scheme") == "internet-facing",
    ),
    (
        NSG,
        "securityRules[?any( access equals Allow and direction equals Inbound and sourceAddressPrefix == * )] exists",
        lambda d: any(
            r["access"] == "Allow" and r["direction"] == "Inbound" and r.get("sourceAddressPrefix") == "*"
            for r in each(d, "securityRules")
        ),
    ),
    (
        NSG,
        "securityRules[*].destinationPortRange contains _Port.inRange(22,22)",
        lambda d: any(port_in(r.get("destinationPortRange", ""), 22) for r in each(d, "securityRules")),
    ),
    (NSG, "securityRules is empty", lambda d: d.get("securityRules") == []),
    (
        BLOB,
        "properties.supportsHttpsTrafficOnly is false",
        lambda d: at(d, "properties.supportsHttpsTrafficOnly") is False,
    ),
    (
        BLOB,
        "properties.minimumTlsVersion does not equal TLS1_2",
        lambda d: at(d, "properties.minimumTlsVersion") != "TLS1_2",
    ),
    (
        BLOB,
        "properties.networkAcls.defaultAction equal ignore case 'allow'",
        lambda d: str(at(d, "properties.networkAcls.defaultAction")).lower() == "allow",
    ),
    (BLOB, "tags does not contain costcenter", lambda d: "costcenter" not in texts(d.get("tags"))),
    (VAULT, "properties.enableSoftDelete is true", lambda d: at(d, "properties.enableSoftDelete") is True),
    (
        VAULT,
        "properties.accessPolicies[*].permissions.keys[*] any equal Get",
        lambda d: any("Get" in each(p, "permissions.keys") for p in each(d, "properties.accessPolicies")),
    ),
    (
        "azure-activity-log-alerts",
        "properties.condition.allOf[?(@.field=='operationName')].equals equals "
        "Microsoft.Security/securitySolutions/write",
        lambda d: any(
            c.get("field") == "operationName" and c.get("equals") == "Microsoft.Security/securitySolutions/write"
            for c in each(d, "properties.condition.allOf")
        ),
    ),
    ("azure-disk-list", "osType does not exist", lambda d: "osType" not in d),
    (BUCKET, "location does not contain US", lambda d: "US" not in d["location"]),
    (BUCKET, "acl[*].role any equal OWNER", lambda d: any(a["role"] == "OWNER" for a in each(d, "acl"))),
    (BUCKET, "labels does not exist", lambda d: "labels" not in d),
    (
        WALL,
        "sourceRanges[*] contains 0.0.0.0/0 and disabled is false",
        lambda d: "0.0.0.0/0" in each(d, "sourceRanges") and d["disabled"] is False,
    ),
    (
        WALL,
        "allowed[*].ports[*] contains _Port.inRange(22,22)",
        lambda d: any(port_in(p, 22) for a in each(d, "allowed") for p in each(a, "ports")),
    ),
    (
        WALL,
        "allowed[?any( IPProtocol equals tcp and ports does not exist )] exists",
        lambda d: any(a["IPProtocol"] == "tcp" and "ports" not in a for a in each(d, "allowed")),
    ),
    (
        GVM,
        "status equals RUNNING and networkInterfaces[*].accessConfigs[*].natIP exists",
        lambda d: (
            d["status"] == "RUNNING"
            and any("natIP" in a for n in each(d, "networkInterfaces") for a in each(n, "accessConfigs"))
        ),
    ),
    (
        "gcloud-sql-instances-list",
        "settings.ipConfiguration.ipv4Enabled is true",
        lambda d: at(d, "settings.ipConfiguration.ipv4Enabled") is True,
    ),
    ("gcloud-kms-crypto-keys-list", "rotationPeriod does not exist", lambda d: "rotationPeriod" not in d),
)


def age(time: str) -> int:
    """Return the days since *time*."""
    read = datetime.fromisoformat(time)
    return (NOW - (read if read.tzinfo else read.replace(tzinfo=UTC))).days


def first(doc: Doc, path: str) -> Any:
    """Return the first element of the list at *path*."""
    return next(iter(each(doc, path)), None)


def many(value: Any) -> list[Any]:
    """Return the list, or a list of the one value."""
    return value if isinstance(value, list) else [value]


def port_in(shown: str, port: int) -> bool:
    """Tell whether a port or a range holds *port*."""
    low, _, high = shown.partition("-")
    return low.isdigit() and int(low) <= port <= int(high or low)


@pytest.mark.parametrize(("api_name", "rule", "holds"), RULES, ids=[f"{name}: {rule}" for name, rule, _ in RULES])
def test_a_rule_finds_what_python_finds(corpus: Corpus, api_name: str, rule: str, holds: Callable[[Doc], bool]) -> None:
    query = f"config from cloud.resource where api.name = '{api_name}' AND json.rule = {rule}"
    assert corpus.ask(query) == sorted(r.rrn for r in corpus.of(api_name) if met(holds, r.doc))


def test_most_of_these_rules_find_something(corpus: Corpus) -> None:
    finding = [any(met(holds, r.doc) for r in corpus.of(api_name)) for api_name, _, holds in RULES]
    assert len(finding) >= 80
    assert sum(finding) >= 60
