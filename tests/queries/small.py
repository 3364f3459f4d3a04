"""A small store of our own: nine resources, six findings, the tables as the store makes them."""

import json

import duckdb

from streams.store.schema import DDL

A, B = "111111111111", "222222222222"
SG, VM, USER = "aws-ec2-describe-security-groups", "aws-ec2-describe-instances", "aws-iam-list-users"


def _group(id: str, *permissions: dict[str, object], shared: bool = False) -> dict[str, object]:
    return {"groupId": id, "groupName": id, "isShared": shared, "ipPermissions": list(permissions)}


def _open(port: int, *ranges: str) -> dict[str, object]:
    return {"fromPort": port, "toPort": port, "ipProtocol": "tcp", "ipRanges": list(ranges), "ipv6Ranges": []}


RESOURCES: tuple[tuple[str, str, str, str, str, dict[str, str], object, bool], ...] = (
    # account, cloud, region, api.name, id, tags, document, deleted
    (
        A,
        "aws",
        "us-east-1",
        SG,
        "sg-open",
        {"owner": "net"},
        _group("sg-open", _open(22, "0.0.0.0/0"), _open(443)),
        False,
    ),
    (
        A,
        "aws",
        "us-east-1",
        SG,
        "sg-split",
        {},
        _group("sg-split", _open(22, "10.0.0.0/8"), _open(80, "0.0.0.0/0")),
        False,
    ),
    (B, "aws", "eu-west-1", SG, "sg-none", {"owner": ""}, _group("sg-none", shared=True), False),
    (B, "aws", "eu-west-1", SG, "sg-gone", {}, _group("sg-gone", _open(22, "0.0.0.0/0")), True),
    (
        A,
        "aws",
        "us-east-2",
        VM,
        "i-1",
        {"owner": "web"},
        {"instanceId": "i-1", "state": {"name": "running"}, "publicIp": None},
        False,
    ),
    (
        A,
        "aws",
        "us-east-2",
        VM,
        "i-2",
        {},
        {"instanceId": "i-2", "state": {"name": "stopped"}, "tags": [{"key": "a.b"}]},
        False,
    ),
    (B, "aws", "eu-west-1", VM, "i-3", {}, {"instanceId": "i-3", "state": {"name": "Running"}, "cpu": 4}, False),
    (B, "aws", "global", USER, "ann", {}, {"userName": "ann", "mfa": "false"}, False),
    (
        "6f0e8a4a-0000-4000-8000-000000000001",
        "azure",
        "westeurope",
        "azure-vm-list",
        "/subscriptions/6f0e8a4a/resourceGroups/Web/providers/Microsoft.Compute/virtualMachines/v1",
        {},
        {"properties.osProfile": {"computerName": "v1"}},
        False,
    ),
)
FINDINGS: tuple[tuple[str, str, str, str, str, list[str], str, str, bool, tuple[str, ...]], ...] = (
    # id, account, source, type, name, cves, severity, status, deleted, the resources that it is about
    (
        "f1",
        A,
        "AWS GuardDuty",
        "AWS GuardDuty Host",
        "Trojan:EC2/BlackholeTraffic!DNS",
        [],
        "high",
        "open",
        False,
        ("i-1",),
    ),
    ("f2", A, "AWS GuardDuty", "AWS GuardDuty Host", "Recon:EC2/Portscan", [], "low", "open", False, ("i-1", "i-2")),
    ("f3", B, "Qualys", "Host Vulnerability", "QID-1", ["CVE-2021-44228"], "critical", "open", False, ("i-3",)),
    ("f4", B, "Qualys", "Host Vulnerability", "CVE-2016-8399", [], "medium", "fixed", False, ("i-3",)),
    ("f5", B, "AWS GuardDuty", "AWS GuardDuty IAM", "Recon:IAM/TorIPCaller", [], "high", "open", False, ("ann",)),
    ("f6", A, "Tenable", "Host Vulnerability", "CVE-2016-8399", [], "high", "open", True, ("i-2",)),
)


def store() -> duckdb.DuckDBPyConnection:
    """Return a connection to a new store in memory that holds RESOURCES and FINDINGS."""
    connection = duckdb.connect()
    connection.execute(DDL)
    for account, cloud, region, api_name, id, tags, document, deleted in RESOURCES:
        connection.execute(
            "insert into resources by name select md5_number_lower(rrn) rid, * from "
            "(select ? rrn, ? account, ? cloud, ? region, "
            "'Amazon EC2' service, ? api_name, '' resource_type, ? id, ? name, ?::json tags, ? deleted, ?::json json)",
            (
                _rrn(id),
                account,
                cloud,
                region,
                api_name,
                id,
                id.rpartition("/")[2],
                json.dumps(tags),
                deleted,
                json.dumps(document),
            ),
        )
    for id, account, source, type, name, cves, severity, status, deleted, about in FINDINGS:
        connection.execute(
            "insert into findings by name select md5_number_lower(account || '|' || id) fid, * from "
            "(select ? id, ? account, ? source, ? type, ? name, ?::varchar[] cves, ? severity, ? status, ? deleted)",
            (id, account, source, type, name, cves, severity, status, deleted),
        )
        for resource in about if not deleted else ():
            connection.execute(
                "insert into finding_resource select md5_number_lower(?), md5_number_lower(?), 0",
                (f"{account}|{id}", _rrn(resource)),
            )
    return connection


def _rrn(id: str) -> str:
    return f"rrn:{id}"
