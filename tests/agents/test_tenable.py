"""Tenable: each form it comes in, what states mean, packages out of prose, and what real samples give."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from agents.normalise._tenable_output import packages
from streams.identity import UNLINKED, Place
from streams.records import Finding, Knowledge, VendorAsset

SAMPLES = Path(__file__).parents[3] / "shared" / "corpus" / "findings" / "tenable"
CASES = Path(__file__).parents[1] / "data" / "normalise" / "tenable"
PLACE = Place("raw.findings.tenable", 0, 42, 1_772_442_000_000)


def read(value: Any) -> list[Any]:
    return NORMALISERS["tenable"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


def one(value: Any) -> Finding:
    [record] = read(value)
    assert isinstance(record, Finding), record
    return record


def vulnerability(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((CASES / "vulnerability.in.json").read_bytes())
    return found | changed


def asset(**changed: Any) -> VendorAsset:
    [record] = read({"id": "a", "updated_at": "2026-03-02T09:40:00Z"} | changed)
    assert isinstance(record, VendorAsset), record
    return record


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"state": "OPEN"}, "open", ""),
        ({"state": "REOPENED"}, "open", "REOPENED"),
        ({"state": "FIXED"}, "fixed", "FIXED"),
        ({"severity_modification_type": "ACCEPTED"}, "suppressed", "ACCEPTED"),
        ({"severity_modification_type": "RECASTED"}, "open", ""),
        ({"severity_modification_type": "ACCEPTED", "state": "FIXED"}, "fixed", "FIXED"),
    ],
)
def test_a_findings_life_is_told_with_its_reason(changed: dict[str, Any], status: str, reason: str) -> None:
    record = one(vulnerability(**changed))
    assert (record.status, record.status_reason) == (status, reason)


def test_two_ports_are_two_findings_and_tenables_own_id_goes_first() -> None:
    first, second = (one(vulnerability(port={"port": port, "protocol": "TCP"})) for port in (22, 443))
    assert first.id != second.id
    assert one(vulnerability(finding_id="f")).id == "tenable:f"


@pytest.mark.parametrize("name", ["indexed", "indexed_at"])
@pytest.mark.parametrize("later", ["2026-03-03T00:00:00Z", "1772496000", 1772496000, 1772496000000])
def test_what_was_indexed_later_is_newer(name: str, later: Any) -> None:
    assert one(vulnerability()).version < one(vulnerability(indexed=None) | {name: later}).version


def test_a_finding_waits_for_the_asset_that_it_names() -> None:
    record = one(vulnerability())
    [first, *_] = read((CASES / "assets.in.json").read_bytes())
    assert record.account == UNLINKED
    assert record.asset == first.id
    assert (first.account, first.references[0].id) == ("111122223333", "i-0a1b2c3d4e5f60718")


def test_all_three_forms_of_an_asset_name_the_same_instance() -> None:
    records = [read((CASES / f"{name}.in.json").read_bytes())[0] for name in ("assets", "assets-v2", "workbench-info")]
    assert {record.id for record in records} == {records[0].id}
    assert all(record.references == records[0].references for record in records)
    assert {record.account for record in records} == {"111122223333"}


def test_a_list_that_knows_no_cloud_does_not_take_the_place_of_an_asset_that_does() -> None:
    [listed] = read((CASES / "workbench.in.json").read_bytes())
    [known, *_] = read((CASES / "assets.in.json").read_bytes())
    assert listed.id != known.id
    assert listed.ids == [known.id]


@pytest.mark.parametrize(
    ("changed", "deleted", "reason"),
    [
        ({}, False, ""),
        ({"deleted_at": "2026-03-03T00:00:00Z"}, True, "DELETED"),
        ({"terminated_at": "2026-03-03T00:00:00Z"}, True, "TERMINATED"),
    ],
)
def test_an_asset_that_is_gone_says_why(changed: dict[str, Any], deleted: bool, reason: str) -> None:
    record = asset(**changed)
    assert (record.deleted, record.status_reason) == (deleted, reason)
    assert (asset().version < record.version) is deleted


@pytest.mark.parametrize(
    ("fields", "cloud", "account", "region"),
    [
        ({}, None, UNLINKED, ""),
        ({"aws_ec2_instance_id": "i-1", "aws_owner_id": "masked"}, "aws", UNLINKED, ""),
        ({"azure_vm_id": "99999999-aaaa-3333-4444-555555555555"}, "azure", UNLINKED, ""),
        (
            {"gcp_instance_id": "1", "gcp_project_id": "shop", "gcp_zone": "europe-west1-b"},
            "gcp",
            "shop",
            "europe-west1",
        ),
    ],
)
def test_an_assets_cloud_is_told_as_far_as_it_goes(
    fields: dict[str, Any], cloud: str | None, account: str, region: str
) -> None:
    record = asset(**fields)
    assert (record.cloud, record.account, record.region) == (cloud, account, region)


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (
            "Remote package installed : openssl-libs-1.0.2k-19.el7\nShould be : openssl-libs-1.0.2k-25.el7",
            [{"name": "openssl-libs", "version": "1.0.2k-19.el7", "fixed": "1.0.2k-25.el7", "manager": "OS"}],
        ),
        (
            "  - Installed package : curl_7.68.0-1ubuntu2\n    Fixed package     : curl_7.68.0-1ubuntu2.22",
            [{"name": "curl", "version": "7.68.0-1ubuntu2", "fixed": "7.68.0-1ubuntu2.22", "manager": "OS"}],
        ),
        (
            "  Path              : C:\\app\n  Installed version : 1.2\n  Fixed version     : 1.3",
            [{"name": "App", "version": "1.2", "fixed": "1.3", "path": "C:\\app"}],
        ),
        ("Port 443/tcp was found to be open", []),
        (None, []),
    ],
)
def test_packages_are_read_out_of_an_output(output: Any, wanted: list[dict[str, str]]) -> None:
    assert packages(output, "App < 1.3 Multiple Vulnerabilities") == wanted


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (vulnerability(asset={}), "asset.uuid"),
        (vulnerability(plugin={"id": "x"}), "plugin.id"),
        (vulnerability(state="MAYBE"), "state"),
        (vulnerability(severity="severe"), "severity"),
        (vulnerability(port={"port": {}}), "port.port"),
        ({"assets": {}}, "assets"),
        ({"findings": {}}, "findings"),
        ({"check_name": "x"}, "asset_uuid"),
        ({"outputs": []}, "outputs"),
        ({"hello": 1}, ""),
    ],
)
def test_an_error_names_the_field(value: Any, path: str) -> None:
    [entry] = read(value)
    assert isinstance(entry, Bad)
    assert entry.path == path


def test_a_nessus_file_declares_nothing() -> None:
    text = b'<!DOCTYPE x [<!ENTITY a "b">]><NessusClientData_v2><Report/></NessusClientData_v2>'
    assert [entry.reason for entry in read(text)] == ["not accepted: a DOCTYPE that declares anything itself"]


COUNTS = {
    "cartography_assets_data.json": (VendorAsset, 2),
    "j1_doc_GET_Asset_Chunk.json": (VendorAsset, 1),
    "j1_doc_GET_Compliance_Chunk.json": (Finding, 3),
    "j1_doc_GET_Image_Report.json": (Finding, 6),
    "j1_doc_GET_Vulnerability_Chunk.json": (Finding, 1),
    "j1_fetch-assets-mapped-relationships-azure_vm_3276337367_02.json": (VendorAsset, 6),
    "j1_fetch-assets_3872274967_02.json": (VendorAsset, 6),
    "j1_fetch-container-reports_2748595111_03.json": (Finding, 175),
    "j1_fetch-vulnerabilities_2554332652_02.json": (Finding, 103),
    "j1_iterateAssets-success_1289501922_02.json": (VendorAsset, 4),
    "pyt_test_assets_details_success_fields_000.json": (VendorAsset, 13),
    "pyt_test_assets_details_success_fields_001.json": (VendorAsset, 1),
    "pyt_test_assets_list_000.json": (VendorAsset, 242),
    "pyt_test_exports_assets_003.json": (VendorAsset, 100),
    "pyt_test_exports_vulns_003.json": (Finding, 344),
    "pyt_test_workbench_asset_activity_001.json": (VendorAsset, 13),
    "pyt_test_workbench_asset_info_000.json": (VendorAsset, 242),
    "pyt_test_workbench_asset_info_001.json": (VendorAsset, 1),
    "pyt_test_workbench_asset_info_success_001.json": (VendorAsset, 13),
    "pyt_test_workbench_asset_info_success_002.json": (VendorAsset, 1),
    "pyt_test_workbench_asset_vuln_info_001.json": (VendorAsset, 1),
    "pyt_test_workbench_asset_vuln_info_002.json": (Knowledge, 74),
    "pyt_test_workbench_asset_vuln_output_001.json": (VendorAsset, 1),
    "pyt_test_workbench_asset_vuln_output_002.json": (Knowledge, 74),
    "pyt_test_workbench_asset_vulns_001.json": (VendorAsset, 13),
    "pyt_test_workbench_asset_vulns_003.json": (Knowledge, 6),
    "pyt_test_workbench_asset_vulns_filtered_001.json": (VendorAsset, 13),
    "pyt_test_workbench_asset_vulns_filtered_003.json": (Knowledge, 6),
    "pyt_test_workbench_assets_001.json": (VendorAsset, 13),
    "pyt_test_workbench_assets_fields_001.json": (VendorAsset, 13),
    "pyt_test_workbench_assets_filtered_000.json": (VendorAsset, 144),
    "pyt_test_workbench_export_asset_uuid_000.json": (VendorAsset, 242),
    "pyt_test_workbench_vuln_assets_001.json": (VendorAsset, 47),
    "pyt_test_workbench_vuln_info_001.json": (Knowledge, 45),
    "pyt_test_workbench_vuln_outputs_001.json": (Knowledge, 45),
    "pyt_test_workbench_vulns_001.json": (Knowledge, 45),
    "pyt_test_workbench_vulns_fields_001.json": (Knowledge, 2),
}
"""What public samples hold, with nothing refused."""

EMPTY = {"j1_fetch-container-reports_2748595111_04.json"} | {
    f"pyt_test_exports_compliance_00{number}.json" for number in range(6, 10)
}
"""An image without findings, and chunks without items."""


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_public_samples_give_what_they_hold() -> None:
    found = {}
    for path in sorted(SAMPLES.iterdir()):
        entries = read(path.read_bytes())
        kinds = {type(entry) for entry in entries}
        if kinds == {Bad}:  # states, filters, lists of images: answers without data, each with the way out
            assert len(entries) == 1
            assert "send" in entries[0].reason, path.name
        elif kinds:
            [kind] = kinds
            found[path.name] = (kind, len(entries))
        else:
            assert path.name in EMPTY
    assert found == COUNTS
