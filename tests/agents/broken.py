"""Items that no normaliser may accept and none may choke on, each with what the reason has to say."""

import gzip
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson


class Broken(NamedTuple):
    """A message that holds one bad item."""

    kind: str
    item: bytes
    reason: str
    """A part of the reason that must be given."""


def broken_items(source: str, count: int, seed: int = 1) -> Iterator[Broken]:
    """Yield *count* broken messages for *source* (`guardduty` or `aws`), all kinds in turn; the same for one *seed*.

    One in some hundred has 5 MB; all others are small.
    """
    chance = random.Random(seed)
    kinds = [kind for kind in _KINDS if source in kind.sources]
    large = [kind for kind in kinds if kind.name == "5 MB"]
    small = [kind for kind in kinds if kind.name != "5 MB"]
    for number in range(count):
        kind = large[0] if number % 250 == 7 else small[number % len(small)]
        yield Broken(kind.name, kind.make(good_item(source, number), chance), kind.reason)


def good_item(source: str, number: int) -> dict[str, Any]:
    """Return an item of *source* that every normaliser takes; *number* gives it an id of its own."""
    if source == "guardduty":
        detector = "arn:aws:guardduty:eu-central-1:111122223333:detector/0a1b2c3d"
        return {
            "schemaVersion": "2.0",
            "accountId": "111122223333",
            "region": "eu-central-1",
            "partition": "aws",
            "id": f"{number:032x}",
            "arn": f"{detector}/finding/{number:032x}",
            "type": "Recon:EC2/PortProbeUnprotectedPort",
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": f"i-{number:017x}"}},
            "service": {"detectorId": "0a1b2c3d", "count": 1, "archived": False},
            "severity": 5.0,
            "createdAt": "2026-03-01T08:05:00.120Z",
            "updatedAt": "2026-03-02T09:35:10.456Z",
            "title": "A port is probed.",
            "description": "A port of an instance is probed.",
        }
    return {
        "account": "111122223333",
        "region": "eu-central-1",
        "api_name": "aws-ec2-describe-volumes",
        "resource_type": "AWS::EC2::Volume",
        "resource_id": f"vol-{number:017x}",
        "config": {"VolumeId": f"vol-{number:017x}", "Encrypted": False, "Size": 8, "Attachments": []},
    }


class _Kind(NamedTuple):
    name: str
    reason: str
    make: Callable[[dict[str, Any], random.Random], bytes]
    sources: tuple[str, ...] = ("guardduty", "aws")


def _raw(item: dict[str, Any], **changed: Any) -> bytes:
    return orjson.dumps(item | changed)


def _with(item: dict[str, Any], json: bytes) -> bytes:
    """Return the item with one more field, below the item's own document, whose value is the text *json*."""
    inner = "config" if "config" in item else "service"
    rest = orjson.dumps(item[inner])[:-1] + b',"extra":' + json + b"}"
    return orjson.dumps({name: value for name, value in item.items() if name != inner})[:-1] + b',"%s":%s}' % (
        inner.encode(),
        rest,
    )


def _account(item: dict[str, Any], value: Any) -> bytes:
    return _raw(item, **{"account" if "account" in item else "accountId": value})


def _id(item: dict[str, Any], value: Any) -> bytes:
    if "arn" in item:
        return _raw(item, arn=value)
    return _raw(item, resource_id=value, config={"Encrypted": True})


def _cut(item: dict[str, Any], chance: random.Random) -> bytes:
    text = orjson.dumps(item)
    return text[: chance.randrange(1, len(text) - 1)]


def _without(item: dict[str, Any], name: str) -> bytes:
    return orjson.dumps({key: value for key, value in item.items() if key != name})


