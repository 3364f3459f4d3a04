"""The load for single normalisers: for each source that has findings, messages of one record in 2 to 4 KB of JSON."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from bench._messages import guardduty

ACCOUNT = "100000000042"
REGION = "eu-central-1"
WORDS = "A flaw of a parser lets whoever sends a crafted packet read memory behind a buffer, or end the process. "


def messages(source: str, count: int) -> list[bytes]:
    """Return *count* messages of *source*, each with an id of its own; nothing for a source without findings."""
    if source == "guardduty":
        return list(guardduty(count))
    make = _MAKERS.get(source)
    return [orjson.dumps(make(number)) for number in range(count)] if make else []


def detections(size: int) -> bytes:
    """Return a Qualys host list detection in XML of some *size* bytes: 50 detections a host."""
    detection = (
        "<DETECTION><UNIQUE_VULN_ID>{0}</UNIQUE_VULN_ID><QID>{1}</QID><TYPE>Confirmed</TYPE><SEVERITY>3</SEVERITY>"
        "<PORT>443</PORT><PROTOCOL>tcp</PROTOCOL><SSL>1</SSL><RESULTS><![CDATA[{2}]]></RESULTS><STATUS>Active</STATUS>"
        "<FIRST_FOUND_DATETIME>2026-01-02T03:04:05Z</FIRST_FOUND_DATETIME>"
        "<LAST_FOUND_DATETIME>2026-03-02T09:35:00Z</LAST_FOUND_DATETIME><TIMES_FOUND>7</TIMES_FOUND>"
        "<LAST_UPDATE_DATETIME>2026-03-02T09:36:00Z</LAST_UPDATE_DATETIME><IS_IGNORED>0</IS_IGNORED>"
        "<IS_DISABLED>0</IS_DISABLED><LAST_PROCESSED_DATETIME>2026-03-02T09:36:00Z</LAST_PROCESSED_DATETIME></DETECTION>"
    )
    host = "<HOST><ID>{0}</ID><IP>10.0.0.5</IP><TRACKING_METHOD>AGENT</TRACKING_METHOD><OS>Linux</OS><DETECTION_LIST>"
    parts, total, number = ["<HOST_LIST_VM_DETECTION_OUTPUT><RESPONSE><HOST_LIST>"], 0, 0
    while total < size:
        rows = "".join(detection.format(number + at, 38_000 + at, WORDS * 5) for at in range(50))
        part = f"{host.format(number)}{rows}</DETECTION_LIST></HOST>"
        parts.append(part)
        total += len(part)
        number += 50
    parts.append("</HOST_LIST></RESPONSE></HOST_LIST_VM_DETECTION_OUTPUT>")
    return "".join(parts).encode()


def _inspector(number: int) -> dict[str, Any]:
    return {
        "detail-type": "Inspector2 Finding",
        "source": "aws.inspector2",
        "detail": {
            "awsAccountId": ACCOUNT,
            "findingArn": f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{number:032x}",
            "type": "PACKAGE_VULNERABILITY",
            "title": "CVE-2026-10001 - openssl",
            "description": WORDS * 5,
            "severity": "HIGH",
            "status": "ACTIVE",
            "inspectorScore": 7.5,
            "exploitAvailable": "NO",
            "fixAvailable": "YES",
            "epss": {"score": 0.00105},
            "firstObservedAt": "2026-03-01T08:05:00.120Z",
            "lastObservedAt": "2026-03-02T09:35:10.456Z",
            "updatedAt": "2026-03-02T09:35:10.456Z",
            "remediation": {"recommendation": {"text": "None Provided"}},
            "packageVulnerabilityDetails": {
                "vulnerabilityId": "CVE-2026-10001",
                "relatedVulnerabilities": [],
                "source": "NVD",
                "sourceUrl": "https://nvd.nist.gov/vuln/detail/CVE-2026-10001",
                "cvss": [
                    {"version": "3.1", "baseScore": 7.5, "scoringVector": _VECTOR, "source": "NVD"},
                    {
                        "version": "2.0",
                        "baseScore": 5.0,
                        "scoringVector": "AV:N/AC:L/Au:N/C:N/I:N/A:P",
                        "source": "NVD",
                    },
                ],
                "referenceUrls": [f"https://ubuntu.com/security/notices/USN-{at}-1" for at in range(6300, 6306)],
                "vulnerablePackages": [
                    {
                        "name": f"openssl-{at}",
                        "version": "3.0.2",
                        "release": "0ubuntu1.9",
                        "epoch": 0,
                        "arch": "X86_64",
                        "fixedInVersion": "0:3.0.2-0ubuntu1.10",
                        "packageManager": "OS",
                        "remediation": "apt-get update && apt-get upgrade",
                    }
                    for at in range(2)
                ],
            },
            "resources": [
                {
                    "id": f"i-{number:017x}",
                    "type": "AWS_EC2_INSTANCE",
                    "partition": "aws",
                    "region": REGION,
                    "tags": {"Name": "web", "team": "payments"},
                    "details": {
                        "awsEc2Instance": {"type": "m7g.large", "imageId": "ami-1", "platform": "UBUNTU_22_04"}
                    },
                }
            ],
        },
    }


def _securityhub(number: int) -> dict[str, Any]:
    return {
        "detail-type": "Security Hub Findings - Imported",
        "detail": {
            "findings": [
                {
                    "SchemaVersion": "2018-10-08",
                    "Id": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:subscription/cis/v/1.4.0/1.1/finding/{number:032x}",
                    "ProductArn": f"arn:aws:securityhub:{REGION}::product/aws/securityhub",
                    "ProductName": "Security Hub",
                    "CompanyName": "AWS",
                    "Region": REGION,
                    "GeneratorId": "cis/v/1.4.0/rule/1.1",
                    "AwsAccountId": ACCOUNT,
                    "Types": ["Software and Configuration Checks/Industry and Regulatory Standards/CIS"],
                    "FirstObservedAt": "2026-03-01T08:05:00.120Z",
                    "LastObservedAt": "2026-03-02T09:35:10.456Z",
                    "CreatedAt": "2026-03-01T08:05:00.120Z",
                    "UpdatedAt": "2026-03-02T09:30:00.000Z",
                    "ProcessedAt": "2026-03-02T09:36:00.000Z",
                    "Severity": {"Label": "MEDIUM", "Normalized": 40, "Original": "MEDIUM", "Product": 40},
                    "Title": "A security group lets anyone in",
                    "Description": WORDS * 5,
                    "Remediation": {"Recommendation": {"Text": "Close it.", "Url": "https://docs.aws.amazon.com/1.1"}},
                    "ProductFields": {f"aws/securityhub/field/{at}": f"value {at}" for at in range(16)},
                    "Resources": [
                        {
                            "Type": "AwsEc2SecurityGroup",
                            "Id": f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-{number:017x}",
                            "Partition": "aws",
                            "Region": REGION,
                            "Tags": {"team": "payments"},
                        }
                    ],
                    "Compliance": {
                        "Status": "FAILED",
                        "SecurityControlId": "EC2.19",
                        "RelatedRequirements": ["PCI 1.2"],
                    },
                    "WorkflowState": "NEW",
                    "Workflow": {"Status": "NEW"},
                    "RecordState": "ACTIVE",
                }
            ]
        },
    }


def _qualys(number: int) -> dict[str, Any]:
    names = ("accountId", "region", "instance-type", "imageId", "privateIp", "availabilityZone", "hostname")
    values = (ACCOUNT, REGION, "m7g.large", "ami-1", "10.0.0.5", f"{REGION}a", "web")
    return {
        "HOST": {
            "ID": str(number // 50),
            "ASSET_ID": str(number // 50),
            "IP": "10.0.0.5",
            "TRACKING_METHOD": "AGENT",
            "OS": "Ubuntu Linux 22.04",
            "DNS": "ip-10-0-0-5.ec2.internal",
            "CLOUD_PROVIDER": "AWS",
            "EC2_INSTANCE_ID": f"i-{number // 50:017x}",
            "LAST_SCAN_DATETIME": "2026-03-02T09:35:00Z",
            "METADATA": {
                "EC2": {
                    "ATTRIBUTE": [
                        {"NAME": f"latest/{name}", "LAST_STATUS": "Success", "VALUE": value, "LAST_ERROR": ""}
                        for name, value in zip(names, values, strict=True)
                    ]
                }
            },
        },
        "DETECTION": {
            "UNIQUE_VULN_ID": str(number),
            "QID": "38170",
            "TYPE": "Confirmed",
            "SEVERITY": "3",
            "PORT": "443",
            "PROTOCOL": "tcp",
            "SSL": "1",
            "RESULTS": WORDS * 8,
            "STATUS": "Active",
            "FIRST_FOUND_DATETIME": "2026-01-02T03:04:05Z",
            "LAST_FOUND_DATETIME": "2026-03-02T09:35:00Z",
            "TIMES_FOUND": "7",
            "LAST_TEST_DATETIME": "2026-03-02T09:35:00Z",
            "LAST_UPDATE_DATETIME": "2026-03-02T09:36:00Z",
            "IS_IGNORED": "0",
            "IS_DISABLED": "0",
            "LAST_PROCESSED_DATETIME": "2026-03-02T09:36:00Z",
        },
    }


def _tenable(number: int) -> dict[str, Any]:
    return {
        "asset": {
            "uuid": f"{number // 50:08x}-1111-4222-8333-444444444444",
            "hostname": "web",
            "fqdn": "web.example.com",
            "ipv4": "10.0.0.5",
            "operating_system": ["Linux Kernel 5.15 on Ubuntu 22.04"],
            "network_id": "00000000-0000-0000-0000-000000000000",
            "tracked": True,
        },
        "output": (
            "\nRemote package installed : openssl-libs-1.0.2k-19.el7\n"
            "Should be                : openssl-libs-1.0.2k-25.el7_9\n" + WORDS
        ),
        "plugin": {
            "id": 159_106 + number % 500,
            "name": "CentOS 7 : openssl (CESA-2026:1)",
            "family": "CentOS Local Security Checks",
            "family_id": 18,
            "cve": ["CVE-2026-10001", "CVE-2026-10002", "CVE-2026-10003"],
            "cpe": ["cpe:/o:centos:centos:7", "p-cpe:/a:centos:centos:openssl"],
            "cvss_base_score": 5.0,
            "cvss_vector": {"access_vector": "Network", "raw": "AV:N/AC:L/Au:N/C:N/I:N/A:P"},
            "cvss3_base_score": 7.5,
            "cvss3_vector": {"availability_impact": "High", "raw": _VECTOR[9:]},
            "description": WORDS * 5,
            "exploit_available": False,
            "has_patch": True,
            "publication_date": "2026-02-02T00:00:00Z",
            "modification_date": "2026-02-03T00:00:00Z",
            "risk_factor": "High",
            "see_also": ["https://lists.centos.org/pipermail/1", "https://cwe.mitre.org/data/definitions/119.html"],
            "solution": "Update the affected packages.",
            "synopsis": "The remote CentOS Linux host is missing a security update.",
            "type": "local",
            "vpr": {"score": 6.5, "updated": "2026-02-13T05:22:26Z"},
        },
        "port": {"port": 0, "protocol": "TCP"},
        "scan": {"completed_at": "2026-03-02T09:35:31.175Z", "started_at": "2026-03-02T09:01:21.522Z", "uuid": "s"},
        "severity": "high",
        "severity_id": 3,
        "severity_default_id": 3,
        "severity_modification_type": "NONE",
        "first_found": "2026-01-02T03:04:05.120Z",
        "last_found": "2026-03-02T09:35:00.120Z",
        "indexed": "2026-03-02T09:36:00Z",
        "state": "OPEN",
        "source": "NESSUS",
    }


_VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
_MAKERS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "inspector": _inspector,
    "securityhub": _securityhub,
    "qualys": _qualys,
    "tenable": _tenable,
}
