"""Resources whose sides come alone: the same document in every order, and what is newer counts."""

import itertools
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.assemble import assembled
from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import Place
from streams.records import ResourcePart
from streams.store import Store, vendor
from streams.store.parts import pieces, unassembled
from tests.streams.store_records import PART, Log

BUCKET = {"account": "123456789012", "region": "eu-west-1", "api_name": "aws-s3api-get-bucket-acl", "resource_id": "b"}
POLICY = {"Policy": json.dumps({"Statement": [{"Effect": "Deny", "Action": "s3:PutObject"}]})}
ACL = {"Owner": {"ID": "o"}, "Grants": [{"Grantee": {"URI": "http://x/AllUsers"}, "Permission": "READ"}]}


def row(minute: int, **more: Any) -> dict[str, Any]:
    return BUCKET | {"time": f"2026-03-02T09:{minute:02d}:00Z"} | more


WHOLE = row(1, config={"Bucket": {"Name": "b"}})
EVENTS: dict[str, dict[str, Any]] = {
    "whole": WHOLE,
    "policy": row(2, part="Policy", config=POLICY),
    "old acl": row(2, part="Acl", config={"Owner": {"ID": "o"}, "Grants": []}),
    "acl": row(3, part="Acl", config=ACL),
}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store.open(tmp_path / "s.duckdb", memory="256MB", threads=1)
    yield Log(store)
    store.close()


def tell(log: Log, document: dict[str, Any]) -> None:
    """As ingest, the follower and the keeper do."""
    (made,) = NORMALISERS["aws"].read(orjson.dumps(document), Place("raw", 0, 0, 1_772_442_000_000))
    assert not isinstance(made, Bad), made
    _, key, value = encode(made)
    if isinstance(made, ResourcePart):
        records = [(key.decode(), vendor.row("parts", value))]
        log.store.transact("merge", partial(vendor.merge, kind="parts", topic="parts", part=0, records=records, end=1))
    else:
        log.add("resources", (key, value))


def own(log: Log) -> int:
    """As the owner does, until nothing lacks its parts; return how many were put together."""
    for count in range(5):
        with log.store.cursor() as cursor:
            made = [assembled(each) for each in pieces(cursor, unassembled(cursor, [PART], 10))]
        if not made:
            return count
        for one in made:
            log.add("resources", (one["rrn"].encode(), orjson.dumps(one)))
    raise AssertionError("it doesn't come to rest")


def document(log: Log) -> dict[str, Any]:
    ((config,),) = log.ask("select json::VARCHAR from resources where not deleted")
    found: dict[str, Any] = json.loads(config)
    return found


def clear(log: Log) -> None:
    def work(db: Any) -> None:
        for table in ("resources", "resource_records", "resource_keys", "resource_parts", "resend", "deletions"):
            db.execute(f"delete from {table}")

    log.store.transact("clear", work)


def test_in_every_order_a_bucket_is_one_document_of_its_parts(log: Log) -> None:
    for order in list(itertools.permutations(EVENTS))[::3]:
        clear(log)
        for name in order:
            tell(log, EVENTS[name])
            own(log)
        found = document(log)
        assert [grant["grantee"] for grant in found["acl"]["grants"]] == ["AllUsers"], order
        assert found["policyAvailable"] is True, order
        assert found["policy"]["Statement"][0]["Effect"] == "Deny", order


def test_a_part_without_its_resource_waits_and_is_no_resource(log: Log) -> None:
    tell(log, EVENTS["policy"])
    assert own(log) == 0
    assert log.ask("select count(*) from resources") == [(0,)]


def test_the_document_of_one_message_is_the_one_of_its_parts(log: Log) -> None:
    for each in EVENTS.values():
        tell(log, each)
    own(log)
    (whole,) = NORMALISERS["aws"].read(
        orjson.dumps(row(4, config={"Bucket": {"Name": "b"}, "Policy": POLICY, "Acl": ACL})), Place("raw", 0, 0, 0)
    )
    assert document(log) == json.loads(encode(whole).value)["config"]  # type: ignore[arg-type] # it isn't bad


def test_a_whole_that_is_newer_than_a_part_counts_for_what_it_has_of_it(log: Log) -> None:
    for each in EVENTS.values():
        tell(log, each)
    tell(log, row(5, config={"Bucket": {"Name": "b"}, "Acl": {"Owner": {"ID": "o"}, "Grants": []}}))
    own(log)
    assert document(log)["acl"]["grants"] == []
    assert document(log)["policyAvailable"] is True


def test_a_part_that_is_gone_is_gone_from_the_document(log: Log) -> None:
    for each in EVENTS.values():
        tell(log, each)
    tell(log, row(6, part="Policy", config=None))
    own(log)
    assert document(log)["policyAvailable"] is False


def test_an_older_whole_is_the_base_of_nothing_and_a_deletion_stays_one(log: Log) -> None:
    tell(log, row(7, deleted=True))
    for each in EVENTS.values():
        tell(log, each)
    assert own(log) == 0
    assert log.ask("select deleted from resources") == [(True,)]


def test_tags_that_come_alone_are_the_resources(log: Log) -> None:
    tell(log, WHOLE)
    tell(log, row(2, part="Tagging", config={"TagSet": [{"Key": "Name", "Value": "shop"}]}))
    own(log)
    assert log.ask("select name, tags->>'Name' from resources") == [("shop", "shop")]


def test_an_item_of_aws_config_takes_parts_as_well(log: Log) -> None:
    key = {"keyId": "k", "arn": "arn:aws:kms:eu-west-1:123456789012:key/k", "keyManager": "CUSTOMER"}
    item = {
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-02T09:00:00Z",
        "resourceType": "AWS::KMS::Key",
        "resourceId": "k",
        "ARN": key["arn"],
        "awsAccountId": "123456789012",
        "awsRegion": "eu-west-1",
        "configuration": json.dumps(key),
    }
    rotation = row(1, part="rotationStatus", config={"KeyRotationEnabled": True}) | {
        "api_name": "aws-kms-get-key-rotation-status",
        "resource_id": key["arn"],
    }
    tell(log, rotation)
    tell(log, item)
    own(log)
    assert document(log)["rotation_status"] == {"keyRotationEnabled": True}
    assert document(log)["keyMetadata"]["keyManager"] == "CUSTOMER"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"part": ""}, "part"),
        ({"part": 7}, "part"),
        ({"part": "Policy", "resource_id": ""}, "resource_id"),
        ({"part": "Policy", "account": "7"}, "account"),
        ({"part": "Policy", "config": "x"}, "config"),
        ({"part": "Policy", "time": "noon"}, "time"),
    ],
)
def test_a_part_that_cant_be_placed_is_refused(wrong: dict[str, Any], path: str) -> None:
    (made,) = NORMALISERS["aws"].read(orjson.dumps(row(1, config={}) | wrong), Place("raw", 0, 0, 0))
    assert isinstance(made, Bad)
    assert made.path == path
