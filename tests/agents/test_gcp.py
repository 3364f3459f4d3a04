"""Google Cloud configurations: one name a resource, projects, envelopes, policies, and what real samples give."""

import base64
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from agents.normalise._gcp_identity import full_name, place_in, project_of, region_of
from agents.normalise._gcp_shape import members
from agents.normalise._gcp_types import api_name_of, singular
from streams.codec import encode
from streams.identity import Place
from streams.records import Resource

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "configs"
PLACE = Place("raw.configs.gcp", 0, 42, 1_772_442_000_000)
INSTANCE = "//compute.googleapis.com/projects/shop/zones/europe-west3-a/instances/front"


def read(value: Any) -> list[Any]:
    return NORMALISERS["gcp"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


def one(value: Any) -> Resource:
    [record] = read(value)
    assert isinstance(record, Resource), record
    return record


def bad(value: Any) -> Bad:
    [entry] = read(value)
    assert isinstance(entry, Bad), entry
    return entry


def config(record: Resource) -> Any:
    return orjson.loads(encode(record).value)["config"]


def asset(name: str, type: str, data: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "assetType": type, "resource": {"data": data}, "updateTime": "2026-03-01T00:00:00Z"} | more


@pytest.mark.parametrize(
    "sent",
    [
        INSTANCE,
        "https://www.googleapis.com/compute/v1/projects/shop/zones/europe-west3-a/instances/front",
        "https://compute.googleapis.com/compute/v1/projects/shop/zones/europe-west3-a/instances/front",
        "projects/shop/zones/europe-west3-a/instances/front",
        "v1/projects/shop/zones/europe-west3-a/instances/front",
    ],
)
def test_a_resource_has_one_name_however_it_is_sent(sent: str) -> None:
    assert full_name(sent, "compute.googleapis.com/Instance") == INSTANCE


@pytest.mark.parametrize(
    ("sent", "type", "name"),
    [
        ("https://www.googleapis.com/storage/v1/b/logs", "", "//storage.googleapis.com/logs"),
        ("projects/_/buckets/logs", "storage.googleapis.com/Bucket", "//storage.googleapis.com/logs"),
        ("https://sqladmin.googleapis.com/sql/v1beta4/projects/p/instances/i", "", "//cloudsql.googleapis.com/projects/p/instances/i"),  # noqa: E501 (one row a case)
        ("https://container.googleapis.com/v1/projects/p/locations/l/clusters/c", "", "//container.googleapis.com/projects/p/locations/l/clusters/c"),  # noqa: E501 (one row a case)
        ("https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d", "", "//bigquery.googleapis.com/projects/p/datasets/d"),  # noqa: E501 (one row a case)
        ("zone", "", "zone"),
    ],
)  # fmt: skip
def test_services_call_their_resources_differently_and_assets_alike(sent: str, type: str, name: str) -> None:
    assert full_name(sent, type) == name


@pytest.mark.parametrize(
    ("type", "config", "name"),
    [
        ("bigquery.googleapis.com/Table", {"id": "p:d.t"}, "//bigquery.googleapis.com/projects/p/datasets/d/tables/t"),
        ("logging.googleapis.com/LogSink", {"name": "all"}, "//logging.googleapis.com/projects/shop/sinks/all"),
        ("dns.googleapis.com/ManagedZone", {"name": "z", "id": "42"}, "//dns.googleapis.com/projects/shop/managedZones/42"),  # noqa: E501 (one row a case)
        ("storage.googleapis.com/Bucket", {"name": "logs"}, "//storage.googleapis.com/logs"),
    ],
)  # fmt: skip
def test_a_bare_name_of_an_api_becomes_the_name_that_the_asset_has(type: str, config: Any, name: str) -> None:
    assert one({"account": "shop", "resource_type": type, "config": config}).id == name


def test_a_service_account_is_one_by_its_number_and_by_its_email() -> None:
    data = {"name": "projects/shop/serviceAccounts/ci@shop.iam.gserviceaccount.com", "uniqueId": "117"}
    kind = "iam.googleapis.com/ServiceAccount"
    by_number = asset("//iam.googleapis.com/projects/shop/serviceAccounts/117", kind, data)
    assert one(by_number).rrn == one({"resource_type": kind, "config": data}).rrn


def test_a_project_is_its_id_and_its_number_only_where_nothing_else_is_told() -> None:
    assert project_of("//x/projects/123/y", "projects/shop/z") == "shop"
    assert project_of("//x/projects/123/y", "folders/5") == "123"
    assert project_of("projects/-/x", "projects/_/x", "x") == ""


def test_a_place_is_its_region() -> None:
    assert [region_of(place) for place in ("europe-west3-a", "https://x/zones/us-east1-b", "EU", "-", "projects")] == [
        "europe-west3",
        "us-east1",
        "eu",
        "",
        "",
    ]
    assert place_in("projects/p/locations/global/keyRings/k") == "global"


def test_a_collection_holds_what_its_name_says_in_the_plural() -> None:
    assert [singular(name) for name in ("instances", "policies", "addresses", "batches", "proxies")] == [
        "Instance",
        "Policy",
        "Address",
        "Batch",
        "Proxy",
    ]


def test_members_of_a_policy_have_each_role_once() -> None:
    bindings = [
        {"role": "roles/a", "members": ["user:x@example.com", "allUsers"]},
        {"role": "roles/b", "members": ["user:x@example.com", 5]},
        {"role": "roles/a", "members": ["user:x@example.com"]},
        {"members": ["user:y@example.com"]},
        "no binding",
    ]
    assert members({"bindings": bindings}) == {"x@example.com": ["roles/a", "roles/b"], "allUsers": ["roles/a"]}


def test_a_resource_is_one_whatever_tells_of_it() -> None:
    data = {"name": "front", "zone": "https://x/zones/europe-west3-a", "id": 8123456789012345678}
    link = INSTANCE.replace("//compute.googleapis.com", "https://www.googleapis.com/compute/v1")
    told = [
        asset(INSTANCE, "compute.googleapis.com/Instance", data),
        {"asset": asset(INSTANCE, "compute.googleapis.com/Instance", data), "window": {}},
        {"kind": "compute#instance", "selfLink": link} | data,
        {"resource_type": "compute.googleapis.com/Instance", "resource_id": link, "config": data, "account": "other"},
    ]
    assert {one(message).rrn for message in told} == {one(told[0]).rrn}
    assert {(one(message).account, one(message).region) for message in told} == {("shop", "europe-west3")}
    assert {"8123456789012345678", link} <= set(one(told[0]).keys)


def test_a_deletion_is_of_the_resource_that_was_there_whatever_tells_of_it() -> None:
    there = one(asset(INSTANCE, "compute.googleapis.com/Instance", {"name": "front"}))
    deleted = {"asset": {"name": INSTANCE, "assetType": "compute.googleapis.com/Instance"}, "deleted": True}
    pushed = {"message": {"data": base64.b64encode(orjson.dumps(deleted)).decode()}}
    audited = {
        "protoPayload": {
            "serviceName": "compute.googleapis.com",
            "methodName": "v1.compute.instances.delete",
            "resourceName": "projects/shop/zones/europe-west3-a/instances/front",
        },
        "timestamp": "2026-03-01T00:00:00Z",
    }
    for message in (deleted, pushed, audited):
        assert (one(message).rrn, one(message).deleted) == (there.rrn, True)


def test_an_answer_that_came_as_a_row_is_of_that_rows_project() -> None:
    answer = {"kind": "dns#managedZonesList", "items": [{"name": "z", "id": "42"}]}
    row = {"account": "shop", "resource_type": "dns.googleapis.com/ManagedZone", "config": answer}
    assert [(one.account, one.api_name) for one in read(row)] == [("shop", "gcloud-dns-managed-zone")]


def test_a_resource_with_a_configuration_of_its_own_is_no_row() -> None:
    environment = {"name": "projects/shop/locations/europe-west3/environments/e", "config": {"nodeCount": 3}}
    [record] = read({"environments": [environment]})
    assert (record.api_name, record.region) == ("gcloud-composer-environment", "europe-west3")
    assert config(record) == environment


def test_two_generations_of_a_service_are_told_apart() -> None:
    function = "cloudfunctions.googleapis.com/Function"
    first = {"resource_type": function, "resource_id": "projects/p/f/1", "config": {"entryPoint": "main"}}
    second = {"resource_type": function, "resource_id": "projects/p/f/2", "config": {"serviceConfig": {}, "state": "ACTIVE"}}  # noqa: E501 (a pair)  # fmt: skip
    assert [one(row).api_name for row in (first, second)] == ["gcloud-cloud-function", "gcloud-cloud-function-v2"]
    assert config(one(second))["status"] == "ACTIVE"
    notebook = "notebooks.googleapis.com/Instance"
    old = {"resource_type": notebook, "resource_id": "projects/p/i/1", "config": {"state": "ACTIVE"}}
    new = {"resource_type": notebook, "resource_id": "projects/p/i/2", "config": {"gceSetup": {}}}
    assert [one(row).api_name for row in (old, new)] == [
        "gcloud-vertex-ai-notebook-instance",
        "gcloud-vertex-ai-workbench-instance",
    ]


def test_a_type_that_is_not_known_is_kept_under_a_name_of_its_own() -> None:
    assert api_name_of("firestore.googleapis.com/BackupSchedule", False) == "gcloud-firestore-backup-schedule"
    assert api_name_of("", False) == "gcloud-unknown"


def test_a_condition_of_an_alert_policy_tells_its_filter_where_queries_ask_it() -> None:
    policy = {"name": "projects/p/alertPolicies/1", "conditions": [{"conditionThreshold": {"filter": "metric.x"}}, 5]}
    shape = config(one({"resource_type": "monitoring.googleapis.com/AlertPolicy", "config": policy}))
    assert shape["conditions"][0]["metricThresholdFilter"] == "metric.x"


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        (asset(INSTANCE, "compute.googleapis.com/Instance", None), "resource.data", "missing: ask Cloud Asset Inventory for the content type RESOURCE"),  # noqa: E501 (one row a case)
        (asset(INSTANCE, "compute.googleapis.com/Instance", "x"), "resource.data", "wanted an object, got text 'x'"),
        ({"message": {"data": "%"}}, "message.data", "not base64: Only base64 data is allowed"),
        ({"message": {"data": base64.b64encode(b"{").decode()}}, "message.data", "not JSON: it ends too early, or half of a surrogate pair stands alone"),  # noqa: E501 (one row a case)
        ({"protoPayload": []}, "protoPayload", "wanted an object"),
        ({"name": "x"}, "kind", "nothing says what it is: send it as a row with its `resource_type`"),
        ({"hello": 1}, "", "neither an asset, nor a resource of an API, nor a row, which has `config`"),
        ({"resource_type": "dns.googleapis.com/ManagedZone", "config": {"name": "z"}}, "account", "missing, and neither name nor configuration tells the project: send it"),  # noqa: E501 (one row a case)
        ({"resource_type": "x.googleapis.com/Y", "config": {}}, "resource_id", "missing, and the configuration has neither `selfLink` nor `name`"),  # noqa: E501 (one row a case)
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_told(message: Any, path: str, reason: str) -> None:
    assert (bad(message).path, bad(message).reason) == (path, reason)


beside = pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of public samples isn't beside this checkout")


@beside
def test_public_rows_are_kept_but_for_those_that_nothing_names() -> None:
    entries = read((CORPUS / "gcp.jsonl").read_bytes())
    refused = Counter(entry.path for entry in entries if isinstance(entry, Bad))
    assert len(entries) == 937
    assert refused == {"resource_id": 5}  # release channels, a firewall's default rule, a finding


@beside
def test_no_public_row_loses_a_value_on_its_way_into_the_document() -> None:
    for entry in read((CORPUS / "gcp.jsonl").read_bytes()):
        if not isinstance(entry, Bad):
            record = orjson.loads(encode(entry).value)
            sent = record["original"].get("asset", {}).get("resource", {}).get("data", record["original"])
            missing = Counter(_leaves(sent)) - Counter(_leaves(record["config"]))
            assert all("googleapis.com/" in leaf for leaf in missing), (entry.rrn, missing)  # a sink's destination


@beside
def test_public_audit_logs_are_hints_but_for_what_is_a_deletion() -> None:
    for path in sorted((CORPUS / "envelopes").glob("gcp_auditlog*")):
        if "protoPayload" in orjson.loads(path.read_bytes()):
            assert read(path.read_bytes()) == [], path.name


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [repr(value)]