_GUARDDUTY, _AWS = ("guardduty",), ("aws",)
_KINDS = (
    _Kind("random bytes", "not JSON", lambda item, chance: b"\xff" + chance.randbytes(chance.randrange(1, 300))),
    _Kind("truncated JSON", "not JSON", _cut),
    _Kind("trailing comma", "not JSON", lambda item, chance: orjson.dumps(item)[:-1] + b",}"),
    _Kind("two documents on a line", "not JSON", lambda item, chance: orjson.dumps(item) * 2),
    _Kind("null", "wanted an object, got null", lambda item, chance: b"null"),
    _Kind("a number", "wanted an object, got a number", lambda item, chance: b"%d" % chance.randrange(10**9)),
    _Kind("a text", "wanted an object, got text", lambda item, chance: b'"finding"'),
    _Kind("an empty object", "", lambda item, chance: b"{}"),
    _Kind("no bytes", "empty message", lambda item, chance: b""),
    _Kind("blanks", "empty message", lambda item, chance: b" \r\n" * chance.randrange(1, 9)),
    _Kind("NaN", "not JSON", lambda item, chance: _with(item, b"NaN")),
    _Kind("Infinity", "not JSON", lambda item, chance: _with(item, b"-Infinity")),
    _Kind("a number beyond doubles", "not JSON", lambda item, chance: _with(item, b"1e999")),
    _Kind("lone surrogate", "not JSON", lambda item, chance: _with(item, rb'"a\ud800b"')),
    _Kind("lone low surrogate", "not JSON", lambda item, chance: _with(item, rb'"\udc00"')),
    _Kind("surrogate in UTF-8", "not JSON", lambda item, chance: _with(item, b'"\xed\xa0\x80"')),
    _Kind("Latin-1", "not JSON", lambda item, chance: _with(item, b'"Jos\xe9"')),
    _Kind("integer of 2^64", "64 bits", lambda item, chance: _with(item, b"18446744073709551616")),
    _Kind("integer below -2^63", "64 bits", lambda item, chance: _with(item, b"[-9223372036854775809]")),
    _Kind("integer of 40 digits", "64 bits", lambda item, chance: _with(item, b"1" * 40)),
    _Kind("depth 300", "nested too deep", lambda item, chance: _with(item, b"[" * 300 + b"]" * 300)),
    _Kind("depth 2,000", "nested too deep", lambda item, chance: _with(item, b'{"a":' * 2000 + b"1" + b"}" * 2000)),
    _Kind("depth 2,000 of lists", "nested too deep", lambda item, chance: b"[" * 2000 + b"]" * 2000),
    _Kind("5 MB", "the most is", lambda item, chance: _id(item, "x" * 5_000_000)),
    _Kind("broken gzip", "gzip", lambda item, chance: gzip.compress(orjson.dumps(item))[:-12]),
    _Kind("no gzip", "gzip", lambda item, chance: b"\x1f\x8b" + chance.randbytes(50)),
    _Kind("account of 13 digits", "wanted 12 digits", lambda item, chance: _account(item, "0123456789012")),
    _Kind("account of other digits", "wanted 12 digits", lambda item, chance: _account(item, "\uff11" * 12)),
    _Kind("account as a number", "wanted text", lambda item, chance: _account(item, 111122223333)),
    _Kind("account as a list", "wanted text", lambda item, chance: _account(item, ["111122223333"])),
    _Kind("severity as text", "wanted a number", lambda item, chance: _raw(item, severity="8"), _GUARDDUTY),
    _Kind("severity as a boolean", "wanted a number", lambda item, chance: _raw(item, severity=True), _GUARDDUTY),
    _Kind("severity of 11", "from 0 to 10", lambda item, chance: _raw(item, severity=11), _GUARDDUTY),
    _Kind("severity below 0", "from 0 to 10", lambda item, chance: _raw(item, severity=-0.1), _GUARDDUTY),
    _Kind("no type", "missing", lambda item, chance: _without(item, "type"), _GUARDDUTY),
    _Kind("no time", "missing", lambda item, chance: _without(item, "updatedAt"), _GUARDDUTY),
    _Kind("no such day", "not a time", lambda item, chance: _raw(item, updatedAt="2026-02-30T00:00:00Z"), _GUARDDUTY),
    _Kind("resource as a list", "wanted an object", lambda item, chance: _raw(item, resource=[]), _GUARDDUTY),
    _Kind("count as text", "whole number", lambda item, chance: _raw(item, service={"count": "1"}), _GUARDDUTY),
    _Kind("no configuration", "missing", lambda item, chance: _without(item, "config"), _AWS),
    _Kind("configuration as text", "wanted an object", lambda item, chance: _raw(item, config="{}"), _AWS),
    _Kind("configuration as a list", "wanted an object", lambda item, chance: _raw(item, config=[{}]), _AWS),
    _Kind(
        "no type", "and so is `resource_type`", lambda item, chance: _raw(item, api_name=None, resource_type=None), _AWS
    ),
    _Kind("no such time", "not a time", lambda item, chance: _raw(item, time="yesterday"), _AWS),
    _Kind("another cloud", "wanted 'aws'", lambda item, chance: _raw(item, cloud="gcp"), _AWS),
    _Kind("deleted as text", "wanted a boolean", lambda item, chance: _raw(item, deleted="yes"), _AWS),
)
