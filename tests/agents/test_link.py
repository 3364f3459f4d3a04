"""Findings and what their vendors tell of hosts and checks, in any order: one finding, complete, under its account."""

import itertools
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.link import completed, first_version, next_version, rewritten, said
from streams.partition import partition_of
from streams.store import Part, Store, vendor
from streams.store.vendor import Told
from tests.streams.store_records import version

ACCOUNT = "123456789012"
OTHER = "210987654321"
ARN = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1"


def finding(n: int = 5, **more: Any) -> dict[str, Any]:
    return {
        "id": "qualys:1",
        "account": "unlinked",
        "cloud": None,
        "region": "",
        "source": "Qualys",
        "type": "Host Vulnerability",
        "name": "QID-7",
        "cves": [],
        "severity": "high",
        "vendor_severity": "4",
        "score": None,
        "cvss": [],
        "packages": [],
        "title": "QID 7",
        "description": "port 22",
        "remediation": "",
        "links": [],
        "status": "open",
        "status_reason": "",
        "references": [],
        "asset": "host:1",
        "knowledge": "qid:7",
        "linked": {},
        "version": version(n),
        "deleted": False,
        "original": {"a": 1},
    } | more


def asset(id: str = "host:1", n: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "source": "Qualys",
        "id": id,
        "ids": [],
        "account": "unlinked",
        "references": [],
        "version": version(n),
        "deleted": False,
        "original": {"b": 2},
    } | more


def in_cloud(id: str = "asset:2", n: int = 2, **more: Any) -> dict[str, Any]:
    references = [{"id": "i-1", "type": "Instance"}, {"id": ARN, "type": "Instance"}]
    where = {"account": ACCOUNT, "cloud": "aws", "region": "eu-west-1", "references": references, "ids": ["host:1"]}
    return asset(id, n, **where) | more


def check(n: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "source": "Qualys",
        "id": "qid:7",
        "name": "CVE-2024-1",
        "cves": ["CVE-2024-1"],
        "severity": "low",
        "vendor_severity": "2",
        "score": 9.8,
        "cvss": [{"version": "3.1", "score": 9.8}],
        "packages": [{"name": "sshd"}],
        "title": "SSH is old",
        "description": "It is.",
        "remediation": "Update.",
        "links": ["https://example.com/7"],
        "version": version(n),
    } | more


def told(*records: dict[str, Any]) -> Told:
    return Told(tuple(records), "d")


def test_a_finding_takes_what_it_doesnt_say_itself() -> None:
    now = completed(finding(), told(in_cloud()), told(check()))
    assert now["title"] == "SSH is old"
    assert (now["name"], now["cves"], now["score"]) == ("CVE-2024-1", ["CVE-2024-1"], 9.8)
    assert (now["severity"], now["description"]) == ("high", "port 22")  # its own
    assert (now["account"], now["cloud"], now["region"]) == (ACCOUNT, "aws", "eu-west-1")
    assert [each["id"] for each in now["references"]] == ["i-1", ARN]
    assert now["version"] == version(5)


def test_a_severity_that_nobody_gave_is_the_checks() -> None:
    now = completed(finding(vendor_severity="", severity="medium"), None, told(check()))
    assert (now["severity"], now["vendor_severity"]) == ("low", "2")


def test_what_it_said_itself_is_kept_and_is_where_the_next_completion_begins() -> None:
    now = completed(finding(), told(in_cloud()), told(check()))
    assert said(now) == finding()
    again = completed(now, told(in_cloud(account=OTHER)), told(check(title="SSH is very old")))
    assert (again["title"], again["account"]) == ("SSH is very old", OTHER)
    assert said(again) == finding()


def test_a_finding_of_an_account_of_its_own_takes_nothing_of_a_host_elsewhere() -> None:
    now = completed(finding(account=OTHER), told(in_cloud()), None)
    assert (now["account"], now["references"]) == (OTHER, [])


@pytest.mark.parametrize(("n", "status"), [(4, "open"), (6, "fixed")])
def test_a_host_that_is_gone_ends_what_was_found_before(n: int, status: str) -> None:
    now = completed(finding(5), told(in_cloud(n=n, deleted=True, status_reason="TERMINATED")), None)
    assert now["status"] == status
    assert now["status_reason"] == ("asset TERMINATED" if status == "fixed" else "")


def test_a_host_that_is_back_by_another_record_is_there() -> None:
    gone = in_cloud(n=6, deleted=True, status_reason="TERMINATED")
    now = completed(finding(5), told(gone, asset(n=7)), None)
    assert (now["status"], now["account"]) == ("open", ACCOUNT)


