"""Amazon Inspector: ListFindings by state and window, page by page; tokens that wear out."""

from typing import Any, ClassVar

from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.aws import ACCOUNT
from tests.fakes.aws_regional import Regional, _error
from tests.fakes.server import Call


class Inspector(Regional):
    """Findings by region and id, with the time of their last change in seconds."""

    service: ClassVar[str] = "inspector2"

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.findings: dict[str, dict[str, dict[str, Any]]] = {}
        self.tokens = 0
        """A token of an older generation is refused."""

    def put(self, region: str, number: int, at: float, status: str = "ACTIVE") -> None:
        """Note that finding *number* changed at *at*."""
        each = finding(region, number, at, status)
        self.findings.setdefault(region, {})[each["findingArn"]] = each

    @override
    def operate(self, call: Call, region: str) -> Reply:
        self.must((call.method, call.path) == ("POST", "/findings/list"), "no such path", 404)
        asked = self.input(call, "ListFindings")
        criteria = asked["filterCriteria"]
        states = {each["value"] for each in criteria["findingStatus"]}
        (window,) = criteria["updatedAt"]
        self.must(asked["sortCriteria"]["field"] == "FIRST_OBSERVED_AT", "order")
        listed = sorted(
            (
                each
                for each in self.findings.get(region, {}).values()
                if each["status"] in states and window.get("startInclusive", 0) <= each["updatedAt"]
                and each["updatedAt"] <= window["endInclusive"]
            ),
            key=lambda each: (each["firstObservedAt"], each["findingArn"]),
        )  # fmt: skip
        first = 0
        if token := asked.get("nextToken"):
            generation, place = token.split(".")
            if int(generation) != self.tokens:
                return _error(400, "ValidationException", "the token is invalid or has expired")
            first = int(place)
        most = min(asked["maxResults"], 25)  # what the model of the answer has, whatever is asked for
        more = {"nextToken": f"{self.tokens}.{first + most}"} if first + most < len(listed) else {}
        return self.output("ListFindings", {"findings": listed[first : first + most]} | more)


def finding(region: str, number: int, at: float, status: str) -> dict[str, Any]:
    """Return a finding as it's on the wire."""
    return {
        "awsAccountId": ACCOUNT,
        "findingArn": f"arn:aws:inspector2:{region}:{ACCOUNT}:finding/{number:032x}",
        "type": "PACKAGE_VULNERABILITY",
        "title": f"CVE-2026-{number} - openssl",
        "description": "A flaw of openssl.",
        "severity": "HIGH",
        "status": status,
        "firstObservedAt": 1_767_225_600.5 + number % 7,
        "lastObservedAt": at,
        "updatedAt": at,
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [{"id": "i-0a1b2c3d4e5f60718", "type": "AWS_EC2_INSTANCE", "partition": "aws", "region": region}],
        "packageVulnerabilityDetails": {
            "vulnerabilityId": f"CVE-2026-{number}",
            "source": "NVD",
            "vulnerablePackages": [{"name": "openssl", "version": "1.1.1"}],
        },
    }
