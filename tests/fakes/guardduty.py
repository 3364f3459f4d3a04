"""Amazon GuardDuty: detectors, ids by criterion, findings by id; what changes while it's read moves in the list."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.aws import ACCOUNT
from tests.fakes.aws_regional import Regional
from tests.fakes.server import Call

DETECTOR = "6ac2b1f0d3e84c5f9a70b8d1e2f34567"


class GuardDuty(Regional):
    """Findings by region and id, with the time of their last change in ms. A token is a place in the list."""

    service: ClassVar[str] = "guardduty"

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.detectors: dict[str, str] = {"eu-west-1": DETECTOR}
        self.findings: dict[str, dict[str, dict[str, Any]]] = {}
        self.changing: list[tuple[str, str, int]] = []
        """Changes that happen one by one, each after a list was given: region, id, time in ms."""

    def put(self, region: str, id: str, at: int, **more: Any) -> None:
        """Note that a finding changed at *at*, in ms."""
        self.findings.setdefault(region, {})[id] = finding(region, id, at) | more

    @override
    def operate(self, call: Call, region: str) -> Reply:
        detector = self.detectors.get(region, "")
        if (call.method, call.path) == ("GET", "/detector"):
            self.input(call, "ListDetectors")
            return self.output("ListDetectors", {"detectorIds": [detector] if detector else []})
        self.must(call.method == "POST" and call.path.startswith(f"/detector/{detector}/findings"), "no such path", 404)
        if call.path.endswith("/get"):
            asked = self.input(call, "GetFindings", DetectorId=detector)
            found = [self.findings[region][id] for id in asked["FindingIds"] if id in self.findings.get(region, {})]
            return self.output("GetFindings", {"findings": list(reversed(found))})
        asked = self.input(call, "ListFindings", DetectorId=detector)
        window = asked["FindingCriteria"]["Criterion"]["updatedAt"]
        since, until = window["GreaterThanOrEqual"], window["LessThanOrEqual"]
        self.must(asked["SortCriteria"] == {"AttributeName": "updatedAt", "OrderBy": "ASC"}, "order")
        listed = sorted(
            (ms(each), id) for id, each in self.findings.get(region, {}).items() if since <= ms(each) <= until
        )
        first, most = int(asked.get("NextToken") or 0), asked["MaxResults"]
        more = str(first + most) if first + most < len(listed) else ""
        reply = self.output(
            "ListFindings", {"findingIds": [id for _, id in listed[first : first + most]], "nextToken": more}
        )
        if self.changing:
            where, id, at = self.changing.pop(0)
            self.put(where, id, at)
        return reply


def finding(region: str, id: str, at: int) -> dict[str, Any]:
    """Return a finding as it's on the wire, changed at *at*, in ms."""
    time = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": region,
        "partition": "aws",
        "id": id,
        "arn": f"arn:aws:guardduty:{region}:{ACCOUNT}:detector/{DETECTOR}/finding/{id}",
        "type": "UnauthorizedAccess:EC2/SSHBruteForce",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1b2c3d4e5f60718"}},
        "service": {"serviceName": "guardduty", "detectorId": DETECTOR, "archived": False, "count": 1},
        "severity": 5.0,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": time,
        "title": "i-0a1b2c3d4e5f60718 is performing SSH brute force attacks.",
        "description": "It tries passwords.",
    }


def ms(each: dict[str, Any]) -> int:
    """Return when a finding changed, in ms."""
    return round(datetime.fromisoformat(each["updatedAt"]).timestamp() * 1000)