def test_a_moved_finding_is_deleted_where_it_was_above_what_it_was() -> None:
    live, over = rewritten(finding(), told(in_cloud()), None)
    assert (live["account"], over["account"], over["deleted"]) == (ACCOUNT, "unlinked", True)
    assert live["version"] == over["version"] > version(5)
    assert live["version"] < version(6)
    assert rewritten(live, told(in_cloud()), None) == []


def test_versions_of_rewritten_findings_grow_below_the_next_of_the_vendor() -> None:
    versions = [version(5)]
    for _ in range(12):
        versions.append(next_version(versions[-1]))
    assert versions == sorted(versions) and len(set(versions)) == 13
    assert {first_version(each) for each in versions} == {version(5)}


PARTS = 4
_IDS = ("topic", "cluster")


class Flow:
    """Ingest, the topic, the store and the owner of every partition, without a broker; what is sent is stored."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path, memory="256MB", threads=1)
        self._offsets: dict[int, int] = {}
        kinds: tuple[vendor.VendorKind, ...] = ("assets", "knowledge")
        for kind in kinds:
            self.store.transact("start", partial(vendor.start, kind=kind, topic=kind, part=0, ids=_IDS, begin=0, end=0))

    def tell(self, kind: Any, record: dict[str, Any] | None, key: str = "") -> None:
        row = None if record is None else vendor.row(kind, orjson.dumps(record))
        key = key or f"{row.source}|{row.id}"  # type: ignore[union-attr] # it has a key then
        self.store.transact("merge", lambda db: vendor.merge(db, kind, kind, 0, [(key, row)], 0))

    def find(self, record: dict[str, Any]) -> None:
        """As ingest does."""
        with self.store.cursor() as cursor:
            name = record["source"], record["asset"]
            check = record["source"], record["knowledge"]
            known = vendor.assets(cursor, [name]).get(name), vendor.knowledge(cursor, [check]).get(check)
        self.send(completed(record, *known) if any(known) else record)

    def take(self, kind: str, record: dict[str, Any]) -> None:
        if kind == "find":
            self.find(record)
        else:
            self.tell(kind, record)

    def send(self, record: dict[str, Any]) -> None:
        part = partition_of(record["account"], PARTS)
        at = self._offsets.get(part, 0)
        self._offsets[part] = at + 1
        key = f"{record['account']}|{record['id']}".encode()
        self.store.apply([Part("findings", "findings", part, at, at + 1, [(at, key, orjson.dumps(record))])])

    def own(self, *, crash: bool = False) -> int:
        """As the owners do, until nothing lacks anything; *crash*: between the two writes of each first finding."""
        writes = 0
        for _ in range(10):
            with self.store.cursor() as cursor:
                found = vendor.records(cursor, vendor.lacking(cursor, range(PARTS), 100))
                rows = [orjson.loads(record) for _, record in found]
                assets = vendor.assets(cursor, {(f["source"], f["asset"]) for f in rows})
                known = vendor.knowledge(cursor, {(f["source"], f["knowledge"]) for f in rows})
            if not rows:
                return writes
            for row in rows:
                now = rewritten(
                    row, assets.get((row["source"], row["asset"])), known.get((row["source"], row["knowledge"]))
                )
                for each in now[: 1 if crash else 2]:
                    self.send(each)
                    writes += 1
            crash = False
        raise AssertionError("it doesn't come to rest")

    def live(self) -> list[dict[str, Any]]:
        with self.store.cursor() as cursor:
            rows = cursor.execute(
                "select r.record from finding_records r join findings f using (fid, part) where not f.deleted"
            ).fetchall()
        found = []
        for (record,) in rows:
            one = json.loads(record)
            assert first_version(one.pop("version"))
            one.pop("linked")
            found.append(one)
        return found


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Flow]:
    made = Flow(tmp_path / "s.duckdb")
    yield made
    made.store.close()


EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "host": ("assets", asset(n=1)),
    "instance": ("assets", in_cloud(n=2)),
    "check": ("knowledge", check()),
    "found": ("find", finding(5)),
    "found again": ("find", finding(6, description="port 2222")),
}


class Every(Flow):
    """A flow that is emptied instead of made anew: a store takes longer to make than all that is asked of it."""

    def clear(self) -> None:
        def work(db: Any) -> None:
            for table in (
                "findings",
                "finding_records",
                "finding_references",
                "deletions",
                "resend",
                "finding_resource",
            ):
                db.execute(f"delete from {table}")
            for table in ("vendor_assets", "vendor_names", "vendor_knowledge"):
                db.execute(f"delete from {table}")

        self.store.transact("clear", work)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Every]:
    made = Every(tmp_path_factory.mktemp("every") / "s.duckdb")
    yield made
    made.store.close()


def test_in_every_order_there_is_one_finding_complete_and_under_its_account(every: "Every") -> None:
    for order in list(itertools.permutations(EVENTS))[:: int(os.environ.get("TIDEGATE_TEST_STEP", "7"))]:
        every.clear()
        for name in order:
            every.take(*EVENTS[name])
            every.own()
        (one,) = every.live()
        assert (one["account"], one["title"], one["description"]) == (ACCOUNT, "SSH is old", "port 2222"), order
        assert [each["id"] for each in one["references"]] == ["i-1", ARN], order


@settings(
    max_examples=int(os.environ.get("TIDEGATE_TEST_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_history_ends_as_its_newest_records_say(every: Every, data: st.DataObject) -> None:
    """Hosts come, move to another account and go, checks change, findings come again, owners look or don't, and die."""
    every.clear()
    events = [
        *(("assets", in_cloud(n=n, account=account)) for n, account in ((2, ACCOUNT), (3, OTHER))),
        ("assets", in_cloud(n=4, account=OTHER, deleted=True, status_reason="TERMINATED")),
        ("assets", asset(n=1)),
        ("knowledge", check(1)),
        ("knowledge", check(2, title="SSH is very old")),
        ("find", finding(3)),
        ("find", finding(6)),
        ("find", finding(3)),
    ]
    for kind, record in data.draw(st.permutations(events)):
        every.take(kind, record)
        if data.draw(st.booleans()):
            every.own(crash=data.draw(st.booleans()))
    every.own()
    (one,) = every.live()
    assert (one["account"], one["title"], one["status"]) == (OTHER, "SSH is very old", "open")


