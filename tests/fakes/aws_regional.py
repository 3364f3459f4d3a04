"""What the doubles of AWS services that are pulled share: regions, roles, and AWS's model of both directions."""

import re
from abc import abstractmethod
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.aws import KEYS, ROLE, Signer, _wrong
from tests.fakes.server import Call, Fake, json_reply

REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")


class Regional(Fake):
    """A service in each of REGIONS. *closed*: regions in which it can't be used, with AWS's code."""

    service: ClassVar[str]
    most_bytes = 64 * 1024

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.signer = Signer()
        self.closed: dict[str, str] = {}

    def settings(self, url: str, **more: Any) -> dict[str, Any]:
        """Return settings of a connector that meets it at *url*."""
        return {"url": url, "sts_url": url, "ec2_url": url, "region": "eu-west-1", **KEYS, **ROLE, **more}

    @abstractmethod
    def operate(self, call: Call, region: str) -> Reply:
        """Do what the service does in *region*. May raise WrongError."""

    @override
    def decisive(self, call: Call) -> bool:
        return call.path != "/"

    @override
    def holds(self, alert: str) -> list[str]:
        return []

    @override
    def answer(self, call: Call) -> Reply:
        form = dict(parse_qsl(call.body.decode(errors="replace"))) if call.path == "/" else {}
        if form.get("Action") == "AssumeRole":
            return self.signer.assume(call, self.now)
        if form.get("Action") == "DescribeRegions":
            return self._regions(call, form)
        scope = re.search(r"Credential=\w+/\d{8}/([\w-]+)/", call.headers.get("authorization", ""))
        region = scope[1] if scope else ""
        if code := self.signer.wrong(call, region, self.service):
            return _error(403, code, "refused")
        if code := self.closed.get(region, ""):
            return _error(403, code, f"not in {region}")
        return self.operate(call, region)

    def _regions(self, call: Call, form: dict[str, str]) -> Reply:
        if code := self.signer.wrong(call, "eu-west-1", "ec2"):
            return Reply(403, {}, f"<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>".encode())
        self.must(form["Version"] == _model("ec2").api_version, "version")
        items = "".join(
            f"<item><regionName>{name}</regionName><regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint></item>"
            for name in REGIONS
        )
        xml = f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
        return Reply(200, {"content-type": "text/xml"}, xml.encode())

    def input(self, call: Call, operation: str, **uri: str) -> dict[str, Any]:
        """Return the call's input by the model's names; refuse what the model doesn't take."""
        shape = _model(self.service).operation_model(operation).input_shape
        body = _by_model(shape, call.json) if call.body else {}
        query = {
            name: int(call.query[member.serialization["name"]])
            if member.type_name == "integer"
            else call.query[member.serialization["name"]]
            for name, member in shape.members.items()
            if member.serialization.get("location") == "querystring" and member.serialization["name"] in call.query
        }
        found: dict[str, Any] = {**body, **query, **uri}
        self.must(not (wrong := list(_wrong(shape, found, operation))), f"{wrong[:2]}")
        return found

    def output(self, operation: str, body: dict[str, Any]) -> Reply:
        """Return an answer that AWS's model can read, whole."""
        shape = _model(self.service).operation_model(operation).output_shape
        wrong = list(_wrong(shape, _by_model(shape, body), operation))
        assert not wrong, f"the double itself answers what AWS wouldn't: {wrong[:3]}"
        return json_reply(200, body)


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"message": message, "__type": code}, **{"x-amzn-ErrorType": code})


def _by_model(shape: Shape, value: Any) -> Any:
    """Return a JSON value of the wire with the names that the model has; what it doesn't know stays as it is."""
    kind: Any = shape
    if kind.type_name == "structure" and isinstance(value, dict):
        names = {member.serialization.get("name", name): name for name, member in kind.members.items()}
        return {
            names.get(key, key): _by_model(kind.members[names[key]], each) if key in names else each
            for key, each in value.items()
        }
    if kind.type_name == "map" and isinstance(value, dict):
        return {key: _by_model(kind.value, each) for key, each in value.items()}
    if kind.type_name == "list" and isinstance(value, list):
        return [_by_model(kind.member, each) for each in value]
    return value


@cache
def _model(service: str) -> Any:
    return ServiceModel(Loader().load_service_model(service, "service-2"))
