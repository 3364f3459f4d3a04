"""Batches in: versions decide, bad records are refused one by one, tombstones remove what is deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from streams.errors import StoreError
from streams.store import Applied, Part, Store
from tests.streams.store_records import PART, Log, finding, resource, version


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store.open(tmp_path / "s.duckdb", memory="500MB")
    yield Log(store)
    store.close()


def test_a_resource_is_stored_with_every_column(log: Log) -> None:
    key, value = resource(
        "rrn:1", 5, ("i-1",), created=1_700_000_000_123, tags={"team": "a"}, service="Amazon EC2", name="web", extra=[1]
    )
    assert log.add("resources", (key, value)) == Applied(stored=1)
    columns = (
        "rrn, account, cloud, region, service, api_name, id, name, tags, created, seen, deleted, version, json, part"
    )
    assert log.ask(f"select {columns} from resources") == [
        (
            "rrn:1",
            "123456789012",
            "aws",
            "eu-west-1",
            "Amazon EC2",
            "aws-ec2-describe-instances",
            "rrn:1",
            "web",
            '{"team":"a"}',
            datetime(2023, 11, 14, 22, 13, 20, 123000),
            datetime(1970, 1, 1, 0, 0, 0, 5000),
            False,
            version(5),
            '{"instanceId":"rrn:1","n":5}',
            PART,
        )
    ]
    assert log.ask("select record from resource_records") == [(value.decode(),)], "exactly as it lay on the topic"
    assert log.ask("select rid = md5_number_lower('rrn:1') from resources") == [(True,)]


def test_missing_fields_of_a_finding_take_their_default_and_null_is_missing(log: Log) -> None:
    log.add("findings", finding("f", 1, status=None, cloud=None, cves=None, score=None, first_seen=None, deleted=None))
    assert log.ask("select status, cloud, cves, score, first_seen, deleted, region from findings") == [
        ("open", None, [], None, None, False, "")
    ]


def test_the_higher_version_wins_in_whatever_order_and_however_split(log: Log) -> None:
    applied = log.add("findings", finding("f", 2), finding("f", 5), finding("f", 3), finding("f", 5, title="again"))
    assert applied == Applied(stored=2, lost=1, repeated=1)
    assert log.add("findings", finding("f", 4)) == Applied(lost=1)
    assert log.add("findings", finding("f", 5, title="again")) == Applied(repeated=1)
    assert log.ask("select version, title from findings") == [(version(5), "finding f")]
    assert log.add("findings", finding("f", 6)) == Applied(stored=1)
    assert log.ask("select version from findings") == [(version(6),)]
    assert log.ask("select count(*), max(version) from finding_records") == [(1, version(6))]


def test_a_deletion_is_a_version_that_can_be_asked_for(log: Log) -> None:
    log.add("resources", resource("r", 1))
    log.add("resources", resource("r", 2, deleted=True, config=None))
    log.add("resources", resource("r", 1))
    assert log.ask("select deleted, json from resources") == [(True, None)]
    log.add("resources", resource("r", 3))
    assert log.ask("select deleted from resources") == [(False,)]
    assert log.store.expired("resources", PART, datetime.now(UTC) + timedelta(days=1), 10) == []


def test_a_tombstone_removes_a_deleted_row_but_sends_a_live_one_again(log: Log) -> None:
    live, gone = resource("live", 1), resource("gone", 1, deleted=True)
    log.add("resources", live, gone)
    assert log.add("resources", (b"live", None), (b"gone", None), (b"never", None), (b"\xff", None)) == Applied(
        removed=1
    )
    assert log.ask("select rrn from resources") == [("live",)]
    assert log.ask("select count(*) from resource_records") == [(1,)]
    assert log.store.resends("resources", PART, 10) == [live]


def test_what_comes_after_a_tombstone_in_one_batch_counts_from_nothing(log: Log) -> None:
    applied = log.add(
        "resources",
        resource("r", 9, deleted=True),
        (b"r", None),
        resource("r", 3),
        resource("r", 4, deleted=True),
        (b"r", None),
        resource("r", 1),
    )
    assert applied == Applied(stored=4, removed=2)
    assert log.ask("select version from resources") == [(version(1),)]
    assert log.ask("select count(*) from resend") == [(0,)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ((b"r", b"{bad"), "not JSON"),
        ((b"r", b""), "not JSON"),
        ((b"r", b'{"rrn":"\\ud800"}'), "not JSON"),
        ((b"r", b"[" * 100_000), "not JSON"),
        ((b"r", b"\xff\xfe"), "not UTF-8"),
        ((b"\xff", resource("r", 1)[1]), "not UTF-8"),
        ((b"r", b"5"), "wanted a JSON object, got 5"),
        ((b"r", b"null"), "wanted a JSON object, got None"),
        ((b"r", b"[]"), "wanted a JSON object, got []"),
        ((None, resource("r", 1)[1]), "no key"),
        ((None, None), "neither key nor value"),
        ((b"other", resource("r", 1)[1]), "rrn: the record says 'r', its key says 'other'"),
        ((b"r", b'{"rrn":null}'), "rrn: missing"),
        ((b"r", b'{"rrn":{"a":1}}'), "rrn: wanted a text, got {'a': 1}"),
        (resource("r", 1, account=""), "account: empty"),
        (resource("r", 1, cloud="oracle"), "cloud: wanted one of aws, azure, gcp, alibaba, got 'oracle'"),
        (resource("r", 1, name=["x"]), "name: wanted a text, got ['x']"),
        (resource("r", 1, version="7"), "version: wanted 15 digits"),
        (resource("r", 1, version="-00000000000001.x"), "version: wanted 15 digits"),
        (resource("r", 1, version="999999999999999.x"), "version: wanted 15 digits"),
        (resource("r", 1, created="yesterday"), "created: wanted milliseconds since 1970"),
        (resource("r", 1, created=10**18), "created: wanted milliseconds since 1970"),
        (resource("r", 1, created=2**70), "created: wanted milliseconds since 1970"),
        (resource("r", 1, created=-1), "created: wanted milliseconds since 1970"),
        (resource("r", 1, deleted="perhaps"), "deleted: wanted true or false, got 'perhaps'"),
        (resource("r", 1, keys="i-1"), "keys: wanted an array of texts, got 'i-1'"),
        (resource("r", 1, tags=["a"]), "tags: wanted an object, got ['a']"),
        (resource("r", 1, config=float("nan")), "not JSON"),
        ((b"r", resource("r", 1)[1].replace(b'"rrn"', b'"rrn":null,"rrn"')), "given twice"),
    ],
)
def test_a_record_that_no_table_can_take_is_refused_with_its_reason(
    log: Log, record: tuple[bytes | None, bytes | None], reason: str
) -> None:
    applied = log.add("resources", resource("a", 1), record, resource("b", 1))
    assert applied.stored == 2
    (refused,) = applied.refused
    assert (refused.kind, refused.partition, refused.offset) == ("resources", PART, 1)
    assert (refused.key, refused.value) == record
    assert reason in refused.reason
    assert log.ask("select rrn from resources order by rrn") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"severity": "worst"}, "severity: wanted one of critical, high"),
        ({"severity": None}, "severity: missing"),
        ({"status": "gone"}, "status: wanted one of open, fixed, suppressed, got 'gone'"),
        ({"score": "NaN"}, "score: wanted a number"),
        ({"score": [1]}, "score: wanted a number, got [1]"),
        ({"references": {"id": "i-1"}}, "references: wanted an array of objects with an id"),
        ({"references": ["i-1"]}, "references: wanted an array of objects with an id"),
        ({"references": [{"type": "x"}]}, "references: wanted an array of objects with an id"),
        ({"references": [None]}, "references: wanted an array of objects with an id"),
        ({"cves": "CVE-1"}, "cves: wanted an array of texts"),
    ],
)
def test_a_finding_that_no_table_can_take_is_refused_with_its_reason(
    log: Log, more: dict[str, object], reason: str
) -> None:
    applied = log.add("findings", finding("a", 1), finding("bad", 1, **more))
    assert applied.stored == 1
    assert [r.reason[: len(reason)] for r in applied.refused] == [reason]


def test_odd_looking_records_that_are_right_are_stored(log: Log) -> None:
    records = [
        finding("brace", 1, title="{not an object", description='["text"]'),
        finding("nul", 1, title="a\x00b"),
        finding("large", 1, original={"n": 2**80, "nan": "NaN", "t": "Infinity"}),
        finding("text", 1, score="7.5", first_seen="5"),
        finding("deep", 1, original=[[[[[[{"a": [[[[]]]]}]]]]]]),
        finding("ünï|cöde \u2028", 1, title="\U0001f600"),
    ]
    assert log.add("findings", *records) == Applied(stored=len(records))
    assert log.ask("select title from findings where id = 'brace'") == [("{not an object",)]
    assert log.ask("select score, first_seen from findings where id = 'text'") == [
        (7.5, datetime(1970, 1, 1, 0, 0, 0, 5000))
    ]
    assert log.add("resources", resource("r", 1, config={"s": "NaN"}, tags={"[": "{"}, created=None)).stored == 1


def test_refused_records_come_out_as_many_as_fit_into_memory_and_one_at_least(log: Log) -> None:
    log.add("findings", *((b"123456789012|f", b"{" + b" " * size) for size in (99, 99, 399, 99)))

    def sizes(most_bytes: int, limit: int = 10) -> list[int]:
        return [len(one.value or b"") for one in log.store.refusals(limit, most_bytes)]

    assert sizes(10_000) == [100, 100, 400, 100]
    assert sizes(10_000, limit=3) == [100, 100, 400]
    assert sizes(500) == [100, 100]
    assert sizes(50) == [100]
    log.store.told(log.store.refusals(10))
    assert sizes(10_000) == []


def test_bad_records_among_thousands_cost_only_themselves(log: Log) -> None:
    records: list[tuple[bytes | None, bytes | None]] = [finding(f"f{i}", 1) for i in range(3000)]
    for i in range(0, 3000, 10):
        key, value = finding(f"f{i}", 1)
        records[i] = (key, value[: i % len(value)])
    applied = log.add("findings", *records)
    assert (applied.stored, len(applied.refused)) == (2700, 300)
    assert [r.offset for r in applied.refused] == list(range(0, 3000, 10))


def test_two_keys_of_one_hash_do_not_take_each_others_place(log: Log) -> None:
    log.add("resources", resource("a", 1))
    with duckdb.connect() as db:
        ((hash_of_b,),) = db.execute("select md5_number_lower('b')").fetchall()
    for table in ("resources", "resource_records"):
        log.store._db.execute(f"update {table} set rid = {hash_of_b}")
    applied = log.add("resources", resource("b", 9))
    assert "same 64-bit md5 half" in applied.refused[0].reason
    assert log.ask("select rrn from resources") == [("a",)]


def test_parts_of_both_kinds_and_many_partitions_share_one_transaction(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s.duckdb")
    r, f = resource("r", 1, ("i-1",)), finding("f", 1, ("i-1",))
    parts = [Part("resources", "x.resources", p, 0, 9, [(p, *r)]) for p in (1, 2)]
    parts += [Part("findings", "x.findings", p, 0, 3, [(0, *f)]) for p in (2, 5)]
    parts += [Part("findings", "x.findings", 2, 3, 4, [(3, *f)])]
    assert store.apply(parts) == Applied(stored=4, repeated=1)
    assert store.offsets() == {
        ("x.resources", 1): 9,
        ("x.resources", 2): 9,
        ("x.findings", 2): 4,
        ("x.findings", 5): 3,
    }
    assert store.rows() == {"resources": 2, "findings": 2, "finding_resource": 1, "alerts": 0}
    store.drop("resources", 2)
    assert store.rows() == {"resources": 1, "findings": 2, "finding_resource": 0, "alerts": 0}
    assert store.next_offset("x.resources", 2) is None
    store.close()


def test_a_gap_is_an_error_and_an_overlap_is_read_once(log: Log) -> None:
    log.add("findings", finding("f", 2))
    with pytest.raises(StoreError, match=r"findings 3: the store is at offset 1, and is given records from offset 2"):
        log.store.apply([Part("findings", "findings", PART, 2, 3, [(2, *finding("g", 1))])])
    again = [(0, *finding("f", 1)), (1, *finding("g", 1))]
    assert log.store.apply([Part("findings", "findings", PART, 0, 2, again)]) == Applied(stored=1)
    assert log.store.next_offset("findings", PART) == 2
    assert log.store.apply([Part("findings", "findings", PART, 0, 1, again[:1])]) == Applied()
    assert log.store.next_offset("findings", PART) == 2


def test_a_transaction_that_fails_changes_nothing(log: Log) -> None:
    log.add("findings", finding("f", 1))
    log.store._db.execute("alter table finding_references rename to hidden")
    with pytest.raises(StoreError, match="finding_references"):
        log.add("findings", finding("g", 1, ("i-1",)))
    log.store._db.execute("alter table hidden rename to finding_references")
    assert log.ask("select id from findings") == [("f",)]
    assert log.store.next_offset("findings", PART) == 1
    (offset, key, value) = log.records["findings"][1]
    assert log.store.apply([Part("findings", "findings", PART, 1, 2, [(offset, key, value)])]) == Applied(stored=1)


def test_an_empty_part_moves_the_offset(log: Log) -> None:
    assert log.store.apply([Part("findings", "findings", PART, 0, 7, [])]) == Applied()
    assert log.store.next_offset("findings", PART) == 7
