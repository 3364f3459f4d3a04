"""Data for the console's tests and pictures: the demo's resources, findings over a month, and hostile names."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

DEMO = Path(__file__).parents[1] / "data" / "demo"
HOSTILE = "<img src=x onerror=\"document.title='owned'\">\"'{{7*7}}</script><script>document.title='owned'</script>"
"""What a cloud could hold as a name; it must be shown as it is."""

_FLAWS = (
    ("CVE-2026-10001", "openssl", 9.8, "CRITICAL"),
    ("CVE-2026-10417", "linux-image", 7.8, "HIGH"),
    ("CVE-2026-11802", "curl", 6.5, "MEDIUM"),
    ("CVE-2026-12220", "python3.11", 5.3, "MEDIUM"),
    ("CVE-2026-13090", "zlib", 3.1, "LOW"),
    ("CVE-2026-14411", "glibc", 8.1, "HIGH"),
)


def resources(*, changed: bool = False) -> Iterator[dict[str, object]]:
    """Give configurations; *changed*: of some machines, as they are a while later."""
    for line in (DEMO / "aws.jsonl").read_text().splitlines():
        each = json.loads(line)
        if not changed:
            yield each
        elif each["api_name"] == "aws-ec2-describe-instances" and each["account"] == "111122223333":
            each["config"]["InstanceType"] = "t3.large"
            each["config"]["Monitoring"] = {"State": "enabled"}
            yield each
    if not changed:
        yield _hostile()


def findings(now: datetime, count: int = 160) -> Iterator[dict[str, object]]:
    """Give batches of findings of AWS Security Hub and Inspector, first seen over the last month."""
    chance = random.Random(7)
    machines = [each for each in resources() if each["api_name"] == "aws-ec2-describe-instances"]
    for number in range(count):
        machine = chance.choice(machines[:-1])
        cve, package, score, label = chance.choice(_FLAWS)
        seen = now - timedelta(days=29 * chance.random() ** 1.4, minutes=chance.randrange(600))
        yield _finding(number, machine, cve, package, score, label, seen)
    yield _finding(count, _hostile(), HOSTILE, HOSTILE, 9.1, "CRITICAL", now - timedelta(hours=2))


def files(folder: Path, now: datetime | None = None) -> list[tuple[str, Path]]:
    """Write all of it into *folder*; return the files with the source of each, in the order to send them."""
    now = now or datetime.now(UTC)
    written = {
        ("aws", "aws.jsonl"): resources(),
        ("securityhub", "findings.jsonl"): findings(now),
        ("aws", "changed.jsonl"): resources(changed=True),
    }
    made = []
    for (source, name), lines in written.items():
        path = folder / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        made.append((source, path))
    return [*made[:2], ("guardduty", DEMO / "guardduty.jsonl"), made[2]]


def _hostile() -> dict[str, object]:
    each: dict[str, object] = json.loads((DEMO / "aws.jsonl").read_text().splitlines()[3])
    config = {
        **dict(each["config"]),  # type: ignore[call-overload] # an object of JSON
        "InstanceId": "i-0bad0bad0bad0bad0",
        "Tags": [{"Key": "Name", "Value": HOSTILE}, {"Key": HOSTILE, "Value": HOSTILE}],
        "KeyName": HOSTILE,
    }
    return {**each, "resource_id": "i-0bad0bad0bad0bad0", "config": config}


def _finding(
    number: int, machine: dict[str, object], cve: str, package: str, score: float, label: str, seen: datetime
) -> dict[str, object]:
    account, region = str(machine["account"]), str(machine["region"])
    control = number % 3 == 0 and label != "CRITICAL"
    product = "securityhub" if control else "inspector"
    arn = f"arn:aws:ec2:{region}:{account}:instance/{machine['resource_id']}"
    finding: dict[str, object] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:{product}:{region}:{account}:finding/{number:032x}",
        "ProductArn": f"arn:aws:securityhub:{region}::product/aws/{product}",
        "ProductName": "Security Hub" if control else "Inspector",
        "Region": region,
        "GeneratorId": "security-control/EC2.8" if control else "AWSInspector",
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/" + ("Industry" if control else "Vulnerabilities/CVE")],
        "FirstObservedAt": seen.isoformat(),
        "LastObservedAt": (seen + timedelta(hours=1)).isoformat(),
        "CreatedAt": seen.isoformat(),
        "UpdatedAt": (seen + timedelta(hours=1)).isoformat(),
        "Severity": {"Label": label},
        "Title": "EC2.8 Instances should use IMDSv2" if control else f"{cve} - {package}",
        "Description": f"The installed {package} has a flaw that an attacker can reach over the network.",
        "Resources": [{"Type": "AwsEc2Instance", "Id": arn, "Partition": "aws", "Region": region}],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }
    if control:
        finding["Compliance"] = {"Status": "FAILED", "SecurityControlId": "EC2.8"}
    else:
        finding["Vulnerabilities"] = [
            {
                "Id": cve,
                "Cvss": [{"Version": "3.1", "BaseScore": score}],
                "VulnerablePackages": [{"Name": package, "Version": "1.0", "FixedInVersion": "1.1"}],
            }
        ]
    return {
        "version": "0",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": account,
        "region": region,
        "detail": {"findings": [finding]},
    }
