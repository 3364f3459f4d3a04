"""The CloudFormation templates: what they refer to is there, and the function settles each message by itself."""

import json
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
import yaml

from agents.sinks._outcome import Reply
from agents.sinks._payload import payload
from tests.contract.sinks import delivery
from tests.fakes.server import Call
from tests.fakes.splunk import TOKEN, Splunk

TEMPLATES = Path(__file__).parents[2] / "docs" / "integrations" / "aws"
PSEUDO = {"AWS::StackName", "AWS::NoValue", "AWS::Partition"}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as objects."""


def _short(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    read: dict[type, Callable[[Any], Any]] = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda each: loader.construct_sequence(each, deep=True),
    }
    return {suffix: read[type(node)](node)}


_Loader.add_multi_constructor("!", _short)


def _template(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((TEMPLATES / name).read_text(encoding="utf-8"), _Loader)  # noqa: S506 (it is safe)
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref":
                yield each
            elif key == "GetAtt":
                yield each.partition(".")[0]
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


@pytest.mark.parametrize("name", ["queue.yaml", "splunk.yaml"])
def test_what_a_template_refers_to_is_there_and_every_parameter_is_used(name: str) -> None:
    template = _template(name)
    known = template["Resources"].keys() | template["Parameters"].keys()
    used = set(_references(template))
    assert used <= known | PSEUDO
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert all(f"Ref {each}" in text or f"${{{each}}}" in text for each in template["Parameters"])


def test_the_function_fits_into_the_template_and_reports_single_failures() -> None:
    resources = _template("splunk.yaml")["Resources"]
    assert len(resources["Function"]["Properties"]["Code"]["ZipFile"]) <= 4096
    assert resources["Source"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert _template("queue.yaml")["Resources"]["Alerts"]["Properties"]["VisibilityTimeout"] >= 6 * 60


@contextmanager
def _collector(fake: Splunk) -> Iterator[str]:
    """Serve the collector to a caller that blocks: its address."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = fake.handle(Call("POST", f"http://127.0.0.1{self.path}", headers, body))
            assert isinstance(reply, Reply)
            self.send_response(reply.status)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[..., Any]]:
    """Return how to load the function in front of a collector."""

    def loaded(url: str, token: str = TOKEN) -> Callable[..., Any]:
        variables = _template("splunk.yaml")["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
        given = {"COLLECTOR_URL": url, "TOKEN_SECRET_ARN": "arn", "SOURCE_TYPE": "_json", "INDEX": "security"}
        assert variables.keys() == given.keys()
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        boto3 = types.ModuleType("boto3")
        secret = {"SecretString": f"{token}\n"}
        client = types.SimpleNamespace(get_secret_value=lambda SecretId: secret)
        monkeypatch.setattr(boto3, "client", lambda service: client, raising=False)
        monkeypatch.setitem(sys.modules, "boto3", boto3)
        names: dict[str, Any] = {}
        exec(_template("splunk.yaml")["Resources"]["Function"]["Properties"]["Code"]["ZipFile"], names)  # noqa: S102 (ours)
        handler: Callable[..., Any] = names["handler"]
        return handler

    return loaded


def _event(*bodies: str) -> dict[str, Any]:
    """Return the event that AWS sends for messages with *bodies*."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225661000", "SenderId": "AIDA"}
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": "0" * 32,
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:alerts",
                "awsRegion": "eu-west-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def _body(number: int) -> str:
    return orjson.dumps(payload(delivery(id=f"P-{number}"))).decode()


def _failed(answer: dict[str, Any]) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_the_function_takes_alerts_to_splunk(function: Callable[..., Callable[..., Any]]) -> None:
    fake = Splunk()
    with _collector(fake) as url:
        assert _failed(function(url)(_event(_body(1), _body(2)), None)) == []
    assert fake.holds("P-1") == fake.holds("P-2") == ["open"] and fake.wrong == []
    assert fake.events[0]["index"] == "security" and fake.events[0]["time"] == 1767225660.0


def test_a_message_that_is_no_alert_and_one_that_splunk_refuses_fail_alone(
    function: Callable[..., Callable[..., Any]],
) -> None:
    fake = Splunk()
    fake.poison = {"P-2-1767225660000"}
    bodies = [_body(1), _body(2), "no JSON", json.dumps(["an array"]), _body(5)]
    with _collector(fake) as url:
        assert sorted(_failed(function(url)(_event(*bodies), None))) == ["m1", "m2", "m3"]
    assert [each["event"]["alertId"] for each in fake.events] == ["P-1", "P-5"]


def test_a_collector_that_is_away_or_refuses_the_token_gives_all_back(
    function: Callable[..., Callable[..., Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    with _collector(Splunk()) as url:
        assert _failed(function(url, "another")(_event(_body(1), _body(2)), None)) == ["m0", "m1"]
    assert _failed(function(url)(_event(_body(1)), None)) == ["m0"]
    assert TOKEN not in capsys.readouterr().out
