"""The load: GuardDuty findings of 2.2 KB as EventBridge delivers them, each of another resource."""

import random
from collections.abc import Iterator

import orjson


def guardduty(count: int, *, accounts: int = 1000, hot: float = 0.0, seed: int = 7) -> Iterator[bytes]:
    """Yield *count* messages of some 2.2 KB. One account gets the share *hot* of them, all get the rest evenly."""
    chance = random.Random(seed)  # noqa: S311 - a load, not a secret
    for number in range(count):
        account = 0 if chance.random() < hot else chance.randrange(accounts)
        yield orjson.dumps(_event(number, f"{100_000_000_000 + account:012d}", chance))


def _event(number: int, account: str, chance: random.Random) -> dict[str, object]:
    region = _REGIONS[number % len(_REGIONS)]
    instance = f"i-{number:017x}"
    id = f"{number:032x}"
    detector = "b2f41c0000000000000000000000c0de"
    address = f"203.0.113.{number % 250}"
    return {
        "version": "0",
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": account,
        "time": "2026-03-02T10:15:30Z",
        "region": region,
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": account,
            "region": region,
            "partition": "aws",
            "id": id,
            "arn": f"arn:aws:guardduty:{region}:{account}:detector/{detector}/finding/{id}",
            "type": _TYPES[number % len(_TYPES)],
            "resource": {
                "resourceType": "Instance",
                "instanceDetails": {
                    "instanceId": instance,
                    "instanceType": "m7g.large",
                    "launchTime": "2026-01-15T08:00:00.000Z",
                    "platform": None,
                    "productCodes": [],
                    "iamInstanceProfile": {
                        "arn": f"arn:aws:iam::{account}:instance-profile/web",
                        "id": "AIPA0EXAMPLE0EXAMPLE0",
                    },
                    "networkInterfaces": [
                        {
                            "ipv6Addresses": [],
                            "networkInterfaceId": f"eni-{number:017x}",
                            "privateDnsName": "ip-10-0-4-17.ec2.internal",
                            "privateIpAddress": "10.0.4.17",
                            "subnetId": "subnet-0a1b2c3d4e5f60718",
                            "vpcId": "vpc-0a1b2c3d4e5f60718",
                            "securityGroups": [{"groupName": "web", "groupId": "sg-0a1b2c3d4e5f60718"}],
                            "publicIp": address,
                        }
                    ],
                    "tags": [{"key": "Name", "value": f"web-{number % 100}"}, {"key": "team", "value": "payments"}],
                    "instanceState": "running",
                    "availabilityZone": f"{region}a",
                    "imageId": "ami-0a1b2c3d4e5f60718",
                },
            },
            "service": {
                "serviceName": "guardduty",
                "detectorId": detector,
                "action": {
                    "actionType": "PORT_PROBE",
                    "portProbeAction": {
                        "portProbeDetails": [
                            {
                                "localPortDetails": {"port": 22, "portName": "SSH"},
                                "remoteIpDetails": {
                                    "ipAddressV4": "198.51.100.7",
                                    "organization": {"asn": "64500", "org": "Example"},
                                    "country": {"countryName": "Nowhere"},
                                    "city": {"cityName": "Nowhere"},
                                },
                            }
                        ],
                        "blocked": False,
                    },
                },
                "resourceRole": "TARGET",
                "additionalInfo": {"value": "{}", "type": "default"},
                "eventFirstSeen": "2026-03-01T10:00:00.000Z",
                "eventLastSeen": "2026-03-02T10:15:00.000Z",
                "archived": False,
                "count": 1 + number % 9,
            },
            "severity": (2.0, 5.0, 8.0)[number % 3],
            "createdAt": "2026-03-01T10:05:00.000Z",
            "updatedAt": f"2026-03-02T{chance.randrange(24):02d}:15:30.000Z",
            "title": f"An unprotected port of EC2 instance {instance} is being probed.",
            "description": f"EC2 instance {instance} has an unprotected port that a known malicious host probes.",
        },
    }


_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-northeast-1")
_TYPES = (
    "Recon:EC2/PortProbeUnprotectedPort",
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "CryptoCurrency:EC2/BitcoinTool.B!DNS",
    "Trojan:EC2/DNSDataExfiltration",
)