def test_a_lower_version_of_a_vendors_record_is_passed_over_and_the_winner_is_to_be_sent_again(flow: Flow) -> None:
    flow.tell("knowledge", check(2))
    flow.tell("knowledge", check(1, title="Old"))
    with flow.store.cursor() as cursor:
        ((_, record),) = vendor.winners(cursor, "knowledge", 0, 10)
    assert orjson.loads(record)["title"] == "SSH is old"
    flow.tell("knowledge", orjson.loads(record))
    with flow.store.cursor() as cursor:
        assert vendor.winners(cursor, "knowledge", 0, 10) == []


def test_a_tombstone_takes_a_vendors_record_away_and_findings_keep_what_they_have(flow: Flow) -> None:
    flow.tell("knowledge", check())
    flow.find(finding())
    flow.tell("knowledge", None, "Qualys|qid:7")
    assert flow.own() == 0
    assert flow.live()[0]["title"] == "SSH is old"


def test_a_log_that_is_another_one_is_read_from_its_beginning(flow: Flow) -> None:
    flow.tell("knowledge", check())

    def start(end: int) -> int:
        begin = partial(vendor.start, kind="knowledge", topic="knowledge", part=0, ids=_IDS, begin=0, end=end)
        return flow.store.transact("start", begin)

    flow.store.transact("end", lambda db: db.execute("update vendor_partitions set next_offset = 4"))
    assert start(4) == 4
    with flow.store.cursor() as cursor:
        assert not vendor.empty(cursor)
    assert start(3) == 0
    with flow.store.cursor() as cursor:
        assert vendor.empty(cursor)


@pytest.mark.parametrize("record", [b"", b"[]", b'{"source":"Q"}', b'{"source":"Q","id":"","version":"1"}'])
def test_what_is_no_record_is_none(record: bytes) -> None:
    assert vendor.row("assets", record) is None


def test_what_stays_unlinked_is_counted_by_its_reason(flow: Flow) -> None:
    flow.tell("assets", asset(n=1))
    kinds: list[dict[str, Any]] = [
        {},
        {},
        {"asset": "host:9"},
        {"asset": ""},
        {"account": ACCOUNT, "asset": ""},
        {"account": ACCOUNT, "asset": "", "references": [{"id": "i-9", "type": ""}]},
        {"status": "fixed"},
    ]
    for number, more in enumerate(kinds):
        flow.find(finding(id=f"f-{number}", knowledge="", **more))
    with flow.store.cursor() as cursor:
        assert dict(vendor.unlinked(cursor)) == {
            "its asset has no cloud account": 2,
            "its asset is not here": 1,
            "it has no cloud account, and no asset": 1,
            "it names no resource": 1,
            "its resource is not here": 1,
        }
