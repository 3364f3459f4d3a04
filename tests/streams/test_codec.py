"""Records as bytes and back: what another version wrote is kept, what is missing takes its default."""

import orjson
import pytest

from streams.codec import decode, encode
from streams.errors import BadRecord
from streams.records import Finding, Reference, Resource

FINDING = Finding(
    id="f",
    account="111122223333",
    source="AWS GuardDuty",
    type="AWS GuardDuty Host",
    name="n",
    severity="high",
    title="„t“",
    references=[Reference(id="i-1", type="Instance")],
    version="1",
    original=orjson.Fragment(b'{"a":[1]}'),
)
RESOURCE = Resource(rrn="rrn:x", account="111122223333", cloud="aws", region="r", api_name="a", id="i", version="1")


def test_a_record_names_its_account_and_key() -> None:
    assert encode(FINDING)[:2] == ("111122223333", b"111122223333|f")
    assert encode(RESOURCE)[:2] == ("111122223333", b"rrn:x")


def test_a_fragment_is_written_as_it_is() -> None:
    value = encode(FINDING).value
    assert b'"original":{"a":[1]}' in value and b"\n" not in value
    finding, unknown = decode(Finding, value)
    assert (finding.original, finding.references, unknown) == ({"a": [1]}, FINDING.references, {})


def test_fields_of_another_version_are_kept() -> None:
    newer = orjson.dumps(orjson.loads(encode(RESOURCE).value) | {"owner": {"team": "ops"}, "zone": None})
    resource, unknown = decode(Resource, newer)
    assert unknown == {"owner": {"team": "ops"}, "zone": None}
    assert orjson.loads(encode(resource, unknown).value) == orjson.loads(newer)


def test_fields_of_another_version_in_a_reference_are_kept() -> None:
    newer = orjson.loads(encode(FINDING).value) | {"references": [{"id": "i-1", "type": "Instance", "role": "target"}]}
    finding, unknown = decode(Finding, orjson.dumps(newer))
    assert finding.references == FINDING.references
    assert orjson.loads(encode(finding, unknown).value) == newer


def test_missing_fields_take_their_default() -> None:
    resource, _ = decode(
        Resource, b'{"rrn":"x","account":"a","cloud":"aws","region":"r","api_name":"n","id":"i","version":"1"}'
    )
    assert (resource.tags, resource.keys, resource.deleted, resource.config) == ({}, [], False, None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "not JSON: "),
        (b"[]", "wanted an object, got list"),
        (b"{}", "no Resource: "),
    ],
)
def test_what_is_no_record_is_told(value: bytes, reason: str) -> None:
    with pytest.raises(BadRecord) as wrong:
        decode(Resource, value)
    assert str(wrong.value).startswith(reason)


@pytest.mark.parametrize("references", [5, [5], [{"type": "x"}], None])
def test_references_of_another_shape_are_told(references: object) -> None:
    value = orjson.dumps(orjson.loads(encode(FINDING).value) | {"references": references})
    with pytest.raises(BadRecord, match="references"):
        decode(Finding, value)
