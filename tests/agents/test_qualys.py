"""Qualys: each form it comes in, XML that attacks or is broken, what statuses mean, and what real samples give."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.identity import UNLINKED, Place
from streams.records import Finding, Knowledge, VendorAsset

SAMPLES = Path(__file__).parents[3] / "shared" / "corpus" / "findings" / "qualys"
CASES = Path(__file__).parents[1] / "data" / "normalise" / "qualys"
DETECTIONS = (CASES / "detections.in.xml").read_bytes()
PLACE = Place("raw.findings.qualys", 0, 42, 1_772_442_000_000)
ROOT = "HOST_LIST_VM_DETECTION_OUTPUT"


def read(value: Any) -> list[Any]:
    return NORMALISERS["qualys"].read(value if isinstance(value, bytes) else orjson.dumps(value), PLACE)


def one(value: Any) -> Finding:
    [record] = read(value)
    assert isinstance(record, Finding), record
    return record


def reason(value: bytes) -> str:
    [entry] = read(value)
    assert isinstance(entry, Bad), entry
    return entry.reason


def detection(host: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    told = {"QID": "38170", "SEVERITY": "4", "STATUS": "Active", "PORT": "443", "PROTOCOL": "tcp"}
    return {"HOST": {"ID": "4201"} | (host or {}), "DETECTION": told | changed}


def host_list(inside: str) -> str:
    return f"<{ROOT}><RESPONSE><HOST_LIST><HOST><ID>1</ID>{inside}</HOST></HOST_LIST></RESPONSE></{ROOT}>"


def listed(told: str) -> str:
    row = f"<DETECTION><QID>5</QID><SEVERITY>1</SEVERITY><STATUS>New</STATUS>{told}</DETECTION>"
    return host_list(f"<DETECTION_LIST>{row}</DETECTION_LIST>")


def test_the_same_finding_by_xml_and_by_the_api_s_csv_is_one() -> None:
    by_csv = read((CASES / "api.in.csv").read_bytes())[0]
    row = {"QID": "38170", "SEVERITY": "4", "STATUS": "Active", "PORT": "443", "PROTOCOL": "tcp", "SSL": "1"}
    assert by_csv.id == one({"HOST": {"ID": "4201"}, "DETECTION": row}).id


def test_qualys_s_own_id_goes_first() -> None:
    assert one(detection(UNIQUE_VULN_ID="77")).id == "qualys:77"
    assert one(detection()).id == "qualys:host:4201/38170/443/tcp"
    assert one(detection(PORT="8443")).id != one(detection()).id


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"STATUS": "New"}, "open", ""),
        ({"STATUS": "Active"}, "open", ""),
        ({"STATUS": "Re-Opened"}, "open", "Re-Opened"),
        ({"STATUS": "Fixed"}, "fixed", "Fixed"),
        ({"IS_IGNORED": "1"}, "suppressed", "IS_IGNORED"),
        ({"IS_DISABLED": "1", "STATUS": "Fixed"}, "suppressed", "IS_DISABLED"),
    ],
)
def test_a_detections_life_is_told_with_its_reason(changed: dict[str, Any], status: str, reason: str) -> None:
    record = one(detection(**changed))
    assert (record.status, record.status_reason) == (status, reason)


def test_the_latest_of_its_times_is_newer() -> None:
    first = one(detection(LAST_FOUND_DATETIME="2026-03-01T00:00:00Z"))
    fixed = one(detection(LAST_FOUND_DATETIME="2026-03-01T00:00:00Z", LAST_FIXED_DATETIME="2026-03-02T00:00:00Z"))
    assert first.version < fixed.version


@pytest.mark.parametrize(
    ("host", "cloud", "account"),
    [
        ({}, None, UNLINKED),
        ({"EC2_INSTANCE_ID": "i-1"}, "aws", UNLINKED),
        ({"CLOUD_PROVIDER": "AWS", "CLOUD_RESOURCE_ID": "i-1", "CLOUD_ACCOUNT": "111122223333"}, "aws", "111122223333"),
        ({"CLOUD_PROVIDER": "Azure", "CLOUD_RESOURCE_ID": "99999999-aaaa-3333-4444-555555555555"}, "azure", UNLINKED),
        ({"CLOUD_PROVIDER": "GCP", "CLOUD_RESOURCE_ID": "12345", "CLOUD_ACCOUNT": "shop-prod"}, "gcp", "shop-prod"),
    ],
)
def test_a_host_is_linked_as_far_as_its_message_tells(host: dict[str, Any], cloud: str | None, account: str) -> None:
    record = one(detection(host))
    assert (record.cloud, record.account) == (cloud, account)
    assert (record.asset, record.knowledge) == ("host:4201", "qid:38170")


def test_a_truncated_file_keeps_what_came_before() -> None:
    cut = DETECTIONS[: DETECTIONS.index(b"<ID>4203</ID>")]
    entries = read(cut)
    assert [type(entry) for entry in entries] == [Finding, Finding, Bad, VendorAsset, Finding, VendorAsset, Bad]
    assert entries[-1].reason.startswith("not XML: no element found")
    assert entries[-1].item == cut


def test_a_bad_detection_among_a_hundred_goes_alone() -> None:
    rows = "".join(
        f"<DETECTION><QID>{number or 'x'}</QID><SEVERITY>1</SEVERITY><STATUS>New</STATUS></DETECTION>"
        for number in range(100)
    )
    entries = read(host_list(f"<DETECTION_LIST>{rows}</DETECTION_LIST>").encode())
    assert [type(entry) for entry in entries] == [Bad] + [Finding] * 99 + [VendorAsset]
    assert orjson.loads(entries[0].item)["DETECTION"]["QID"] == "x"


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(9))


@pytest.mark.parametrize(
    "subset",
    [
        LAUGHS,
        '<!ENTITY a8 SYSTEM "file:///etc/hostname">',
        '<!ENTITY % a8 SYSTEM "http://127.0.0.1:9/x.dtd"> %a8;',
        "<!ELEMENT HOST ANY>",
    ],
)
def test_what_a_document_declares_itself_is_refused(subset: str) -> None:
    text = f"<!DOCTYPE {ROOT} [{subset}]>{listed('<RESULTS>&a8;</RESULTS>')}"
    assert reason(text.encode()) == "not accepted: a DOCTYPE that declares anything itself"


def test_the_external_dtd_that_qualys_names_is_not_fetched() -> None:
    text = f'<!DOCTYPE {ROOT} SYSTEM "http://127.0.0.1:9/gone.dtd">{listed("")}'
    assert isinstance(read(text.encode())[0], Finding)


def test_an_entity_that_nothing_declares_is_refused() -> None:
    assert reason(listed("<RESULTS>&hello;</RESULTS>").encode()).startswith("not XML: undefined entity")


@pytest.mark.parametrize(
    "text",
    [
        gzip.compress(DETECTIONS, mtime=0),
        b"\xef\xbb\xbf" + DETECTIONS,
        b"\r\n  " + DETECTIONS.partition(b"?>")[2],
        DETECTIONS.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
        DETECTIONS.replace(b'"UTF-8"', b'"ISO-8859-1"'),
        DETECTIONS.replace(b"second line", b"second\x0b\x00 line\x1f").replace(b"second ", b"second "),
    ],
    ids=["gzip", "byte order mark", "blanks before it", "UTF-16", "Latin-1", "control characters"],
)
def test_every_encoding_gives_the_same_findings(text: bytes) -> None:
    assert [entry.id for entry in read(text) if isinstance(entry, Finding)] == [
        entry.id for entry in read(DETECTIONS) if isinstance(entry, Finding)
    ]


def test_a_wrong_encoding_is_told() -> None:
    assert reason(listed("<RESULTS>Jos\xe9</RESULTS>").encode("latin-1")).startswith("not XML: not well-formed")


@pytest.mark.parametrize("encoding", ["UTB-8", "Shift_JIS", "\u00fc", "utf_16"])
def test_an_encoding_that_cannot_be_read_is_told(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{listed("")}'
    assert reason(text.encode()).startswith("not XML: ")


def test_endless_depth_and_unknown_documents_are_refused() -> None:
    assert reason(listed("<RESULTS>" + "<a>" * 100).encode()) == "nested too deep: the most is 64 elements"
    assert "form that isn't known: rss" in reason(b"<rss></rss>")


def test_one_record_holds_only_so_many_elements() -> None:
    entries = read(listed("<a/>" * 250_000).encode())
    assert [entry.reason for entry in entries] == ["too many elements in one record: the most is 200000"]


def test_broken_csv_keeps_the_rows_before() -> None:
    rows = (CASES / "api.in.csv").read_bytes()
    entries = read(
        rows.replace(b'"----END', b"").replace(
            b'4201,"10.0.0.5","AGENT","Ubuntu","","","","2026-03-02T09:35:00Z",x', b'4201,"10'
        )
    )
    assert [type(entry) for entry in entries] == [Finding, Bad]
    assert entries[1].reason.startswith("not CSV: line ")


def test_a_row_of_the_knowledge_base_is_read_out_of_its_html() -> None:
    row = read((CASES / "knowledge.in.xml").read_bytes())[0]
    assert isinstance(row, Knowledge)
    assert row.description == 'A certificate is bound to a name.\nIt isn\'t "yours".\nReally.\n\nSomeone listens.'


COUNTS = {
    "j1_fixture_detections.xml": (4, 0),
    "j1_fixture_azure-host-assets.xml": (2, 0),
    "j1_fixture_ec2-host-assets.xml": (2, 0),
    "j1_fixture_gcp-host-assets.xml": (2, 0),
    "j1_fixture_list-host-assets.xml": (2, 0),
    "j1_fetchHostDetails_2031643069_01.xml": (1, 0),
    "j1_iterateHostDetails_2390253879_01.xml": (1, 0),
    "j1_iterateVulnerabilities_939003581_00.xml": (1, 0),
    "j1_fetchScannedWebAppIds_144896138_00.xml": (0, 7),  # web applications
    "j1_iterateWebApps_4264083977_00.xml": (0, 7),
}
"""Records and refusals that public samples hold; all others are answers without data."""

EMPTY = {
    "j1_fetchScannedHostIdsNone_1396309989_00.xml",
    "j1_fetchScannedWebAppIdsNone_4241847504_00.xml",
    "j1_iterateHostDetailsUnknownId_1276849426_00.xml",
    "j1_iterateHostDetectionsUnknownId_600973842_00.xml",
    "j1_iterateHostDetections_31119415_01.xml",
    "j1_iterateVulnerabilitiesUnknownId_2039106884_00.xml",
    "j1_iterateWebAppFindingsUnknownId_373035765_00.xml",
    "j1_iterateWebAppsFilteredNotFound_1713028025_00.xml",
    "j1_steps_741716276_05.xml",
}
"""Answers that there is nothing: neither records nor refusals."""

REFUSALS = (
    "an answer with ids only",
    "wanted host assets, there are none",  # version numbers
    "no data, but Qualys's answer",  # errors
    "a web application",
    "not JSON",  # scrambled bytes
)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_public_samples_give_what_they_hold() -> None:
    for path in sorted(SAMPLES.iterdir()):
        entries = read(path.read_bytes())
        refused = [entry for entry in entries if isinstance(entry, Bad)]
        assert all(bad.reason.startswith(REFUSALS) for bad in refused), path.name
        counted = (len(entries) - len(refused), len(refused))
        assert counted == COUNTS.get(path.name, (0, 0) if path.name in EMPTY else (0, 1)), path.name
