"""A finding that is linked late is one finding under its account, whenever its worker dies."""

from typing import Any

import orjson
import pytest

from api.client import Client, Refused
from api.running import NotRunning
from streams.settings import Settings
from tests.faults.harness import Process, send, stored

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

ACCOUNT = "111122223333"
HOSTS = range(1, 6)


def detections(severity: int = 4) -> list[bytes]:
    """One detection on each host, of which the list knows no cloud."""
    told = {"QID": "105", "SEVERITY": str(severity), "STATUS": "Active", "LAST_FOUND_DATETIME": "2026-03-02T09:35:00Z"}
    return [
        orjson.dumps(
            {"HOST": {"ID": str(host), "IP": f"10.0.0.{host}"}, "DETECTION": told | {"UNIQUE_VULN_ID": str(host)}}
        )
        for host in HOSTS
    ]


def assets() -> list[bytes]:
    """The same hosts with their cloud, and what is known of the check."""
    known = {
        "QID": "105",
        "SEVERITY_LEVEL": "5",
        "TITLE": "Out of support",
        "CVE_LIST": {"CVE": {"ID": "CVE-2026-10003"}},
    }
    hosts: list[dict[str, Any]] = [{"VULN": known}]
    for host in HOSTS:
        instance = {"instanceId": f"i-{host:017x}", "accountId": ACCOUNT, "region": "eu-central-1"}
        asset = {
            "id": 8000 + host,
            "qwebHostId": host,
            "modified": "2026-03-01T00:00:00Z",
            "sourceInfo": {"list": [{"Ec2AssetSourceSimple": instance}]},
        }
        hosts.append({"HostAsset": asset})
    return [orjson.dumps(each) for each in hosts]


def instances() -> list[bytes]:
    return [
        orjson.dumps(
            {
                "account": ACCOUNT,
                "region": "eu-central-1",
                "api_name": "aws-ec2-describe-instances",
                "resource_type": "AWS::EC2::Instance",
                "resource_id": f"i-{host:017x}",
                "config": {"InstanceId": f"i-{host:017x}"},
            }
        )
        for host in HOSTS
    ]


def links(settings: Settings) -> dict[str, Any]:
    try:
        found: dict[str, Any] = Client(settings.data).get("/links")
    except (NotRunning, Refused, OSError):
        return {"linked": -1, "unlinked": {}}
    return found


def named(settings: Settings) -> int:
    query = "config from cloud.resource where finding.name = 'CVE-2026-10003'"
    return int(Client(settings.data).post("/rql", {"query": query})["total"])


def test_a_worker_that_dies_between_the_two_writes_of_a_link_leaves_one_finding(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(settings, "qualys", detections())
    send(settings, "aws", instances())
    monkeypatch.setenv("TIDEGATE_TEST_KILL_AT", "linked:1")
    with Process(settings) as worker:
        worker.wait_for(lambda: links(settings)["unlinked"] == {"its asset is not here": len(HOSTS)}, 60)
        send(settings, "qualys", assets())
        worker.wait_for_end()
    monkeypatch.delenv("TIDEGATE_TEST_KILL_AT")
    with Process(settings) as worker:
        worker.wait_for(lambda: links(settings) == {"linked": len(HOSTS), "unlinked": {}, "whole": True}, 60)
        worker.wait_for(lambda: named(settings) == len(HOSTS), 60)
        assert worker.stop() == 0
    live = stored(settings, "select account, title, name, cves, severity, asset from findings where not deleted")
    assert sorted(live) == [
        (ACCOUNT, "Out of support", "CVE-2026-10003", ["CVE-2026-10003"], "high", f"host:{host}") for host in HOSTS
    ]
    assert stored(settings, "select account, count(*) from findings where deleted group by 1") == [
        ("unlinked", len(HOSTS))
    ]


def test_hosts_of_which_only_account_and_address_are_told_are_linked_when_their_machines_come(
    settings: Settings,
) -> None:
    hosts = []
    for host in HOSTS:
        told = {"instanceId": "", "accountId": ACCOUNT, "region": "eu-central-1", "privateIpAddress": f"10.0.0.{host}"}
        sources = {"list": [{"Ec2AssetSourceSimple": told}]}
        hosts.append({"HostAsset": {"id": 8000 + host, "qwebHostId": host, "sourceInfo": sources}})
    send(settings, "qualys", detections())
    send(settings, "qualys", [orjson.dumps(each) for each in hosts])
    with Process(settings) as worker:
        worker.wait_for(lambda: links(settings)["unlinked"] == {"it names no resource": len(HOSTS)}, 60)
        machines = [orjson.loads(each) for each in instances()]
        for host, each in zip(HOSTS, machines, strict=True):
            each["config"] |= {"PrivateIpAddress": f"10.0.0.{host}", "LaunchTime": "2026-03-01T00:00:00Z"}
        send(settings, "aws", [orjson.dumps(each) for each in machines])
        worker.wait_for(lambda: links(settings) == {"linked": len(HOSTS), "unlinked": {}, "whole": True}, 60)
        # Each is deleted; its address has another one, that nothing was seen on.
        gone = [orjson.dumps(each | {"deleted": True}) for each in machines]
        for host, each in zip(HOSTS, machines, strict=True):
            each["resource_id"] = each["config"]["InstanceId"] = f"i-{host + 64:017x}"
            each["config"]["LaunchTime"] = "2026-03-03T00:00:00Z"
        send(settings, "aws", [*gone, *(orjson.dumps(each) for each in machines)])
        reason = "its resource has its host name or address only since then"
        worker.wait_for(lambda: links(settings)["unlinked"] == {reason: len(HOSTS)}, 60)
        assert worker.stop() == 0
