"""Azure configurations: ids in any case, Prisma's forms of properties, envelopes, events, what real samples give."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._azure_identity import arm_id, region_of
from agents.normalise._azure_shape import dotted, lifted
from agents.normalise._azure_types import API_NAMES, api_name_of
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import Place
from streams.records import Resource

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "configs"
PLACE = Place("raw.configs.azure", 0, 42, 1_772_442_000_000)
SUBSCRIPTION = "0b1f6a1e-58f3-4c1d-9d0e-6a4f5b7c8d90"
TENANT = "9c3d4e5f-0000-4111-8222-333344445555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Web"


def read(value: Any) -> list[Any]:
    return NORMALISERS["azure"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


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


def arm(type: str, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"id": f"{GROUP}/providers/{type}/{name}", "name": name, "type": type, "location": "westeurope"} | more


@pytest.mark.parametrize(
    ("sent", "type", "names"),
    [
        (f"{GROUP}/providers/Microsoft.Sql/servers/S/databases/D", "Microsoft.Sql/servers/databases", {"servers": "s"}),
        (GROUP, "Microsoft.Resources/resourceGroups", {"resourcegroups": "web"}),
        (f"/subscriptions/{SUBSCRIPTION}", "Microsoft.Resources/subscriptions", {}),
        (f"{GROUP}/providers/Microsoft.Web/sites/s/providers/Microsoft.Authorization/locks/l", "Microsoft.Authorization/locks", {"sites": "s", "locks": "l"}),  # noqa: E501 (one row a case)
        ("/providers/Microsoft.Management/managementGroups/g", "Microsoft.Management/managementGroups", {}),
        ("/", "", {}),
        ("/subscriptions", "", {}),
    ],
)  # fmt: skip
def test_an_id_says_what_a_resource_is_and_what_it_belongs_to(sent: str, type: str, names: dict[str, str]) -> None:
    found = arm_id(sent)
    assert (found.type, found.id) == (type, sent.rstrip("/").lower() or "/")
    assert names.items() <= found.segments.items()


def test_an_id_is_one_resource_in_any_case() -> None:
    machine = arm("Microsoft.Compute/virtualMachines", "Front")
    upper = machine | {"id": machine["id"].upper(), "type": "microsoft.compute/virtualmachines"}
    assert one(machine).rrn == one(upper).rrn
    assert one(upper).keys == [machine["id"].lower(), machine["id"].upper()]


def test_a_machine_is_known_by_its_guid_in_lower_case() -> None:
    machine = arm("Microsoft.Compute/virtualMachines", properties={"vmId": "5F0E8F0A-1111-4222-8333-444455556666"})
    assert "5f0e8f0a-1111-4222-8333-444455556666" in one(machine).keys


def test_a_region_is_its_id() -> None:
    assert [region_of(place) for place in ("East US 2", "eastus2", "", "Global")] == ["eastus2", "eastus2", "global", "global"]  # noqa: E501 (a table)  # fmt: skip


def test_properties_become_keys_with_dots_at_every_depth_but_not_in_what_is_the_users() -> None:
    raw = {"tags": {"properties": {"a": 1}}, "properties": {"rules": [{"id": "r", "properties": {"port": 1}}]}}
    assert dotted(raw) == {
        "tags": {"properties": {"a": 1}},
        "properties.rules": [{"id": "r", "properties.port": 1}],
    }


def test_properties_are_lifted_and_never_hide_what_stands_above() -> None:
    raw = {"name": "x", "properties": {"name": "inner", "rules": [{"properties": {"access": "Allow"}}]}}
    assert lifted(raw) == {"name": "x", "rules": [{"access": "Allow"}]}


def test_a_machine_has_its_power_state_from_either_sender() -> None:
    graph = {"extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}}}
    arms = {"instanceView": {"statuses": [{"code": "ProvisioningState/ok"}, {"code": "PowerState/deallocated"}]}}
    kind = "Microsoft.Compute/virtualMachines"
    assert config(one(arm(kind, properties=graph)))["powerState"] == "PowerState/running"
    assert config(one(arm(kind, properties=arms)))["powerState"] == "PowerState/deallocated"
    assert "powerState" not in config(one(arm(kind, properties={})))


def test_a_machines_extensions_stand_by_their_type() -> None:
    extension = {"name": "av", "properties": {"type": "IaaSAntimalware", "settings": {"AntimalwareEnabled": False}}}
    shape = config(one(arm("Microsoft.Compute/virtualMachines", resources=[extension])))
    assert shape["Extensions"]["IaaSAntimalware"]["settings"] == {"AntimalwareEnabled": False}


def test_a_storage_account_counts_its_public_containers() -> None:
    containers = [{"name": "a", "properties": {"publicAccess": "Blob"}}, {"name": "b", "properties": {}}]
    shape = config(one(arm("Microsoft.Storage/storageAccounts", containers=containers)))
    assert (shape["totalPublicContainers"], shape["publicContainersList"]) == (1, ["a"])


def test_a_database_tells_its_encryption_as_true_or_false() -> None:
    kind = "Microsoft.Sql/servers/databases"
    on = arm(kind, transparentDataEncryption={"properties": {"state": "Enabled"}})
    off = arm(kind, transparentDataEncryption={"properties": {"status": "Disabled"}})
    assert [config(one(item))["transparentDataEncryption"] for item in (on, off)] == [True, False]


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (f"/subscriptions/{SUBSCRIPTION}", "azure-monitor-log-profiles-list"),
        (f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s/blobServices/default", "azure-storage-account-blob-diagnostic-settings"),  # noqa: E501 (one row a case)
        (f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/a", "azure-cognitive-services-account-diagnostic-settings"),  # noqa: E501 (one row a case)
        (f"{GROUP}/providers/Microsoft.KeyVault/vaults/v", "azure-monitor-diagnostic-settings"),
    ],
)  # fmt: skip
def test_diagnostic_settings_are_asked_by_whose_they_are(scope: str, name: str) -> None:
    settings = {"id": f"{scope}/providers/microsoft.insights/diagnosticSettings/d", "properties": {"logs": []}}
    assert one(settings).api_name == name


def test_a_page_that_came_as_a_row_is_of_that_rows_account() -> None:
    page = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
        "value": [{"id": "u-1"}, {"id": "u-2"}],
    }
    users = read({"account": TENANT, "config": page})
    assert [(one.account, one.api_name, one.id) for one in users] == [
        (TENANT, "azure-active-directory-user", "u-1"),
        (TENANT, "azure-active-directory-user", "u-2"),
    ]


def test_an_app_with_its_sites_configuration_is_no_row() -> None:
    app = arm("Microsoft.Web/sites", config={"ftpsState": "AllAllowed"})
    assert config(one(app)) == app


def test_one_plan_of_security_center_alone_is_not_the_document_of_all() -> None:
    plan = {"id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings/Dns", "name": "Dns"}
    assert one(plan).api_name == "azure-security-pricings"
    assert one({"value": [plan, plan]}).api_name == "azure-security-center-settings"
    row = {"api_name": "azure-security-center-settings", "resource_id": plan["id"], "config": plan}
    assert one(row).api_name == "azure-security-pricings"


def test_a_type_that_is_not_known_is_kept_under_a_name_of_its_own_in_any_case() -> None:
    assert {api_name_of(kind) for kind in ("Microsoft.Purview/accounts", "microsoft.purview/ACCOUNTS")} == {
        "azure-purview-accounts"
    }
    assert all(kind == kind.lower() for kind in API_NAMES)


def test_a_deletion_is_of_the_resource_that_was_there_whatever_tells_of_it() -> None:
    site = arm("Microsoft.Web/sites", "shop")
    there = one(site)
    log = {
        "resourceId": site["id"].upper(),
        "operationName": "MICROSOFT.WEB/SITES/DELETE",
        "resultType": "Success",
        "time": "2026-03-02T10:00:00Z",
    }
    grid = {
        "eventType": "Microsoft.Resources.ResourceDeleteSuccess",
        "eventTime": "2026-03-02T10:00:00Z",
        "data": {"resourceUri": site["id"]},
    }
    row = {"resource_id": site["id"], "deleted": True}
    for message in (log, grid, row):
        assert (one(message).rrn, one(message).deleted) == (there.rrn, True)


@pytest.mark.parametrize("result", ["Start", "Failure", None])
def test_an_operation_that_was_not_done_is_a_hint(result: str | None) -> None:
    log = {"resourceId": GROUP, "operationName": "x/delete", "resultType": result, "time": "2026-03-02T10:00:00Z"}
    assert read(log) == []


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        ({"value": {}}, "value", "wanted a list, got an object"),
        ({"data": {"columns": [], "rows": {}}}, "data.rows", "wanted a list, got an object"),
        ({"data": {"columns": ["id"], "rows": []}}, "data.columns", "wanted a list of objects with `name`"),
        ({"id": "abc", "@odata.type": "#microsoft.graph.user"}, "account", "missing, and the id names no subscription: send the tenant's id as `account`"),  # noqa: E501 (one row a case)
        (arm("Microsoft.Web/sites") | {"id": "/subscriptions/1/resourceGroups/x"}, "account", "wanted a subscription GUID, got '1'"),  # noqa: E501 (one row a case)
        ({"name": "x"}, "id", "missing: neither a resource of Azure, nor a row, which has `config`"),
        ({"config": {"name": "x"}}, "resource_id", "missing, and the configuration has no `id` either"),
        ({"config": {}, "cloud": "aws"}, "cloud", "wanted 'azure', got 'aws'"),
        ({"config": [], "account": TENANT}, "config", "wanted an object, got a list"),
        ({"config": {}, "deleted": "no"}, "deleted", "wanted a boolean, got text 'no'"),
        ({"config": {}, "time": "soon"}, "time", "not a time: 'soon'"),
        (arm("Microsoft.Web/sites", location="x" * 300), "region", "has 300 characters, the most is 256"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_told(message: Any, path: str, reason: str) -> None:
    assert (bad(message).path, bad(message).reason) == (path, reason)


beside = pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of public samples isn't beside this checkout")


@beside
def test_public_rows_give_what_they_hold() -> None:
    entries = read((CORPUS / "azure.jsonl").read_bytes())
    refused = Counter((entry.path, entry.reason.partition(",")[0]) for entry in entries if isinstance(entry, Bad))
    assert len(entries) == 2435
    assert refused == {
        ("account", "missing"): 792,  # of a directory, and nothing says of which tenant
        ("account", "wanted a subscription GUID"): 553,  # their authors took the subscription's id out
    }


@beside
def test_public_rows_are_all_kept_once_they_have_an_account() -> None:
    told = f"/subscriptions/{SUBSCRIPTION}".encode()
    text = re.sub(rb"/subscriptions/(subscription-id|j1dev)", told, (CORPUS / "azure.jsonl").read_bytes())
    rows = [orjson.loads(line) for line in text.splitlines()]
    entries = read(b"\n".join(orjson.dumps(row | {"account": SUBSCRIPTION}) for row in rows))
    assert [entry.reason for entry in entries if isinstance(entry, Bad)] == []


@beside
def test_no_public_row_loses_a_value_on_its_way_into_the_document() -> None:
    for entry in read((CORPUS / "azure.jsonl").read_bytes()):
        if isinstance(entry, Bad):
            continue
        record = orjson.loads(encode(entry).value)
        missing = Counter(_leaves(record["original"])) - Counter(_leaves(record["config"]))
        assert set(missing) <= {repr(record["name"]), repr(record["id"])}, (entry.rrn, missing)


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [repr(value)]
