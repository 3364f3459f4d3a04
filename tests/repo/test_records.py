"""The printed JSON Schema and the dataclasses say the same, and nothing that a record carries is lost on its way."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.codec import decode, encode
from streams.identity import Place
from streams.records import DeadLetter, Finding, Record
from streams.topics import TOPICS

ROOT = Path(__file__).parents[2]
SHAPES = [topic.record for topic in TOPICS if topic.record is not None]
CASES = sorted((ROOT / "tests" / "data" / "normalise").glob("*/*.in.*"))
PLACE = Place("raw", 3, 14, 1_767_225_600_000)


def _schema(shape: type) -> dict[str, Any]:
    return TypeAdapter(shape).json_schema()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_schema_is_a_valid_one_and_asks_for_the_fields_without_default(shape: type) -> None:
    schema = _schema(shape)
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == {field.name for field in fields(shape)}
    needed = {field.name for field in fields(shape) if field.default is field.default_factory is MISSING}
    assert set(schema.get("required", ())) == needed


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_schema_lets_unknown_fields_through(shape: type) -> None:
    assert _schema(shape).get("additionalProperties", True) is True


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_a_source_gives_fits_the_schema(case: Path) -> None:
    for record in _records(case):
        Draft202012Validator(_schema(type(record))).validate(json.loads(encode(record).value))


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_a_source_gives_survives_bytes_and_back(case: Path) -> None:
    for record in _records(case):
        sent = encode(record)
        again, unknown = _decode(record, sent.value)
        assert unknown == {}
        assert encode(again) == sent


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1).map(lambda name: f"later_{name}"), VALUES, min_size=1, max_size=4))
def test_fields_that_a_later_version_added_are_kept(later: dict[str, Any]) -> None:
    known = {
        "id": "f",
        "account": "123456789012",
        "source": "s",
        "type": "t",
        "name": "n",
        "severity": "low",
        "title": "x",
    }
    value = orjson.dumps({**known, "version": "1", **later})
    finding, unknown = decode(Finding, value)
    assert unknown == later
    again = json.loads(encode(finding, unknown).value)
    assert {name: again[name] for name in later} == later
    assert again["id"] == "f"


def test_missing_fields_take_their_default() -> None:
    letter, _ = decode(
        DeadLetter,
        b'{"source":"s","path":"","reason":"r","topic":"t","partition":0,"offset":1,"timestamp":2,"failed_at":3,"item":""}',
    )
    assert (letter.place, letter.replays) == ("", "")


def _records(case: Path) -> list[Record]:
    read = NORMALISERS[case.parent.name].read(case.read_bytes(), PLACE)
    return [record for record in read if not isinstance(record, Bad)]


def _decode(like: Record, value: bytes) -> tuple[Record, dict[str, Any]]:
    return decode(type(like), value)
