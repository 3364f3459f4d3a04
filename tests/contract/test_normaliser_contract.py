"""What every normaliser must do. A new source is tested by existing: one file, and a folder of cases."""

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.codec import decode, encode
from streams.identity import Place
from streams.records import Inventory, Knowledge, Record, Resource, ResourcePart, VendorAsset
from tests.contract.golden import CASES, out_of, place, plain, read

MEGABYTE = "x" * 1_000_000


def test_every_source_has_a_case() -> None:
    assert {case.parent.name for case in CASES} == set(NORMALISERS)


@pytest.mark.parametrize("name", NORMALISERS)
def test_a_source_names_its_topic_and_what_it_understands(name: str) -> None:
    source = NORMALISERS[name]
    assert (source.name, source.topic) == (name, f"raw.{source.kind}.{name}")
    assert source.forms and source.__doc__


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
class TestCase:
    def test_the_records_are_the_golden_ones(self, case: Path) -> None:
        got = [plain(entry) for entry in read(case.parent.name, case.read_bytes())]
        assert got == json.loads(out_of(case).read_bytes()), "python -m tests.contract.golden, and read the difference"

    def test_reading_twice_gives_equal_bytes(self, case: Path) -> None:
        first, second = (_bytes(read(case.parent.name, case.read_bytes())) for _ in range(2))
        assert first == second

    def test_the_message_is_left_alone(self, case: Path) -> None:
        source = NORMALISERS[case.parent.name]
        for document in _documents(case):
            before = copy.deepcopy(document)
            with contextlib.suppress(Exception):
                for index, (_, item) in enumerate(source.items(document)):
                    source.record(item, place(source.name), index)
            assert document == before

    def test_ids_stay_and_versions_grow_when_a_message_comes_again(self, case: Path) -> None:
        earlier, later = (_records(read(case.parent.name, case.read_bytes(), offset)) for offset in (7, 8))
        assert [_identity(record) for record in earlier] == [_identity(record) for record in later]
        assert all(a.version < b.version for a, b in zip(earlier, later, strict=True))
        assert len({_identity(record) for record in earlier}) == len(earlier)

    def test_times_are_milliseconds_of_this_century(self, case: Path) -> None:
        for record in _records(read(case.parent.name, case.read_bytes())):
            assert all(time is None or 946_684_800_000 < time < 4_102_444_800_000 for time in _times(record))

    def test_a_record_survives_bytes_and_back(self, case: Path) -> None:
        for record in _records(read(case.parent.name, case.read_bytes())):
            value = encode(record).value
            again, unknown = _decoded(record, value)
            assert encode(again).value == value and unknown == {}

    def test_a_bad_item_sent_again_alone_is_refused_for_the_same_reason(self, case: Path) -> None:
        for bad in read(case.parent.name, case.read_bytes()):
            if isinstance(bad, Bad):
                [again] = read(case.parent.name, bad.item)
                assert isinstance(again, Bad)
                assert (again.path, again.reason) == (bad.path, bad.reason)

    def test_without_any_one_key_it_gives_records_or_reasons(self, case: Path) -> None:
        for document in _documents(case):
            for broken in _holes(document):
                _only_records_and_reasons(case, broken)

    @pytest.mark.parametrize(
        "value", [None, 5, -1.5, True, [], [[]], {}, "", "\0", MEGABYTE], ids=lambda value: repr(value)[:9]
    )
    def test_with_any_one_value_replaced_it_gives_records_or_reasons(self, case: Path, value: Any) -> None:
        for document in _documents(case):
            places = list(_replaced(document, value))
            for broken in places[:: max(1, len(places) // 40)] if value is MEGABYTE else places:
                _only_records_and_reasons(case, broken)


def _only_records_and_reasons(case: Path, document: Any) -> None:
    """Check that a document gives no defect, and records that can be written and read again."""
    for entry in read(case.parent.name, orjson.dumps(document)):
        if isinstance(entry, Bad):
            assert "defect" not in entry.reason
            assert entry.reason and len(entry.reason) < 500
        else:
            partition, key, value = encode(entry)
            assert partition and len(key) < 8192
            again, _ = _decoded(entry, value)
            assert encode(again).value == value


def _documents(case: Path) -> list[Any]:
    """Return the JSON of a case: one document, or one a line."""
    if case.suffix == ".json":
        return [json.loads(case.read_bytes())]
    found = []
    for line in case.read_bytes().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def _holes(value: Any) -> Iterator[Any]:
    """Yield copies of *value*, each with one key removed, at every depth, in lists too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            rest = {name: one for name, one in value.items() if name != key}
            yield rest
            for hole in _holes(inner):
                yield rest | {key: hole}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for hole in _holes(inner):
                yield [*value[:index], hole, *value[index + 1 :]]


def _replaced(value: Any, new: Any) -> Iterator[Any]:
    """Yield copies of *value*, each with one value replaced by *new*, at every depth."""
    yield new
    if isinstance(value, dict):
        for key, inner in value.items():
            for one in _replaced(inner, new):
                yield value | {key: one}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for one in _replaced(inner, new):
                yield [*value[:index], one, *value[index + 1 :]]


def _records(entries: list[Record | Bad]) -> list[Record]:
    return [entry for entry in entries if not isinstance(entry, Bad)]


def _identity(record: Record) -> tuple[str, str]:
    if isinstance(record, VendorAsset | Knowledge | Inventory | ResourcePart):
        return (record.source, record.id)
    return (record.account, record.rrn if isinstance(record, Resource) else record.id)


def _times(record: Record) -> list[int | None]:
    if isinstance(record, Resource):
        return [record.created]
    if isinstance(record, Inventory | ResourcePart):
        return []
    if isinstance(record, Knowledge):
        return [record.published, record.changed]
    return [record.first_seen, record.last_seen]


def _decoded(record: Record, value: bytes) -> tuple[Record, dict[str, Any]]:
    return decode(type(record), value)


def _bytes(entries: list[Record | Bad]) -> list[Any]:
    return [entry if isinstance(entry, Bad) else encode(entry) for entry in entries]


def test_a_defect_costs_the_item_that_shows_it_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    source = NORMALISERS["guardduty"]
    seen = read("guardduty", (CASES[0].parents[1] / "guardduty" / "get-findings.in.json").read_bytes())

    def record(item: Any, place: Place, index: int) -> Record:
        if index == 1:
            raise KeyError("oops")
        return type(source).record(source, item, place, index)

    monkeypatch.setattr(source, "record", record)
    entries = read("guardduty", (CASES[0].parents[1] / "guardduty" / "get-findings.in.json").read_bytes())
    assert [_bytes([entries[0]]), _bytes([entries[2]])] == [_bytes([seen[0]]), _bytes([seen[2]])]
    assert isinstance(entries[1], Bad)
    assert entries[1].reason == "a defect of the normaliser: KeyError: 'oops'"
    assert entries[1].place == "Findings[1]"
