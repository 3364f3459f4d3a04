"""AWS Security Hub: findings by id, its limits, results one by one; calls are held against AWS's own model."""

from collections.abc import Iterator
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.aws import ACCOUNT, KEYS, ROLE, Signer, wrong_input
from tests.fakes.server import Call, Fake, json_reply, texts


class SecurityHub(Fake):
    """Holds a finding for each id, the newest update. *sick*: ids that fail alone, with a code."""

    cases: ClassVar[dict[str, dict[str, Any]]] = {
        "": {
            "account_id": ACCOUNT,
            "regions": ["eu-west-1", "us-east-1"],
            "url": "https://securityhub.eu-west-1.amazonaws.com",
            "sts_url": "https://sts.eu-west-1.amazonaws.com",
            **KEYS,
            **ROLE,
        },
    }
    most_bytes = 6 * 1024 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.signer = Signer()
        self.findings: dict[str, dict[str, Any]] = {}
        self.sick: dict[str, str] = {}
        self.invalid: set[str] = set()
        self.region = "eu-west-1"
        self.account = ACCOUNT

    @override
    def decisive(self, call: Call) -> bool:
        return call.path in ("/findings/import", "/accounts")

    @override
    def answer(self, call: Call) -> Reply:
        if call.path == "/":
            return self.signer.assume(call, self.now)
        found = [region for region in ("eu-west-1", "us-east-1") if not self.signer.wrong(call, region, "securityhub")]
        if not found:
            code = self.signer.wrong(call, "eu-west-1", "securityhub")
            return json_reply(403, {"Code": code, "Message": "refused"}, **{"x-amzn-ErrorType": code})
        if (call.method, call.path) == ("GET", "/accounts"):
            return json_reply(200, {"HubArn": f"arn:aws:securityhub:{found[0]}:{self.account}:hub/default"})
        self.must((call.method, call.path) == ("POST", "/findings/import"), "no such path", 404)
        self.must(not (wrong := wrong_input("securityhub", "BatchImportFindings", call.json)), f"{wrong[:2]}")
        return self._import(call.json["Findings"], found[0])

    def _import(self, findings: list[dict[str, Any]], region: str) -> Reply:
        ids = [each["Id"] for each in findings]
        self.must(len(set(ids)) == len(ids), "an id comes twice")
        if any(id in self.invalid for id in ids):
            return json_reply(400, {"Message": "invalid"}, **{"x-amzn-ErrorType": "InvalidInputException:http://a/"})
        failed = []
        for each in findings:
            self.must(len(orjson.dumps(each)) <= 240 * 1024, "a finding is too large")
            self.must(len(each["Title"]) <= 256 and len(each["Description"]) <= 1024, "title or description")
            self.must(len(each["Id"]) <= 512 and len(each["Resources"][0]["Id"]) <= 512, "id")
            self.must(all(len(v) <= 2048 for v in each["ProductFields"].values()), "product fields")
            self.must(each["AwsAccountId"] == ACCOUNT and f":{region}:{ACCOUNT}:" in each["ProductArn"], "account")
            others = each["Resources"][0]["Details"]["Other"].values()
            self.must(all(len(value) <= 1024 for value in others), "resource details")
            if code := self.sick.get(each["Id"]):
                failed.append({"Id": each["Id"], "ErrorCode": code, "ErrorMessage": "no"})
            else:
                had = self.findings.get(each["Id"])
                self.must(not had or had["UpdatedAt"] <= each["UpdatedAt"], "UpdatedAt goes back")
                self.findings[each["Id"]] = each
        answer = {"SuccessCount": len(findings) - len(failed), "FailedCount": len(failed), "FailedFindings": failed}
        return json_reply(200, answer)

    @override
    def shown(self) -> Iterator[str]:
        for each in self.findings.values():
            yield from texts(each)

    @override
    def holds(self, alert: str) -> list[str]:
        found = [each for id, each in self.findings.items() if id == f"tidegate/{alert}"]
        return ["resolved" if each["Compliance"]["Status"] == "PASSED" else each["RecordState"] for each in found]
